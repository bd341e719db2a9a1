#include "weft/report/grouping.hpp"

#include <set>

#include "tests/support/catch.hpp"
#include "tests/support/error_events.hpp"

using namespace weft;
using namespace weft::report;

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
      {"cannot open /var/lib/weft/a.db: permission denied", "cannot open <path>: permission denied"},
      {"GET http://10.0.0.1:80/v1/agents?x=1 (and/or ../b)", "GET http:<path> (and/or <path>)"},
      {"a / b, and nothing else.", "a / b, and nothing else."},
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
  CHECK(normalise_stack(first).starts_with("weft::Peer::send"));
  CHECK(normalise_stack(first).find("terminate") == std::string::npos);
  CHECK(normalise_stack("") == "");
}

TEST_CASE("frames of the program go first, recursion counts once, and the way out does not count") {
  const std::string deep = R"(#0 0x8a in __pthread_kill_implementation+0x1a from libc.so.6
#1 0x8b in abort+0xd3 from libc.so.6
#2 0x10f0 in inner(int)+0x10 from crasher
#3 0x11f0 in recurse(int) [clone .part.0]+0x20 from crasher
#4 0x11f0 in recurse(int) [clone .part.0]+0x20 from crasher
#5 0x12f0 in outer.constprop.0+0x30 from crasher
#6 0x27 in __libc_start_main+0x80 from libc.so.6)";
  CHECK(normalise_stack(deep) == "inner\nrecurse\nouter\n");
  CHECK(normalise_stack("#0 0x8b in abort+0x1 from libc.so.6\n#1 0x9b in qsort+0x3 from libc.so.6") == "qsort\n");
  CHECK(normalise_stack("#0 0x8b in abort+0x1 from libc.so.6") == "");
}

TEST_CASE("by which way the runtime called a function does not count, but its own faults have their place") {
  const std::string handler = "#0 0x10 in shelf::take(int)+0x7 from app\n#1 0x20 in App::get(Request)+0x9 from app\n";
  const std::string loop = "#9 0x90 in weft::io::IoLoop::run()+0x1 from libweft.so.0\n#10 0x99 in main+0x1 from app";
  const auto direct = normalise_stack(
      handler + "#2 0x30 in weft::actor::Runtime::handle(weft::actor::Cell&)+0x1 from libweft.so.0\n" + loop);
  const auto rare =
      normalise_stack(handler + "#2 0x31 in weft::actor::Runtime::handle_rare()+0x1 from libweft.so.0\n" + loop);
  CHECK(direct == "shelf::take\nApp::get\n");
  CHECK(direct == rare);
  CHECK(normalise_stack("#0 0x30 in weft::actor::Runtime::handle()+0x1 from app\n" + loop) ==
        "weft::actor::Runtime::handle\nweft::io::IoLoop::run\nmain\n");
}

TEST_CASE("a frame without a symbol is its place in its file") {
  const auto one = normalise_stack("#0 0x1234 in ?? from stripped");
  CHECK(one == "stripped 0x1234\n");
  CHECK(one != normalise_stack("#0 0x1238 in ?? from stripped"));
}

TEST_CASE("two bugs behind one message are two issues, one bug with other numbers is one") {
  const auto thrown = [](std::string type, std::string what, std::string message = "a handler of get threw: {what}") {
    ErrorEvent event = test::numbered_event(1);
    event.message = std::move(message);
    event.exception = std::move(type);
    event.values = {{"what", std::move(what)}};
    return fingerprint_of(event);
  };
  const auto first = thrown("std::runtime_error", "no row 17 in '/tmp/a.db'");
  CHECK(first.starts_with("v2:"));
  CHECK(first == thrown("std::runtime_error", "no row 18 in '/tmp/b.db'"));
  CHECK(first != thrown("std::out_of_range", "no row 17 in '/tmp/a.db'"));
  CHECK(first != thrown("std::runtime_error", "no table 'x'"));
  CHECK(first != thrown("std::runtime_error", "no row 17 in '/tmp/a.db'", "a handler of put threw: {what}"));
}

TEST_CASE("each place of a crash is an issue, whatever the text says") {
  const auto crash = [](std::string signal, std::string function, std::string text) {
    ErrorEvent event = test::numbered_event(1);
    event.message = std::move(text);
    event.exception = std::move(signal);
    event.stack = "#0 0x8b in abort+0x1 from libc.so.6\n#1 0x10 in " + function + "(int)+0x7 from crasher";
    return fingerprint_of(event);
  };
  const auto first = crash("SIGSEGV", "left", "restart 1 in 100ms");
  CHECK(first == crash("SIGSEGV", "left", "it stays down"));
  CHECK(first != crash("SIGSEGV", "right", "restart 1 in 100ms"));
  CHECK(first != crash("SIGABRT", "left", "restart 1 in 100ms"));
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

TEST_CASE("a fingerprint of version 2 never changes") {
  ErrorEvent event = test::numbered_event(1);
  event.exception = "std::runtime_error";
  event.message = "a handler of get threw: {what}";
  event.values = {{"what", "no row 17 in /tmp/a"}};
  CHECK(fingerprint_of(event) == "v2:c6935b16a69d4191");
  event.stack = "#0 0x10 in left(int)+0x7 from crasher";
  CHECK(fingerprint_of(event) == "v2:15ba10c1cc1e7abb");
}

TEST_CASE("a fingerprint of version 1 never changes") {
  ErrorEvent event = test::numbered_event(1);
  event.message = "disk {disk} of 'x' is 97% full";
  const auto id = fingerprint_of(event);
  CHECK(id.size() == 19);
  CHECK(id == "v1:fc88966a5a44fc1b");
}
