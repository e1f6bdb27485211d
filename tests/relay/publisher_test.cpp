#include "tools/relay/publisher.h"

#include <algorithm>
#include <memory>
#include <random>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "tests/relay/fake_engine.h"

using namespace std::chrono_literals;
using namespace heartbeat;
using namespace heartbeat::relay;
using heartbeat::relay::test::FakeEngine;
using heartbeat::relay::test::FakeServer;
using State = Publisher::State;

namespace {

constexpr MonoTime kRelayStart{1000s};

// A daemon of the fleet with its relay, in virtual time.
struct Node {
  Node(FakeServer& server, std::string node_name, std::size_t records_max = kRecordsMaxDefault)
      : name(std::move(node_name)),
        engine(std::make_unique<FakeEngine>(server, name)),
        relay(std::make_unique<Publisher>(Publisher::Options{name, records_max}, *engine)) {
    engine->listen(*relay);
  }

  struct Connected {
    std::string peer;
    Status status = Status::Alive;
    std::uint64_t connected = 0;
  };

  // --- the daemon ---
  void event(Record::Kind kind, const std::string& client, const std::string& peer,
             const std::string& reason = {}, const std::string& previous = {}) {
    relay->apply({.kind = kind,
                  .client = client,
                  .previous = previous,
                  .peer = peer,
                  .reason = reason,
                  .at_ms = wall,
                  .number = ++feed},
                 now);
  }
  std::string join(const std::string& id) {
    const std::string peer = name + ':' + std::to_string(++peers);
    const auto before = clients.find(id);
    if (before != clients.end()) {
      const Status status = before->second.status;
      event(Record::Kind::Close, id, before->second.peer, "superseded");
      clients[id] = {peer, status, wall};
      event(Record::Kind::Takeover, id, peer);
    } else {
      clients[id] = {peer, Status::Alive, wall};
      event(Record::Kind::Joined, id, peer);
    }
    return peer;
  }
  void leave(const std::string& id) {
    clients.at(id).status = Status::Leave;
    event(Record::Kind::Leave, id, clients.at(id).peer, "silent");
  }
  void back(const std::string& id) {
    clients.at(id).status = Status::Alive;
    event(Record::Kind::Return, id, clients.at(id).peer, "steady");
  }
  void close(const std::string& id) {
    const std::string peer = clients.at(id).peer;
    clients.erase(id);
    event(Record::Kind::Close, id, peer, "silent");
  }
  // A list of all, as after a start or a loss.
  void list(bool is_new_run) {
    relay->begin_view(is_new_run);
    for (const auto& [id, client] : clients) {
      relay->put({.name = id,
                  .has_id = true,
                  .peer = client.peer,
                  .status = client.status,
                  .since = wall,
                  .connected = client.connected});
    }
    relay->end_view();
  }
  void obey() {
    for (const DaemonOrder& order : relay->take_orders()) {
      orders.push_back(order);
      const auto found = clients.find(order.client);
      if (found == clients.end()) continue;
      const bool is_meant = order.kind == DaemonOrder::Kind::Kick || found->second.peer == order.peer;
      if (order.kind == DaemonOrder::Kind::Remember) {
        if (is_meant && found->second.status == Status::Alive) leave(order.client);
      } else if (is_meant) {
        close(order.client);
      }
    }
  }

  // --- the connection ---
  void connect() { relay->connected(); }
  void cut() {
    engine->cut();
    relay->disconnected();
  }
  // Until nothing is under way; connects anew after trouble.
  void settle() {
    for (int turn = 0; turn < 10'000; ++turn) {
      if (relay->trouble() && relay->state() == State::Failed) cut();
      if (relay->state() == State::Away) connect();
      relay->go_on();
      obey();
      relay->go_on();
      if (engine->has_answer())
        engine->deliver();
      else if (engine->has_call())
        engine->carry_out();
      else if (relay->state() != State::Failed)
        return;
    }
    FAIL("the relay never comes to rest");
  }
  // Orders of others, and every owner looked at.
  void look() {
    relay->read_inbox();
    settle();
    for (std::size_t each = 0; each <= clients.size(); ++each) {
      relay->sweep(1);
      settle();
    }
  }

