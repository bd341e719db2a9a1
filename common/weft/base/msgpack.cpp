// MessagePack through libmpack's tokens; the limits and the tree are ours.
extern "C" {
#include <mpack.h>
}
#undef bool  // mpack.h defines it for old C compilers
#include <utility>

#include "weft/base/codes.hpp"
#include "weft/base/value_builder.hpp"

namespace weft {
namespace {

class Writer {
 public:
  void put(const Value& value) {
    switch (value.type()) {
      case Value::Type::null:
        token(mpack_pack_nil());
        break;
      case Value::Type::boolean:
        token(mpack_pack_boolean(value.as_bool() ? 1U : 0U));
        break;
      case Value::Type::integer:
        integer(value.as_int());
        break;
      case Value::Type::number:
        token(mpack_pack_float_fast(value.as_double()));
        break;
      case Value::Type::string:
        string(value.as_string());
        break;
      case Value::Type::bytes:
        token(mpack_pack_bin(size(value.as_bytes().size())));
        append(value.as_bytes());
        break;
      case Value::Type::list:
        token(mpack_pack_array(size(value.as_list().size())));
        for (const auto& item : value.as_list()) put(item);
        break;
      case Value::Type::map:
        token(mpack_pack_map(size(value.as_map().size())));
        for (const auto& [key, item] : value.as_map()) {
          string(key);
          put(item);
        }
        break;
    }
  }
  Bytes take() { return std::move(out_); }

 private:
  static mpack_uint32_t size(std::size_t n) { return static_cast<mpack_uint32_t>(n); }
  void integer(std::int64_t value) {
    token(value < 0 ? mpack_pack_sint(value) : mpack_pack_uint(static_cast<mpack_uintmax_t>(value)));
  }
  void string(std::string_view text) {
    token(mpack_pack_str(size(text.size())));
    append(weft::as_bytes(text));
  }
  void append(BytesView bytes) {
    out_.insert(out_.end(), bytes.begin(), bytes.end());
    mpack_tokbuf_init(&buffer_);  // we copied the string ourselves: no chunk is owed
  }
  void token(const mpack_token_t& what) {
    char small[MPACK_MAX_TOKEN_LEN];
    char* at = small;
    std::size_t left = sizeof small;
    (void)mpack_write(&buffer_, &at, &left, &what);
    const auto* begin = reinterpret_cast<const std::byte*>(small);
    out_.insert(out_.end(), begin, begin + (sizeof small - left));
  }

  mpack_tokbuf_t buffer_{};
  Bytes out_;
};

class Reader {
 public:
  Reader(BytesView bytes, const DecodeLimits& limits)
      : at_(reinterpret_cast<const char*>(bytes.data())), left_(bytes.size()), total_(bytes.size()), builder_(limits) {}

  Result<Value> read() {
    do {
      mpack_token_t token;
      if (left_ == 0) return fail("ends too early");
      if (const int got = mpack_read(&buffer_, &at_, &left_, &token); got != MPACK_OK) {
        return fail(got == MPACK_EOF ? "ends too early" : "no MessagePack");
      }
      if (!take(token)) return fail(why_ ? why_ : builder_.what());
      while (!counts_.empty() && counts_.back() == 0) {
        counts_.pop_back();
        if (!builder_.end()) return fail(builder_.what());
        finished_one();
      }
    } while (!counts_.empty());
    if (left_ != 0) return fail("something follows the value");
    return builder_.take();
  }

 private:
  void finished_one() {
    if (!counts_.empty()) --counts_.back();
  }
  bool refuse(const char* why) {
    why_ = why;
    return false;
  }
  bool add(Value value) {
    if (builder_.at_key()) return refuse("a map key that is no string");
    if (!builder_.add(std::move(value))) return false;
    finished_one();
    return true;
  }
  bool open(std::size_t members, bool map) {
    if (builder_.at_key()) return refuse("a map key that is no string");
    if (members > left_) return refuse("announces more members than there are bytes");  // before anything is allocated
    counts_.push_back(map ? members * 2 : members);
    return map ? builder_.begin_map() : builder_.begin_list();
  }
  bool take(const mpack_token_t& token) {
    switch (token.type) {
      case MPACK_TOKEN_NIL:
        return add(nullptr);
      case MPACK_TOKEN_BOOLEAN:
        return add(mpack_unpack_boolean(token) != 0);
      case MPACK_TOKEN_UINT: {
        const auto number = mpack_unpack_uint(token);
        return std::in_range<std::int64_t>(number) ? add(static_cast<std::int64_t>(number))
                                                   : refuse("an integer over 2^63");
      }
      case MPACK_TOKEN_SINT:
        return add(static_cast<std::int64_t>(mpack_unpack_sint(token)));
      case MPACK_TOKEN_FLOAT:
        return add(mpack_unpack_float_fast(token));
      case MPACK_TOKEN_ARRAY:
        return open(token.length, false);
      case MPACK_TOKEN_MAP:
        return open(token.length, true);
      case MPACK_TOKEN_STR:
      case MPACK_TOKEN_BIN:
        return content(token.length, token.type == MPACK_TOKEN_STR);
      default:
        return refuse("an extension type");
    }
  }
  bool content(std::size_t size, bool text) {
    if (size > left_) return refuse("ends too early");
    const BytesView bytes(reinterpret_cast<const std::byte*>(at_), size);
    at_ += size;
    left_ -= size;
    mpack_tokbuf_init(&buffer_);  // we took the chunk ourselves
    if (!text) return add(Bytes(bytes.begin(), bytes.end()));
    if (!builder_.at_key()) return add(as_text(bytes));
    finished_one();
    return builder_.key(std::string(as_text(bytes)));
  }
  Error fail(const char* why) const {
    return Error(codes::bad_encoding, "MessagePack at byte " + std::to_string(total_ - left_) + ": " + why);
  }

  mpack_tokbuf_t buffer_{};
  const char* at_;
  std::size_t left_, total_;
  detail::ValueBuilder builder_;
  std::vector<std::size_t> counts_;  // members still to come, by open list or map; a map counts keys and values
  const char* why_ = nullptr;
};

}  // namespace

Bytes to_msgpack(const Value& value) {
  Writer writer;
  writer.put(value);
  return writer.take();
}

Result<Value> from_msgpack(BytesView bytes, const DecodeLimits& limits) { return Reader(bytes, limits).read(); }

}  // namespace weft
