// The measure of rules/build_cost: a program of the standard library alone, which does not change when Weft does.
#include <algorithm>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <regex>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace {

using Value = std::variant<long, double, std::string, std::vector<std::string>>;

struct Row {
  std::string name;
  std::map<std::string, Value> values;
};

std::vector<Row> read(std::istream& in) {
  static const std::regex pair("([a-z]+)=([^ ]*)");
  std::vector<Row> rows;
  for (std::string line; std::getline(in, line);) {
    Row row{line.substr(0, line.find(' ')), {}};
    for (std::sregex_iterator at(line.begin(), line.end(), pair), end; at != end; ++at)
      row.values[(*at)[1]] = (*at)[2].str();
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

int main() {
  auto rows = read(std::cin);
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.name < b.name; });
  std::unordered_map<std::string, std::function<void(const Row&)>> actions;
  actions["print"] = [](const Row& row) {
    for (const auto& [name, value] : row.values)
      if (const auto* text = std::get_if<std::string>(&value)) std::cout << name << ' ' << *text << '\n';
  };
  auto shared = std::make_shared<std::vector<Row>>(std::move(rows));
  actions["count"] = [shared](const Row& row) { std::cout << row.name << ' ' << shared->size() << '\n'; };
  for (const auto& row : *shared)
    for (const auto& [name, action] : actions) action(row);
}
