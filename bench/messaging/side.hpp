// What the sides of the messaging benchmark share. A side is one program of three roles:
//   SIDE serve ROW [UPSTREAM]               prints the endpoint that the client needs, and serves until it is told to
//   end SIDE measure ROW N ENDPOINT [PID...]    does the work of the row N times and prints figures as one JSON object
// README.md says what each row is. UPSTREAM is what the side's own server, if it has one, printed; the PIDs are the
// other processes at work, whose CPU time counts too.
#pragma once
#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace weft::bench::messaging {

using Steady = std::chrono::steady_clock;
using Figures = std::map<std::string, double>;
using Ready = std::function<void(const std::string& endpoint)>;

enum class Kind : std::uint8_t { calls, publications, links };

struct Row {
  std::string_view name;
  Kind kind;
  std::size_t outstanding = 1;  ///< calls under way
  std::size_t payload = 128;    ///< bytes, each way
  std::size_t subscribers = 1;
  std::string_view transport = "tcp";
  bool curve = false;
};
const Row& row_named(std::string_view name);  ///< Throws when there is none.

struct Job {
  const Row& row;
  std::uint64_t count;
  std::string endpoint;
  std::vector<pid_t> others;  ///< the last one is the server at the other end
};

/// What a side does. A server returns when it was told to end (SIGTERM), or never, where that is ended by the signal.
struct Side {
  using Serve = void (*)(const Row& row, const std::string& upstream, const Ready& ready);
  using Measure = Figures (*)(const Job& job);
  Serve answer, publish, accept;     ///< for Kind::calls, publications, links; null where it has none
  Measure call, subscribe, connect;  ///< the same from the other end
};
int run_side(int argc, char** argv, const Side& side);
/// How `measure` ends: how long a side needs to close is not of interest.
[[noreturn]] void print_and_end(const Figures& figures);

/// Wall and CPU time of this process and the others since it was made or started again.
class Meter {
 public:
  explicit Meter(std::vector<pid_t> others) : others_(std::move(others)) { start(); }
  void start();
  double seconds() const { return std::chrono::duration<double>(Steady::now() - start_).count(); }
  double cpu_seconds() const { return cpu_so_far() - cpu_; }

 private:
  double cpu_so_far() const;
  std::vector<pid_t> others_;
  Steady::time_point start_;
  double cpu_ = 0;
};

/// Memory of this process ("bytes") and of the server ("bytes_peer") when it was made, and since, by link.
class Resident {
 public:
  explicit Resident(const Job& job);
  Figures growth() const;

 private:
  const Job& job_;
  double own_, others_;
};

/// Does a tenth of the calls to warm up, then all of them, by `run(count, times)`: `times` takes the seconds of each
/// call where one is under way at a time, and is null else.
Figures measure_calls(const Job& job, const std::function<void(std::uint64_t, std::vector<double>*)>& run);

// ---- publications: the publisher goes on when every subscriber has told how far it has come, so that no side loses
// any

inline constexpr std::uint64_t window = 8000;      ///< publications that a subscriber may be behind
inline constexpr std::uint64_t told_every = 1000;  ///< publications

/// What a subscriber tells the publisher.
struct Progress {
  std::uint64_t subscriber = 0, sequence = 0;
};

/// A publication: its sequence number, then filler.
class Publication {
 public:
  Publication() { bytes_.fill('x'); }
  std::string_view numbered(std::uint64_t sequence) noexcept {
    std::memcpy(bytes_.data(), &sequence, sizeof sequence);
    return {bytes_.data(), bytes_.size()};
  }
  static std::uint64_t sequence_of(const void* bytes) noexcept {
    std::uint64_t sequence = 0;
    std::memcpy(&sequence, bytes, sizeof sequence);
    return sequence;
  }

 private:
  std::array<char, 128> bytes_;
};

/// The publisher's view: what it may publish.
class Window {
 public:
  explicit Window(std::size_t subscribers) : heard_(subscribers) {}
  void heard(const Progress& progress);
  bool all_there() const noexcept { return last_ > 0; }  ///< else: publish one now and then
  std::uint64_t allowed() const noexcept { return last_ + window; }

 private:
  std::vector<std::uint64_t> heard_;
  std::uint64_t last_ = 0;  // that all have; 0 while one was not heard of
};

/// The subscribers' view: counts what arrives between two sequence numbers.
class Arrivals {
 public:
  explicit Arrivals(const Job& job) : meter_(job.others), end_(begin_ + job.count), last_(job.row.subscribers) {}
  /// True when the publisher is to be told.
  bool note(std::size_t subscriber, std::uint64_t sequence);
  bool done() const noexcept { return ended_ == last_.size(); }
  Figures figures() const;

 private:
  static constexpr std::uint64_t begin_ = 2 * window;
  Meter meter_;
  std::uint64_t end_, received_ = 0;
  std::size_t begun_ = 0, ended_ = 0;
  std::vector<std::uint64_t> last_;
  double seconds_ = 0, cpu_seconds_ = 0;
};

}  // namespace weft::bench::messaging
