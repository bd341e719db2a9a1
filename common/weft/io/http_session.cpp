#include "weft/io/http_session.hpp"

#include <algorithm>

#include "weft/io/host_name.hpp"
#include "weft/io/url.hpp"

namespace weft::io {
namespace beast = boost::beast;
namespace http = beast::http;
using ErrorCode = boost::system::error_code;

namespace {

constexpr std::size_t kReadBytes = 4096, kHostShown = 80;
constexpr Duration kLinger = std::chrono::seconds(1);

HttpResponse plain(int status, std::string body) {
  HttpResponse out;
  out.status = status;
  out.body = std::move(body);
  return out;
}

/// What a reader's failure means to the client; none: there is nobody to tell.
std::optional<HttpResponse> complaint(const ErrorCode& failed, const HttpServer::Limits& limits) {
  if (failed == http::error::header_limit)
    return plain(431, "the header has more than " + std::to_string(limits.header_bytes) + " bytes\n");
  if (failed == http::error::body_limit)
    return plain(413, "the body has more than " + std::to_string(limits.body_bytes) + " bytes\n");
  const bool ours = failed.category() == make_error_code(http::error::bad_line_ending).category();
  if (ours && failed != http::error::end_of_stream && failed != http::error::partial_message)
    return plain(400, "this is no HTTP/1.1 request: " + failed.message() + "\n");
  return std::nullopt;
}

}  // namespace

HttpSession::HttpSession(boost::asio::ip::tcp::socket socket, std::shared_ptr<HttpShared> shared)
    : stream_(std::move(socket)), shared_(std::move(shared)), last_act_(++shared_->acts) {
  ErrorCode closed;
  if (const auto remote = stream_.socket().remote_endpoint(closed); !closed) address_ = remote.address();
  shared_->sessions.insert(this);
}

HttpSession::~HttpSession() { shared_->sessions.erase(this); }

void HttpSession::close() noexcept {
  ErrorCode ignored;
  stream_.socket().shutdown(boost::asio::ip::tcp::socket::shutdown_both, ignored);
  stream_.close();
}

/// A connection may be idle between two requests; a request that has begun, and the first one, must come at once.
void HttpSession::read() {
  if (!parser_ || buffer_.size() > 0) return read_request();
  stream_.expires_after(shared_->limits.idle);
  stream_.async_read_some(buffer_.prepare(kReadBytes),
                          [self = shared_from_this()](const ErrorCode& failed, std::size_t size) {
                            if (failed) return self->close();
                            self->buffer_.commit(size);
                            self->read_request();
                          });
}

void HttpSession::read_request() {
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(shared_->limits.header_bytes));
  parser_->body_limit(shared_->limits.body_bytes);
  stream_.expires_after(shared_->limits.request);
  http::async_read(stream_, buffer_, *parser_,
                   [self = shared_from_this()](const ErrorCode& failed, std::size_t) { self->on_read(failed); });
}

void HttpSession::on_read(const ErrorCode& failed) {
  if (failed) {
    auto told = complaint(failed, shared_->limits);
    return told ? write(std::move(*told), false, false, 11) : close();
  }
  last_act_ = ++shared_->acts;
  const auto& request = parser_->get();
  write(answer(request), request.method() == http::verb::head, request.keep_alive(), request.version());
}

HttpResponse HttpSession::answer(const http::request<http::string_body>& request) const {
  const auto host = request[http::field::host];
  if (!is_own_host({host.data(), host.size()}, shared_->limits.hosts)) {
    return plain(421, "this server is not asked by the name '" + std::string(host.substr(0, kHostShown)) +
                          "'; give an address, or add the name to admin.hosts\n");
  }
  const auto target = request.target();
  auto parsed = parse_target({target.data(), target.size()});
  if (!parsed) return plain(400, "the path is not well-formed\n");
  HttpRequest in{
      std::string(request.method_string()), std::move(parsed->path), std::move(parsed->query), {}, request.body()};
  for (const auto& field : request) {
    const auto name = field.name_string();
    in.headers.insert_or_assign(to_lower({name.data(), name.size()}), std::string(field.value()));
  }
  return route(in);
}

HttpResponse HttpSession::route(const HttpRequest& request) const {
  const auto found = shared_->routes.find(request.path);
  if (found == shared_->routes.end()) {
    std::string body = "no such path\n";
    if (address_.is_loopback()) {
      body = "no such path; there are:\n";
      for (const auto& [path, handler] : shared_->routes) body += path + "\n";
    }
    return plain(404, std::move(body));
  }
  if (request.method != "GET" && request.method != "HEAD") {
    auto refusal = plain(405, "only GET and HEAD are served here\n");
    refusal.headers["Allow"] = "GET, HEAD";
    return refusal;
  }
  const auto handler = found->second;  // a handler may add paths
  try {
    return handler(request);
  } catch (const std::exception& failure) {  // one request fails; the process lives on
    return plain(500, "the handler failed: " + std::string(failure.what()) + "\n");
  }
}

void HttpSession::write(HttpResponse answer, bool head, bool keep_alive, unsigned version) {
  response_ = Response(http::int_to_status(static_cast<unsigned>(answer.status)), version);
  response_.set(http::field::content_type, answer.content_type);
  for (const auto& [name, value] : answer.headers) response_.set(name, value);
  response_.keep_alive(keep_alive);
  response_.content_length(answer.body.size());
  if (!head) response_.body() = std::move(answer.body);
  stream_.expires_after(shared_->limits.request);
  http::async_write(stream_, response_, [self = shared_from_this()](const ErrorCode& failed, std::size_t) {
    if (failed) return self->close();
    if (!self->response_.keep_alive()) return self->finish();
    self->response_ = {};
    self->read();
  });
}

/// Closes as RFC 9112 9.6 wants it: a client that still sends would get a reset, and lose our answer.
void HttpSession::finish() {
  ErrorCode failed;
  stream_.socket().shutdown(boost::asio::ip::tcp::socket::shutdown_send, failed);
  if (failed) return close();
  buffer_.clear();
  stream_.expires_after(kLinger);
  drain();
}

void HttpSession::drain() {
  stream_.async_read_some(buffer_.prepare(16 * 1024),
                          [self = shared_from_this()](const ErrorCode& failed, std::size_t) {
                            if (failed) {
                              self->close();
                            } else {
                              self->drain();
                            }
                          });
}

}  // namespace weft::io
