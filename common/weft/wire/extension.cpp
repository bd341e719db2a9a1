// The extension of an envelope: a MessagePack map with few known keys of one letter, read and written by hand because
// every request has one; what is unknown is skipped by its type. docs/protocol.md names the keys.
#include <algorithm>
#include <bit>

#include "weft/wire/wire.hpp"

namespace weft::wire {
namespace {

constexpr std::uint8_t kMap16 = 0xde, kBin16 = 0xc5, kStr16 = 0xda, kUint32 = 0xce, kUint64 = 0xcf;
constexpr std::size_t kNestingMax = 16;

Error bad(const char* what) { return Error(codes::bad_envelope, std::string("the extension of the envelope ") + what); }

template <class T>
T big_endian(const std::byte* at) noexcept {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) value = static_cast<T>(value << 8 | static_cast<T>(at[i]));
  return value;
}

// ---- writing

void put(Bytes& out, std::uint64_t value, std::size_t size) {
  while (size-- > 0) out.push_back(static_cast<std::byte>(value >> (8 * size)));
}
void put_key(Bytes& out, char key) {
  out.push_back(std::byte{0xa1});
  out.push_back(static_cast<std::byte>(key));
}
void put_bytes(Bytes& out, char key, std::uint8_t type, BytesView bytes) {
  if (bytes.empty()) return;
  put_key(out, key);
  put(out, type, 1);
  put(out, bytes.size(), 2);
  out.insert(out.end(), bytes.begin(), bytes.end());
}

// ---- reading

struct Reader {
  BytesView rest;
  bool good = true;

  const std::byte* take(std::size_t size) noexcept {
    if (rest.size() < size) {
      good = false;
      rest = {};
      return nullptr;
    }
    const std::byte* at = rest.data();
    rest = rest.subspan(size);
    return at;
  }
  std::uint64_t number(std::size_t size) noexcept {
    const std::byte* at = take(size);
    std::uint64_t value = 0;
    for (std::size_t i = 0; at && i < size; ++i) value = value << 8 | static_cast<std::uint64_t>(at[i]);
    return value;
  }
  BytesView bytes(std::size_t size) noexcept {
    const std::byte* at = take(size);
    return at ? BytesView(at, size) : BytesView();
  }
  std::uint64_t unsigned_integer() noexcept {
    const auto type = static_cast<std::uint8_t>(number(1));
    if (type < 0x80) return type;
    if (type >= 0xcc && type <= kUint64) return number(std::size_t{1} << (type - 0xcc));
    good = false;
    return 0;
  }
  BytesView text_or_binary() noexcept {
    const auto type = static_cast<std::uint8_t>(number(1));
    if (type >= 0xa0 && type <= 0xbf) return bytes(type & 0x1f);
    if (type == 0xd9 || type == 0xc4) return bytes(number(1));
    if (type == kStr16 || type == kBin16) return bytes(number(2));
    good = false;
    return {};
  }
  std::size_t map() noexcept {
    const auto type = static_cast<std::uint8_t>(number(1));
    if (type >= 0x80 && type <= 0x8f) return type & 0x0f;
    if (type == kMap16) return number(2);
    good = false;
    return 0;
  }
  void skip_many(std::uint64_t count, std::size_t depth) noexcept {
    while (good && count-- > 0) skip(depth);
  }
  /// One value of any type.
  void skip(std::size_t depth = 0) noexcept {
    if (depth > kNestingMax) good = false;
    const auto type = static_cast<std::uint8_t>(number(1));
    if (!good || type < 0x80 || type >= 0xe0) return;
    if (type <= 0x8f) return skip_many(2u * (type & 0x0f), depth + 1);
    if (type <= 0x9f) return skip_many(type & 0x0f, depth + 1);
    if (type <= 0xbf) return void(bytes(type & 0x1f));
    switch (type) {
      case 0xc0:
      case 0xc2:
      case 0xc3:
        return;
      case 0xc4:
      case 0xd9:
        return void(bytes(number(1)));
      case 0xc5:
      case 0xda:
        return void(bytes(number(2)));
      case 0xc6:
      case 0xdb:
        return void(bytes(number(4)));
      case 0xc7:
        return void(bytes(number(1) + 1));
      case 0xc8:
        return void(bytes(number(2) + 1));
      case 0xc9:
        return void(bytes(number(4) + 1));
      case 0xca:
        return void(take(4));
      case 0xcb:
        return void(take(8));
      case 0xdc:
        return skip_many(number(2), depth + 1);
      case 0xdd:
        return skip_many(number(4), depth + 1);
      case 0xde:
        return skip_many(2 * number(2), depth + 1);
      case 0xdf:
        return skip_many(2 * number(4), depth + 1);
      default:
        break;
    }
    if (type >= 0xcc && type <= 0xcf) return void(take(std::size_t{1} << (type - 0xcc)));
    if (type >= 0xd0 && type <= 0xd3) return void(take(std::size_t{1} << (type - 0xd0)));
    if (type >= 0xd4 && type <= 0xd8) return void(take((std::size_t{1} << (type - 0xd4)) + 1));
    good = false;
  }
};

void read_known(Reader& reader, char key, Extension& out) noexcept {
  switch (key) {
    case 't':
      out.sent_us = static_cast<std::uint32_t>(reader.unsigned_integer());
      return;
    case 'w':
      out.window = static_cast<std::uint32_t>(std::min<std::uint64_t>(reader.unsigned_integer(), UINT32_MAX));
      return;
    case 'b':
      out.cause = reader.unsigned_integer();
      return;
    case 'k':
      out.key = as_text(reader.text_or_binary());
      return;
    case 's':
      out.schema = as_text(reader.text_or_binary());
      return;
    case 'c':
      out.chain = reader.text_or_binary();
      return;
    case 'h': {
      const std::byte* begin = reader.rest.data();
      reader.skip();
      if (reader.good) out.headers = BytesView(begin, static_cast<std::size_t>(reader.rest.data() - begin));
      return;
    }
    default:
      reader.skip();
  }
}

bool is_stamp(BytesView bytes) noexcept {
  return bytes.size() == kStampSize && bytes[0] == std::byte{0x81} && bytes[1] == std::byte{0xa1} &&
         bytes[2] == std::byte{'t'} && bytes[3] == std::byte{kUint32};
}

}  // namespace

