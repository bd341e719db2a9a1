// main() of every Catch2 suite, and the report that tests/support/summary.py counts: one line a case, written at once,
// into the folder that WEFT_TEST_REPORTS names.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#include <catch2/catch_session.hpp>
int main(int argc, char* argv[]) { return Catch::Session().run(argc, argv); }
using Listener = Catch::EventListenerBase;
#else
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
using Listener = Catch::TestEventListenerBase;
#endif
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace {

// Catch2 3 holds a pointer, Catch2 2 a copy.
[[maybe_unused]] const std::string& name_of(const Catch::TestCaseInfo* info) { return info->name; }
[[maybe_unused]] const std::string& name_of(const Catch::TestCaseInfo& info) { return info.name; }

class Report final : public Listener {
 public:
  using Listener::Listener;
  void testCaseStarting(const Catch::TestCaseInfo& info) override {
    Listener::testCaseStarting(info);
    file() << "start\t" << info.name << std::endl;
  }
  void testCaseEnded(const Catch::TestCaseStats& stats) override {
    Listener::testCaseEnded(stats);
    file() << (stats.totals.testCases.failed > 0 ? "failed\t" : "passed\t") << name_of(stats.testInfo) << std::endl;
  }
  void testRunEnded(const Catch::TestRunStats& stats) override {
    Listener::testRunEnded(stats);
    file() << "end" << std::endl;
  }

 private:
  static std::ofstream& file() {
    static std::ofstream out = [] {
      const char* folder = std::getenv("WEFT_TEST_REPORTS");
      std::error_code ignored;
      const auto self = std::filesystem::read_symlink("/proc/self/exe", ignored).filename();
      return folder == nullptr ? std::ofstream() : std::ofstream(std::filesystem::path(folder) / self);
    }();
    return out;
  }
};
CATCH_REGISTER_LISTENER(Report)

}  // namespace
