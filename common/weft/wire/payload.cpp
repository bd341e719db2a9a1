#include "weft/wire/payload.hpp"

namespace weft::wire {

Result<Value> Payload::value() const {
  auto decoded = [this]() -> Result<Value> {
    switch (encoding) {
      case wire::Encoding::msgpack:
        return from_msgpack(bytes);
      case wire::Encoding::json:
        return from_json(text());
      case wire::Encoding::raw:
        break;
    }
    return Value(bytes);
  }();
  if (!decoded)
    return Error(codes::bad_payload, "the payload of " + std::to_string(bytes.size()) +
                                         " bytes cannot be read: " + decoded.error().message);
  return decoded;
}

}  // namespace weft::wire