void encode_stamp(std::uint32_t sent_us, std::span<std::byte, kStampSize> out) noexcept {
  out[0] = std::byte{0x81};
  out[1] = std::byte{0xa1};
  out[2] = std::byte{'t'};
  out[3] = std::byte{kUint32};
  const std::uint32_t swapped = __builtin_bswap32(sent_us);
  std::memcpy(out.data() + 4, &swapped, sizeof swapped);
}

Result<void> encode(const Extension& extension, Bytes& out) {
  out.clear();
  if (extension.empty()) return {};
  const std::size_t size =
      64 + extension.key.size() + extension.schema.size() + extension.chain.size() + extension.headers.size();
  if (size > kExtensionMax) {
    return Error(codes::too_large, "the headers of a message have " + std::to_string(size) + " bytes, the limit is " +
                                       std::to_string(kExtensionMax));
  }
  out.reserve(size);
  out.push_back(std::byte{0x80});
  const auto count = [&out] { out[0] = static_cast<std::byte>(static_cast<unsigned>(out[0]) + 1); };
  const auto number = [&](char key, std::uint64_t value, std::uint8_t type, std::size_t bytes) {
    if (value == 0) return;
    put_key(out, key);
    put(out, type, 1);
    put(out, value, bytes);
    count();
  };
  const auto blob = [&](char key, std::uint8_t type, BytesView bytes) {
    put_bytes(out, key, type, bytes);
    if (!bytes.empty()) count();
  };
  number('t', extension.sent_us, kUint32, 4);
  number('w', extension.window, kUint32, 4);
  number('b', extension.cause, kUint64, 8);
  blob('k', kStr16, as_bytes(extension.key));
  blob('s', kStr16, as_bytes(extension.schema));
  blob('c', kBin16, extension.chain);
  if (!extension.headers.empty()) {
    put_key(out, 'h');
    out.insert(out.end(), extension.headers.begin(), extension.headers.end());
    count();
  }
  return {};
}

Result<Extension> decode_extension(BytesView bytes) {
  Extension out;
  if (bytes.empty()) return out;
  if (is_stamp(bytes)) {
    out.sent_us = big_endian<std::uint32_t>(bytes.data() + 4);
    return out;
  }
  Reader reader{bytes};
  for (std::size_t left = reader.map(); reader.good && left > 0; --left) {
    const BytesView key = reader.text_or_binary();
    if (!reader.good) break;
    if (key.size() == 1) {
      read_known(reader, static_cast<char>(key[0]), out);
    } else {
      reader.skip();
    }
  }
  if (!reader.good) return bad("is no MessagePack map, or a header in it has the wrong type");
  if (!reader.rest.empty()) return bad("has bytes after its end");
  return out;
}

void append_link(Bytes& chain, const ChainLink& link) {
  const std::size_t at = chain.size(), size = std::min<std::size_t>(link.method.size(), kNameMax);
  chain.resize(at + 9 + size);
  std::memcpy(chain.data() + at, &link.instance, 8);
  chain[at + 8] = static_cast<std::byte>(size);
  std::memcpy(chain.data() + at + 9, link.method.data(), size);
}

}  // namespace weft::wire