  std::string name;
  std::unique_ptr<FakeEngine> engine;
  std::unique_ptr<Publisher> relay;
  std::map<std::string, Connected> clients;
  std::vector<DaemonOrder> orders;
  MonoTime now = kRelayStart;
  std::uint64_t wall = 2'000'000;
  std::uint64_t feed = 0;
  int peers = 0;
};

const std::map<std::string, Row>& rows_of(FakeServer& server, const std::string& node) {
  FakeServer::Node& of = server.nodes[node];
  return of.copies[FakeServer::name(of.counts)];
}

std::string in_words(const std::vector<FakeServer::Entry>& stream) {
  std::string words;
  for (const auto& entry : stream) {
    words += '\n' + to_string(entry.at);
    if (entry.is_mark) words += entry.is_gap ? " gap from " + std::to_string(entry.missing_from) : " begin";
  }
  return words;
}

// What a reader of the fleet sees of a node: the rows that count are the daemon's own list, and the stream
// has no gap that it does not name, nothing twice, and nothing out of order.
std::string broken_promise(FakeServer& server, const Node& node) {
  const auto& rows = rows_of(server, node.name);
  if (rows.size() != node.clients.size()) return "the rows are not the daemon's list";
  for (const auto& [id, client] : node.clients) {
    const auto row = rows.find(id);
    if (row == rows.end()) return id + " has no row";
    if (row->second.status != client.status) return id + " has another status in its row";
    if (row->second.peer != client.peer) return id + " has another address in its row";
  }
  const auto& stream = server.nodes[node.name].stream;
  for (std::size_t at = 0; at < stream.size(); ++at) {
    const auto& entry = stream[at];
    if (at == 0) continue;
    const auto& before = stream[at - 1];
    if (!(before.at < entry.at)) return "the stream goes back at " + to_string(entry.at);
    if (entry.is_mark) continue;
    if (entry.at.incarnation != before.at.incarnation) return "an incarnation without a begin";
    if (entry.at.sequence == before.at.sequence + 1) continue;
    // A hole is named by a gap behind it, or ends with its incarnation.
    const auto names_it = [&](const FakeServer::Entry& later) {
      return later.is_mark && (later.at.incarnation > entry.at.incarnation ||
                               (later.is_gap && later.missing_from <= before.at.sequence + 1));
    };
    const auto rest = stream.begin() + static_cast<std::ptrdiff_t>(at);
    if (std::none_of(rest, stream.end(), names_it))
      return "a gap before " + to_string(entry.at) + in_words(stream);
  }
  // A reader that began at the last mark, with the rows of that copy as they are, ends where the daemon is.
  if (!stream.empty() && stream.back().at != node.relay->watermark()) return "the watermark is not the top";
  return {};
}

}  // namespace

TEST_CASE("a begin follows the rows, and a record follows its row") {
  FakeServer server;
  Node n1{server, "n1"};
  n1.clients["pump-1"] = {"n1:1"};
  n1.connect();
  n1.list(true);
  n1.settle();
  REQUIRE(server.nodes["n1"].stream.size() == 1);
  CHECK(server.nodes["n1"].stream[0].is_mark);
  CHECK(server.nodes["n1"].stream[0].at == Position{server.now_ms, 0});
  n1.join("pump-2");
  n1.leave("pump-1");
  n1.settle();
  CHECK(server.nodes["n1"].stream.back().at == Position{server.now_ms, 2});
  CHECK(broken_promise(server, n1).empty());
  CHECK(rows_of(server, "n1").at("pump-1").status == Status::Leave);
  CHECK(server.owners.at("pump-2").node == "n1");
}

TEST_CASE("nothing is published before the list of clients is whole") {
  FakeServer server;
  Node n1{server, "n1"};
  n1.connect();
  n1.relay->begin_view(true);
  n1.relay->put({.name = "pump-1", .has_id = true, .peer = "n1:1"});
  n1.settle();
  CHECK(server.nodes["n1"].stream.empty());
  CHECK(n1.relay->state() == State::Attached);
  n1.relay->end_view();
  n1.settle();
  CHECK(server.nodes["n1"].stream.size() == 1);
}

TEST_CASE("a new run of the daemon is a new incarnation, above the last even where the clock went back") {
  FakeServer server;
  Node n1{server, "n1"};
  n1.clients["pump-2"] = {"n1:7"};
  n1.list(true);
  n1.settle();
  const std::uint64_t first = n1.relay->watermark().incarnation;
  server.now_ms -= 500'000;
  n1.join("pump-1");
  n1.list(true);
  n1.settle();
  CHECK(n1.relay->watermark() == Position{first + 1, 0});
  CHECK(broken_promise(server, n1).empty());
  CHECK(server.nodes["n1"].copies.size() == 2);  // the old copy goes by its time to live
}

