// HttpSink: a server on loopback, in a thread of its own, that keeps what it is sent and answers by a script.
#pragma once
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace weft::test {

class HttpSink {
 public:
  HttpSink() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof own;
    if (::bind(fd_, reinterpret_cast<sockaddr*>(&own), length) != 0 || ::listen(fd_, 16) != 0 ||
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&own), &length) != 0)
      std::abort();
    port_ = ntohs(own.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~HttpSink() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  HttpSink(const HttpSink&) = delete;

  std::string url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(port_) + path; }
  /// The next answers: whole responses, or "" to close without one. After the last: 200 without body.
  void answer(std::string response) {
    const std::lock_guard lock(mutex_);
    script_.push_back(std::move(response));
  }
  /// Head and body of each request so far.
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void serve() {
    for (int peer = 0; (peer = ::accept(fd_, nullptr, nullptr)) >= 0; ::close(peer)) {
      const std::string request = read(peer);
      std::string response = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
        if (!script_.empty()) {
          response = std::move(script_.front());
          script_.pop_front();
        }
      }
      (void)!::send(peer, response.data(), response.size(), MSG_NOSIGNAL);
    }
  }
  static std::string read(int peer) {
    std::string all;
    char part[4096];
    for (ssize_t got = 0; !complete(all) && (got = ::recv(peer, part, sizeof part, 0)) > 0;)
      all.append(part, static_cast<std::size_t>(got));
    return all;
  }
  static bool complete(const std::string& all) {
    const auto head = all.find("\r\n\r\n");
    if (head == std::string::npos) return false;
    const auto length = all.find("Content-Length: ");
    return length > head || all.size() - head - 4 >= std::stoul(all.substr(length + 16));
  }

  int fd_;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::deque<std::string> script_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

}  // namespace weft::test
