// weft-sysmon: the figures of a machine, every second.
#include "agents/sysmon/sysmon.hpp"

int main(int argc, char** argv) {
  return weft::run_agent<weft::sysmon::Sysmon, weft::sysmon::Settings>(
      argc, argv,
      {"sysmon", WEFT_VERSION, "publishes CPU, memory, disk, network and process figures of its host, from /proc"});
}
