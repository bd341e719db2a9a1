// The vectors of tests/data/wire: each a description (.json) and the bytes (.bin) that it stands for.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "weft/wire/wire.hpp"

namespace weft::test {

struct Vector {
  std::string name;
  Value description;
  Bytes bytes;  ///< of the .bin file

  bool good() const { return description["refused"].is_null(); }
};

/// All of them, by name.
const std::vector<Vector>& vectors();
const Vector& vector_named(const std::string& name);
/// The bytes that the description asks for, by encode() and then by the damage it describes.
Bytes bytes_of(const Value& description);
/// The header, name and so on of the member "envelope", or of an item of "batch".
wire::Header header_of(const Value& envelope);
Bytes payload_of(const Value& envelope);
Bytes from_hex(std::string_view hex);

}  // namespace weft::test
