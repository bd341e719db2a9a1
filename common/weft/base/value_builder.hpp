// ValueBuilder: turns the events of a decoder into a Value, with limits. Private to base.
#pragma once
#include <optional>
#include <vector>

#include "weft/base/value.hpp"

namespace weft::detail {

class ValueBuilder {
 public:
  explicit ValueBuilder(const DecodeLimits& limits) : limits_(limits) {}

  /// Each false: a limit is reached or a key is missing; what() says which.
  bool begin_list() { return begin(Value::List()); }
  bool begin_map() { return begin(Value::Map()); }
  bool end() {
    Value done = std::move(open_.back().value);
    open_.pop_back();
    return place(std::move(done));
  }
  bool key(std::string text) {
    open_.back().key = std::move(text);
    return true;
  }
  bool add(Value value) { return count() && place(std::move(value)); }

  bool at_key() const noexcept { return !open_.empty() && open_.back().value.is_map() && !open_.back().key; }
  std::size_t depth() const noexcept { return open_.size(); }
  const char* what() const noexcept { return what_; }
  Value take() { return std::move(root_); }

 private:
  struct Open {
    Value value;
    std::optional<std::string> key;
  };
  bool begin(Value empty) {
    if (open_.size() >= limits_.depth) return refuse("nested too deep");
    if (!count()) return false;
    open_.push_back({std::move(empty), std::nullopt});
    return true;
  }
  bool count() { return ++items_ <= limits_.items || refuse("too many values"); }
  bool place(Value value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return true;
    }
    Open& parent = open_.back();
    if (parent.value.is_list()) {
      parent.value.as_list().push_back(std::move(value));
      return true;
    }
    if (!parent.value.as_map().emplace(std::move(*parent.key), std::move(value)).second)
      return refuse("a key twice in one map");
    parent.key.reset();
    return true;
  }
  bool refuse(const char* why) {
    what_ = why;
    return false;
  }

  DecodeLimits limits_;
  std::vector<Open> open_;
  Value root_;
  std::size_t items_ = 0;
  const char* what_ = "";
};

}  // namespace weft::detail
