// The door of io: the loop of a real process, on Asio, and what completes on it: signals, HTTP, a pool for blocking
// work. Boost stays inside the .cpp files.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "weft/base/base.hpp"
#include "weft/io/notify.hpp"

namespace boost::asio {
class io_context;
}

namespace weft::io {

class IoLoop final : public Loop {
 public:
  IoLoop();
  ~IoLoop() override;
  const Clock& clock() const noexcept override;
  void post(Callback work) override;
  void at_turn_end(Callback work) override;
  Id at(TimePoint when, Callback work) override;
  void cancel(Id timer) noexcept override;
  Id watch(int fd, Callback on_readable) override;
  void unwatch(Id watch) noexcept override;
  TimePoint turn_time() const noexcept override;

  /// Runs until stop(). Call on the thread that owns the loop.
  void run();
  /// Ends run() after the current turn. Thread-safe.
  void stop();
  boost::asio::io_context& context() noexcept;
  /// Age of the last finished turn; 0 while the loop sleeps. Thread-safe. For /livez.
  Duration stuck_for() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Calls back on the loop for TERM, INT, HUP, … while it lives.
class Signals {
 public:
  Signals(IoLoop& loop, std::vector<int> numbers, std::function<void(int)> on_signal);
  ~Signals();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

/// A few threads for what blocks or burns; results come back on the loop.
class Pool {
 public:
  Pool(Loop& loop, unsigned threads);
  ~Pool();
  /// Thread-safe. `work` runs on a pool thread; it must not throw.
  void submit(Callback work);
  Loop& loop() noexcept { return loop_; }

 private:
  struct Impl;
  Loop& loop_;
  std::unique_ptr<Impl> impl_;
};
/// `auto n = co_await offload(pool, [] { return heavy(); });` An exception of `work` comes out of the co_await.
template <class Work>
Task<std::invoke_result_t<Work&>> offload(Pool& pool, Work work) {
  using T = std::invoke_result_t<Work&>;
  using Held = std::conditional_t<std::is_void_v<T>, std::monostate, T>;
  using Outcome = std::variant<std::exception_ptr, Held>;
  struct Slot {  // written by the pool thread, then handed to the loop by post()
    explicit Slot(Work w) : work(std::move(w)) {}
    Work work;
    Outcome outcome;
    typename Completion<Outcome>::Completer completer;
  };
  Completion<Outcome> completion;
  auto slot = std::make_unique<Slot>(std::move(work));
  slot->completer = completion.completer();
  pool.submit([slot = std::move(slot), &loop = pool.loop()]() mutable {
    try {
      if constexpr (std::is_void_v<T>) {
        slot->work();
        slot->outcome.template emplace<1>();
      } else {
        slot->outcome.template emplace<1>(slot->work());
      }
    } catch (...) {
      slot->outcome.template emplace<0>(std::current_exception());
    }
    loop.post([slot = std::move(slot)]() mutable { slot->completer.complete(std::move(slot->outcome)); });
  });
  Outcome outcome = co_await completion;
  if (outcome.index() == 0) std::rethrow_exception(std::get<0>(outcome));
  if constexpr (!std::is_void_v<T>) co_return std::move(std::get<1>(outcome));
}

struct HttpRequest {
  std::string method, path;                    ///< path without the query, percent-decoded
  std::map<std::string, std::string> query;    ///< percent-decoded
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
};
struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::map<std::string, std::string> headers{};
};

/// A small HTTP/1.1 server on the loop: keep-alive, limits on header, body, connections and time. A request whose Host
/// is a name in public DNS is refused (421): a web page that points such a name here could read the answers otherwise.
/// Loop-bound.
class HttpServer {
 public:
  using Handler = std::function<HttpResponse(const HttpRequest&)>;
  struct Limits {
    std::size_t connections = 64;  ///< one more replaces the oldest of the address that has most
    std::size_t header_bytes = 16 * 1024;
    std::size_t body_bytes = 1024 * 1024;
    Duration idle = std::chrono::seconds(60);  ///< between two requests of a connection
    Duration request =
        std::chrono::seconds(5);  ///< from the first byte of a request to its last, and to take the answer
    /// Names by which this server may be asked, besides localhost, addresses, this host's name and names without a dot
    /// or under .local; "*" takes all.
    std::vector<std::string> hosts{};
  };
  /// Binds now. Port 0: any. Errors: `port_taken`, `bad_address`.
  static Result<std::unique_ptr<HttpServer>> listen(IoLoop& loop, const std::string& address, std::uint16_t port,
                                                    Limits limits);
  virtual ~HttpServer() = default;
  /// GET (and HEAD) of exactly `path`; another method answers 405, another path 404, to a client on this host with the
  /// list of paths.
  virtual void get(std::string path, Handler handler) = 0;
  virtual std::uint16_t port() const noexcept = 0;
};

/// One HTTP request over a connection of its own; http:// only.
/// Errors: `deadline_exceeded`, `peer_gone`, `bad_address`, `too_large` (body over `body_max`).
struct HttpClientOptions {
  Duration timeout = std::chrono::seconds(5);
  std::size_t body_max = 1024 * 1024;
};
Task<Result<HttpResponse>> http_get(IoLoop& loop, std::string url, HttpClientOptions options = {});
/// What http_post() sends. No aggregate, for gcc 12 (docs/decisions/0008).
struct HttpPost {
  explicit HttpPost(std::string to) : url(std::move(to)) {}
  std::string url, content_type = "application/json", body{};
  std::map<std::string, std::string> headers{};  ///< further ones
};
Task<Result<HttpResponse>> http_post(IoLoop& loop, HttpPost request, HttpClientOptions options = {});
/// Connects and closes. Errors as above.
Task<Result<void>> tcp_probe(IoLoop& loop, std::string host, std::uint16_t port, Duration timeout);

}  // namespace weft::io
