// CURVE and its authentication (ZeroMQ RFC 26 and 27): keys, the handler that libzmq asks about each client, and what
// was refused.
#include <array>
#include <zmq.hpp>

#include "weft/base/lifetime.hpp"
#include "weft/net/net.hpp"

namespace weft::net {
namespace {

constexpr std::size_t kKeyText = 40, kKeyBytes = 32;
constexpr std::size_t kZapParts = 7;      // version, request id, domain, address, identity, mechanism, client key
constexpr int kZapShare = 64;             // requests answered in one turn of the loop
constexpr Duration kTellAgain = 60s;      // the same address is told once in this time
constexpr std::size_t kToldMax = 10'000;  // addresses remembered

bool is_key(std::string_view text) {
  std::array<std::uint8_t, kKeyBytes> raw{};
  return text.size() == kKeyText && zmq_z85_decode(raw.data(), std::string(text).c_str()) != nullptr;
}

std::string to_text(const zmq::message_t& raw_key) {
  char text[kKeyText + 1] = "";
  return raw_key.size() == kKeyBytes && zmq_z85_encode(text, raw_key.data<std::uint8_t>(), kKeyBytes) ? text : "";
}

Error bad_key(const std::string& where) {
  return Error(codes::bad_config, where + " is no CURVE key: wanted 40 characters of Z85",
               "weft keys new makes a pair of keys");
}

}  // namespace

KeyPair KeyPair::generate() {
  char known[kKeyText + 1] = "", secret[kKeyText + 1] = "";
  if (zmq_curve_keypair(known, secret) != 0) throw std::runtime_error("libzmq was built without CURVE");
  return {known, secret};
}

Result<KeyPair> KeyPair::from_secret(std::string secret_key) {
  char known[kKeyText + 1] = "";
  if (!is_key(secret_key) || zmq_curve_public(known, secret_key.c_str()) != 0) return bad_key("the secret key");
  return KeyPair{known, std::move(secret_key)};
}

struct Security::Impl {
  Impl(Loop& loop, zmq::context_t& context) : loop_(loop), handler_(context, zmq::socket_type::rep) {
    handler_.set(zmq::sockopt::linger, 0);
    handler_.bind("inproc://zeromq.zap.01");
    watch_ = loop_.watch(handler_.get(zmq::sockopt::fd), [this] { answer(); });
  }
  ~Impl() { loop_.unwatch(watch_); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  /// What libzmq's threads ask, a client at a time.
  void answer() {
    for (int left = kZapShare; left > 0; --left) {
      std::array<zmq::message_t, kZapParts> parts;
      std::size_t count = 0;
      if (!handler_.recv(parts[count++], zmq::recv_flags::dontwait)) return;
      zmq::message_t rest;
      while ((count <= kZapParts ? parts[count - 1] : rest).more()) {
        zmq::message_t& next = count < kZapParts ? parts[count] : rest;
        (void)handler_.recv(next);
        ++count;
      }
      decide(parts, count == kZapParts);
    }
    loop_.post(lifetime_.guard([this] { answer(); }));
  }

  void decide(const std::array<zmq::message_t, kZapParts>& parts, bool whole) {
    const std::string key = whole && parts[5].to_string_view() == "CURVE" ? to_text(parts[6]) : "";
    const auto found = names_.find(key);
    const bool fine = found != names_.end();
    if (!fine) {
      ++refused_.unknown_key;
      tell({"unknown_key", parts[3].to_string(), key});
    }
    const std::string_view answers[] = {"1.0",
                                        parts[1].to_string_view(),
                                        fine ? "200" : "400",
                                        fine ? "" : "unknown key",
                                        fine ? std::string_view(found->second) : "",
                                        ""};
    for (std::size_t i = 0; i < std::size(answers); ++i) {
      const auto flags = i + 1 < std::size(answers) ? zmq::send_flags::sndmore : zmq::send_flags::none;
      (void)handler_.send(zmq::buffer(answers[i]), flags);
    }
  }

  void tell(const Security::Refusal& refusal) {
    const TimePoint now = loop_.now();
    const auto [at, first] = told_.try_emplace(std::string(refusal.reason) + " " + refusal.address, now);
    if (!first && now - at->second < kTellAgain) return;
    at->second = now;
    if (told_.size() > kToldMax) std::erase_if(told_, [&](const auto& one) { return now - one.second >= kTellAgain; });
    if (told_.size() > kToldMax) told_.clear();
    if (on_refused_) on_refused_(refusal);
  }

  Loop& loop_;
  zmq::socket_t handler_;
  Loop::Id watch_ = 0;
  KeyPair own_;
  std::map<std::string, std::string> names_;    // by public key
  std::map<std::string, std::string> servers_;  // endpoint -> public key; from config
  std::map<std::string, std::string> learned_;  // from records
  std::map<std::string, TimePoint> told_;       // reasons and addresses
  Refused refused_;
  std::function<void(const Refusal&)> on_refused_;
  Lifetime lifetime_;
};

Security::Security(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Security::~Security() = default;

Result<std::unique_ptr<Security>> Security::create(Loop& loop, zmq::context_t& context, SecurityOptions options) {
  auto own = KeyPair::from_secret(std::move(options.secret_key));
  if (!own) return own.error();
  for (const auto& [name, key] : options.known_keys) {
    if (!is_key(key)) return bad_key("the known key '" + name + "'");
  }
  for (const auto& [endpoint, key] : options.servers) {
    if (!is_key(key)) return bad_key("the key of " + endpoint);
  }
  auto impl = std::make_unique<Impl>(loop, context);
  impl->own_ = std::move(*own);
  for (const auto& [name, key] : options.known_keys) impl->names_.emplace(key, name);
  impl->servers_ = std::move(options.servers);
  return std::unique_ptr<Security>(new Security(std::move(impl)));
}

const std::string& Security::public_key() const noexcept { return impl_->own_.public_key; }
const Security::Refused& Security::refused() const noexcept { return impl_->refused_; }
void Security::on_refused(std::function<void(const Refusal&)> told) { impl_->on_refused_ = std::move(told); }

void Security::handshake_failed(std::uint32_t protocol_error) {
  const bool plain = protocol_error == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH;
  ++(plain ? impl_->refused_.not_encrypted : impl_->refused_.wrong_server_key);
  impl_->tell({plain ? "not_encrypted" : "wrong_server_key", "", ""});
}

bool Security::knows(const std::string& public_key) const { return impl_->names_.contains(public_key); }

void Security::learn(const std::string& endpoint, const std::string& public_key) {
  if (!endpoint.empty()) impl_->learned_.insert_or_assign(endpoint, public_key);
}
void Security::forget(const std::string& endpoint) { impl_->learned_.erase(endpoint); }

Result<std::string> Security::key_of(const std::string& endpoint) const {
  if (const auto found = impl_->servers_.find(endpoint); found != impl_->servers_.end()) return found->second;
  const auto found = impl_->learned_.find(endpoint);
  if (found != impl_->learned_.end() && !found->second.empty() && knows(found->second)) return found->second;
  const bool plain = found != impl_->learned_.end() && found->second.empty();
  const bool stranger = found != impl_->learned_.end() && !plain;
  return Error(codes::unknown_key,
               plain      ? "the process at " + endpoint + " does not encrypt, and this one does"
               : stranger ? "the process at " + endpoint + " has the key " + found->second + ", which is not known here"
                          : "it is not known which key the process at " + endpoint + " has",
               plain      ? "give it a key too: security.secret_key"
               : stranger ? "when it is one of yours, add the key to security.known_keys"
                          : "name it in security.servers; other processes are found by the registry with their keys");
}

void Security::apply(zmq::socket_t& socket) const {
  namespace opt = zmq::sockopt;
  const auto type = socket.get(opt::socket_type);
  socket.set(opt::curve_secretkey, impl_->own_.secret_key);
  if (type == zmq::socket_type::router || type == zmq::socket_type::xpub) {
    socket.set(opt::curve_server, true);
  } else {
    socket.set(opt::curve_publickey, impl_->own_.public_key);
  }
}

Result<void> Security::apply(zmq::socket_t& socket, const std::string& endpoint) const {
  auto key = key_of(endpoint);
  if (!key) return key.error();
  socket.set(zmq::sockopt::curve_serverkey, *key);  // of the connection that is made next
  return {};
}

}  // namespace weft::net
