// What the tests of the journal share: a journal in a folder of its own that a test opens, closes and opens again.
#pragma once
#include "errorbus/journal.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_events.hpp"
#include "tests/support/temp_dir.hpp"

namespace weft::errorbus {

struct JournalFixture {
  test::TempDir dir;
  ManualClock clock;
  JournalOptions options;
  std::unique_ptr<Journal> journal;

  JournalFixture() { options.file = dir / "state/errorbus.db"; }
  Journal& open(bool relays = false, Severity forward = Severity::info) {
    journal.reset();  // the file is exclusive
    journal = std::make_unique<Journal>(clock, options, relays, forward);
    const auto opened = journal->open();
    INFO((opened ? "" : opened.error().describe()));
    REQUIRE(opened);
    return *journal;
  }
  Result<report::ReportReply> commit(const std::vector<ErrorEvent>& events) {
    const std::vector<ErrorEvent>* reports[] = {&events};
    auto committed = journal->commit(reports);
    if (!committed) return committed.error();
    return committed->replies.at(0);
  }
  std::vector<std::int64_t> kept(EventsRequest request = {}) {
    request.limit = 1000;
    request.oldest_first = true;
    std::vector<std::int64_t> out;
    auto page = journal->events(request);
    REQUIRE(page);
    for (const auto& stored : page->events) out.push_back(stored.event.values.at("n").as_int());
    return out;
  }
};

}  // namespace weft::errorbus
