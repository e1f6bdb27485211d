// Tokens: which client may come in, and which id it may use.
#include "daemon/core/credentials.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "common/glob.h"
#include "common/message.h"
#include "daemon/core/monitor.h"
#include "tests/unit/support/bytes.h"
#include "tests/unit/support/instants.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

const Endpoint kClient{.address = {10, 0, 0, 7}, .port = 51000};

// A token is its own name here.
class FakeTokens final : public Credentials {
 public:
  explicit FakeTokens(std::map<std::string, std::string, std::less<>> ids) : ids_(std::move(ids)) {}

  [[nodiscard]] std::optional<TokenProof> find(std::string_view token) const override {
    if (ids_.find(token) == ids_.end()) return {};
    return TokenProof{std::string{token}, token.size()};
  }
  [[nodiscard]] bool may_use(const TokenProof& proof, std::string_view id) const override {
    const auto found = ids_.find(proof.name);
    return found != ids_.end() && (id.empty() || Glob::compile(found->second)->matches(id));
  }

 private:
  std::map<std::string, std::string, std::less<>> ids_;
};

constexpr std::string_view kPump = "token-of-all-pumps";
constexpr std::string_view kSeven = "token-of-pump-7-alone";
const FakeTokens kTokens{{{std::string{kPump}, "pump-*"}, {std::string{kSeven}, "pump-7"}}};

struct Fleet {
  explicit Fleet(const Credentials* tokens = &kTokens) : monitor(Settings{}) { monitor.use(tokens); }

  ConnId open(Requirement require = Requirement::Token) {
    return monitor.open(kClient, t0, effects, {.passage = {.require = require}}).value();
  }
  // The last event of a heartbeat.
  Event beat(ConnId conn, std::optional<std::string_view> token, std::string_view id) {
    effects.clear();
    monitor.receive(conn, framed(encode({.ip = "a", .id = id, .token = token})), t0, effects);
    Event last = effects.events().empty() ? Event{.kind = Event::Kind::Heard} : effects.events().back();
    return last;
  }
  std::vector<Event> advance() {
    effects.clear();
    while (monitor.advance(t0, effects)) {
    }
    return effects.events();
  }
  void change(const Credentials& tokens) {
    effects.clear();
    auto settings = monitor.prepare(Settings{}, t0, effects);
    settings.credentials = &tokens;
    monitor.change_settings(std::move(settings), t0, effects);
  }

  Monitor monitor;
  Effects effects;
};

void check_refused(const Event& event, BadInput kind) {
  CHECK(event.kind == Event::Kind::Closed);
  CHECK(event.reason == Reason::Unauthorized);
  CHECK(event.extra->bad_input == kind);
}

}  // namespace

TEST_CASE("where a token is required, a client comes in with a right one, for an id that it is for") {
  Fleet fleet;
  const Event joined = fleet.beat(fleet.open(), kPump, "pump-9");
  CHECK(joined.kind == Event::Kind::Joined);
  CHECK(joined.extra->token_name == kPump);
  CHECK(fleet.beat(fleet.open(), kPump, "").kind == Event::Kind::Joined);

  check_refused(fleet.beat(fleet.open(), {}, "pump-9"), BadInput::TokenMissing);
  check_refused(fleet.beat(fleet.open(), {}, ""), BadInput::TokenMissing);
  check_refused(fleet.beat(fleet.open(), "token-of-all-pumpz", "pump-9"), BadInput::TokenWrong);
  check_refused(fleet.beat(fleet.open(), "short", "pump-9"), BadInput::TokenWrong);
  check_refused(fleet.beat(fleet.open(), kSeven, "pump-9"), BadInput::TokenId);
  check_refused(fleet.beat(fleet.open(), kSeven, "pump-77"), BadInput::TokenId);
  CHECK(fleet.monitor.counters().bad_input.at(static_cast<std::size_t>(BadInput::TokenMissing)) == 2);
  CHECK(fleet.monitor.counters().bad_input.at(static_cast<std::size_t>(BadInput::TokenWrong)) == 2);
  CHECK(fleet.monitor.counters().bad_input.at(static_cast<std::size_t>(BadInput::TokenId)) == 2);
}

TEST_CASE("the token of the first heartbeat counts, and no later one") {
  Fleet fleet;
  const ConnId conn = fleet.open();
  CHECK(fleet.beat(conn, kSeven, "").kind == Event::Kind::Joined);
  CHECK(fleet.beat(conn, "a-wrong-token-comes-late", "").kind == Event::Kind::Heard);
  check_refused(fleet.beat(conn, kPump, "pump-9"), BadInput::TokenId);
}

TEST_CASE("where none is required, a token that is given must be right, and binds the id") {
  Fleet fleet;
  CHECK(fleet.beat(fleet.open(Requirement::None), {}, "lamp").kind == Event::Kind::Joined);
  check_refused(fleet.beat(fleet.open(Requirement::None), "not-a-token-of-ours", "lamp-2"),
                BadInput::TokenWrong);
  check_refused(fleet.beat(fleet.open(Requirement::None), kPump, "lamp-3"), BadInput::TokenId);
}

TEST_CASE("without a file of tokens a token is not looked at, unless the listener requires one") {
  Fleet fleet{nullptr};
  const Event joined = fleet.beat(fleet.open(Requirement::None), kPump, "lamp");
  CHECK(joined.kind == Event::Kind::Joined);
  CHECK(joined.extra->token_name.empty());
  check_refused(fleet.beat(fleet.open(), kPump, "pump-1"), BadInput::TokenWrong);
}

