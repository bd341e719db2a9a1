// What the gallery pushes and the resizer works on.
#pragma once
#include <cstdint>
#include <string>
#include <weft/agent.hpp>

struct Picture {
  std::string name;
  int width = 0;  ///< wanted, in pixels
  WEFT_FIELDS(Picture, name, width)
};

struct Resized {
  std::string name, by;       ///< by: the host that did it
  std::uint32_t attempt = 0;  ///< which one succeeded
  WEFT_FIELDS(Resized, name, by, attempt)
};
