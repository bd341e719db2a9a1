#include "weft/net/channel.hpp"

#include <thread>

#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::net;

namespace {

struct Fixture {
  std::shared_ptr<FrameBuffer::Home> home = std::make_shared<FrameBuffer::Home>();
  Channel channel{"a.b"};

  void append(std::uint64_t id, std::size_t size, wire::Kind kind = wire::Kind::event) {
    wire::Header header;
    header.kind = kind;
    header.id = id;
    channel.append(header, {}, {}, Bytes(size, static_cast<std::byte>(id)), *home);
  }
  /// Ids and payload sizes of a frame, whose contents are checked.
  static std::vector<std::pair<std::uint64_t, std::size_t>> events(const zmq::message_t& frame) {
    const auto text = frame.to_string_view();
    REQUIRE(text.starts_with(std::string_view("a.b\0", 4)));
    std::vector<std::pair<std::uint64_t, std::size_t>> out;
    const auto one = [&](const wire::EnvelopeView& envelope) {
      for (const auto byte : envelope.payload) REQUIRE(byte == static_cast<std::byte>(envelope.header.id));
      out.emplace_back(envelope.header.id, envelope.payload.size());
    };
    const auto first = wire::decode(as_bytes(text.substr(4)), {});
    REQUIRE(first);
    if (first->header.kind != wire::Kind::batch) {
      one(*first);
      return out;
    }
    for (wire::BatchReader batch(first->payload, {}); !batch.done();) one(*batch.next());
    return out;
  }
};
using Events = std::vector<std::pair<std::uint64_t, std::size_t>>;

}  // namespace

TEST_CASE_METHOD(Fixture, "one envelope goes alone, several as a batch, small and large ones") {
  append(1, 10);
  CHECK(events(channel.take(home)) == Events{{1, 10}});
  CHECK(channel.empty());
  append(2, 0);
  append(3, 5);
  CHECK(events(channel.take(home)) == Events{{2, 0}, {3, 5}});
  append(4, 16'000);
  CHECK(events(channel.take(home)) == Events{{4, 16'000}});
  append(5, 100);
  append(6, 16'000);
  append(7, 16'000);
  append(8, 1);
  CHECK(events(channel.take(home)) == Events{{5, 100}, {6, 16'000}, {7, 16'000}, {8, 1}});
}

TEST_CASE_METHOD(Fixture, "a frame is full before it is larger than a batch may be") {
  std::size_t count = 0;
  while (channel.fits(wire::encoded_size({}, {}, 1000))) append(++count, 1000);
  const auto frame = channel.take(home);
  CHECK(frame.size() <= kBatchBytes);
  CHECK(frame.size() + 1100 > kBatchBytes);
  CHECK(events(frame).size() == count);
  CHECK(channel.fits(kBatchBytes * 2));  // alone anything does
}

TEST_CASE_METHOD(Fixture, "buffers come back from another thread and are used again, also after their owner's end") {
  for (int i = 0; i < 10; ++i) {
    for (std::uint64_t id = 1; id <= 4; ++id) append(id, 16'000);
    auto frame = channel.take(home);
    std::thread([&frame] { zmq::message_t last = std::move(frame); }).join();
  }
  for (std::uint64_t id = 1; id <= 4; ++id) append(id, 16'000);
  auto frame = channel.take(home);
  home.reset();
  CHECK(events(frame).size() == 4);
}

TEST_CASE_METHOD(Fixture, "the first event of a frame is known, and where losses began is remembered up to a limit") {
  append(9, 1, wire::Kind::heartbeat);
  append(10, 1);
  CHECK(channel.first == 10);
  for (std::uint64_t sequence = 1; sequence <= kMarksMax + 1; ++sequence) {
    channel.mark(sequence);
    channel.mark(sequence);
  }
  CHECK(channel.marks.size() == kMarksMax / 2 + 1);
  CHECK(channel.marks.back() == kMarksMax + 1);
}

TEST_CASE("a request is read from its address, and nothing else is") {
  Request request{0x0123456789abcdefULL, 7, true, std::string("a.b\0", 4)};
  const auto address = request.address();
  CHECK(address ==
        "\xff"
        "0123456789abcdef00000007lea.b");
  const auto read = Request::parse(address);
  REQUIRE(read);
  CHECK(read->subscriber == request.subscriber);
  CHECK(read->number == 7);
  CHECK(read->last_values);
  CHECK(read->filter == request.filter);
  request.filter = "";
  request.last_values = false;
  CHECK(Request::parse(request.address())->filter.empty());
  for (const std::string& bad : {std::string("a.b"), std::string(), std::string("\xff"), address.substr(0, 26),
                                 "\xffg" + address.substr(2), address + std::string(200, 'x')}) {
    CHECK_FALSE(Request::parse(bad));
  }
}
