// HttpServer: accepts connections; each is an HttpSession.
#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <map>

#include "weft/io/http_session.hpp"

namespace weft::io {
namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

namespace {

constexpr auto kAcceptPause = std::chrono::milliseconds(100);  // after a failure such as "too many open files"

class Server final : public HttpServer {
 public:
  Server(tcp::acceptor acceptor, Limits limits) : state_(std::make_shared<State>(std::move(acceptor))) {
    state_->shared->limits = std::move(limits);
    state_->shared->limits.connections = std::max<std::size_t>(state_->shared->limits.connections, 1);
    state_->port = state_->acceptor.local_endpoint().port();
    accept(state_);
  }
  ~Server() override {
    ErrorCode ignored;
    state_->acceptor.close(ignored);
    state_->pause.cancel();
    const auto open = state_->shared->sessions;  // closing changes the set
    for (auto* session : open) session->close();
    state_->shared->routes.clear();
  }
  void get(std::string path, Handler handler) override {
    state_->shared->routes.insert_or_assign(std::move(path), std::move(handler));
  }
  std::uint16_t port() const noexcept override { return state_->port; }

 private:
  struct State {
    explicit State(tcp::acceptor bound) : acceptor(std::move(bound)), pause(acceptor.get_executor()) {}
    tcp::acceptor acceptor;
    asio::steady_timer pause;
    std::shared_ptr<HttpShared> shared = std::make_shared<HttpShared>();
    std::uint16_t port = 0;
  };

  static void accept(const std::shared_ptr<State>& state) {
    state->acceptor.async_accept([state](const ErrorCode& failed, tcp::socket socket) {
      if (!state->acceptor.is_open()) return;
      if (failed) return accept_later(state);
      admit(*state, std::move(socket));
      accept(state);
    });
  }
  static void accept_later(const std::shared_ptr<State>& state) {
    state->pause.expires_after(kAcceptPause);
    state->pause.async_wait([state](const ErrorCode& cancelled) {
      if (!cancelled && state->acceptor.is_open()) accept(state);
    });
  }
  /// At the limit a new connection takes the place of an old one, so that a client that asks at once gets its answer,
  /// whatever others hold open.
  static void admit(State& state, tcp::socket socket) {
    while (state.shared->sessions.size() >= state.shared->limits.connections) evict(*state.shared);
    ErrorCode ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    std::make_shared<HttpSession>(std::move(socket), state.shared)->read();
  }
  /// Closes the one that has done nothing for longest, of the address that has most of them.
  static void evict(HttpShared& shared) {
    std::map<asio::ip::address, std::size_t> of_address;
    for (const auto* session : shared.sessions) ++of_address[session->address()];
    const auto rank = [&](const HttpSession* one) { return std::pair(of_address[one->address()], -one->last_act()); };
    HttpSession* victim = *std::max_element(shared.sessions.begin(), shared.sessions.end(),
                                            [&](const auto* a, const auto* b) { return rank(a) < rank(b); });
    shared.sessions.erase(victim);
    victim->close();
  }

  std::shared_ptr<State> state_;
};

Error cannot_listen(const std::string& address, std::uint16_t port, const ErrorCode& failed) {
  const auto where = address + ":" + std::to_string(port);
  if (failed == asio::error::address_in_use)
    return Error(codes::port_taken, "cannot listen on " + where + ": another process has this port",
                 "stop it, or configure another port; `ss -ltnp` shows who has it");
  return Error(codes::bad_address, "cannot listen on " + where + ": " + failed.message(),
               "wanted an address of this host");
}

tcp::endpoint resolve(asio::io_context& context, const std::string& address, std::uint16_t port, ErrorCode& failed) {
  const auto number = asio::ip::make_address(address, failed);
  if (!failed) return {number, port};
  const auto found = tcp::resolver(context).resolve(address, std::to_string(port), failed);
  return failed ? tcp::endpoint() : found.begin()->endpoint();
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::listen(IoLoop& loop, const std::string& address, std::uint16_t port,
                                                       Limits limits) {
  ErrorCode failed;
  const auto endpoint = resolve(loop.context(), address, port, failed);
  if (failed) return cannot_listen(address, port, failed);
  tcp::acceptor acceptor(loop.context());
  acceptor.open(endpoint.protocol(), failed);
  if (!failed) acceptor.set_option(tcp::acceptor::reuse_address(true), failed);
  if (!failed) acceptor.bind(endpoint, failed);
  if (!failed) acceptor.listen(asio::socket_base::max_listen_connections, failed);
  if (failed) return cannot_listen(address, port, failed);
  return std::unique_ptr<HttpServer>(std::make_unique<Server>(std::move(acceptor), std::move(limits)));
}

}  // namespace weft::io
