#include "tools/relay/journal_record.h"

#include <fstream>
#include <set>
#include <string>

#include <doctest/doctest.h>

using namespace heartbeat::relay;

TEST_CASE("a line is a record with the id of its first word") {
  const std::string id{message_id("fenced node=n1: another relay")};
  CHECK(id.size() == 32);
  CHECK(journal_record("fenced node=n1", 2) ==
        "MESSAGE=fenced node=n1\nPRIORITY=2\nSYSLOG_IDENTIFIER=heartbeat-relay\nMESSAGE_ID=" + id + "\n");
  CHECK(journal_record("daemon clients=3", 6) ==
        "MESSAGE=daemon clients=3\nPRIORITY=6\nSYSLOG_IDENTIFIER=heartbeat-relay\n");
  CHECK(message_id("order").size() == 32);
  CHECK(message_id("order_refused x") != message_id("order x"));
  CHECK(message_id("orders x").empty());
}

TEST_CASE("the catalog explains each kind of line that has an id, and no other") {
  std::set<std::string> explained;
  std::ifstream file{RELAY_CATALOG};
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("-- ")) CHECK(explained.insert(line.substr(3)).second);
  }
  std::set<std::string> used;
  for (const char* const word : {"publishing", "fenced", "redis_away", "redis_refused", "daemon_away",
                                 "order", "order_refused", "reload_refused", "fight"}) {
    CHECK(used.insert(std::string{message_id(word)}).second);
  }
  CHECK(explained == used);
}
