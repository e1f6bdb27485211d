// The message catalog, as installed, against the records as they are made.
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "common/events/event_names.h"
#include "daemon/log/message_ids.h"
#include "tests/unit/log/records.h"

namespace heartbeat::testing {
namespace {

// The text of each entry by its id.
std::map<std::string, std::string> catalog() {
  std::ifstream file{HEARTBEAT_CATALOG};
  std::map<std::string, std::string> entries;
  std::string id;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("-- ")) {
      id = line.substr(3);
      CHECK_MESSAGE(!entries.contains(id), "twice in the catalog: ", id);
      entries[id] = "";
    } else if (!id.empty()) {
      entries[id] += line + "\n";
    }
  }
  return entries;
}

// A record of each kind, and one of a sum, by id.
std::map<std::string, LogRecord> records() {
  std::map<std::string, LogRecord> records;
  RecordingLog recording{1};
  for (std::size_t i = 0; i < kEventKindCount; ++i) {
    recording.log().tell(event_of(static_cast<Event::Kind>(i)), kStart);
  }
  recording.log().tell(event_of(Event::Kind::Left), kStart);
  recording.log().finish();
  for (const LogRecord& record : recording.records()) records[std::string{record.message_id}] = record;
  return records;
}

TEST_CASE("every kind of event has an id of its own, 128 bits in hexadecimal") {
  const auto all = records();
  CHECK(all.size() == kEventKindCount + 1);
  for (const auto& [id, record] : all) CHECK(std::regex_match(id, std::regex{"[0-9a-f]{32}"}));
}

TEST_CASE("the catalog explains every id, and nothing else") {
  std::set<std::string> in_code;
  for (const auto& [id, record] : records()) in_code.insert(id);
  std::set<std::string> in_catalog;
  for (const auto& [id, text] : catalog()) in_catalog.insert(id);
  CHECK(in_code == in_catalog);
}

TEST_CASE("an entry refers to no field that its records lack") {
  const auto texts = catalog();
  for (const auto& [id, record] : records()) {
    const std::string& text = texts.at(id);
    INFO(text);
    const std::regex variable{"@([A-Z_]+)@"};
    for (std::sregex_iterator at{text.begin(), text.end(), variable}; at != std::sregex_iterator{}; ++at) {
      std::string name = (*at)[1].str();
      CAPTURE(name);
      REQUIRE(name.starts_with("HEARTBEAT_"));
      name.erase(0, std::string_view{"HEARTBEAT_"}.size());
      for (char& letter : name) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
      CHECK(field(record, name) != "(absent)");
    }
  }
}

TEST_CASE("the words that programs offer are those of all kinds but one") {
  std::set<std::string_view> kinds;
  for (std::size_t kind = 0; kind < kEventKindCount; ++kind) {
    kinds.insert(to_string(static_cast<Event::Kind>(kind)));
  }
  kinds.erase(to_string(Event::Kind::Heard));
  CHECK(std::set<std::string_view>{events::kEventNames.begin(), events::kEventNames.end()} == kinds);
}

TEST_CASE("every entry has a subject and a text") {
  for (const auto& [id, text] : catalog()) {
    CHECK(text.starts_with("Subject: "));
    CHECK(text.find("\n\n") != std::string::npos);
  }
}

}  // namespace
}  // namespace heartbeat::testing
