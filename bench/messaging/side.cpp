#include "bench/messaging/side.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "bench/process.hpp"

namespace weft::bench::messaging {

namespace {

constexpr std::array rows{
    Row{"round_trip", Kind::calls},
    Row{"round_trip_ipc", Kind::calls, 1, 128, 1, "ipc"},
    Row{"pipelined_10", Kind::calls, 10},
    Row{"pipelined_1000", Kind::calls, 1000},
    Row{"bytes_64k", Kind::calls, 10, 65'536},
    Row{"curve_pipelined", Kind::calls, 1000, 128, 1, "tcp", true},
    Row{"fan_out_1", Kind::publications},
    Row{"fan_out_100", Kind::publications, 1, 128, 100},
    Row{"memory_idle", Kind::links},
};

int serve(const Side& side, const Row& row, const std::string& upstream) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const Side::Serve by_kind[] = {side.answer, side.publish, side.accept};
  const Side::Serve serve = by_kind[static_cast<std::size_t>(row.kind)];
  if (!serve) throw std::runtime_error("this side has no " + std::string(row.name));
  serve(row, upstream, [](const std::string& endpoint) {
    std::printf("%s\n", endpoint.c_str());
    std::fflush(stdout);
  });
  return 0;
}

[[noreturn]] void measure(const Side& side, const Job& job) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const Side::Measure by_kind[] = {side.call, side.subscribe, side.connect};
  const Side::Measure measure = by_kind[static_cast<std::size_t>(job.row.kind)];
  if (!measure) throw std::runtime_error("this side has no " + std::string(job.row.name));
  print_and_end(measure(job));
}

}  // namespace

const Row& row_named(std::string_view name) {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const Row& row) { return row.name == name; });
  if (found == rows.end()) throw std::runtime_error("there is no row '" + std::string(name) + "'");
  return *found;
}

int run_side(int argc, char** argv, const Side& side) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  try {
    if (words.size() >= 2 && words[0] == "serve")
      return serve(side, row_named(words[1]), words.size() > 2 ? words[2] : "");
    if (words.size() >= 4 && words[0] == "measure") {
      Job job{row_named(words[1]), std::strtoull(words[2].c_str(), nullptr, 10), words[3], {}};
      for (std::size_t i = 4; i < words.size(); ++i) job.others.push_back(std::atoi(words[i].c_str()));
      measure(side, job);
    }
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s: %s\n", argv[0], failure.what());
    return 1;
  }
  std::fprintf(stderr, "usage: %s serve ROW [UPSTREAM] | measure ROW N ENDPOINT [PID...]\n", argv[0]);
  return 2;
}

void print_and_end(const Figures& figures) {
  const char* before = "{";
  for (const auto& [name, value] : figures) {
    std::printf("%s\"%s\": %.9g", before, name.c_str(), value);
    before = ", ";
  }
  std::printf("}\n");
  std::fflush(stdout);
  std::_Exit(0);
}

void Meter::start() {
  cpu_ = cpu_so_far();
  start_ = Steady::now();
}

double Meter::cpu_so_far() const {
  double sum = bench::cpu_seconds();
  for (const pid_t pid : others_) sum += bench::cpu_seconds(pid);
  return sum;
}

Resident::Resident(const Job& job)
    : job_(job), own_(resident_bytes()), others_(job.others.empty() ? 0 : resident_bytes(job.others.back())) {}

Figures Resident::growth() const {
  const double links = static_cast<double>(job_.count);
  const double others = job_.others.empty() ? 0 : resident_bytes(job_.others.back());
  return {{"bytes", (resident_bytes() - own_) / links}, {"bytes_peer", (others - others_) / links}};
}

Figures measure_calls(const Job& job, const std::function<void(std::uint64_t, std::vector<double>*)>& run) {
  const bool one_by_one = job.row.outstanding == 1;
  std::vector<double> times;
  times.reserve(one_by_one ? job.count : 0);
  run(std::max<std::uint64_t>(job.count / 10, 1), nullptr);
  Meter meter(job.others);
  run(job.count, one_by_one ? &times : nullptr);
  const double seconds = meter.seconds(), cpu = meter.cpu_seconds(), count = static_cast<double>(job.count);
  Figures figures{{"rate", count / seconds},
                  {"bytes", count * 2 * static_cast<double>(job.row.payload) / seconds},
                  {"cpu_us", 1e6 * cpu / count}};
  if (one_by_one) {
    figures["p50"] = 1e6 * percentile(times, 0.50);
    figures["p99"] = 1e6 * percentile(times, 0.99);
  }
  return figures;
}

void Window::heard(const Progress& progress) {
  if (progress.subscriber >= heard_.size()) return;
  auto& of_one = heard_[progress.subscriber];
  of_one = std::max(of_one, progress.sequence);
  last_ = *std::min_element(heard_.begin(), heard_.end());
}

bool Arrivals::note(std::size_t subscriber, std::uint64_t sequence) {
  const std::uint64_t last = std::exchange(last_[subscriber], sequence);
  if (last < begin_ && sequence >= begin_ && ++begun_ == last_.size()) {
    received_ = 0;
    meter_.start();
  }
  ++received_;
  if (last < end_ && sequence >= end_ && ++ended_ == last_.size()) {
    seconds_ = meter_.seconds();
    cpu_seconds_ = meter_.cpu_seconds();
  }
  return last == 0 || last / told_every != sequence / told_every;
}

Figures Arrivals::figures() const {
  const double received = static_cast<double>(received_);
  return {{"rate", received / seconds_}, {"cpu_us", 1e6 * cpu_seconds_ / received}};
}

}  // namespace weft::bench::messaging
