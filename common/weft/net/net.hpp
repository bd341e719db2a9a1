// The door of net: ZeroMQ made safe. Envelopes in, envelopes out; small ones for one destination that are ready in the
// same turn of the loop travel in one frame; every queue has a limit; what is dropped is counted by reason. The only
// room that sets socket options. Everything is loop-bound and borrows what its constructor takes.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weft/base/base.hpp"
#include "weft/wire/wire.hpp"

namespace zmq {
class context_t;
class socket_t;
}  // namespace zmq

namespace weft::net {

/// A payload over this travels in a frame of its own, which is not copied: it is taken from its sender.
inline constexpr std::size_t kDetachBytes = 16 * 1024;

/// A pair of CURVE keys, each 40 characters of Z85.
struct KeyPair {
  std::string public_key, secret_key;
  static KeyPair generate();
  /// With the public key that belongs to it. Errors: `bad_config`, which does not show it.
  static Result<KeyPair> from_secret(std::string secret_key);
};

struct SecurityOptions {
  std::string secret_key;                         ///< of this process
  std::map<std::string, std::string> known_keys;  ///< name -> public key of who may take part
  std::map<std::string, std::string> servers;     ///< endpoint -> public key, where no record tells it
};

/// Encrypts every connection of a context by CURVE. Who connects must have a known key; who is connected to must have
/// the key that `servers` or its record says, and that is known. Loop-bound.
class Security {
 public:
  struct Refusal {
    std::string_view reason;  ///< "unknown_key", "not_encrypted" or "wrong_server_key"
    std::string address;      ///< of the client; empty where ZeroMQ does not tell it
    std::string public_key;   ///< of the client, when it has one
  };
  /// Connections of clients, by reason.
  struct Refused {
    std::uint64_t unknown_key = 0, not_encrypted = 0, wrong_server_key = 0;
  };

  ~Security();
  const std::string& public_key() const noexcept;  ///< of this process
  bool knows(const std::string& public_key) const;
  /// A record says so; an empty key: the process there does not encrypt. An empty endpoint is none.
  void learn(const std::string& endpoint, const std::string& public_key);
  void forget(const std::string& endpoint);
  /// Errors: `unknown_key`.
  Result<std::string> key_of(const std::string& endpoint) const;
  const Refused& refused() const noexcept;
  /// Called for each reason and address of refused clients, at most once a minute.
  void on_refused(std::function<void(const Refusal&)> told);

 private:
  friend class Context;
  friend class Socket;
  struct Impl;
  explicit Security(std::unique_ptr<Impl> impl);
  static Result<std::unique_ptr<Security>> create(Loop& loop, zmq::context_t& context, SecurityOptions options);
  void apply(zmq::socket_t& socket) const;
  Result<void> apply(zmq::socket_t& socket, const std::string& endpoint) const;
  void handshake_failed(std::uint32_t protocol_error);
  std::unique_ptr<Impl> impl_;
};

class Admission;

/// The process's ZeroMQ context, with one I/O thread. Outlives every socket. Thread-safe but for its security and what
/// it refuses.
class Context {
 public:
  Context();
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  /// From now on every socket encrypts: call it before the first one is made. Borrows the loop until the context ends.
  /// Errors: `bad_config`.
  Result<void> secure(Loop& loop, SecurityOptions options);
  /// From now on nothing can be bound or connected: `why` is the error of each attempt.
  void refuse(Error why) { refused_ = std::move(why); }
  const std::optional<Error>& refused() const noexcept { return refused_; }
  Security* security() const noexcept { return security_.get(); }  ///< null: nothing is encrypted
  zmq::context_t& raw() const noexcept { return *context_; }
  /// Connections that were accepted and then closed by this process.
  struct Refused {
    std::uint64_t no_files = 0;       ///< had taken one of the last files that this process may open
    std::uint64_t subscriptions = 0;  ///< subscribed to more than a publisher keeps for one connection, or for all
  };
  const Refused& refused_connections() const noexcept;
  /// `report` is called for such a peer, once a minute at most for each reason, which is a name of a field of Refused.
  void on_connection_refused(std::function<void(std::string_view reason, const std::string& address)> report);

