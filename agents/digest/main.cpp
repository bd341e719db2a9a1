// weft-digest: what the machines of the mesh did in the last minute, five minutes and hour.
#include "agents/digest/digest.hpp"

int main(int argc, char** argv) {
  return weft::run_agent<weft::digest::Digest, weft::digest::Settings>(
      argc, argv, {"digest", WEFT_VERSION, "keeps windows of every host's figures, and reports crossed thresholds"});
}
