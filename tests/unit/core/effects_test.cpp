#include "daemon/core/effects.h"

#include <string>

#include <doctest/doctest.h>

using namespace heartbeat;

namespace {

void order(Effects& effects, std::uint32_t count) {
  for (std::uint32_t slot = 0; slot < count; ++slot) {
    effects.send({slot, 0}, [](std::string& out) { out.append(60, 'x'); });
    effects.read({slot, 0}, false);
    effects.close({slot, 0});
    effects.tell(Event{.kind = Event::Kind::Closed});
  }
}

}  // namespace

TEST_CASE("the room for ordinary work is kept from one time to the next") {
  Effects effects;
  order(effects, 20);
  const std::size_t room = effects.room();
  effects.clear();
  CHECK(effects.room() == room);
}

TEST_CASE("what ten thousand verdicts of one instant took goes back") {
  Effects effects;
  order(effects, 10'000);
  CHECK(effects.room() > 3'000'000);
  effects.clear();
  CHECK(effects.room() < 4 * 64 * 1024);
  CHECK(effects.events().empty());
}
