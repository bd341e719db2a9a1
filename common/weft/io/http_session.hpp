// One connection of the HTTP server, and what all connections share. Private to io.
#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <cstdint>
#include <optional>
#include <set>

#include "weft/io/io.hpp"

namespace weft::io {

class HttpSession;

/// Lives as long as the server or the last session.
struct HttpShared {
  HttpServer::Limits limits;
  std::map<std::string, HttpServer::Handler> routes;
  std::set<HttpSession*> sessions;  ///< those that are open
  std::int64_t acts = 0;            ///< accepted connections, and requests that came in whole
};

class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  HttpSession(boost::asio::ip::tcp::socket socket, std::shared_ptr<HttpShared> shared);
  ~HttpSession();
  void read();
  void close() noexcept;
  const boost::asio::ip::address& address() const noexcept { return address_; }
  /// The number of this one's last act among those of all.
  std::int64_t last_act() const noexcept { return last_act_; }

 private:
  using Response = boost::beast::http::response<boost::beast::http::string_body>;
  void read_request();
  void on_read(const boost::system::error_code& failed);
  HttpResponse answer(const boost::beast::http::request<boost::beast::http::string_body>& request) const;
  HttpResponse route(const HttpRequest& request) const;
  void write(HttpResponse answer, bool head, bool keep_alive, unsigned version);
  void finish();
  void drain();

  boost::beast::tcp_stream stream_;
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>> parser_;
  Response response_;
  std::shared_ptr<HttpShared> shared_;
  boost::asio::ip::address address_;
  std::int64_t last_act_;
};

}  // namespace weft::io
