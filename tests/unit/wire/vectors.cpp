#include "tests/unit/wire/vectors.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace weft::test {

namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::uint64_t number_from_hex(const Value& text) { return std::stoull(text.as_string(), nullptr, 16); }

template <class Array>
void fill(Array& out, const Value& hex) {
  const auto bytes = from_hex(hex.as_string());
  std::transform(bytes.begin(), bytes.end(), out.begin(), [](std::byte b) { return static_cast<std::uint8_t>(b); });
}

template <class Enum>
Enum enum_named(const std::string& name, int last) {
  for (int i = 0; i <= last; ++i) {
    if (wire::to_string(static_cast<Enum>(i)) == name) return static_cast<Enum>(i);
  }
  throw std::runtime_error("no such name: " + name);
}

Bytes encode_described(const Value& envelope) {
  const auto header = header_of(envelope);
  const auto& name = envelope["name"].as_string();
  const auto extension = from_hex(envelope["extension_hex"].as_string());
  const bool detached = (header.flags & wire::kFlagDetached) != 0;
  const auto payload = detached ? from_hex(envelope["next_frame_hex"].as_string()) : payload_of(envelope);
  Bytes out(wire::encoded_size(name, extension, detached ? 0 : payload.size()));
  wire::encode(header, name, extension, payload, out);
  return out;
}

Bytes damaged(Bytes bytes, const Value& description) {
  if (const auto& keep = description["keep"]; !keep.is_null()) bytes.resize(static_cast<std::size_t>(keep.as_int()));
  if (const auto& shorten = description["shorten"]; !shorten.is_null()) {
    // The outer header says the shorter length, so that only the last envelope inside is cut.
    bytes.resize(bytes.size() - static_cast<std::size_t>(shorten.as_int()));
    bytes[8] = static_cast<std::byte>(static_cast<std::size_t>(bytes[8]) - static_cast<std::size_t>(shorten.as_int()));
  }
  if (const auto& changes = description["bytes"]; !changes.is_null()) {
    for (const auto& [at, value] : changes.as_map()) bytes[std::stoul(at)] = static_cast<std::byte>(value.as_int());
  }
  if (const auto& more = description["append_hex"]; !more.is_null()) {
    const auto tail = from_hex(more.as_string());
    bytes.insert(bytes.end(), tail.begin(), tail.end());
  }
  return bytes;
}

}  // namespace

Bytes from_hex(std::string_view hex) {
  Bytes out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out.push_back(static_cast<std::byte>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return out;
}

wire::Header header_of(const Value& envelope) {
  wire::Header header;
  header.kind = enum_named<wire::Kind>(envelope["kind"].as_string(), 9);
  header.flags = static_cast<std::uint8_t>(envelope["flags"].as_int());
  header.encoding = enum_named<wire::Encoding>(envelope["encoding"].as_string(), 2);
  header.depth = static_cast<std::uint8_t>(envelope["depth"].as_int());
  header.deadline_us = static_cast<std::uint32_t>(envelope["deadline_us"].as_int());
  header.id = number_from_hex(envelope["id"]);
  fill(header.trace.trace_id, envelope["trace_id"]);
  fill(header.trace.span_id, envelope["span_id"]);
  header.trace.flags = static_cast<std::uint8_t>(envelope["trace_flags"].as_int());
  header.sender = number_from_hex(envelope["sender"]);
  header.epoch = static_cast<std::uint32_t>(envelope["epoch"].as_int());
  header.priority = static_cast<std::uint8_t>(envelope["priority"].as_int());
  return header;
}

Bytes payload_of(const Value& envelope) {
  if (!envelope["batch"].is_list()) return from_hex(envelope["payload_hex"].as_string());
  Bytes out;
  for (const auto& item : envelope["batch"].as_list()) {
    const auto one = encode_described(item);
    out.insert(out.end(), one.begin(), one.end());
  }
  return out;
}

Bytes bytes_of(const Value& description) {
  if (!description["envelope"].is_null()) return encode_described(description["envelope"]);
  return damaged(bytes_of(vector_named(description["of"].as_string()).description), description);
}

const std::vector<Vector>& vectors() {
  static const auto all = [] {
    std::vector<Vector> found;
    for (const auto& entry : std::filesystem::directory_iterator(WEFT_WIRE_VECTORS)) {
      if (entry.path().extension() != ".json") continue;
      auto description = from_json(read_file(entry.path()));
      if (!description) throw std::runtime_error(entry.path().string() + ": " + description.error().message);
      auto binary = entry.path();
      const auto bytes = read_file(binary.replace_extension(".bin"));
      const auto view = as_bytes(bytes);
      found.push_back({entry.path().stem(), std::move(*description), Bytes(view.begin(), view.end())});
    }
    std::sort(found.begin(), found.end(), [](const Vector& a, const Vector& b) { return a.name < b.name; });
    return found;
  }();
  return all;
}

const Vector& vector_named(const std::string& name) {
  for (const auto& one : vectors()) {
    if (one.name == name) return one;
  }
  throw std::runtime_error("no vector " + name);
}

}  // namespace weft::test
