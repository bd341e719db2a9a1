#include "errorbus/grouping.hpp"

#include <set>

#include "tests/support/catch.hpp"
#include "tests/support/error_events.hpp"

using namespace weft;
using namespace weft::errorbus;

TEST_CASE("what varies in a message is replaced, words stay") {
  const std::pair<std::string, std::string> table[] = {
      {"", ""},
      {"disk full", "disk full"},
      {"port 8080 of 'echo' is taken", "port <n> of <str> is taken"},
      {"cannot open \"/tmp/a b\"", "cannot open <str>"},
      {"can't open it, it's gone", "can't open it, it's gone"},
      {"10.0.0.1:7421 took 1.5 s at 12:30:01", "<n> took <n> s at <n>"},
      {"at 0x7fff5a and deadbeef01", "at <hex> and <hex>"},
      {"the facade decade", "the facade decade"},
      {"job 6fa459ea-ee8a-3ca4-894e-db77e160355e failed", "job <uuid> failed"},
      {"event 01ARZ3NDEKTSV4RRFFQ69G5FAV lost", "event <id> lost"},
      {"worker17 of eth0", "worker<n> of eth<n>"},
      {"{what} of {n1} broke", "{what} of {n1} broke"},
      {"an open {brace", "an open {brace"},
      {"ends with '", "ends with '"}};
  for (const auto& [message, normal] : table) CHECK(normalise_message(message) == normal);
}

TEST_CASE("a stack is its own frames, without addresses, lines, arguments and the library's") {
  const std::string first = R"(#0 0x00007f01 in std::terminate() ()
#1 0x0000aa10 in weft::Peer<int, std::map<int, int>>::send(weft::Payload const&) (this=0x1) at peer.cpp:117
#2 0x0000aa20 in Digest::summary(SummaryRequest)::{lambda()#2}::operator()() const (+0x1f)
#3 0x0000aa30 in main (argc=1) at main.cpp:9)";
  const std::string second = R"(#0 0x00001111 in std::terminate() ()
#1 0x00002222 in weft::Peer<char>::send(weft::Payload const&) (this=0x7) at peer.cpp:121
#2 0x00003333 in Digest::summary(SummaryRequest)::{lambda()#9}::operator()() const (+0x2f)
#3 0x00004444 in main (argc=3) at main.cpp:9)";
  CHECK(normalise_stack(first) == normalise_stack(second));
  CHECK(normalise_stack(first).find("weft::Peer::send") == 0);
  CHECK(normalise_stack(first).find("terminate") == std::string::npos);
  CHECK(normalise_stack("") == "");
}

TEST_CASE("a thousand variants of one fault are one issue") {
  std::set<std::string> issues;
  for (int i = 0; i < 1000; ++i) {
    ErrorEvent event = test::numbered_event(static_cast<std::uint64_t>(i), i % 2 == 0 ? "alpha" : "beta");
    event.message = "request " + std::to_string(i) + " to 'agent-" + std::to_string(i * 7) + "' failed";
    issues.insert(fingerprint_of(event));
  }
  CHECK(issues.size() == 1);
}

TEST_CASE("another code, agent, message or stack is another issue; an explicit fingerprint goes before all") {
  const ErrorEvent base = test::numbered_event(1);
  auto with = [&](auto change) {
    ErrorEvent event = base;
    change(event);
    return fingerprint_of(event);
  };
  const std::set<std::string> all{fingerprint_of(base),
                                  with([](ErrorEvent& e) { e.code = "OTHER"; }),
                                  with([](ErrorEvent& e) { e.agent = "other"; }),
                                  with([](ErrorEvent& e) { e.message = "other"; }),
                                  with([](ErrorEvent& e) { e.stack = "main"; }),
                                  with([](ErrorEvent& e) { e.fingerprint = "mine"; })};
  CHECK(all.size() == 6);
  CHECK(with([](ErrorEvent& e) { e.fingerprint = "mine"; }) == with([](ErrorEvent& e) {
          e.fingerprint = "mine";
          e.code = "OTHER";
        }));
}

TEST_CASE("a fingerprint of version 1 never changes") {
  ErrorEvent event = test::numbered_event(1);
  event.message = "disk {disk} of 'x' is 97% full";
  const auto id = fingerprint_of(event);
  CHECK(id.size() == 19);
  CHECK(id == "v1:fc88966a5a44fc1b");
}
