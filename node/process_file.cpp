#include "node/process_file.hpp"

#include <signal.h>

#include <algorithm>

#include "weft/base/files.hpp"

namespace weft::node {
namespace {
constexpr std::size_t kProcessFileBytesMax = 16 * 1024 * 1024;

struct File {
  std::string boot;
  std::vector<ProcessNote> processes;
  WEFT_FIELDS(File, boot, processes)
};
}  // namespace

Result<void> write_process_file(const std::string& file, const std::string& boot, std::vector<ProcessNote> notes) {
  return replace_file(file, to_json_pretty(to_value(File{boot, std::move(notes)})) + "\n");
}

std::vector<ProcessNote> read_process_file(const std::string& file, const std::string& boot) {
  const auto text = read_regular_file(file, kProcessFileBytesMax);
  if (!text || !*text) return {};
  const auto document = from_json(**text);
  if (!document) return {};
  auto read = from_value<File>(*document);
  if (!read || read->boot != boot) return {};
  return std::move(read->processes);
}

Task<void> end_processes(Loop& loop, Launcher& launcher, std::vector<ProcessNote> notes, Duration grace) {
  std::vector<std::unique_ptr<Process>> ending;
  auto left = std::make_shared<std::size_t>(0);
  for (const auto& note : notes) {
    auto process = launcher.adopt(note.id(), [left](Exit) { --*left; });
    if (!process) continue;
    (*process)->signal(SIGTERM);
    (*process)->signal(SIGCONT);
    ++*left;
    ending.push_back(std::move(*process));
  }
  const auto end = loop.now() + grace;
  bool killed = false;
  while (*left > 0) {
    if (!killed && loop.now() >= end) {
      for (auto& process : ending) process->kill_group();
      killed = true;
    }
    co_await sleep_for(loop, 5ms);
  }
}

}  // namespace weft::node
