// weft-logwatch: what the logs of a machine say that someone should know.
#include "agents/logwatch/logwatch.hpp"

int main(int argc, char** argv) {
  weft::AgentInfo info;
  info.name = "logwatch";
  info.version = WEFT_VERSION;
  info.summary = "follows log files and reports the lines that match its rules";
  info.loop_bound = true;  // it follows files with timers and watches of the loop
  return weft::run_agent<weft::logwatch::Logwatch, weft::logwatch::Settings>(argc, argv, info);
}
