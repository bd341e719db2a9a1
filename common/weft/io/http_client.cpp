// http_get, http_post and tcp_probe: coroutines over one connection and one deadline.
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "weft/io/io.hpp"
#include "weft/io/url.hpp"

namespace weft::io {
namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

namespace {

/// A connection in the hands of one coroutine. What Asio still holds when the coroutine is done or gone has no effect.
class Connection {
 public:
  Connection(IoLoop& loop, std::string peer, Duration timeout)
      : state_(std::make_shared<State>(loop)), deadline_(loop), peer_(std::move(peer)), timeout_(timeout) {
    deadline_.start(timeout, [this] {
      timed_out_ = true;
      state_->finish(asio::error::timed_out);
    });
  }
  ~Connection() {
    ErrorCode ignored;
    state_->resolver.cancel();
    state_->socket.close(ignored);
  }

  Task<ErrorCode> connect(const std::string& host, const std::string& port) {
    Completion<ErrorCode> done;
    state_->waiting = done.completer();
    ErrorCode no_number;
    const auto address = asio::ip::make_address(host, no_number);
    if (!no_number) {
      state_->found = tcp::resolver::results_type::create(
          tcp::endpoint(address, static_cast<std::uint16_t>(std::stoi(port))), host, port);
    } else {
      state_->resolver.async_resolve(host, port, [state = state_](const ErrorCode& failed, auto found) {
        state->found = std::move(found);
        state->finish(failed);
      });
      if (const auto failed = co_await done; failed) {
        resolving_failed_ = true;
        co_return failed;
      }
    }
    Completion<ErrorCode> connected;
    state_->waiting = connected.completer();
    asio::async_connect(state_->socket, state_->found,
                        [state = state_](const ErrorCode& failed, const auto&) { state->finish(failed); });
    co_return co_await connected;
  }

  void get(const HttpUrl& url) { head(http::verb::get, url); }
  void post(const HttpUrl& url, HttpPost what) {
    head(http::verb::post, url);
    auto& request = state_->request;
    for (const auto& [name, value] : what.headers) request.set(name, value);
    request.set(http::field::content_type, what.content_type);
    request.body() = std::move(what.body);
    request.prepare_payload();
  }

  /// Sends what get() or post() made, and reads the answer.
  Task<ErrorCode> exchange(std::size_t body_max) {
    auto& request = state_->request;
    state_->parser.body_limit(body_max);
    Completion<ErrorCode> written;
    state_->waiting = written.completer();
    http::async_write(state_->socket, request,
                      [state = state_](const ErrorCode& failed, std::size_t) { state->finish(failed); });
    if (const auto failed = co_await written; failed) co_return failed;
    Completion<ErrorCode> read;
    state_->waiting = read.completer();
    http::async_read(state_->socket, state_->buffer, state_->parser,
                     [state = state_](const ErrorCode& failed, std::size_t) { state->finish(failed); });
    co_return co_await read;
  }

  const http::response<http::string_body>& response() const { return state_->parser.get(); }

  Error error(const ErrorCode& failed, std::size_t body_max = 0) const {
    if (timed_out_) return Error(codes::deadline_exceeded, peer_ + ": no answer within " + to_text(timeout_));
    if (resolving_failed_) return Error(codes::bad_address, peer_ + ": " + failed.message());
    if (failed == http::error::body_limit)
      return Error(codes::too_large, peer_ + ": the answer has more than " + std::to_string(body_max) + " bytes");
    return Error(codes::peer_gone, peer_ + ": " + failed.message());
  }

 private:
  void head(http::verb verb, const HttpUrl& url) {
    auto& request = state_->request;
    request = {verb, url.target, 11};
    request.set(http::field::host, url.host_header);
    request.set(http::field::user_agent, "weft/" WEFT_VERSION);
    request.set(http::field::accept, "*/*");
    request.set(http::field::connection, "close");
  }

  struct State {
    explicit State(IoLoop& loop) : resolver(loop.context()), socket(loop.context()) {}
    void finish(const ErrorCode& outcome) { (void)waiting.complete(outcome); }
    tcp::resolver resolver;
    tcp::resolver::results_type found;
    tcp::socket socket;
    http::request<http::string_body> request;
    boost::beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    Completion<ErrorCode>::Completer waiting;
  };
  std::shared_ptr<State> state_;
  Timer deadline_;
  std::string peer_;
  Duration timeout_;
  bool timed_out_ = false, resolving_failed_ = false;
};

HttpResponse to_response(const http::response<http::string_body>& in) {
  HttpResponse out{static_cast<int>(in.result_int()), {}, in.body()};
  for (const auto& field : in) {
    const std::string_view name(field.name_string().data(), field.name_string().size());
    out.headers.insert_or_assign(to_lower(name), std::string(field.value()));
  }
  if (const auto type = out.headers.find("content-type"); type != out.headers.end()) out.content_type = type->second;
  return out;
}

}  // namespace

Task<Result<HttpResponse>> http_get(IoLoop& loop, std::string url, HttpClientOptions options) {
  const auto parsed = parse_http_url(url);
  if (!parsed) co_return parsed.error();
  Connection connection(loop, url, options.timeout);
  if (const auto failed = co_await connection.connect(parsed->host, parsed->port); failed)
    co_return connection.error(failed);
  connection.get(*parsed);
  if (const auto failed = co_await connection.exchange(options.body_max); failed)
    co_return connection.error(failed, options.body_max);
  co_return to_response(connection.response());
}

Task<Result<HttpResponse>> http_post(IoLoop& loop, HttpPost request, HttpClientOptions options) {
  const auto parsed = parse_http_url(request.url);
  if (!parsed) co_return parsed.error();
  Connection connection(loop, request.url, options.timeout);
  if (const auto failed = co_await connection.connect(parsed->host, parsed->port); failed)
    co_return connection.error(failed);
  connection.post(*parsed, std::move(request));
  if (const auto failed = co_await connection.exchange(options.body_max); failed)
    co_return connection.error(failed, options.body_max);
  co_return to_response(connection.response());
}

Task<Result<void>> tcp_probe(IoLoop& loop, std::string host, std::uint16_t port, Duration timeout) {
  Connection connection(loop, host + ":" + std::to_string(port), timeout);
  if (const auto failed = co_await connection.connect(host, std::to_string(port)); failed)
    co_return connection.error(failed);
  co_return Result<void>();
}

}  // namespace weft::io