 private:
  friend class Socket;
  std::unique_ptr<zmq::context_t> context_;
  std::unique_ptr<Admission> admission_;
  std::unique_ptr<Security> security_;
  std::optional<Error> refused_;
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
  std::uint64_t dropped_foreign = 0;     ///< events with the sender number of a publisher elsewhere
};

/// A connection of a Server, for as long as somebody holds it; its peer may be gone meanwhile. Loop-bound, not
/// atomic.
class Connection {
 public:
  Connection() = default;
  Connection(const Connection& other) noexcept : state_(other.state_) { hold(); }
  Connection(Connection&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  Connection& operator=(Connection other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~Connection() { release(); }
  /// The same for as long as the connection is known; never used again.
  std::uint64_t id() const noexcept;
  /// How long a message stamped `sent_us` waited on its way, beyond the fastest ones from here. Call once a message.
  Duration delay(std::uint32_t sent_us, TimePoint now) const noexcept;
  friend bool operator==(const Connection&, const Connection&) = default;

 private:
  friend class Server;
  struct State;
  explicit Connection(State* state) noexcept : state_(state) { hold(); }
  void hold() const noexcept;
  void release() noexcept;
  State* state_ = nullptr;
};

/// Answers calls: one socket that peers connect to.
class Server {
 public:
  /// `from` is where answers go. The envelope is borrowed during the call.
  using OnEnvelope = std::function<void(const Connection& from, const wire::EnvelopeView& envelope)>;

  Server(Loop& loop, Context& context, Limits limits, Traffic& traffic, OnEnvelope on_envelope);
  ~Server();
  /// "tcp://127.0.0.1:0" or "ipc:///path"; may be called for several. Returns the endpoint with its port.
  /// Errors: `port_taken`, `bad_address`.
  Result<std::string> bind(const std::string& endpoint);
  /// Queued until the turn ends. Errors: `too_large`, `queue_full`. A peer that went away is counted, not told.
  Result<void> send(const Connection& to, const wire::Header& header, Bytes& payload);
  /// Called when sending finds that a peer has gone away; not for each that goes.
  void on_gone(std::function<void(const Connection& gone)> gone);
  /// Bytes that wait for this peer, beyond what ZeroMQ has taken.
  std::size_t queued(const Connection& to) const noexcept;
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
  /// Called when the other end refuses to connect, or is not whom it should be: `unknown_key`. It is tried again.
  void on_refused(std::function<void(const Error& why)> refused);
  bool connected() const noexcept;
  /// Queued until the turn ends; a large payload is taken from `payload`, a small one copied. Errors: `too_large`,
  /// `queue_full`, `bad_address`.
  Result<void> send(const wire::Header& header, std::string_view name, BytesView extension, Bytes& payload);
  Result<void> send(const wire::Header& header, std::string_view name, Bytes payload) {
    return send(header, name, {}, payload);
  }
  /// Bytes that wait, beyond what ZeroMQ has taken.
  std::size_t queued() const noexcept;
  void flush();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A topic as its publisher holds it, with what is packed for it. Made by Publisher::channel().
struct Channel;

/// What a subscriber asks each publisher on the connection of its subscriptions: it subscribes to address(), after it
/// has subscribed to `filter`, and the answer is published there, so it comes exactly between the events before and
/// after it.
struct Request {
  std::uint64_t subscriber = 0;  ///< Ulid::short_id()
  std::uint32_t number = 0;      ///< chosen by the subscriber, never twice
  bool last_values = false;      ///< the last value of each topic too, not its sequence alone
  std::string filter;            ///< as in Subscriber::add_filter()

  std::string address() const;
  static std::optional<Request> parse(std::string_view address);
};

/// Publishes to whoever subscribes; a frame is `topic NUL envelope`. A subscriber that does not take more loses what is
/// sent meanwhile, and the others do not wait.
class Publisher {
 public:
  Publisher(Loop& loop, Context& context, Limits limits, Traffic& traffic);
  ~Publisher();
  Result<std::string> bind(const std::string& endpoint);
  /// The same one for the same topic; lives as long as the publisher.
  Channel& channel(std::string_view topic);
  /// True when a connected subscriber's filter takes `topic`.
  bool wanted(std::string_view topic) const noexcept;
  bool wanted(Channel& channel) const noexcept;
  /// Queued until the turn ends, or a frame is full. Of a large payload the bytes are taken, else they are copied.
  /// Errors: `too_large`.
  Result<void> send(Channel& channel, const wire::Header& header, BytesView extension, Bytes&& payload);
  /// The sequences with which a loss began because a subscriber's queue was full: the last kMarksMax.
  const std::vector<std::uint64_t>& marks(const Channel& channel) const noexcept;
  /// Envelopes that at least one subscriber did not get because its queue was full and began to overflow with them.
  std::uint64_t refused() const noexcept;

  /// Called for each request; calls answer() for what goes to that subscriber alone, behind all that was sent before.
  void on_request(std::function<void(const Request& request)> handler);
  /// `name` is the topic it is about.
  void answer(const wire::Header& header, std::string_view name, BytesView extension, BytesView payload);
  void flush();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

inline constexpr std::size_t kMarksMax = 1024;

/// Receives from every publisher it is connected to what its filters take.
class Subscriber {
 public:
  /// Envelopes of kind event and heartbeat; `envelope.name` is the topic.
  using OnEvent = std::function<void(const wire::EnvelopeView& event)>;
  /// `envelope.name` is the topic that it is about.
  using OnAnswer = std::function<void(const Request& request, const wire::EnvelopeView& envelope)>;

  Subscriber(Loop& loop, Context& context, Limits limits, Traffic& traffic, OnEvent on_event, OnAnswer on_answer = {});
  ~Subscriber();
  /// Errors: `bad_address`.
  Result<void> connect(const std::string& endpoint);
  void disconnect(const std::string& endpoint);
  /// Events with this number are dropped when they come from elsewhere, until forget_sender(). The first endpoint
  /// counts; an endpoint with a name in place of an address is not checked.
  void expect_sender(std::uint64_t sender, const std::string& endpoint);
  void forget_sender(std::uint64_t sender, const std::string& endpoint);
  /// Takes what begins with `prefix`: a whole topic followed by NUL, or part of one. Counted: remove as often as added.
  void add_filter(const std::string& prefix);
  void remove_filter(const std::string& prefix);
  /// Asks every publisher, those that are connected later too, and again after each loss of a connection.
  void ask(const Request& request);
  void forget(const Request& request);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weft::net
