// Outbox: packs the envelopes for one destination into frames. flush() is given what sends. Thread-bound. Private to
// net.
#pragma once
#include <deque>
#include <optional>

#include "weft/net/net.hpp"
#include "weft/wire/wire.hpp"

namespace weft::net {

inline constexpr std::size_t kBatchBytes = 64 * 1024;  ///< a batch frame is closed before it grows over this

enum class Sent : std::uint8_t {
  yes,
  full,  ///< the destination takes no more now: keep and try again
  gone,  ///< there is no such destination any more
};

class Outbox {
 public:
  Outbox() = default;
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;
  ~Outbox() { give_back(std::move(open_)); }

  /// Copies a small payload; takes a large one (over kDetachBytes), whose bytes are gone afterwards.
  void add(const wire::Header& header, std::string_view name, BytesView extension, Bytes& payload);
  void add(const wire::Header& header, std::string_view name, Bytes payload) { add(header, name, {}, payload); }
  bool empty() const noexcept { return count_ == 0 && closed_.empty(); }
  /// Bytes waiting.
  std::size_t bytes() const noexcept { return open_.size() + closed_bytes_; }
  std::size_t envelopes() const noexcept { return count_ + closed_count_; }  ///< waiting
  void clear() noexcept;

  /// Calls `send(BytesView frame, Bytes* second_frame)`, in order, until it says other than `yes`; `second_frame` may
  /// be moved from, and is null where there is none. Returns what the last call said; what was not sent stays.
  template <class Send>
  Sent flush(Send&& send) {
    while (!closed_.empty()) {
      Frame& frame = closed_.front();
      const std::size_t size = frame.size();
      if (const Sent sent = send(BytesView(frame.first), frame.second ? &*frame.second : nullptr); sent != Sent::yes)
        return sent;
      closed_bytes_ -= size;
      closed_count_ -= frame.count;
      give_back(std::move(frame.first));
      closed_.pop_front();
    }
    if (count_ == 0) return Sent::yes;
    const Sent sent = send(open_frame(), nullptr);
    if (sent == Sent::yes) {
      end_open();
    } else {
      close_open();
    }
    return sent;
  }

 private:
  struct Frame {
    Bytes first;
    std::optional<Bytes> second;
    std::size_t second_size;
    std::size_t count;  // envelopes
    std::size_t size() const noexcept { return first.size() + second_size; }
  };
  void close(Frame frame);
  BytesView open_frame();
  void close_open();
  void end_open() noexcept;
  static Bytes take_buffer();
  static void give_back(Bytes buffer) noexcept;

  Bytes open_;             // being packed: room for a batch's header, envelopes
  std::size_t count_ = 0;  // envelopes in open_
  std::deque<Frame> closed_;
  std::size_t closed_bytes_ = 0, closed_count_ = 0;
};

}  // namespace weft::net
