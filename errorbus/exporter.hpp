// Exporter: what the journal knows, as metrics. Private to errorbus. Loop-bound.
#pragma once
#include "errorbus/journal.hpp"
#include "weft/base/lifetime.hpp"
#include "weft/observe/observe.hpp"

namespace weft::errorbus {

class Exporter {
 public:
  Exporter(Journal& journal, const Clock& clock, observe::Metrics& metrics);

  /// Shows what the journal counts and was not counted here: earlier lives of this bus. For when the file is opened.
  void restore();
  void count(const Journal::Committed& committed);
  void rejected(std::string_view reason, std::uint64_t events = 1);
  void live_skipped() { live_skipped_.add(); }
  std::uint64_t duplicates() const noexcept { return duplicates_.value(); }

 private:
  void add(const CountKey& key, std::uint64_t events);
  void collect();

  Journal& journal_;
  const Clock& clock_;
  observe::Metrics& metrics_;
  observe::Counter& commits_;
  observe::Counter& duplicates_;
  observe::Counter& live_skipped_;
  Counts shown_;
  Lifetime lifetime_;  // the metrics outlive this
};

}  // namespace weft::errorbus