TEST_CASE("after a connection only what is missing in the stream is sent again") {
  FakeServer server;
  Node n1{server, "n1"};
  n1.list(true);
  n1.settle();
  n1.join("pump-1");
  n1.join("pump-2");
  n1.relay->go_on();
  n1.engine->carry_out();  // stored, and the answer is lost
  n1.cut();
  n1.join("pump-3");
  n1.settle();
  CHECK(server.nodes["n1"].stream.size() == 4);
  CHECK(n1.relay->figures().gaps == 0);
  CHECK(broken_promise(server, n1).empty());
}

TEST_CASE("a stream that went back to an old dump gets the records again, and an empty one a begin") {
  FakeServer server;
  Node n1{server, "n1"};
  n1.list(true);
  n1.settle();
  n1.join("pump-1");
  n1.settle();
  const FakeServer dump = server;
  n1.join("pump-2");
  n1.close("pump-1");
  n1.settle();
  server = dump;
  n1.cut();
  n1.settle();
  CHECK(server.nodes["n1"].stream.size() == 4);
  CHECK(broken_promise(server, n1).empty());

  server = FakeServer{.now_ms = server.now_ms};
  n1.cut();
  n1.settle();
  CHECK(server.nodes["n1"].stream.size() == 1);
  CHECK(server.nodes["n1"].stream[0].at.sequence == 3);
  CHECK(broken_promise(server, n1).empty());
  CHECK(server.owners.contains("pump-2"));
}

TEST_CASE("the ring holds as many records as its bound, and one more is a gap") {
  for (const std::size_t beyond : {std::size_t{0}, std::size_t{1}}) {
    CAPTURE(beyond);
    FakeServer server;
    Node n1{server, "n1", 100};
    n1.list(true);
    n1.settle();
    n1.cut();
    for (std::size_t each = 0; each < 100 + beyond; ++each) n1.join("pump-" + std::to_string(each));
    CHECK(n1.relay->kept() == 100);
    n1.settle();
    CHECK(n1.relay->figures().gaps == beyond);
    CHECK(broken_promise(server, n1).empty());
    CHECK(server.nodes["n1"].copies.size() == 1);  // the old one is unlinked
  }
}

TEST_CASE("a namesake that begins later ends the first one's publishing for good") {
  FakeServer server;
  Node first{server, "n1"};
  first.list(true);
  first.settle();
  Node second{server, "n1"};
  second.list(true);
  second.settle();
  first.join("pump-1");
  first.relay->renew("");
  first.settle();
  CHECK(first.relay->state() == State::Fenced);
  first.cut();
  first.connect();
  first.settle();
  CHECK(first.relay->state() == State::Fenced);
  CHECK(first.clients.size() == 1);  // no connection is closed for it
  CHECK(second.relay->state() == State::Publishing);
}

TEST_CASE("two relays that draw the same incarnation at one moment do not share it") {
  FakeServer server;
  Node first{server, "n1"};
  Node second{server, "n1"};
  for (Node* node : {&first, &second}) {
    node->list(true);
    node->connect();
    node->engine->carry_out();
    node->engine->deliver();
    node->relay->go_on();
  }
  first.settle();
  second.settle();
  first.relay->renew("");
  first.settle();
  CHECK(first.relay->state() == State::Fenced);
  CHECK(second.relay->watermark().incarnation == server.now_ms + 1);
}

TEST_CASE("a record that is refused while a later one is stored is covered by a gap") {
  FakeServer server;
  Node n1{server, "n1"};
  n1.list(true);
  n1.settle();
  int writes = 0;
  n1.engine->refusal = [&]() -> std::optional<EngineError> {
    if (++writes == 4) return EngineError{.text = "OOM"};  // three rows, and the first of three records
    return std::nullopt;
  };
  for (const char* const id : {"pump-1", "pump-2", "pump-3"}) n1.join(id);
  n1.settle();
  CHECK(n1.relay->figures().gaps == 1);
  CHECK(broken_promise(server, n1).empty());
}

TEST_CASE("an engine that refuses everything gets no lease, and the first accepted write shows") {
  FakeServer server;
  Node n1{server, "n1"};
  n1.list(true);
  n1.settle();
  CHECK(n1.relay->was_accepted());
  n1.engine->refusal = [] { return EngineError{.text = "OOM"}; };
  n1.join("pump-1");
  n1.relay->go_on();
  while (n1.engine->has_call()) n1.engine->carry_out();
  while (n1.engine->has_answer()) n1.engine->deliver();
  CHECK(n1.relay->state() == State::Failed);
  n1.cut();
  n1.connect();
  CHECK_FALSE(n1.relay->was_accepted());
  n1.relay->renew("");
  CHECK(n1.relay->behind(n1.now + 70s) == 70s);
  n1.engine->refusal = [] { return std::nullopt; };
  n1.settle();
  CHECK(n1.relay->was_accepted());
  CHECK(n1.relay->behind(n1.now + 70s) == 0s);
}

