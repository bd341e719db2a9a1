// weft-probe: whether what one depends on answers, and how fast.
#include "agents/probe/probe.hpp"

int main(int argc, char** argv) {
  return weft::run_agent<weft::probe::Probe, weft::probe::Settings>(
      argc, argv, {"probe", WEFT_VERSION, "checks TCP and HTTP targets and reports when they change"});
}
