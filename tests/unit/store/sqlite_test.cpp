// The SQLite wrapper: statements, transactions and failures.
#include "weft/store/sqlite.hpp"

#include "tests/support/catch.hpp"
#include "weft/base/codes.hpp"

using namespace weft;
using namespace weft::store;

TEST_CASE("what is bound comes back, an empty blob as a blob and not as NULL") {
  Database database(":memory:");
  database.run("CREATE TABLE t(a, b, c)");
  Statement insert(database, "INSERT INTO t VALUES (?1, ?2, ?3)");
  insert.bind(1, std::int64_t{-7}).bind(2, std::string_view("text")).bind(3, BytesView()).run();
  Statement row(database, "SELECT a, b, c, typeof(c) FROM t");
  REQUIRE(row.step());
  CHECK(row.integer(0) == -7);
  CHECK(row.text(1) == "text");
  CHECK(row.blob(2).empty());
  CHECK(row.text(3) == "blob");
}

TEST_CASE("a transaction that an exception leaves changes nothing") {
  Database database(":memory:");
  database.run("CREATE TABLE t(a)");
  const auto fails_half_way = [&] {
    Transaction transaction(database);
    database.run("INSERT INTO t VALUES (1)");
    database.run("INSERT INTO nothing VALUES (1)");
    transaction.commit();
  };
  CHECK_THROWS_AS(fails_half_way(), SqlFailure);
  CHECK(database.number("SELECT count(*) FROM t") == 0);
  CHECK_FALSE(database.in_transaction());
}

TEST_CASE("the checksum of a row depends on each value, its type and where it ends") {
  Database database(":memory:");
  const auto sum = [&](const std::string& values) { return database.number("SELECT row_sum(" + values + ")"); };
  CHECK(sum("'ab', 'c'") == sum("'ab', 'c'"));
  CHECK(sum("'ab', 'c'") != sum("'a', 'bc'"));
  CHECK(sum("1") != sum("'1'"));
  CHECK(sum("x''") != sum("x'', x''"));
}

TEST_CASE("a failure becomes an error that names its subject and what to do") {
  try {
    Database("/no/such/file.db");
    FAIL("it was opened");
  } catch (const SqlFailure& failure) {
    const Error error = failure.error("store /no/such/file.db", codes::store_failed);
    CHECK(error.is(codes::store_failed));
    CHECK(error.message.find("store /no/such/file.db: ") == 0);
    CHECK_FALSE(error.hint.empty());
    CHECK_FALSE(failure.damaged());
  }
  CHECK(SqlFailure::damage("torn").damaged());
}
