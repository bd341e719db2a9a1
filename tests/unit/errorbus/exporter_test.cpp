#include "errorbus/exporter.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/error_events.hpp"
#include "tests/support/temp_dir.hpp"

using namespace weft;
using namespace weft::errorbus;

namespace {
bool has(const std::string& text, std::string_view line) { return text.find(line) != std::string::npos; }
void commit(Journal& journal, Exporter& exporter, const std::vector<ErrorEvent>& events) {
  const std::vector<ErrorEvent>* reports[] = {&events};
  const auto committed = journal.commit(reports);
  REQUIRE(committed);
  exporter.count(*committed);
}
}  // namespace

TEST_CASE("the true counts are exported, and go on from where they were after a restart") {
  test::TempDir dir;
  ManualClock clock;
  for (int life = 1; life <= 2; ++life) {
    Journal journal(clock, {.file = dir / "errorbus.db"}, true, Severity::info);
    REQUIRE(journal.open());
    observe::Metrics metrics;
    Exporter exporter(journal, clock, metrics);
    exporter.restore();
    commit(journal, exporter, test::numbered_events(1, life == 1 ? 7 : 9));
    clock.advance(2s);
    const auto text = metrics.render(observe::Metrics::Format::text);
    INFO(text);
    const std::string count = life == 1 ? "7" : "9";
    CHECK(has(text, R"(weft_error_events_total{agent="echo",code="NUMBERED",host="alpha",severity="error"} )" + count));
    CHECK(has(text, "weft_error_relay_pending " + count));
    CHECK(has(text, "weft_error_duplicates_total " + std::string(life == 1 ? "0" : "7")));
    CHECK(has(text, R"(weft_error_issues{state="new"} 1)"));
    CHECK(has(text, R"(weft_error_issues{state="resolved"} 0)"));
    CHECK(has(text, R"(weft_error_rejected_total{reason="bad_event"} 0)"));
    CHECK(has(text, "weft_error_spool_oldest_age_seconds " + std::string(life == 1 ? "2" : "4")));
  }
}

TEST_CASE("metrics can be rendered after the exporter is gone") {
  test::TempDir dir;
  ManualClock clock;
  observe::Metrics metrics;
  {
    Journal journal(clock, {.file = dir / "errorbus.db"}, false, Severity::info);
    Exporter exporter(journal, clock, metrics);
  }
  CHECK(has(metrics.render(observe::Metrics::Format::text), "weft_error_journal_commits_total 0"));
}
