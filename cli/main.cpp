// `weft`: the command that looks into a mesh and runs one.
#include <csignal>

#include "cli/cli.hpp"

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_DFL);
  return weft::cli::run(argc, argv);
}
