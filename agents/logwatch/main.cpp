// weft-logwatch: what the logs of a machine say that someone should know.
#include "agents/logwatch/logwatch.hpp"

int main(int argc, char** argv) {
  return weft::run_agent<weft::logwatch::Logwatch, weft::logwatch::Settings>(
      argc, argv, {"logwatch", WEFT_VERSION, "follows log files and reports the lines that match its rules"});
}
