// The owner of a replicated map: a shop that makes prices.
#include "prices.hpp"

class Shop {
 public:
  explicit Shop(weft::Agent& agent) : prices_(agent, "prices") {
    agent.serve("set", [this](SetRequest request, weft::Call&) { return set(std::move(request)); });
    agent.serve("erase", [this](Item item, weft::Call&) { return erase(std::move(item)); });
  }

 private:
  weft::Task<weft::Result<void>> set(SetRequest request) {
    for (const auto& [item, price] : request.prices) {
      if (auto done = prices_.set(item, price, request.offer); !done) co_return done;
    }
    co_return weft::Result<void>();
  }
  weft::Task<weft::Result<bool>> erase(Item item) { co_return prices_.erase(item.item); }

  weft::Replicated<Price> prices_;
};

int main(int argc, char** argv) {
  weft::AgentInfo info;
  info.name = "shop";
  info.version = "1.0.0";
  info.summary = "makes prices";
  return weft::run_agent(argc, argv, std::move(info),
                         [](weft::Agent& agent) -> std::shared_ptr<void> { return std::make_shared<Shop>(agent); });
}
