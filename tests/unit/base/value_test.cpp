#include "tests/support/catch.hpp"
#include "weft/base/base.hpp"

using namespace weft;

namespace {
struct Inner {
  int n = 3;
  std::vector<std::string> names;
  WEFT_FIELDS(Inner, n, names)
};
struct Outer {
  std::string title;
  std::optional<double> ratio;
  std::map<std::string, Inner> inners;
  Duration wait = 2s;
  Severity severity = Severity::info;
  std::uint8_t small = 0;
  WEFT_FIELDS(Outer, title, ratio, inners, wait, severity, small)
};
struct Person {
  std::string name;
  int age = 0;
  WEFT_FIELDS(Person, name, age)
  WEFT_REQUIRED(Person, name)
};
struct Pair {
  Person first;
  std::vector<Person> others;
  WEFT_FIELDS(Pair, first, others)
  WEFT_REQUIRED(Pair, first, others)
};
Value sample() {
  return Value::Map{{"a", 1},
                    {"b", Value::List{true, nullptr, -5, 1.5, "text"}},
                    {"c", Value::Map{{"d", Bytes{std::byte{1}, std::byte{255}}}}}};
}
}  // namespace

TEST_CASE("a value survives MessagePack exactly") {
  for (const std::int64_t n :
       {std::int64_t{0}, std::int64_t{127}, std::int64_t{128}, std::int64_t{-33}, std::int64_t{65536},
        std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
    CHECK(*from_msgpack(to_msgpack(n)) == Value(n));
  }
  CHECK(*from_msgpack(to_msgpack(sample())) == sample());
  const Value big(std::string(70'000, 'x'));
  CHECK(*from_msgpack(to_msgpack(big)) == big);
}

TEST_CASE("a value survives JSON, bytes as base64") {
  Value wanted = sample();
  wanted.as_map()["c"].as_map()["d"] = Value("Af8=");
  CHECK(*from_json(to_json(sample())) == wanted);
  CHECK(*from_json(to_json_pretty(sample())) == wanted);
  CHECK(to_json(Value::Map{{"q", "a\"\n"}}) == R"({"q":"a\"\n"})");
}

TEST_CASE("MessagePack that is cut, follows itself or lies about its size is refused") {
  const Bytes whole = to_msgpack(sample());
  for (std::size_t n = 0; n < whole.size(); ++n) CHECK_FALSE(from_msgpack(BytesView(whole).first(n)));
  Bytes twice = whole;
  twice.insert(twice.end(), whole.begin(), whole.end());
  CHECK_FALSE(from_msgpack(twice));
  const Bytes liar{std::byte{0xdd}, std::byte{0xff}, std::byte{0xff},
                   std::byte{0xff}, std::byte{0xff}, std::byte{0xc0}};
  CHECK(from_msgpack(liar).error().code == codes::bad_encoding.id);
  const Bytes extension{std::byte{0xd4}, std::byte{1}, std::byte{1}};
  CHECK_FALSE(from_msgpack(extension));
  const Bytes list_as_key{std::byte{0x81}, std::byte{0x90}, std::byte{0xc0}};
  CHECK_FALSE(from_msgpack(list_as_key));
}

TEST_CASE("nesting and item limits are kept by both decoders") {
  Bytes deep(100, std::byte{0x91});
  deep.push_back(std::byte{0xc0});
  CHECK_FALSE(from_msgpack(deep));
  CHECK_FALSE(from_json(std::string(100, '[') + std::string(100, ']')));
  const DecodeLimits few{8, 3};
  CHECK_FALSE(from_json("[1,2,3]", few));
  CHECK(from_json("[1,2]", few));
  CHECK_FALSE(from_json(R"({"a":1,"a":2})"));
  CHECK_FALSE(from_json("1 2"));
  CHECK_FALSE(from_json(""));
}

TEST_CASE("a described struct is written and read back, absent members keep their defaults") {
  Outer out;
  out.title = "t";
  out.ratio = 0.5;
  out.inners["x"].names = {"a", "b"};
  out.wait = 1500ms;
  out.severity = Severity::critical;
  const auto back = from_value<Outer>(to_value(out));
  REQUIRE(back);
  CHECK(back->inners.at("x").names == out.inners.at("x").names);
  CHECK(back->inners.at("x").n == 3);
  CHECK(back->wait == 1500ms);
  CHECK(back->severity == Severity::critical);
  CHECK(back->ratio == out.ratio);
  CHECK(from_value<Outer>(Value::Map{})->wait == 2s);
}

TEST_CASE("a mistake names its place, what was wanted and the nearest key") {
  auto message = [](Value value) { return from_value<Outer>(value, "agent", Unknown::refuse).error().message; };
  CHECK(message(Value::Map{{"titel", "x"}}) == "agent.titel: unknown key, did you mean 'title'?");
  CHECK(message(Value::Map{{"small", 256}}) == "agent.small: wanted an integer from 0 to 255, got 256");
  CHECK(message(Value::Map{{"inners", Value::Map{{"k", Value::Map{{"names", Value::List{1}}}}}}}) ==
        "agent.inners.k.names[0]: wanted a string, got integer");
  CHECK(from_value<Outer>(Value::Map{{"titel", "x"}}).has_value());
}

TEST_CASE("a required member that is missing is told by its path, with the key that was meant for it") {
  auto message = [](std::string_view json) {
    auto read = from_value<Person>(*from_json(json), "payload");
    return read ? "" : read.error().message;
  };
  CHECK(message(R"({"name": "Ada"})").empty());
  CHECK(message(R"({"name": "", "newer": 1})").empty());
  CHECK(message("{}") == "payload.name: missing");
  CHECK(message(R"({"nam": "Ada", "age": 3})") == "payload.name: missing; did you mean 'name' instead of 'nam'?");
  CHECK(message(R"({"place": "here"})") == "payload.name: missing");
  CHECK(message(R"({"age": "3", "nam": "Ada"})") == "payload.age: wanted an integer, got string");
}

TEST_CASE("required members are looked for inside of members and lists, and the first missing one is told") {
  auto message = [](std::string_view json) { return from_value<Pair>(*from_json(json)).error().message; };
  CHECK(message("{}") == "first: missing");
  CHECK(message(R"({"first": {}})") == "first.name: missing");
  CHECK(message(R"({"first": {"name": "a"}, "others": [{"name": "b"}, {"Name": "c"}]})") ==
        "others[1].name: missing; did you mean 'name' instead of 'Name'?");
}

TEST_CASE("find follows a dotted path") {
  CHECK(sample().find("c.d") != nullptr);
  CHECK(sample().find("c.e") == nullptr);
  CHECK(sample().find("a.b") == nullptr);
  CHECK(sample()["nothing"].is_null());
}

TEST_CASE("find follows keys that have dots themselves") {
  const Value tree = Value::Map{{"a", Value::Map{{"b", 1}}}, {"a.b", Value::Map{{"c.d", 2}, {"c", 3}}}};
  CHECK(*tree.find("a.b") == Value(1));
  CHECK(*tree.find("a.b.c") == Value(3));
  CHECK(*tree.find("a.b.c.d") == Value(2));
  CHECK(tree.find("a.b.c.d.e") == nullptr);
}

TEST_CASE("a number is written short, and reads back as a number") {
  for (const double number : {2.5, 2.0, -0.0, 0.1, 1e300, 1e-7, 123456.75}) {
    const auto text = to_json(number);
    INFO(text);
    REQUIRE(from_json(text) == Value(number));
  }
  REQUIRE(to_json(2.5) == "2.5");
  REQUIRE(to_json(2.0) == "2.0");
  REQUIRE(to_json(std::numeric_limits<double>::infinity()) == "null");
}
