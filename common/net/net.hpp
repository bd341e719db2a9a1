// The door of net: ZeroMQ made safe. Envelopes in, envelopes out; small ones for one destination that are ready in the
// same turn of the loop travel in one frame; every queue has a limit; what is dropped is counted by reason. The only
// room that sets socket options. Everything is loop-bound and borrows what its constructor takes.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "weft/base/base.hpp"
#include "weft/wire/wire.hpp"

namespace zmq {
class context_t;
}

namespace weft::net {

/// The process's ZeroMQ context, with one I/O thread. Outlives every socket. Thread-safe.
class Context {
 public:
  Context();
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  zmq::context_t& raw() const noexcept { return *context_; }

 private:
  std::unique_ptr<zmq::context_t> context_;
};

struct Limits {
  wire::Limits wire;
  int socket_messages_max = 10'000;                ///< high-water mark in each direction
  std::size_t queue_bytes_max = 64 * 1024 * 1024;  ///< waiting for one destination that does not take more
};

/// What a process sent, received and dropped, summed over its sockets.
struct Traffic {
  std::uint64_t sent = 0, received = 0;  ///< envelopes
  std::uint64_t dropped_malformed = 0;   ///< received, but no envelope, of another version, or over a limit
  std::uint64_t dropped_queue_full = 0;  ///< refused to the sender: queue_bytes_max
  std::uint64_t dropped_unroutable = 0;  ///< replies to a peer that went away
};

/// Answers calls: one socket that peers connect to.
class Server {
 public:
  /// `peer` names the connection for send(), until it ends. Borrowed during the call.
  using OnEnvelope = std::function<void(std::string_view peer, const wire::EnvelopeView& envelope)>;

  Server(Loop& loop, Context& context, Limits limits, Traffic& traffic, OnEnvelope on_envelope);
  ~Server();
  /// "tcp://127.0.0.1:0" or "ipc:///path"; may be called for several. Returns the endpoint with its port.
  /// Errors: `port_taken`, `bad_address`.
  Result<std::string> bind(const std::string& endpoint);
  /// Queued until the turn ends. Errors: `too_large`, `queue_full`. A peer that went away is counted, not told.
  Result<void> send(std::string_view peer, const wire::Header& header, std::string_view name, Bytes payload);
  /// Sends what is queued and can be sent now.
  void flush();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Calls one peer.
class Link {
 public:
  using OnEnvelope = std::function<void(const wire::EnvelopeView& envelope)>;

  /// Connects in the background, and again whenever the connection is lost. Errors of a bad endpoint come with the
  /// first send().
  Link(Loop& loop, Context& context, const std::string& endpoint, Limits limits, Traffic& traffic,
       OnEnvelope on_envelope);
  ~Link();
  /// Called when an established connection is lost: what was sent and not answered may never be.
  void on_lost(std::function<void()> lost);
  bool connected() const noexcept;
  /// Queued until the turn ends. Errors: `too_large`, `queue_full`, `bad_address`.
  Result<void> send(const wire::Header& header, std::string_view name, Bytes payload);
  void flush();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Publishes to whoever subscribes; a frame is `topic NUL envelope`.
class Publisher {
 public:
  Publisher(Loop& loop, Context& context, Limits limits, Traffic& traffic);
  ~Publisher();
  Result<std::string> bind(const std::string& endpoint);
  /// True when a connected subscriber's filter takes `topic`.
  bool wanted(std::string_view topic) const noexcept;
  /// Queued until the turn ends. Errors: `too_large`.
  Result<void> send(std::string_view topic, const wire::Header& header, Bytes payload);
  void flush();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Receives from every publisher it is connected to what its filters take.
class Subscriber {
 public:
  /// Envelopes of kind event; `envelope.name` is the topic.
  using OnEvent = std::function<void(const wire::EnvelopeView& event)>;

  Subscriber(Loop& loop, Context& context, Limits limits, Traffic& traffic, OnEvent on_event);
  ~Subscriber();
  /// Errors: `bad_address`.
  Result<void> connect(const std::string& endpoint);
  void disconnect(const std::string& endpoint);
  /// Takes what begins with `prefix`: a whole topic followed by NUL, or part of one. Counted: remove as often as added.
  void add_filter(const std::string& prefix);
  void remove_filter(const std::string& prefix);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weft::net
