#include "daemon/core/registry.h"

#include <set>

#include <doctest/doctest.h>

#include "tests/unit/support/print.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

const Endpoint kPeer{.address = {127, 0, 0, 1}, .port = 40000};

}  // namespace

TEST_CASE("a client is found by its connection, and called by its address until it has an id") {
  Registry registry{{}};
  const ConnId conn = registry.add(kPeer, t0);
  REQUIRE(registry.find(conn) != nullptr);
  CHECK(registry.find(conn)->connected_at == t0);
  CHECK(name_of(*registry.find(conn)) == "127.0.0.1:40000");
  registry.name(conn.slot, "pump-7");
  CHECK(name_of(*registry.find(conn)) == "pump-7");
}

TEST_CASE("a client with an id is found by it, until it is gone") {
  Registry registry{{}};
  const ConnId pump = registry.add(kPeer, t0);
  const ConnId lamp = registry.add(kPeer, t0);
  registry.name(pump.slot, "pump");
  registry.name(lamp.slot, "lamp");
  CHECK(registry.slot_of("pump") == pump.slot);
  CHECK(registry.slot_of("lamp") == lamp.slot);
  CHECK_FALSE(registry.slot_of("door"));
  registry.remove(pump.slot);
  CHECK_FALSE(registry.slot_of("pump"));
  CHECK(registry.find(pump) == nullptr);
  CHECK(registry.slot_of("lamp") == lamp.slot);
  CHECK(registry.size() == 1);
}

TEST_CASE("a client is found by its address, and by its id too once it has one") {
  Registry registry{{}};
  const ConnId pump = registry.add(kPeer, t0);
  CHECK(registry.slot_named("127.0.0.1:40000") == pump.slot);
  registry.name(pump.slot, "pump");
  CHECK(registry.slot_named("pump") == pump.slot);
  CHECK(registry.slot_named("127.0.0.1:40000") == pump.slot);
  CHECK_FALSE(registry.slot_named("nobody"));
  registry.remove(pump.slot);
  CHECK_FALSE(registry.slot_named("pump"));
  CHECK_FALSE(registry.slot_named("127.0.0.1:40000"));
}

TEST_CASE("an order finds a client by its name only: by its address as long as it has no id") {
  Registry registry{{}};
  const ConnId pump = registry.add(kPeer, t0);
  CHECK(registry.slot_called("127.0.0.1:40000") == pump.slot);
  registry.name(pump.slot, "pump");
  CHECK(registry.slot_called("pump") == pump.slot);
  CHECK_FALSE(registry.slot_called("127.0.0.1:40000"));
  CHECK_FALSE(registry.slot_called("lamp"));
}

TEST_CASE("an id whose client is gone may be another's") {
  Registry registry{{}};
  const ConnId first = registry.add(kPeer, t0);
  const ConnId second = registry.add(kPeer, t0);
  registry.name(first.slot, "pump");
  registry.remove(first.slot);
  CHECK_FALSE(registry.slot_of("pump"));
  registry.name(second.slot, "pump");
  CHECK(registry.slot_of("pump") == second.slot);
}

TEST_CASE("a walk over the slots meets every client once") {
  Registry registry{{}};
  std::set<std::uint32_t> slots;
  for (std::uint16_t client = 0; client < 600; ++client) {
    const ConnId conn = registry.add(kPeer, t0);
    registry.name(conn.slot, "client " + std::to_string(client));
    slots.insert(conn.slot);
  }
  for (const std::uint32_t gone : {0U, 255U, 256U, 599U}) {
    registry.remove(gone);
    slots.erase(gone);
  }
  std::set<std::uint32_t> met;
  for (std::uint32_t slot = 0; slot < registry.slots(); ++slot) {
    if (registry.at(slot) != nullptr) met.insert(slot);
  }
  CHECK(met == slots);
  CHECK(registry.size() == slots.size());
  CHECK(registry.slot_of("client 300") == 300U);
}