TEST_CASE(
    "an id that a client proved by a token is taken over, or comes back, only with a credential for it") {
  Fleet fleet;
  const ConnId owner = fleet.open();
  CHECK(fleet.beat(owner, kSeven, "pump-7").kind == Event::Kind::Joined);
  check_refused(fleet.beat(fleet.open(Requirement::None), {}, "pump-7"), BadInput::TokenId);
  CHECK(fleet.monitor.clients().find(owner) != nullptr);

  const ConnId group = fleet.open();
  CHECK(fleet.beat(group, kPump, "pump-7").kind == Event::Kind::TakenOver);
  const Passage certificate{.certificate_name = "pump-7"};
  const ConnId by_certificate =
      fleet.monitor.open(kClient, t0, fleet.effects, {.passage = certificate}).value();
  CHECK(fleet.beat(by_certificate, {}, "pump-7").kind == Event::Kind::TakenOver);
  const ConnId again = fleet.open();
  CHECK(fleet.beat(again, kSeven, "pump-7").kind == Event::Kind::Fight);  // the third takeover in a row

  fleet.monitor.disconnect(again, Reason::PeerClosed, t0, fleet.effects);
  check_refused(fleet.beat(fleet.open(Requirement::None), {}, "pump-7"), BadInput::TokenId);
  CHECK(fleet.beat(fleet.open(), kSeven, "pump-7").kind == Event::Kind::Joined);
}

TEST_CASE("an id that a client proved by a token is protected where none was required, too") {
  Fleet fleet;
  CHECK(fleet.beat(fleet.open(Requirement::None), kSeven, "pump-7").kind == Event::Kind::Joined);
  check_refused(fleet.beat(fleet.open(Requirement::None), {}, "pump-7"), BadInput::TokenId);
}

TEST_CASE("other tokens close exactly the clients whose line is gone or is not for their id any more") {
  Fleet fleet;
  const ConnId open = fleet.open(Requirement::None);
  const ConnId seven = fleet.open();
  const ConnId nine = fleet.open();
  const ConnId unnamed = fleet.open();
  CHECK(fleet.beat(open, {}, "lamp").kind == Event::Kind::Joined);
  CHECK(fleet.beat(seven, kSeven, "pump-7").kind == Event::Kind::Joined);
  CHECK(fleet.beat(nine, kPump, "pump-9").kind == Event::Kind::Joined);
  CHECK(fleet.beat(unnamed, kPump, "").kind == Event::Kind::Joined);

  fleet.change(kTokens);
  CHECK(fleet.advance().empty());

  const FakeTokens narrower{{{std::string{kSeven}, "pump-7"}, {std::string{kPump}, "pump-1"}}};
  fleet.change(narrower);
  auto closed = fleet.advance();
  REQUIRE(closed.size() == 1);
  CHECK(closed[0].client.view() == "pump-9");
  CHECK(closed[0].reason == Reason::Unauthorized);
  CHECK(closed[0].extra->detail.find("the line of its token \"token-of-all-pumps\" is gone") == 0);

  const FakeTokens without{{{std::string{kPump}, "*"}}};
  fleet.change(without);
  closed = fleet.advance();
  REQUIRE(closed.size() == 1);
  CHECK(closed[0].client.view() == "pump-7");
  CHECK(fleet.monitor.clients().find(open) != nullptr);
  CHECK(fleet.monitor.clients().find(unnamed) != nullptr);
}

TEST_CASE("while there are tokens, nothing that a client sent is quoted") {
  const std::string secret{kPump};
  const std::vector<std::string> bodies{
      R"({"ip":"a","token":")" + secret + R"(","status":"alive")",
      R"({"token":")" + secret + R"(","ip":"a","status":"away"})",
      R"({"token":")" + secret + R"(","ip":5,"status":"alive"})",
      "[\"" + secret + "\"]",
      "\"" + secret + "\"",
      secret + "\xff",
      secret,
      "{\"token\":\"" + secret + "\"} {}",
      R"({"token":")" + secret + R"(","ip":"a","status":")" + secret + "\"}",
      R"({"ip":"a","status":"alive","id":"\n)" + secret + "\"}",
  };
  for (const std::string& body : bodies) {
    for (std::size_t cut = 0; cut < body.size(); ++cut) {
      Fleet fleet;
      const ConnId conn = fleet.open(Requirement::None);
      fleet.effects.clear();
      // As a frame, and as bytes that are none because a length before was wrong.
      const std::string rest = body.substr(cut);
      for (const std::string& bytes : {framed(rest), rest + std::string(64, '.')}) {
        fleet.monitor.receive(conn, bytes, t0, fleet.effects);
        for (const Event& event : fleet.effects.events()) {
          CAPTURE(event.extra->detail);
          for (std::size_t at = 0; at + 6 <= secret.size(); ++at)
            CHECK(event.extra->detail.find(secret.substr(at, 6)) == std::string::npos);
        }
      }
    }
  }
  Fleet fleet;
  const ConnId conn = fleet.open(Requirement::None);
  fleet.effects.clear();
  fleet.monitor.receive(conn, framed(R"({"ip":"a"})"), t0, fleet.effects);
  CHECK(fleet.effects.events().back().extra->detail ==
        "the member 'status' is required, and there is only 'ip'");
}
