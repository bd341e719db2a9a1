// What a shop and its tills say to each other.
#pragma once
#include <map>
#include <string>
#include <vector>
#include <weft/replica.hpp>

struct Price {
  std::int64_t cents = 0;
  WEFT_FIELDS(Price, cents)
};
struct SetRequest {
  std::map<std::string, Price> prices;
  weft::Duration offer{};  ///< they are erased after it; 0: never
  WEFT_FIELDS(SetRequest, prices, offer)
};
struct Item {
  std::string item;
  WEFT_FIELDS(Item, item)
};
struct PriceList {
  bool synced = false;
  std::uint64_t changes = 0;  ///< that this till was told of
  std::map<std::string, Price> prices;
  WEFT_FIELDS(PriceList, synced, changes, prices)
};
