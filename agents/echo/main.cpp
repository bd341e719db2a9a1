// weft-echo: the tool for trying and measuring a mesh.
#include "agents/echo/echo.hpp"

int main(int argc, char** argv) {
  return weft::run_agent<weft::echo::Echo, weft::echo::Settings>(
      argc, argv, {"echo", WEFT_VERSION, "answers, fails, publishes, reports and calls as it is told"});
}