TEST_CASE("an id that comes to another node is closed where it was, and that connection only") {
  FakeServer server;
  Node n1{server, "n1"};
  Node n2{server, "n2"};
  for (Node* node : {&n1, &n2}) {
    node->list(true);
    node->settle();
  }
  n1.join("pump-1");
  n1.settle();
  n2.join("pump-1");
  n2.settle();
  n1.relay->read_inbox();
  n1.settle();
  CHECK(n1.clients.empty());
  CHECK(n2.clients.size() == 1);
  REQUIRE(n1.orders.size() == 1);
  CHECK(n1.orders[0].by == "n2");

  // Back at n1 before n1 has read the order of an older claim.
  n1.join("pump-1");
  n1.settle();
  n2.join("pump-1");  // n2's old connection is taken over, and n1's claim loses
  n2.settle();
  n1.join("pump-1");  // a later one at n1
  n1.settle();
  n1.relay->read_inbox();
  n1.settle();
  CHECK(n1.clients.size() == 1);
}

TEST_CASE("a claim without an answer is made again, so the later connection wins all the same") {
  for (const bool is_carried_out : {false, true}) {
    CAPTURE(is_carried_out);
    FakeServer server;
    Node n1{server, "n1"};
    Node n2{server, "n2"};
    for (Node* node : {&n1, &n2}) {
      node->list(true);
      node->settle();
    }
    n1.join("pump-1");
    n1.settle();
    n2.join("pump-1");
    n2.relay->go_on();
    n2.engine->carry_out();
    n2.engine->deliver();  // the record is stored and answered
    if (is_carried_out) n2.engine->carry_out();
    n2.cut();
    n2.settle();
    CHECK(server.owners.at("pump-1").node == "n2");
    n2.look();
    n1.look();
    CHECK(n1.clients.empty());
    CHECK(n2.clients.size() == 1);
  }
}

TEST_CASE("an order to drain goes to the daemon with its rate, whatever clients it has") {
  FakeServer server;
  Node n1{server, "n1"};
  n1.list(true);
  n1.settle();
  server.nodes["n1"].inbox.emplace_back(++server.orders,
                                        Order{.kind = Order::Kind::Drain, .rate = 50, .by = "n2"});
  n1.relay->read_inbox();
  n1.settle();
  REQUIRE(n1.orders.size() == 1);
  CHECK(n1.orders[0].kind == DaemonOrder::Kind::Drain);
  CHECK(n1.orders[0].rate == 50);
  CHECK(n1.orders[0].by == "n2");
}

TEST_CASE("a client that was in leave on the node before starts in leave") {
  FakeServer server;
  Node n1{server, "n1"};
  Node n2{server, "n2"};
  for (Node* node : {&n1, &n2}) {
    node->list(true);
    node->settle();
  }
  n1.join("pump-1");
  n1.leave("pump-1");
  n1.settle();
  n2.join("pump-1");
  n2.settle();
  CHECK(n2.clients.at("pump-1").status == Status::Leave);
  CHECK(rows_of(server, "n2").at("pump-1").status == Status::Leave);
}

TEST_CASE("a takeover keeps the status, and a client that is named later loses its first name") {
  FakeServer server;
  Node n1{server, "n1"};
  n1.list(true);
  n1.settle();
  n1.join("pump-1");
  n1.leave("pump-1");
  n1.join("pump-1");
  n1.settle();
  CHECK(rows_of(server, "n1").at("pump-1").status == Status::Leave);
  CHECK(n1.relay->clients_in_leave() == 1);

  n1.event(Record::Kind::Joined, "n1:9", "n1:9");
  n1.event(Record::Kind::Named, "pump-9", "n1:9", {}, "n1:9");
  n1.clients["pump-9"] = {"n1:9"};
  n1.settle();
  CHECK(broken_promise(server, n1).empty());
  CHECK_FALSE(server.owners.contains("n1:9"));
}

