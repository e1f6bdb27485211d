// Which clients were connected when a daemon last ended, from a journal and the list beside it.
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <poll.h>
#include <unistd.h>

#include "common/events/line.h"
#include "common/frame.h"
#include "common/message.h"
#include "common/uv/loop.h"
#include "daemon/core/monitor.h"
#include "daemon/events/known_clients_file.h"
#include "daemon/events/known_clients_json.h"
#include "daemon/events/segment_writer.h"
#include "tests/unit/events/folder.h"

namespace heartbeat {
namespace {

using test::Folder;

constexpr WallTime kStart{Millis{1'790'000'000'000}};

std::string list_in(const Folder& folder) {
  return folder.path() + '/' + kKnownClientsName;
}

// A journal that is written line by line, a second after the other.
class Script {
 public:
  explicit Script(const std::string& directory) : writer_(directory) { REQUIRE(writer_.open()); }

  void event(const std::string& kind, const std::string& client, const std::string& more = "") {
    line("event", R"(,"event":")" + kind + R"(","client":")" + client + '"' + more, ++seq_);
  }
  void line(const std::string& type, const std::string& more = "") { line(type, more, seq_); }
  [[nodiscard]] std::uint64_t seq() const { return seq_; }
  [[nodiscard]] WallTime last() const { return at_; }

 private:
  void line(const std::string& type, const std::string& more, std::uint64_t seq) {
    at_ += Millis{1000};
    std::string text = R"({"type":")" + type + R"(","boot":"b1","seq":)" + std::to_string(seq) +
                       R"(,"at":")" + format_instant(at_) + '"' + more + "}";
    events::seal_line(text, 0);
    REQUIRE(writer_.append(text, seq == 0 ? 0 : seq - 1, at_) == 0);
  }

  SegmentWriter writer_;
  std::uint64_t seq_ = 0;
  WallTime at_ = kStart;
};

std::map<std::string, std::string> statuses(const KnownClients& known) {
  std::map<std::string, std::string> found;
  for (const KnownClient& client : known.clients) {
    found[client.name] = std::string{to_string(client.status)} + (client.away ? " away" : "");
  }
  return found;
}

TEST_CASE("the clients that were connected are read from the events") {
  const Folder folder;
  Script journal{folder.path()};
  const std::string peer = R"(,"peer":"10.0.0.1:5")";
  journal.line("start");
  for (const char* const name : {"stays", "leaves", "away", "returns", "ends", "resets", "absent", "taken"}) {
    journal.event("joined", name, peer);
  }
  journal.event("joined", "10.0.0.1:5", peer);  // without an id
  journal.event("named", "named", peer);
  journal.event("leave", "leaves", R"(,"reason":"silent")");
  journal.event("leave", "away", R"(,"reason":"declared")");
  journal.event("leave", "returns", R"(,"reason":"silent")");
  journal.event("return", "returns", R"(,"reason":"steady")");
  journal.event("close", "ends", R"(,"reason":"goodbye")");
  journal.event("close", "resets", R"(,"reason":"reset")");
  journal.event("absent", "absent", R"(,"reason":"absent")");
  journal.event("leave", "taken", R"(,"reason":"silent")");
  journal.event("close", "taken", R"(,"reason":"superseded")");
  journal.event("takeover", "taken", R"(,"peer":"10.0.0.2:6")");
  journal.event("strike", "stays");
  journal.event("close", "stays", R"(,"reason":"shutdown")");
  journal.line("end");
  const auto known = read_known_clients(folder.path());
  REQUIRE(known);
  CHECK(statuses(*known) == std::map<std::string, std::string>{{"stays", "alive"},
                                                               {"leaves", "leave"},
                                                               {"away", "leave away"},
                                                               {"returns", "alive"},
                                                               {"named", "alive"},
                                                               {"taken", "leave"}});
  CHECK(known->ended == journal.last());
  for (const KnownClient& client : known->clients) {
    CHECK(client.peer == (client.name == "taken" ? "10.0.0.2:6" : "10.0.0.1:5"));
  }
}

TEST_CASE("a list is gone on from, and what it has missed is in the events behind it") {
  const Folder folder;
  Script journal{folder.path()};
  const std::string peer = R"(,"peer":"10.0.0.1:5")";
  journal.event("joined", "forgotten", peer);  // and not in the list: it is what counts
  std::string list;
  append_list_begin(list, "b1", journal.seq(), kStart);
  append_known_client(
      list,
      {.name = "listed", .peer = "10.0.0.3:7", .status = Status::Leave, .away = true, .group = "pumps"});
  append_known_client(list, {.name = "goes", .peer = "10.0.0.3:8", .group = ""});
  std::ofstream{list_in(folder)} << list << "torn";
  journal.event("close", "goes", R"(,"reason":"peer_closed")");
  journal.event("joined", "comes", peer);
  const auto known = read_known_clients(folder.path());
  REQUIRE(known);
  CHECK(statuses(*known) == std::map<std::string, std::string>{{"listed", "leave away"}, {"comes", "alive"}});
  CHECK(known->clients.at(1).group == "pumps");
}

TEST_CASE("where there is no journal, no client is known") {
  const Folder folder;
  const auto known = read_known_clients(folder.path() + "/nowhere");
  REQUIRE(!known);
  CHECK(known.error() == ENOENT);
}

// A monitor with clients, and the loop that the list is written on.
class Listing {
 public:
  explicit Listing(std::size_t clients) : monitor_(Settings{.clients_max = clients, .newcomers_max = 0}) {
    for (std::size_t client = 0; client < clients; ++client) {
      const Endpoint peer{
          .address = {10, 0, static_cast<std::uint8_t>(client >> 8U), static_cast<std::uint8_t>(client)},
          .port = 5};
      Effects effects;
      const auto conn = monitor_.open(peer, MonoTime{}, effects);
      REQUIRE(conn);
      std::string frame;
      const std::string id = "pump-" + std::to_string(client);
      append_frame(frame, encode({.ip = "10.0.0.1", .id = id}));
      monitor_.receive(*conn, frame, MonoTime{}, effects);
    }
  }

