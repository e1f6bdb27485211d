#include "daemon/core/refused_peers.h"

#include <doctest/doctest.h>

#include "tests/unit/support/print.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

Endpoint at(const std::string& text) {
  return parse_endpoint(text).value();
}

Refused refused(const std::string& peer, MonoTime when, const std::string& detail,
                Reason reason = Reason::BadFrame) {
  return {.peer = at(peer), .at = when, .reason = reason, .detail = detail};
}

}  // namespace

TEST_CASE("the connections of one address are counted together, and the latest one says why") {
  RefusedPeers peers;
  peers.add(refused("10.0.0.5:4001", t0, "a length"));
  peers.add(refused("10.0.0.6:4001", t0 + 1s, "another"));
  peers.add(refused("10.0.0.5:4002", t0 + 2s, "no heartbeat came", Reason::NeverSpoke));
  const RefusedPeer* const peer = peers.find(at("10.0.0.5:77"));
  REQUIRE(peer != nullptr);
  CHECK(peer->count == 2);
  CHECK(peer->since == t0);
  CHECK(peer->latest.at == t0 + 2s);
  CHECK(peer->latest.peer == at("10.0.0.5:4002"));
  CHECK(peer->latest.reason == Reason::NeverSpoke);
  CHECK(peers.find(at("10.0.0.7:4001")) == nullptr);
}

TEST_CASE("ends are alike while reason and diagnosis are, whatever numbers and bytes are quoted") {
  RefusedPeers peers;
  const auto alike_after = [&](const std::string& detail, Reason reason = Reason::BadFrame) {
    return peers.add(refused("10.0.0.5:1", t0, detail, reason)).alike;
  };
  CHECK(alike_after(R"(length 12; this is SSH; the bytes are "SSH-2")") == 1);
  CHECK(alike_after(R"(length 345; this is SSH; the bytes are "SSH \" 1")") == 2);
  CHECK(alike_after(R"(length 345; this is HTTP; the bytes are "SSH \" 1")") == 1);
  CHECK(alike_after(R"(length 345; this is HTTP; the bytes are "SSH \" 1")", Reason::NeverSpoke) == 1);
  CHECK(alike_after(R"(length 345; this is HTTP; the bytes are "SSH \" 1" and more)", Reason::NeverSpoke) ==
        1);
  CHECK(alike_after("", Reason::NeverSpoke) == 1);
  CHECK(alike_after("", Reason::NeverSpoke) == 2);
}

TEST_CASE("an end as long after the one before it as a condition lasts begins a new row") {
  RefusedPeers peers;
  CHECK(peers.add(refused("10.0.0.5:1", t0, "a")).alike == 1);
  CHECK(peers.add(refused("10.0.0.5:1", t0 + kConditionQuiet - 1ms, "a")).alike == 2);
  CHECK(peers.add(refused("10.0.0.5:1", t0 + 2 * kConditionQuiet - 1ms, "a")).alike == 1);
  CHECK(peers.find(at("10.0.0.5:1"))->count == 3);
}

TEST_CASE(
    "at the bound all addresses are known, and one past it the one that is quiet longest is forgotten") {
  RefusedPeers peers{{}, 2};
  peers.add(refused("10.0.0.1:1", t0, ""));
  peers.add(refused("10.0.0.2:1", t0 + 1s, ""));
  peers.add(refused("10.0.0.1:2", t0 + 2s, ""));
  CHECK(peers.size() == 2);
  peers.add(refused("10.0.0.3:1", t0 + 3s, ""));
  CHECK(peers.size() == 2);
  CHECK(peers.find(at("10.0.0.1:1")) != nullptr);
  CHECK(peers.find(at("10.0.0.2:1")) == nullptr);
  CHECK(peers.find(at("10.0.0.3:1")) != nullptr);
}

TEST_CASE("what was saved is known again, in the same order") {
  RefusedPeers before{{}, 2};
  before.add(refused("10.0.0.1:1", t0, "a"));
  before.add(refused("10.0.0.1:2", t0 + 1s, "a"));
  before.add(refused("10.0.0.2:1", t0 + 2s, "b"));
  RefusedPeers after{{}, 2};
  const auto& saved = before.latest_first();
  for (auto peer = saved.rbegin(); peer != saved.rend(); ++peer) after.restore(RefusedPeer{*peer});
  REQUIRE(after.find(at("10.0.0.1:9")) != nullptr);
  CHECK(after.find(at("10.0.0.1:9"))->count == 2);
  CHECK(after.find(at("10.0.0.1:9"))->alike == 2);
  after.add(refused("10.0.0.3:1", t0 + 3s, ""));
  CHECK(after.find(at("10.0.0.1:9")) == nullptr);
  CHECK(after.find(at("10.0.0.2:9")) != nullptr);
}

TEST_CASE("an IPv4 address is none of the IPv6 ones with the same bytes") {
  RefusedPeers peers;
  peers.add(refused("10.0.0.1:1", t0, ""));
  CHECK(peers.find(at("[a00:1::]:1")) == nullptr);
}
