// A worker: resizes pictures that others push to it, some at a time.
#include <fstream>

#include "pictures.hpp"

struct Settings {
  weft::Duration work = std::chrono::milliseconds(2);  ///< how long a picture takes
  std::uint64_t at_once = 2;
  std::string journal;  ///< a file that gets a line for each picture done; empty: none
  WEFT_FIELDS(Settings, work, at_once, journal)
};

class Resizer {
 public:
  Resizer(Settings settings, weft::Agent& agent) : settings_(std::move(settings)), agent_(agent) {
    weft::queue::ServeOptions options;
    options.concurrency = settings_.at_once;
    agent.serve_queue(
        "resize", [this](Picture picture, const weft::QueueItem& item) { return resize(std::move(picture), item); },
        options);
  }

 private:
  weft::Task<weft::Result<Resized>> resize(Picture picture, const weft::QueueItem& item) {
    if (picture.width < 0)  // no attempt can mend that: a dead letter at once
      co_return weft::Error(weft::ErrorKind::invalid, "PICTURE-1", picture.name + ": a width is not negative");
    co_await agent_.sleep(settings_.work);
    if (picture.width == 0)  // tried again, here or by another resizer
      co_return weft::Error(weft::ErrorKind::internal, "PICTURE-2", picture.name + ": nothing is left of it");
    if (!settings_.journal.empty()) std::ofstream(settings_.journal, std::ios::app) << picture.name << std::endl;
    Resized done{picture.name, agent_.host(), item.attempt};
    co_return done;
  }

  Settings settings_;
  weft::Agent& agent_;
};

int main(int argc, char** argv) {
  weft::AgentInfo info;
  info.name = "resizer";
  info.version = "1.0.0";
  info.summary = "resizes pictures";
  info.config_schema = R"({"type": "object", "additionalProperties": false, "properties": {
    "work": {"type": "string"}, "at_once": {"type": "integer", "minimum": 1}, "journal": {"type": "string"}}})";
  return weft::run_agent<Resizer, Settings>(argc, argv, std::move(info));
}
