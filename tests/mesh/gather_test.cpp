// One call to many instances, and who did not answer.
#include "tests/mesh/worker_fixture.hpp"

using namespace weft;
using namespace weft::mesh;

namespace {

struct Fixture : test::WorkerFixture {
  Result<Gathered> gather(CallOptions options = {}, GatherOptions gathering = {}) {
    return wait((*client)->call_all("work.do", {}, std::move(options), std::move(gathering)));
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "all instances of both hosts are asked, each once") {
  for (int i = 0; i < 5; ++i) add(i < 3 ? "alpha" : "beta");
  connect();
  const auto all = gather();
  REQUIRE(all);
  CHECK(all->summary() == "5 of 5");
  for (const auto& worker : workers) CHECK(worker->calls == 1);
  for (const auto& answer : all->answers) CHECK(answer.outcome->text() == answer.instance);
  CallOptions beta;
  beta.host = "beta";
  CHECK(gather(beta)->summary() == "2 of 2");
}

TEST_CASE_METHOD(Fixture, "one of five that was killed is named as missing") {
  for (int i = 0; i < 5; ++i) add();
  connect();
  const std::string gone = workers[2]->id;
  workers[2]->process.reset();  // without a word to the registry
  CallOptions soon(500ms);
  const auto all = gather(soon);
  REQUIRE(all);
  CHECK(all->answered() == 4);
  REQUIRE(all->missing().size() == 1);
  CHECK(all->missing()[0]->instance == gone);
  CHECK(all->summary().starts_with("4 of 5, missing: work-3@alpha (" + gone + "): "));
}

TEST_CASE_METHOD(Fixture, "nobody to ask is told at once") {
  connect();
  CHECK(gather().error().is(codes::no_responders));
  CHECK(wait((*client)->call_all("nodot", {})).error().is(codes::bad_name));
}

TEST_CASE_METHOD(Fixture,
                 "it ends when enough have answered, or nobody has for a while, and the others are told to stop") {
  for (int i = 0; i < 3; ++i) add();
  workers[1]->takes = 10s;
  workers[2]->takes = 20s;
  connect();
  GatherOptions first;
  first.count = 1;
  CHECK(gather({}, first)->answered() == 1);
  CHECK(until([&] { return workers[1]->cancelled == 1 && workers[2]->cancelled == 1; }));
  GatherOptions stall;
  stall.stall = 200ms;
  const auto begin = loop.now();
  const auto some = gather({}, stall);
  CHECK(some->answered() == 1);
  CHECK(some->missing()[0]->outcome.error().is(codes::call_cancelled));
  CHECK(loop.now() - begin < 1s);
}

TEST_CASE_METHOD(Fixture, "those that are named are asked, and one that is not known is missing") {
  for (int i = 0; i < 3; ++i) add();
  connect();
  GatherOptions named;
  named.instances = {workers[0]->id, id().to_string()};
  const auto some = gather({}, named);
  CHECK(some->answers.size() == 2);
  CHECK(some->answered() == 1);
  CHECK(some->missing()[0]->outcome.error().is(codes::no_responders));
  CHECK(workers[1]->calls + workers[2]->calls == 0);
}