TEST_CASE("events that were missed are made good by new rows and a gap") {
  FakeServer server;
  Node n1{server, "n1"};
  n1.list(true);
  n1.settle();
  n1.join("pump-1");
  n1.settle();
  n1.clients.erase("pump-1");  // the relay received no event of it
  n1.clients["pump-2"] = {"n1:7"};
  n1.list(false);
  n1.settle();
  CHECK(n1.relay->figures().gaps == 1);
  CHECK(broken_promise(server, n1).empty());
}

TEST_CASE("owners that were lost come back, and the later connection wins") {
  FakeServer server;
  Node n1{server, "n1"};
  Node n2{server, "n2"};
  n1.wall = 5'000;
  n2.wall = 9'000;
  for (Node* node : {&n1, &n2}) {
    node->list(true);
    node->settle();
    node->join("pump-1");
  }
  // Neither relay has had a word of the other when all is lost.
  server = FakeServer{.now_ms = server.now_ms};
  n1.cut();
  n2.cut();
  n1.settle();
  n2.settle();
  n1.look();
  n2.look();
  n1.look();
  CHECK(n1.clients.empty());
  CHECK(n2.clients.size() == 1);
}

TEST_CASE("random schedules of clients, faults and moves end in the daemons' own lists") {
  for (unsigned seed = 1; seed <= 1000; ++seed) {
    CAPTURE(seed);
    std::mt19937 random{seed};
    const auto draw = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
    FakeServer server;
    FakeServer dump = server;
    std::vector<std::unique_ptr<Node>> nodes;
    bool is_full = false;
    for (const char* const name : {"n1", "n2"}) {
      auto& node = nodes.emplace_back(std::make_unique<Node>(server, name, 8 + draw(24)));
      node->engine->refusal = [&]() -> std::optional<EngineError> {
        if (is_full && draw(3) != 0) return EngineError{.text = "OOM"};
        return std::nullopt;
      };
      node->list(true);
    }
    std::set<std::uint64_t> closed_by_daemon;
    for (int step = 0; step < 400; ++step) {
      Node& node = *nodes[draw(2)];
      Node& other = node.name == "n1" ? *nodes[1] : *nodes[0];
      node.wall = other.wall = node.wall + 1;
      node.now += 1ms;
      server.now_ms += draw(3);
      const std::string id = "pump-" + std::to_string(draw(12));
      const auto has = node.clients.find(id);
      switch (draw(30)) {
        case 0:
        case 1:
        case 2: node.join(id); break;
        case 3:
          if (has != node.clients.end()) node.close(id);
          break;
        case 4:
        case 5:
          if (has == node.clients.end()) break;
          has->second.status == Status::Alive ? node.leave(id) : node.back(id);
          break;
        case 6: node.cut(); break;
        case 7:
          if (draw(4) == 0) dump = server;
          break;
        case 8:
          if (draw(20) == 0) {
            const std::uint64_t clock = server.now_ms;
            server = dump;
            server.now_ms = clock;
            node.cut();
            other.cut();
          }
          break;
        case 9:
          if (draw(30) == 0) {
            server = FakeServer{.now_ms = server.now_ms};
            node.cut();
            other.cut();
          }
          break;
        case 10: is_full = draw(4) == 0; break;
        case 11:
          if (draw(10) == 0) node.list(draw(2) == 0);
          break;
        case 12: node.relay->renew(""); break;
        case 13: node.relay->read_inbox(); break;
        case 14: node.relay->sweep(2); break;
        default:
          if (node.relay->state() == State::Failed) node.cut();
          if (node.relay->state() == State::Away) node.connect();
          node.relay->go_on();
          node.obey();
          if (draw(2) == 0 && node.engine->has_call()) node.engine->carry_out();
          if (draw(2) == 0 && node.engine->has_answer()) node.engine->deliver();
      }
    }
    is_full = false;
    for (int round = 0; round < 6; ++round) {
      for (const auto& node : nodes) {
        node->settle();
        node->relay->renew("");
        node->settle();
        node->look();
      }
    }
    std::set<std::string> ids;
    for (const auto& node : nodes) {
      REQUIRE(node->relay->state() == State::Publishing);
      REQUIRE(broken_promise(server, *node) == "");
      for (const auto& [id, client] : node->clients) REQUIRE(ids.insert(id).second);
      std::uint64_t last_feed = 0;
      std::uint64_t incarnation = 0;
      for (const auto& entry : server.nodes[node->name].stream) {
        if (std::exchange(incarnation, entry.at.incarnation) != entry.at.incarnation) last_feed = 0;
        if (entry.is_mark) continue;
        REQUIRE(entry.record.feed > last_feed);
        last_feed = entry.record.feed;
      }
    }
  }
}
