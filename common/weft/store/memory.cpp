// The memory backend: an ordered map that ends with the process.
#include <map>

#include "weft/store/store.hpp"

namespace weft::store {
namespace {

class MemoryStore final : public Store {
 public:
  Result<std::vector<Entry>> list(std::string_view prefix) override {
    std::vector<Entry> found;
    for (auto it = entries_.lower_bound(prefix); it != entries_.end() && it->first.starts_with(prefix); ++it)
      found.push_back({it->first, it->second});
    return found;
  }
  Result<void> apply(const std::vector<Change>& changes) override {
    for (const auto& change : changes) {
      if (change.erase) {
        entries_.erase(change.key);
      } else {
        entries_.insert_or_assign(change.key, change.value);
      }
    }
    return {};
  }

 private:
  std::map<std::string, std::string, std::less<>> entries_;
};

}  // namespace

std::unique_ptr<Store> open_memory() { return std::make_unique<MemoryStore>(); }

}  // namespace weft::store
