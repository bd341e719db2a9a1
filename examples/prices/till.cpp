// A replica: a till that knows every price without asking.
#include "prices.hpp"

class Till {
 public:
  explicit Till(weft::Agent& agent) : prices_(agent, "shop.prices", [this](const auto&...) { ++changes_; }) {
    agent.serve("price", [this](Item item, weft::Call&) { return price(std::move(item)); });
    agent.serve("list", [this](weft::Value, weft::Call&) { return list(); });
  }

 private:
  weft::Task<weft::Result<Price>> price(Item item) {
    if (auto synced = co_await prices_.until_synced(std::chrono::seconds(1)); !synced) co_return synced.error();
    const auto price = prices_.find(item.item);
    if (!price) co_return weft::Error(weft::ErrorKind::not_found, "TILL-1", "nobody sells '" + item.item + "'");
    co_return *price;
  }
  weft::Task<weft::Result<PriceList>> list() {
    PriceList out;
    out.synced = prices_.synced();
    out.changes = changes_;
    prices_.each([&out](const std::string& item, const Price& price) { out.prices.emplace(item, price); });
    co_return out;
  }

  std::uint64_t changes_ = 0;
  weft::Replica<Price> prices_;
};

int main(int argc, char** argv) {
  weft::AgentInfo info;
  info.name = "till";
  info.version = "1.0.0";
  info.summary = "sells at the prices of the shop";
  return weft::run_agent(argc, argv, std::move(info),
                         [](weft::Agent& agent) -> std::shared_ptr<void> { return std::make_shared<Till>(agent); });
}