  // Turns until the file is there, for a bounded time.
  bool turn_until(KnownClientsFile& file, const std::string& there) {
    for (int turn = 0; turn < 2000; ++turn) {
      file.after_turn(monitor_);
      loop_.turn_once();
      if (::access(there.c_str(), F_OK) == 0) return true;
      ::poll(nullptr, 0, 1);
    }
    return false;
  }

  [[nodiscard]] uv::Loop& loop() { return loop_; }
  [[nodiscard]] Monitor& monitor() { return monitor_; }

 private:
  uv::Loop loop_;
  Monitor monitor_;
};

TEST_CASE("the list has every client with an id, also of more slots than one turn looks at") {
  const Folder folder;
  Listing listing{3000};
  Effects effects;
  REQUIRE(listing.monitor().open({.address = {10, 9, 9, 9}, .port = 9}, MonoTime{}, effects) == std::nullopt);
  std::vector<ClosedClient> missing(1);
  missing[0].name = "missing";
  missing[0].status = Status::Leave;
  listing.monitor().expect(std::move(missing), MonoTime{});
  KnownClientsFile file{listing.loop(), folder.path(), "b1", Millis{0}};
  REQUIRE(listing.turn_until(file, list_in(folder)));
  Script journal{folder.path()};  // of the run "b1", which has no event
  journal.line("start");
  const auto known = read_known_clients(folder.path());
  REQUIRE(known);
  CHECK(known->clients.size() == 3001);
  const auto found = statuses(*known);
  CHECK(found.at("pump-2999") == "alive");
  CHECK(found.at("missing") == "leave");
  CHECK(listing.loop().drain(Millis{5000}).empty());
}

TEST_CASE("a disk that refuses costs the list alone, and the one before stays") {
  const Folder folder;
  std::ofstream{list_in(folder)} << "before\n";
  std::system(("mkdir " + list_in(folder) + ".new").c_str());
  Listing listing{10};
  KnownClientsFile file{listing.loop(), folder.path(), "b1", Millis{0}};
  CHECK_FALSE(listing.turn_until(file, folder.path() + "/never"));
  std::string kept;
  std::getline(std::ifstream{list_in(folder)}, kept);
  CHECK(kept == "before");
  CHECK(listing.loop().drain(Millis{5000}).empty());
}

}  // namespace
}  // namespace heartbeat
