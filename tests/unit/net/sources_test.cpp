#include "weft/net/sources.hpp"

#include "tests/support/catch.hpp"

using weft::net::Sources;

TEST_CASE("a sender that is expected somewhere counts only from there, others from everywhere") {
  Sources sources;
  sources.connected(7, "tcp://10.0.0.1:7412");
  sources.connected(8, "tcp://10.0.0.2:7412");
  sources.expect(1, "tcp://10.0.0.1:7412");
  for (int i = 0; i < 2; ++i) {  // the second answer comes from what was found last
    CHECK(sources.counts(7, 1));
    CHECK_FALSE(sources.counts(8, 1));
    CHECK_FALSE(sources.counts(-1, 1));
    CHECK(sources.counts(8, 2));
    CHECK(sources.counts(-1, 2));
  }
}

TEST_CASE("where a sender is expected first counts, until that is forgotten") {
  Sources sources;
  sources.connected(7, "tcp://10.0.0.1:7412");
  sources.connected(8, "ipc:///run/weft/b.pub");
  sources.expect(1, "tcp://10.0.0.1:7412");
  sources.expect(1, "ipc:///run/weft/b.pub");
  CHECK(sources.counts(7, 1));
  CHECK_FALSE(sources.counts(8, 1));
  sources.forget(1, "ipc:///run/weft/b.pub");
  CHECK_FALSE(sources.counts(8, 1));
  sources.forget(1, "tcp://10.0.0.1:7412");
  CHECK(sources.counts(8, 1));
}

TEST_CASE("a descriptor that is given out again is another connection") {
  Sources sources;
  sources.expect(1, "tcp://10.0.0.1:7412");
  sources.connected(7, "tcp://10.0.0.1:7412");
  CHECK(sources.counts(7, 1));
  sources.disconnected(7);
  CHECK_FALSE(sources.counts(7, 1));
  sources.connected(7, "tcp://10.0.0.2:7412");
  CHECK_FALSE(sources.counts(7, 1));
}

TEST_CASE("an endpoint with a name is not checked, for connections report addresses") {
  Sources sources;
  sources.connected(7, "tcp://10.0.0.1:7412");
  sources.expect(1, "tcp://alpha:7412");
  CHECK(sources.counts(7, 1));
}
