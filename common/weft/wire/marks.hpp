// The payload of a heartbeat: the sequences with which losses at a full queue began, eight bytes each, little-endian.
#pragma once
#include <cstring>
#include <vector>

#include "weft/base/base.hpp"

namespace weft::wire {

inline Bytes marks_payload(const std::vector<std::uint64_t>& marks) {
  Bytes out(marks.size() * sizeof(std::uint64_t));
  if (!marks.empty()) std::memcpy(out.data(), marks.data(), out.size());
  return out;
}

inline std::vector<std::uint64_t> marks_of(BytesView payload) {
  std::vector<std::uint64_t> out(payload.size() / sizeof(std::uint64_t));
  if (!out.empty()) std::memcpy(out.data(), payload.data(), out.size() * sizeof(std::uint64_t));
  return out;
}

}  // namespace weft::wire
