#include "tests/support/catch.hpp"
#include "weft/queue/queue.hpp"

using namespace weft;
using namespace weft::queue;

namespace {

Result<Options> options_of(const std::string& yaml) {
  config::LoadOptions load;
  load.host = "alpha";
  load.agent = "shop";
  load.defaults = yaml;
  const auto loaded = config::load(load);
  for (const auto& mistake : loaded.mistakes()) UNSCOPED_INFO(mistake.describe());
  REQUIRE(loaded.ok());
  peer::PeerOptions peer;
  peer.slot = "shop@alpha";
  peer.agent = "shop";
  return options_from(loaded.config(), peer);
}

}  // namespace

TEST_CASE("without a section the built-in rules hold, and they are those of the type") {
  const auto options = options_of("state: {directory: /state}");
  REQUIRE(options);
  CHECK(to_value(options->rules_for("worker.resize")) == to_value(Rules{}));
  CHECK(options->file == "/state/queues/shop@alpha");
}

TEST_CASE("each value is that of the most specific pattern that has it") {
  const auto options = options_of(R"(
queues:
  '*': {attempts: 7}
  worker: {attempts: 8, delivery: at_most_once}
  worker.resize: {durability: fsync, item_timeout: 2s}
  '*.mail': {items_max: 3}
)");
  REQUIRE(options);
  const Rules resize = options->rules_for("worker.resize");
  CHECK(resize.durability == Durability::fsync);
  CHECK(resize.item_timeout == 2s);
  CHECK(resize.attempts == 8);
  CHECK(resize.delivery == Delivery::at_most_once);
  CHECK(options->rules_for("worker.crop").durability == Durability::none);
  CHECK(options->rules_for("post.mail").items_max == 3);
  CHECK(options->rules_for("post.mail").attempts == 7);
  CHECK(options->rules_for("post.letter").items_max == Rules{}.items_max);
}

TEST_CASE("a pattern of many stars is looked up at once") {
  Options options;
  options.rules = Value::Map{{"*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b.*", Value::Map{{"attempts", 9}}}};
  const std::string target = std::string(64, 'a') + ".work";
  CHECK(options.rules_for(target).attempts == Rules{}.attempts);
}
