#include "weft/queue/journal.hpp"

#include <filesystem>

namespace weft::queue {
namespace {
constexpr Duration kRetry = 1s;
}

Journal::Journal(Loop& loop, observe::Log& log, std::unique_ptr<store::Store> store)
    : loop_(loop), log_(log), store_(std::move(store)), retry_(loop) {}

Journal::~Journal() { (void)flush(); }

void Journal::put(std::string key, std::string value) { change(std::move(key), std::move(value), false); }
void Journal::erase(std::string key) { change(std::move(key), {}, true); }

void Journal::change(std::string key, std::string value, bool erase) {
  auto& change = pending_[key];
  change.key = std::move(key);
  change.value = std::move(value);
  change.erase = erase;
  if (std::exchange(scheduled_, true)) return;
  loop_.at_turn_end(lifetime_.guard([this] { (void)flush(); }));
}

Task<Result<void>> Journal::written() {
  if (pending_.empty()) co_return Result<void>();
  Completion<Result<void>> completion;
  waiters_.push_back(completion.completer());
  co_return co_await completion;
}

Result<void> Journal::flush() {
  scheduled_ = false;
  if (pending_.empty()) return {};
  std::vector<store::Store::Change> batch;
  batch.reserve(pending_.size());
  for (auto& [key, change] : pending_) batch.push_back(std::move(change));
  auto outcome = store_->apply(batch);
  pending_.clear();
  if (!outcome) {
    log_.error("the queues of this process cannot be saved", outcome.error());
    for (auto& change : batch) pending_.emplace(change.key, std::move(change));
    retry_.start(kRetry, [this] { (void)flush(); });
  }
  for (auto& waiter : std::exchange(waiters_, {})) waiter.complete(outcome);
  return outcome;
}

Result<std::vector<store::Store::Entry>> Journal::list(std::string_view prefix) {
  if (auto flushed = flush(); !flushed) return flushed.error();
  auto entries = store_->list(prefix);
  for (const auto& key : store_->take_damaged()) {
    if (on_damage) on_damage(key);
  }
  return entries;
}

std::string Journals::path(Durability durability) const {
  return file_ + (durability == Durability::fsync ? ".fsync.db" : ".os.db");
}

Result<Journal*> Journals::of(Durability durability) {
  Place& place = durability == Durability::fsync ? fsync_ : os_;
  if (place.journal) return place.journal.get();
  if (file_.empty()) return &in_memory();
  if (loop_.now() < place.retry) return place.error;
  auto opened = store::open_sqlite(path(durability),
                                   durability == Durability::fsync ? store::Durability::fsync : store::Durability::os);
  if (!opened) {
    place.retry = loop_.now() + kRetry;
    place.error = opened.error();
    log_.error("the file of the queues cannot be opened", opened.error());
    if (!std::exchange(place.failing, true) && on_failure) on_failure(opened.error());
    return place.error;
  }
  place.failing = false;
  place.journal = std::make_unique<Journal>(loop_, log_, std::move(opened->store));
  place.journal->mended = !opened->notice.empty();
  place.journal->on_damage = [this, file = path(durability)](const std::string& key) {
    damaged(Error(codes::store_failed, "record " + key + " of " + file + " is damaged, and is left there"));
  };
  if (place.journal->mended) damaged(Error(codes::store_failed, opened->notice));
  return place.journal.get();
}

void Journals::damaged(const Error& what) {
  log_.error("what a queue kept on disk was damaged", what);
  if (on_damage) on_damage(what);
}

Result<Journal*> Journals::left(Durability durability) {
  std::error_code ignored;  // not to be seen is not there
  if (file_.empty() || !std::filesystem::exists(path(durability), ignored)) return nullptr;
  return of(durability);
}

Journal& Journals::in_memory() {
  if (!memory_) memory_ = std::make_unique<Journal>(loop_, log_, store::open_memory());
  return *memory_;
}

void Journals::flush() {
  for (auto* one : {os_.journal.get(), fsync_.journal.get()}) {
    if (one) (void)one->flush();
  }
}

}  // namespace weft::queue
