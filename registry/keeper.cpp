#include "registry/keeper.hpp"

#include <charconv>
#include <map>

namespace weft::registry {
namespace {

constexpr std::string_view kRecords = "record/";
constexpr std::string_view kEpoch = "epoch";
constexpr std::string_view kBoot = "boot";

std::string key_of(const std::string& registry, const Ulid& instance) {
  return std::string(kRecords) + registry + "/" + instance.to_string();
}

std::string encode(const InstanceRecord& record) { return std::string(as_text(to_msgpack(to_value(record)))); }

Result<InstanceRecord> decode(std::string_view bytes) {
  auto value = from_msgpack(as_bytes(bytes));
  if (!value) return value.error();
  return from_value<InstanceRecord>(*value);
}

store::Store::Change epoch_change(const Book& book) {
  return {std::string(kEpoch), std::to_string(book.table().epochs().last())};
}

std::vector<store::Store::Change> changes_of(const Book& book, const std::vector<Book::Kept>& kept) {
  std::vector<store::Store::Change> changes;
  for (const auto& [registry, delta] : kept) {
    for (const auto& removal : delta.removals) changes.push_back({key_of(registry, removal.instance), {}, true});
    for (const auto& record : delta.upserts) changes.push_back({key_of(registry, record.instance), encode(record)});
  }
  if (!changes.empty()) changes.push_back(epoch_change(book));
  return changes;
}

}  // namespace

Result<std::string> Keeper::open(Book& book) {
  if (store_) return std::string();
  auto opened = open_();
  if (!opened) return opened.error();
  auto entries = opened->store->list(kEpoch);
  if (!entries) return entries.error();
  for (const auto& [key, value] : *entries) {
    std::uint64_t epoch = 0;
    if (std::from_chars(value.data(), value.data() + value.size(), epoch).ec == std::errc()) book.restore_epoch(epoch);
  }
  store_ = std::move(opened->store);
  return std::move(opened->notice);
}

Result<Keeper::Loaded> Keeper::load(Book& book) {
  auto notice = open(book);
  if (!notice) return notice.error();
  auto entries = store_->list(kRecords);
  if (!entries) return entries.error();
  auto restarted = machine_restarted();
  if (!restarted) return restarted.error();
  Loaded loaded;
  loaded.notice = std::move(*notice);
  for (const auto& entry : *entries) {
    auto record = decode(entry.value);
    if (!record) {
      ++loaded.unreadable;
    } else if (*restarted && record->host == book.host()) {
      ++loaded.dead;
    } else {
      ++loaded.records;
      book.restore(std::move(*record));
    }
  }
  return loaded;
}

Result<bool> Keeper::machine_restarted() const {
  auto entries = store_->list(kBoot);
  if (!entries) return entries.error();
  return !boot_.empty() && !entries->empty() && entries->front().value != boot_;
}

Result<void> Keeper::save(Book& book, const std::vector<Book::Kept>& kept) {
  if (kept.empty() && !behind_) return {};
  const bool was_behind = std::exchange(behind_, true);
  if (auto opened = open(book); !opened) return opened.error();
  auto changes = was_behind ? difference(book) : Result<std::vector<store::Store::Change>>(changes_of(book, kept));
  if (!changes) return changes.error();
  if (auto applied = store_->apply(*changes); !applied) return applied;
  behind_ = false;
  return {};
}

Result<std::vector<store::Store::Change>> Keeper::difference(const Book& book) const {
  auto entries = store_->list(kRecords);
  if (!entries) return entries.error();
  std::map<std::string, std::string> wanted;
  for (const auto& record : book.kept()) wanted[key_of(record.registry, record.instance)] = encode(record);
  std::vector<store::Store::Change> changes;
  for (const auto& entry : *entries) {
    const auto it = wanted.find(entry.key);
    if (it == wanted.end()) {
      changes.push_back({entry.key, {}, true});
    } else if (it->second == entry.value) {
      wanted.erase(it);
    }
  }
  for (auto& [key, value] : wanted) changes.push_back({key, std::move(value)});
  changes.push_back(epoch_change(book));
  if (!boot_.empty()) changes.push_back({std::string(kBoot), boot_});
  return changes;
}

}  // namespace weft::registry
