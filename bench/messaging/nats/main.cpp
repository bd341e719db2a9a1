// The same work through nats-server with libnats, in the forms that were measured to be fastest for it: with few calls
// under way each message is sent at once, else the library's flusher gathers them; many connections share one thread
// that calls back, one has its own.
#include <nats/nats.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stdexcept>

#include "bench/messaging/side.hpp"

namespace {

using namespace weft::bench::messaging;

void must(natsStatus status) {
  if (status != NATS_OK) throw std::runtime_error(natsStatus_GetText(status));
}

constexpr auto no_pending_limit = -1;

struct How {
  bool send_at_once = false;
  bool shared_thread = false;
};
How how_to_call(const Row& row) { return {row.outstanding <= 10, false}; }

class Connection {
 public:
  Connection(const std::string& url, How how) {
    natsOptions* options = nullptr;
    must(natsOptions_Create(&options));
    must(natsOptions_SetURL(options, url.c_str()));
    must(natsOptions_SetSendAsap(options, how.send_at_once));
    must(natsOptions_UseGlobalMessageDelivery(options, how.shared_thread));
    must(natsConnection_Connect(&connection_, options));
    natsOptions_Destroy(options);
  }
  ~Connection() {
    natsSubscription_Destroy(subscription_);
    natsConnection_Destroy(connection_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  using OnMessage = std::function<void(natsMsg*)>;
  /// Calls back on the library's thread. Once for each connection.
  void subscribe(const char* subject, OnMessage on_message) {
    on_message_ = std::move(on_message);
    const auto call = [](natsConnection*, natsSubscription*, natsMsg* message, void* self) {
      static_cast<Connection*>(self)->on_message_(message);
      natsMsg_Destroy(message);
    };
    must(natsConnection_Subscribe(&subscription_, connection_, subject, call, this));
    must(natsSubscription_SetPendingLimits(subscription_, no_pending_limit, no_pending_limit));
    must(natsConnection_Flush(connection_));  // the server knows it
  }
  void publish(const char* subject, const void* data, std::size_t size) {
    must(natsConnection_Publish(connection_, subject, data, static_cast<int>(size)));
  }
  void ask(const char* subject, const char* reply, const std::string& data) {
    must(natsConnection_PublishRequest(connection_, subject, reply, data.data(), static_cast<int>(data.size())));
  }
  natsConnection* raw() noexcept { return connection_; }

 private:
  natsConnection* connection_ = nullptr;
  natsSubscription* subscription_ = nullptr;
  OnMessage on_message_;
};

/// What the callback thread tells the main thread.
class Signal {
 public:
  void set() {
    const std::lock_guard lock(mutex_);
    set_ = true;
    changed_.notify_one();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return set_; });
    set_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool set_ = false;
};

// ---- calls

void answer(const Row& row, const std::string& url, const Ready& ready) {
  Connection connection(url, how_to_call(row));
  connection.subscribe("bench.echo", [&](natsMsg* message) {
    connection.publish(natsMsg_GetReply(message), natsMsg_GetData(message),
                       static_cast<std::size_t>(natsMsg_GetDataLength(message)));
  });
  ready(url);
  for (;;) ::pause();
}

void ask_one_by_one(Connection& connection, const std::string& request, std::uint64_t count,
                    std::vector<double>* times) {
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto start = Steady::now();
    natsMsg* reply = nullptr;
    must(natsConnection_Request(&reply, connection.raw(), "bench.echo", request.data(),
                                static_cast<int>(request.size()), 5000));
    natsMsg_Destroy(reply);
    if (times) times->push_back(std::chrono::duration<double>(Steady::now() - start).count());
  }
}

Figures call(const Job& job) {
  Connection connection(job.endpoint, how_to_call(job.row));
  const std::string request(job.row.payload, 'x');
  if (job.row.outstanding == 1) {
    return measure_calls(job, [&](std::uint64_t count, std::vector<double>* times) {
      ask_one_by_one(connection, request, count, times);
    });
  }
  const std::string inbox = "bench.inbox." + std::to_string(::getpid());
  Signal done;
  std::uint64_t left = 0, to_send = 0;  // after the first calls only the callback's
  connection.subscribe(inbox.c_str(), [&](natsMsg*) {
    if (to_send > 0) {
      --to_send;
      connection.ask("bench.echo", inbox.c_str(), request);
    }
    if (--left == 0) done.set();
  });
  return measure_calls(job, [&](std::uint64_t count, std::vector<double>*) {
    const std::uint64_t first = std::min<std::uint64_t>(job.row.outstanding, count);
    left = count;
    to_send = count - first;
    for (std::uint64_t i = 0; i < first; ++i) connection.ask("bench.echo", inbox.c_str(), request);
    done.wait();
  });
}

// ---- publications

void publish(const Row& row, const std::string& url, const Ready& ready) {
  Connection connection(url, {});
  std::mutex mutex;
  std::condition_variable changed;
  Window window(row.subscribers);
  connection.subscribe("bench.progress", [&](natsMsg* message) {
    Progress progress;
    std::memcpy(&progress, natsMsg_GetData(message), sizeof progress);
    const std::lock_guard lock(mutex);
    window.heard(progress);
    changed.notify_one();
  });
  ready(url);
  Publication publication;
  for (std::uint64_t sequence = 0;;) {
    std::uint64_t until = sequence + 1;
    {
      std::unique_lock lock(mutex);
      if (!window.all_there()) {
        changed.wait_for(lock, std::chrono::milliseconds(1));
      } else {
        changed.wait(lock, [&] { return sequence < window.allowed(); });
        until = window.allowed();
      }
    }
    while (sequence < until) {
      const auto bytes = publication.numbered(++sequence);
      connection.publish("bench.topic", bytes.data(), bytes.size());
    }
  }
}

Figures subscribe(const Job& job) {
  Arrivals arrivals(job);
  Signal done;
  std::vector<std::unique_ptr<Connection>> subscribers;
  for (std::size_t i = 0; i < job.row.subscribers; ++i) {
    subscribers.push_back(std::make_unique<Connection>(job.endpoint, How{false, job.row.subscribers > 1}));
    auto& one = *subscribers.back();
    one.subscribe("bench.topic", [&, i](natsMsg* message) {
      const std::uint64_t sequence = Publication::sequence_of(natsMsg_GetData(message));
      const bool before = arrivals.done();
      if (arrivals.note(i, sequence)) {
        const Progress now{i, sequence};
        one.publish("bench.progress", &now, sizeof now);
      }
      if (!before && arrivals.done()) done.set();
    });
  }
  done.wait();
  print_and_end(arrivals.figures());  // the connections still call back
}

}  // namespace

int main(int argc, char** argv) {
  must(nats_SetMessageDeliveryPoolSize(1));
  return run_side(argc, argv, {answer, publish, nullptr, call, subscribe, nullptr});
}
