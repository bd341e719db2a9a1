#include "bench/harness.hpp"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace weft::bench {

namespace {

struct Settings {
  bool json = false;
  bool free = false;
  int runs = 5;
};

struct Pipe {
  int fds[2] = {-1, -1};
  Pipe() {
    if (::pipe(fds) != 0) throw std::runtime_error("pipe: " + std::string(std::strerror(errno)));
  }
  ~Pipe() {
    ::close(fds[0]);
    if (fds[1] >= 0) ::close(fds[1]);
  }
  void write_all(const std::string& text) const {
    if (::write(fds[1], text.data(), text.size()) != static_cast<ssize_t>(text.size())) std::_Exit(3);
  }
  /// Until a newline, or the end when `whole`.
  std::string read(bool whole) {
    if (whole) {
      ::close(fds[1]);
      fds[1] = -1;
    }
    std::string text;
    for (char c = 0; ::read(fds[0], &c, 1) == 1;) {
      if (c == '\n' && !whole) break;
      text += c;
    }
    return text;
  }
};

template <class Work>
pid_t in_child(Work work) {
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork: " + std::string(std::strerror(errno)));
  if (child > 0) return child;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  try {
    work();
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "bench: %s\n", failure.what());
    std::_Exit(1);
  }
  std::_Exit(0);
}

bool ended_well(pid_t child) {
  int status = 0;
  return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

Figures parse(const std::string& lines) {
  Figures figures;
  char id[128];
  double value = 0;
  int used = 0;
  for (const char* at = lines.c_str(); std::sscanf(at, "%127s %lf\n%n", id, &value, &used) == 2; at += used) {
    figures[id] = value;
  }
  return figures;
}

Figures run_once(const Side& side) {
  Pipe endpoint;
  const pid_t server = in_child([&] { side.serve([&](const std::string& at) { endpoint.write_all(at + "\n"); }); });
  const std::string at = endpoint.read(false);
  Pipe results;  // after the server, which must not hold it open
  const pid_t client = in_child([&] {
    std::string lines;
    for (const auto& [id, value] : side.measure(at)) lines += id + " " + std::to_string(value) + "\n";
    results.write_all(lines);
  });
  const Figures figures = parse(results.read(true));
  const bool well = ended_well(client);
  ::kill(server, SIGKILL);
  ::waitpid(server, nullptr, 0);
  if (!well) throw std::runtime_error("the client failed");
  return figures;
}

void pin_to_one_core() {
  cpu_set_t all, one;
  if (::sched_getaffinity(0, sizeof all, &all) != 0) return;
  CPU_ZERO(&one);
  for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &all)) continue;
    CPU_SET(cpu, &one);
    break;
  }
  if (::sched_setaffinity(0, sizeof one, &one) != 0) std::fprintf(stderr, "bench: cannot pin to one core\n");
}

Settings settings_from(int argc, char** argv) {
  Settings settings;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--json") {
      settings.json = true;
    } else if (word == "--free") {
      settings.free = true;
    } else if (word == "--runs" && i + 1 < argc) {
      settings.runs = std::atoi(argv[++i]);
    } else {
      std::fprintf(stderr, "usage: %s [--json] [--free] [--runs N]\n", argv[0]);
      std::exit(word == "--help" ? 0 : 2);
    }
  }
  if (settings.runs < 1) settings.runs = 1;
  return settings;
}

/// Short enough to read, exact enough to compare: four significant digits.
std::string rounded(double value) {
  char text[64];
  const int digits =
      value >= 1000 ? 0 : std::max(0, 3 - static_cast<int>(std::floor(std::log10(std::max(value, 1e-9)))));
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

void print_row(const Work& work, const std::vector<double>& ours, const std::vector<double>& raw, const Settings& how) {
  const double mine = median(ours), theirs = median(raw);
  const auto [least, most] = std::minmax_element(ours.begin(), ours.end());
  if (how.json) {
    std::printf(
        "{\"work\": \"%s\", \"unit\": \"%s\", \"weft\": %s, \"peers\": {\"libzmq\": %s}, \"runs\": %d, \"min\": %s, "
        "\"max\": %s}\n",
        work.id.c_str(), work.unit.c_str(), rounded(mine).c_str(), rounded(theirs).c_str(), how.runs,
        rounded(*least).c_str(), rounded(*most).c_str());
  } else {
    std::printf("%-22s %5s %10s %10s %7.2f   %s .. %s\n", work.id.c_str(), work.unit.c_str(), rounded(mine).c_str(),
                rounded(theirs).c_str(), theirs > 0 ? mine / theirs : 0.0, rounded(*least).c_str(),
                rounded(*most).c_str());
  }
}

}  // namespace

double median(std::vector<double> values) { return percentile(values, 0.5); }

double percentile(std::vector<double>& values, double fraction) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto at = static_cast<std::size_t>(fraction * static_cast<double>(values.size()));
  return values[std::min(at, values.size() - 1)];
}

int run(int argc, char** argv, const std::vector<Work>& works, const Side& weft, const Side& raw) {
  const Settings settings = settings_from(argc, argv);
  if (!settings.free) pin_to_one_core();
  std::map<std::string, std::vector<double>> ours, theirs;
  try {
    for (int i = 0; i < settings.runs; ++i) {
      for (const auto& [id, value] : run_once(weft)) ours[id].push_back(value);
      for (const auto& [id, value] : run_once(raw)) theirs[id].push_back(value);
    }
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "bench: %s\n", failure.what());
    return 1;
  }
  if (!settings.json) {
    std::printf("%-22s %5s %10s %10s %7s   %s (%d runs, %s)\n", "WORK", "UNIT", "WEFT", "LIBZMQ", "RATIO",
                "WEFT FROM .. TO", settings.runs, settings.free ? "free placement" : "all on one core");
  }
  for (const auto& work : works) print_row(work, ours[work.id], theirs[work.id], settings);
  return 0;
}

}  // namespace weft::bench
