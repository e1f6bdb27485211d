#include "daemon/access/token_table.h"

#include <string>

#include <doctest/doctest.h>

#include "common/tls/openssl.h"

using namespace heartbeat;

namespace {

std::string line_of(const std::string& name, const std::string& token, const std::string& ids) {
  return to_string(TokenLine{.name = name, .digest = tls::sha256(token), .ids = ids}) + "\n";
}

const std::string kOne(20, '1');
const std::string kTwo(20, '2');

}  // namespace

TEST_CASE("SHA-256 has the values of its standard") {
  const tls::Digest digest = tls::sha256("abc");
  CHECK(to_string(TokenLine{.name = "n", .digest = digest, .ids = "*"}) ==
        "n sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad id=*");
  tls::Digest other = digest;
  CHECK(tls::is_same(digest, other));
  other.back() ^= 1U;
  CHECK_FALSE(tls::is_same(digest, other));
}

TEST_CASE("a token is found by its line, and may be used for the ids of that line alone") {
  const auto table = TokenTable::parse("# tokens\n\n" + line_of("pump", kOne, "pump-*") + "\r\n" +
                                       line_of("pump", kTwo, "pump-7"));
  REQUIRE(table);
  CHECK(table->size() == 2);
  const auto one = table->find(kOne);
  const auto two = table->find(kTwo);
  REQUIRE(one);
  REQUIRE(two);
  CHECK(one->name == "pump");
  CHECK(one->fingerprint != two->fingerprint);
  CHECK(table->may_use(*one, "pump-9"));
  CHECK(table->may_use(*one, ""));
  CHECK_FALSE(table->may_use(*one, "lamp-9"));
  CHECK_FALSE(table->may_use(*two, "pump-9"));
  for (const std::string& wrong :
       {kOne + "1", kOne.substr(1), std::string{}, std::string(16, '1'), kOne + " "}) {
    CAPTURE(wrong);
    CHECK_FALSE(table->find(wrong));
  }
}

TEST_CASE("a line that is gone may be used for nothing, also where its name is another line's") {
  const auto before = TokenTable::parse(line_of("pump", kOne, "*"));
  const auto after = TokenTable::parse(line_of("pump", kTwo, "*"));
  const auto proof = before->find(kOne);
  REQUIRE(proof);
  CHECK_FALSE(after->may_use(*proof, "pump-7"));
  CHECK_FALSE(after->may_use(*proof, ""));
  CHECK_FALSE(TokenTable::parse(line_of("lamp", kOne, "*"))->may_use(*proof, "pump-7"));  // a line renamed
  CHECK_FALSE(*before == *after);
  CHECK(*before == *TokenTable::parse("# the same\n" + line_of("pump", kOne, "*")));
}

TEST_CASE("every wrong line is named, and one token cannot stand in two lines") {
  const auto table = TokenTable::parse(line_of("pump", kOne, "*") + "lamp\n" + line_of("lamp", kOne, "lamp"));
  REQUIRE_FALSE(table);
  REQUIRE(table.error().size() == 2);
  CHECK(table.error()[0].line == 2);
  CHECK(table.error()[1].line == 3);
  CHECK(table.error()[1].what == "'lamp': its token is that of 'pump', too");
}
