// Feeds arbitrary frames to the envelope decoder in each way that net does.
#include <cstdint>

#include "weft/wire/wire.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weft;
  const BytesView frame = std::as_bytes(std::span(data, size));
  const wire::Limits limits{.payload_max = 4096, .depth_max = 32};
  if (const auto first = wire::decode_first(frame, limits)) {
    if (first->size > size) __builtin_trap();
    (void)wire::decode_error(first->envelope);
  }
  const auto whole = wire::decode(frame, limits);
  if (whole && whole->header.kind == wire::Kind::batch) {
    wire::BatchReader reader(whole->payload, limits);
    while (!reader.done()) (void)reader.next();
  }
  if (whole && (whole->header.flags & wire::kFlagDetached) == 0) {
    // What was understood encodes to the same bytes.
    Bytes again(wire::encoded_size(whole->name, whole->extension, whole->payload.size()));
    wire::encode(whole->header, whole->name, whole->extension, whole->payload, again);
    if (!std::equal(again.begin(), again.end(), frame.begin(), frame.end())) __builtin_trap();
  }
  return 0;
}
