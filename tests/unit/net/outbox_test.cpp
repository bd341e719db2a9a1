#include "weft/net/outbox.hpp"
#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::net;

namespace {

wire::Header request(std::uint64_t id) {
  wire::Header header;
  header.id = id;
  return header;
}
Bytes bytes(std::size_t n) { return Bytes(n, std::byte{7}); }

struct Frames {
  std::vector<Bytes> first;
  std::vector<std::size_t> second;
  Sent answer = Sent::yes;
  Sent operator()(BytesView frame, Bytes* more) {
    if (answer != Sent::yes) return answer;
    first.emplace_back(frame.begin(), frame.end());
    second.push_back(more ? more->size() : 0);
    return Sent::yes;
  }
};

std::vector<std::uint64_t> ids(const Bytes& frame) {
  std::vector<std::uint64_t> found;
  const auto envelope = wire::decode(frame, {});
  REQUIRE(envelope);
  if (envelope->header.kind != wire::Kind::batch) return {envelope->header.id};
  for (wire::BatchReader batch(envelope->payload, {}); !batch.done();) found.push_back(batch.next()->header.id);
  return found;
}

}  // namespace

TEST_CASE("one envelope travels alone, several travel in one batch, in order") {
  Outbox outbox;
  Frames frames;
  outbox.add(request(1), "echo.echo", bytes(10));
  CHECK(outbox.flush(std::ref(frames)) == Sent::yes);
  for (std::uint64_t id = 2; id <= 4; ++id) outbox.add(request(id), "echo.echo", bytes(id));
  CHECK(outbox.flush(std::ref(frames)) == Sent::yes);
  REQUIRE(frames.first.size() == 2);
  CHECK(ids(frames.first[0]) == std::vector<std::uint64_t>{1});
  CHECK(ids(frames.first[1]) == std::vector<std::uint64_t>{2, 3, 4});
  CHECK(outbox.empty());
  CHECK(outbox.flush(std::ref(frames)) == Sent::yes);
  CHECK(frames.first.size() == 2);
}

TEST_CASE("a batch stays under its size, and a large payload goes in a frame of its own between its neighbours") {
  Outbox outbox;
  Frames frames;
  for (std::uint64_t id = 1; id <= 20; ++id) outbox.add(request(id), {}, bytes(kDetachBytes));
  outbox.add(request(21), {}, bytes(kDetachBytes + 1));
  outbox.add(request(22), {}, bytes(1));
  CHECK(outbox.bytes() > 21 * kDetachBytes);
  CHECK(outbox.flush(std::ref(frames)) == Sent::yes);
  CHECK(outbox.bytes() == 0);
  std::vector<std::uint64_t> all;
  for (std::size_t i = 0; i < frames.first.size(); ++i) {
    CHECK(frames.first[i].size() <= kBatchBytes);
    const auto envelope = wire::decode(frames.first[i], {});
    if (envelope->header.id == 21) CHECK(frames.second[i] == kDetachBytes + 1);
    for (const auto id : ids(frames.first[i])) all.push_back(id);
  }
  REQUIRE(all.size() == 22);
  CHECK(std::is_sorted(all.begin(), all.end()));
}

TEST_CASE("what a full destination does not take stays, in order, and goes later") {
  Outbox outbox;
  Frames frames;
  frames.answer = Sent::full;
  outbox.add(request(1), {}, bytes(1));
  CHECK(outbox.flush(std::ref(frames)) == Sent::full);
  outbox.add(request(2), {}, bytes(kDetachBytes * 2));
  outbox.add(request(3), {}, bytes(1));
  CHECK(outbox.flush(std::ref(frames)) == Sent::full);
  CHECK_FALSE(outbox.empty());
  frames.answer = Sent::yes;
  CHECK(outbox.flush(std::ref(frames)) == Sent::yes);
  std::vector<std::uint64_t> all;
  for (const auto& frame : frames.first) {
    for (const auto id : ids(frame)) all.push_back(id);
  }
  CHECK(all == std::vector<std::uint64_t>{1, 2, 3});
}

TEST_CASE("what a full destination did not take is not touched by what others send meanwhile") {
  for (const std::size_t payload :
       {std::size_t{1}, kDetachBytes}) {  // a frame that is copied, and one that keeps its buffer
    Outbox full, other;
    Frames frames;
    frames.answer = Sent::full;
    for (std::uint64_t id = 1; id <= 3; ++id) full.add(request(id), {}, bytes(payload));
    CHECK(full.flush(std::ref(frames)) == Sent::full);
    frames.answer = Sent::yes;
    for (std::uint64_t round = 0; round < 20; ++round) {
      other.add(request(100 + round), {}, bytes(kDetachBytes));
      other.add(request(200 + round), {}, bytes(kDetachBytes));
      CHECK(other.flush(std::ref(frames)) == Sent::yes);
    }
    frames.first.clear();
    CHECK(full.flush(std::ref(frames)) == Sent::yes);
    REQUIRE(frames.first.size() == 1);
    CHECK(ids(frames.first[0]) == std::vector<std::uint64_t>{1, 2, 3});
  }
}
