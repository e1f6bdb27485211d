#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tools/notify/alerts_json.h"
#include "tools/notify/body_json.h"
#include "tools/notify/config.h"
#include "tools/notify/flapping.h"
#include "tools/notify/hold_quiet.h"
#include "tools/notify/hook_state.h"
#include "tools/notify/lasting.h"
#include "tools/notify/signature.h"

namespace heartbeat::notify {
namespace {

constexpr WallTime kNow{Millis{1'790'000'000'000}};

Record event(std::uint64_t seq, const std::string& client, const std::string& kind,
             const std::string& more = "") {
  return {{"b1", seq},
          R"({"type":"event","cursor":"b1:)" + std::to_string(seq) +
              R"(","at":"2026-11-29T06:00:00.000Z","event":")" + kind + R"(","client":")" + client + '"' +
              more + '}'};
}

std::vector<std::string> mistakes_of(const std::string& hook) {
  const auto config = parse_config("[[hook]]\nname = \"ops\"\n" + hook, "notify.toml");
  return config ? std::vector<std::string>{} : config.error();
}

TEST_CASE("the signature is that of the test vector of Standard Webhooks") {
  const auto key = key_of_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  REQUIRE(key);
  CHECK(key->size() == 24);
  CHECK(signature(*key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, R"({"test": 2432232314})") ==
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST_CASE("a secret is whsec_ and 24 to 64 bytes in base64") {
  const auto secret_of = [](std::size_t bytes) {
    std::string text = "whsec_";
    for (std::size_t at = 0; at < bytes / 3; ++at) text += "AAAA";
    return text + (bytes % 3 == 1 ? "AA==" : bytes % 3 == 2 ? "AAA=" : "");
  };
  CHECK(key_of_secret(secret_of(24) + "\n"));
  CHECK(key_of_secret(secret_of(64)));
  CHECK_FALSE(key_of_secret(secret_of(23)));
  CHECK_FALSE(key_of_secret(secret_of(65)));
  CHECK_FALSE(key_of_secret("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
  CHECK_FALSE(key_of_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa!w"));
}

TEST_CASE("each mistake of the file is a sentence with its line") {
  CHECK(mistakes_of("url = \"https://example.org/hook\"\nmatch = \"pump-*\"\nwait = \"0s\"").empty());
  CHECK(mistakes_of("command = [\"/usr/bin/true\", \"-x\"]").empty());
  CHECK(mistakes_of("url = \"http://x/\"\nsecret = [\"a\", \"b\"]\nafter = \"1d\"\nflap = 100").empty());
  CHECK(mistakes_of("url = \"http://x/\"\nafter = \"1s\"\nflap = 2").empty());
  CHECK(mistakes_of("url = \"http://x/\"\ngroup = \"pumps\"\nheld = true").empty());
  CHECK(mistakes_of("url = \"http://x/\"\ngroup = [\"pumps\", \"default\"]").empty());
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"", "notify.toml:1: a hook has one of url, alertmanager and command"},
      {"url = \"ftp://x/\"", "notify.toml:3: url: must begin with http:// or https://"},
      {"url = \"http://x/\"\ncommand = [\"/bin/true\"]",
       "notify.toml:1: a hook has one of url, alertmanager and command"},
      {"command = [\"true\"]", "notify.toml:3: command: the program must be an absolute path"},
      {"url = \"http://x/\"\nevents = [\"leaves\"]", "notify.toml:4: events: there is no event leaves"},
      {"url = \"http://x/\"\nwait = 5", "notify.toml:4: wait: must be a duration in quotes, like \"30s\""},
      {"url = \"http://x/\"\nurls = 5", "notify.toml:4: urls: there is no such setting of a hook"},
      {"alertmanager = \"http://x\"\ndigest = \"1min\"",
       "notify.toml:1: digest: not with alertmanager, which groups alerts itself"},
      {"url = \"http://x/\"\nsecret = \"whsec_MfKQ9r8GKYqr\"",
       "notify.toml:4: secret: must be the name of a credential, not the secret"},
      {"url = \"http://x/\"\nsecret = [\"a\", \"b\", \"c\"]",
       "notify.toml:4: secret: must be one name, or the new one and the old one"},
      {"url = \"http://x/\"\nafter = \"25h\"", "notify.toml:4: after: must be at most 1d"},
      {"url = \"http://x/\"\nafter = \"999ms\"", "notify.toml:4: after: must be at least 1s"},
      {"url = \"http://x/\"\ngroup = []", "notify.toml:4: group: must be a list of texts"},
      {"url = \"http://x/\"\ngroup = [\"\"]",
       "notify.toml:4: group: must be the name of a group, or a list of names"},
      {"url = \"http://x/\"\nheld = \"yes\"", "notify.toml:4: held: must be true or false, without quotes"},
      {"url = \"http://x/\"\nflap = 1", "notify.toml:4: flap: must be a whole number from 2 to 100"},
      {"url = \"http://x/\"\nflap = 101", "notify.toml:4: flap: must be a whole number from 2 to 100"},
      {"url = \"http://x/\"\nflap = \"2\"", "notify.toml:4: flap: must be a whole number from 2 to 100"},
      {"alertmanager = \"http://x\"\nflap = 2",
       "notify.toml:1: flap: not with alertmanager, where an alert fires or does not"}};
  for (const auto& [hook, mistake] : wrong) {
    CAPTURE(hook);
    CHECK(mistakes_of(hook) == std::vector{mistake});
  }
  const std::string hook = "\n[[hook]]\nname = \"a\"\nurl=\"http://x/\"";
  for (const auto& [setting, mistake] : std::vector<std::pair<std::string, std::string>>{
           {"metrics = \"/var/x.txt\"", "f:1: metrics: must be an absolute path that ends with .prom"},
           {"metrics = \"x.prom\"", "f:1: metrics: must be an absolute path that ends with .prom"},
           {"upstream_id = \"10.0.0.7\"", "f:1: upstream_id: must be the id of a client"},
           {"upstream_every = \"99ms\"", "f:1: upstream_every: must be at least 100ms"},
           {"upstream_every = \"3600001ms\"", "f:1: upstream_every: must be at most 1h"}}) {
    CHECK(parse_config(setting + hook, "f").error() == std::vector{mistake});
  }
  CHECK_FALSE(parse_config("upstream = \"other\"" + hook, "f"));
  CHECK(parse_config("upstream = \"other:14000\"\nupstream_every = \"1h\"\nmetrics = \"/var/x.prom\"" + hook,
                     "f"));
  CHECK(parse_config("", "notify.toml").error() ==
        std::vector<std::string>{"notify.toml: there is no [[hook]]"});
  CHECK(parse_config("[[hook]]\nname = \"a\"\nurl=\"http://x/\"\n[[hook]]\nname = \"a\"\nurl=\"http://x/\"",
                     "f")
            .error() == std::vector<std::string>{"f:4: name: another hook is called a"});
}

TEST_CASE("a batch of CloudEvents has each event whole, and a loss in its place") {
  const std::vector<Record> records{event(7, "pump-7", "leave"), {{"b1", 9}, lost_object(2, "b1:8", "b1:9")}};
  CHECK(
      cloudevents(records, "box") ==
      R"([{"specversion":"1.0","id":"b1:7","source":"/heartbeatd/box","type":"io.heartbeatd.client.leave",)"
      R"("subject":"pump-7","time":"2026-11-29T06:00:00.000Z","datacontenttype":"application/json","data":)" +
          records[0].text +
          R"(},{"specversion":"1.0","id":"b1:9","source":"/heartbeatd/box","type":"io.heartbeatd.lost",)"
          R"("datacontenttype":"application/json","data":{"type":"lost","count":2,"from":"b1:8","to":"b1:9"}}])");
  CHECK(plain_events(records) == "{\"events\":[" + records[0].text + ',' + records[1].text + "]}");
  CHECK(event_lines(records) == records[0].text + '\n' + records[1].text + '\n');
}

TEST_CASE("a digest says how many, what they have in common and twenty names") {
  Digest digest;
  for (std::uint64_t seq = 1; seq <= 100; ++seq) {
    const std::string host = seq <= 95 ? "10.0.0." + std::to_string(seq) : "192.0.2.1";
    const Record record = event(seq, "pump-" + std::to_string(seq), "leave",
                                R"(,"reason":"silent","peer":")" + host + R"(:4000")");
    digest.add(facts_of(record.text), record.cursor);
  }
  digest.add_loss(3);
  const std::string object = digest.object();
  CAPTURE(object);
  CHECK(object.find(
            "100 events: 100 leave; 95 of 100 came from 10.0.0.0/24; 100 of 100 have the reason silent; "
            "3 events are missing") != std::string::npos);
  CHECK(object.find("\"pump-20\"]") != std::string::npos);
  CHECK(object.find(R"("from":"b1:1","to":"b1:100")") != std::string::npos);
  Digest mixed;  // no cause is named where there is none
  for (std::uint64_t seq = 1; seq <= 10; ++seq) {
    const Record record = event(seq, "a", "leave", R"(,"peer":"10.0.)" + std::to_string(seq) + R"(.1:4000")");
    mixed.add(facts_of(record.text), record.cursor);
  }
  CHECK(mixed.object().find("came from") == std::string::npos);
}

TEST_CASE("an alert fires for a client that is lost, and ends when it is back") {
  AlertBook book{{{"team", "pumps"}}};
  const std::string fired = book.apply({event(1, "pump-7", "joined"), event(2, "pump-7", "leave")}, kNow);
  CHECK(fired.find(R"({"alertname":"HeartbeatClientLost","client":"pump-7","team":"pumps"})") !=
        std::string::npos);
  CHECK(fired.find(R"("endsAt":"2026-09-21T14:23:20.000Z")") != std::string::npos);
  CHECK(book.count() == 1);
  CHECK(book.firing(kNow) == fired);

  AlertBook next{{{"team", "pumps"}}};
  next.load(book.save());
  CHECK(next.firing(kNow) == fired);
  const std::string ended = next.apply({event(3, "pump-7", "return")}, kNow);
  CHECK(ended.find(R"("endsAt":"2026-11-29T06:00:00.000Z")") != std::string::npos);
  CHECK(next.count() == 0);
  CHECK(next.firing(kNow).empty());
  CHECK(next.apply({event(4, "pump-7", "joined")}, kNow).empty());
}

TEST_CASE("a client that the daemon closed still fires, and one that said goodbye does not") {
  AlertBook book{{}};
  CHECK(book.apply({event(1, "a", "leave"), event(2, "a", "close", R"(,"by":"daemon")")}, kNow) != "");
  CHECK(book.count() == 1);
  CHECK(book.apply({event(3, "a", "close", R"(,"by":"client")")}, kNow) != "");
  CHECK(book.count() == 0);
}

TEST_CASE("the alerts of one hook have a bound") {
  AlertBook book{{}};
  std::vector<Record> records;
  for (std::uint64_t seq = 1; seq <= AlertBook::kFiringMax + 1; ++seq) {
    records.push_back(event(seq, std::to_string(seq), "leave"));
  }
  static_cast<void>(book.apply(records, kNow));
  CHECK(book.count() == AlertBook::kFiringMax);
}

// --- what lasts -------------------------------------------------------------------------------------------

// The events of a journal, each at its own instant, and which of them are delivered with `after`.
class Told {
 public:
  explicit Told(Millis after) : lasting_(after) {}

  Told& at(Millis instant, const std::string& client, const std::string& kind, const std::string& reason = "",
           const std::string& by = "daemon") {
    now_ = kNow + instant;
    pop();
    Lasting::Entry entry{.cursor = {"b1", ++seq_}};
    entry.facts = {.event = kind, .client = client, .reason = reason, .by = by, .at = format_instant(now_)};
    lasting_.add(std::move(entry), now_);
    pop();
    return *this;
  }

  // The numbers of the events that are delivered up to this instant.
  std::vector<std::uint64_t> until(Millis instant) {
    now_ = kNow + instant;
    pop();
    return told_;
  }

  // What the next process does with this one's state, and the journal behind the last event that has passed.
  Told next_process() {
    Told next{Millis{120'000}};
    next.lasting_.load_forgiven(lasting_.forgiven());
    next.seq_ = seq_;
    return next;
  }

 private:
  void pop() {
    while (auto entry = lasting_.next(now_)) {
      if (!entry->did_not_last) told_.push_back(entry->cursor.seq);
    }
  }

  Lasting lasting_;
  WallTime now_ = kNow;
  std::uint64_t seq_ = 0;
  std::vector<std::uint64_t> told_;
};

using Numbers = std::vector<std::uint64_t>;
constexpr Millis kMinute{60'000};

class Held {
 public:
  bool leaves_out(const std::string& kind, bool held, const std::string& reason = "",
                  const std::string& by = "") {
    return quiet_.leaves_out(
        {.event = kind, .client = "a", .reason = reason, .by = by, .on_hold = held ? "new pump" : ""});
  }

  HoldQuiet quiet_;
};

TEST_CASE("what a client does on hold is left out, and its comeback after the hold as well") {
  Held events;
  CHECK(events.leaves_out("leave", true));
  CHECK(events.leaves_out("strike", true));
  CHECK(events.leaves_out("return", false));
  CHECK_FALSE(events.leaves_out("leave", false));
  CHECK_FALSE(events.leaves_out("return", false));
}

TEST_CASE("a client that is still gone when its hold ends is told of, and so is its comeback") {
  Held events;
  CHECK(events.leaves_out("leave", true));
  CHECK_FALSE(events.leaves_out("close", false, "silent", "daemon"));
  CHECK_FALSE(events.leaves_out("joined", false));
}

TEST_CASE("a comeback on hold ends a loss that was told before the hold") {
  Held events;
  CHECK_FALSE(events.leaves_out("leave", false));
  CHECK_FALSE(events.leaves_out("return", true));
  CHECK(events.leaves_out("close", true, "goodbye", "client"));
}

TEST_CASE("the next process knows whose loss was left out") {
  Held events;
  CHECK(events.leaves_out("leave", true));
  Held next;
  next.quiet_.load(events.quiet_.clients());
  CHECK(next.leaves_out("return", false));
  CHECK(next.quiet_.clients().empty());
}

TEST_CASE("of more clients on hold than can be known the comeback is told") {
  HoldQuiet quiet;
  const auto tell = [&](const std::string& kind, std::size_t client) {
    return quiet.leaves_out({.event = kind, .client = std::to_string(client), .on_hold = "repair"});
  };
  for (std::size_t client = 0; client <= HoldQuiet::kClientsMax; ++client) CHECK(tell("leave", client));
  CHECK(quiet.clients().size() == HoldQuiet::kClientsMax);
  CHECK(tell("return", HoldQuiet::kClientsMax - 1));
  CHECK_FALSE(tell("return", HoldQuiet::kClientsMax));
}

TEST_CASE("a leave that lasts is told when it has lasted, to the millisecond, and its return later") {
  Told told{2 * kMinute};
  told.at(Millis{0}, "a", "leave");
  CHECK(told.until(2 * kMinute - Millis{1}) == Numbers{});
  CHECK(told.until(2 * kMinute) == Numbers{1});
  told.at(3 * kMinute, "a", "return");
  CHECK(told.until(5 * kMinute - Millis{1}) == Numbers{1});
  CHECK(told.until(5 * kMinute) == Numbers{1, 2});
}

TEST_CASE("a leave that ends a millisecond before it has lasted is not told, and neither is its return") {
  Told told{2 * kMinute};
  told.at(Millis{0}, "a", "leave").at(2 * kMinute - Millis{1}, "a", "return");
  CHECK(told.until(60 * kMinute) == Numbers{});
  Told lasted{2 * kMinute};
  lasted.at(Millis{0}, "a", "leave").at(2 * kMinute, "a", "return");
  CHECK(lasted.until(60 * kMinute) == Numbers{1, 2});
}

TEST_CASE("another client's return takes nothing out, and the next leave of the same client is told") {
  Told told{2 * kMinute};
  told.at(Millis{0}, "a", "leave").at(kMinute, "b", "return").at(kMinute, "a", "return");
  told.at(kMinute, "a", "leave").at(4 * kMinute, "a", "return");
  CHECK(told.until(60 * kMinute) == Numbers{2, 4, 5});
}

TEST_CASE("a client that comes back after its close was told for its leave is told of") {
  // The leave was delivered long ago; the comeback takes out the close in its place, but must be delivered
  // itself.
  Told told{2 * kMinute};
  told.at(Millis{0}, "a", "leave").at(30 * kMinute, "a", "close", "silent").at(31 * kMinute, "a", "joined");
  CHECK(told.until(60 * kMinute) == Numbers{1, 3});
}

TEST_CASE("a goodbye after a short leave is told, and the leave is not") {
  Told told{2 * kMinute};
  told.at(Millis{0}, "a", "leave").at(kMinute, "a", "close", "goodbye", "client");
  CHECK(told.until(60 * kMinute) == Numbers{2});
  Told broken{2 * kMinute};  // a connection that broke is no comeback
  broken.at(Millis{0}, "a", "leave").at(kMinute, "a", "close", "reset", "client");
  CHECK(broken.until(60 * kMinute) == Numbers{1, 2});
}

TEST_CASE("the next process does not tell of a comeback whose loss was taken out") {
  Told told{2 * kMinute};
  told.at(Millis{0}, "a", "leave").at(kMinute, "a", "return");
  CHECK(told.until(2 * kMinute) == Numbers{});  // the leave has passed, the return waits
  Told next = told.next_process();
  next.at(kMinute, "a", "return").at(5 * kMinute, "a", "leave").at(9 * kMinute, "a", "return");
  CHECK(next.until(60 * kMinute) == Numbers{4, 5});
}

TEST_CASE("a notifier that reads late judges by the instants of the events") {
  for (const Millis early : {Millis{0}, Millis{1}}) {
    Lasting lasting{kMinute};
    const auto add = [&](std::uint64_t seq, const char* kind, WallTime at) {
      lasting.add({.cursor = {"b1", seq}, .facts = {.event = kind, .client = "a", .at = format_instant(at)}},
                  kNow + 9 * kMinute);
    };
    add(1, "leave", kNow);
    add(2, "return", kNow + kMinute - early);
    for (int each = 0; each < 2; ++each) {
      const auto entry = lasting.next(kNow + 9 * kMinute);
      REQUIRE(entry);
      CHECK(entry->did_not_last == (early > Millis{0}));
    }
  }
}

TEST_CASE("without `after` every event passes at once") {
  Told told{Millis{0}};
  told.at(Millis{0}, "a", "leave").at(Millis{0}, "a", "return");
  CHECK(told.until(Millis{0}) == Numbers{1, 2});
}

TEST_CASE("what waits for its time has a bound") {
  Lasting lasting{kMinute};
  for (std::size_t at = 0; at + 1 < Lasting::kWaitingMax; ++at) lasting.add({}, kNow);
  CHECK_FALSE(lasting.is_full());
  lasting.add({}, kNow);
  CHECK(lasting.is_full());
  CHECK(lasting.next(kNow + kMinute));
  CHECK_FALSE(lasting.is_full());
}

// --- what flaps -------------------------------------------------------------------------------------------

EventFacts change(const std::string& client, const std::string& kind) {
  return {.event = kind, .client = client};
}

TEST_CASE("more changes than allowed within ten minutes are one notice, and then silence until it is calm") {
  using Verdict = Flapping::Verdict;
  Flapping flapping{3};
  const auto judge = [&](Millis at, const char* kind) {
    return flapping.judge(change("a", kind), {"b1", static_cast<std::uint64_t>(at.count())}, kNow + at);
  };
  CHECK(judge(Millis{1}, "leave") == Verdict::Tell);
  CHECK(judge(Millis{2}, "return") == Verdict::Tell);
  CHECK(judge(Millis{3}, "leave") == Verdict::Tell);
  CHECK(judge(Millis{4}, "strike") == Verdict::Tell);  // no change
  CHECK(flapping.judge(change("b", "leave"), {}, kNow) == Verdict::Tell);
  CHECK(judge(Millis{5}, "return") == Verdict::Begins);
  CHECK(judge(Millis{6}, "leave") == Verdict::Silent);
  CHECK(judge(Millis{7}, "close") == Verdict::Silent);
  const WallTime calm_at = kNow + Millis{7} + Flapping::kWindow;
  CHECK(flapping.calm(calm_at - Millis{1}) == nullptr);
  REQUIRE(flapping.calm(calm_at) != nullptr);
  CHECK(calm_object(*flapping.calm(calm_at)).find("a is calm after 6 changes, the last one close") !=
        std::string::npos);
  Flapping next{3};  // the next process
  next.load(flapping.clients());
  REQUIRE(next.calm(calm_at) != nullptr);
  CHECK(next.calm(calm_at)->cursor == JournalCursor{"b1", 7});
  next.forget("a");
  CHECK(next.calm(calm_at) == nullptr);
  CHECK(next.judge(change("a", "leave"), {}, calm_at) == Verdict::Tell);
}

TEST_CASE("a change counts for ten minutes, to the millisecond") {
  for (const Millis late : {Millis{-1}, Millis{0}}) {
    Flapping flapping{2};
    CHECK(flapping.judge(change("a", "leave"), {}, kNow) == Flapping::Verdict::Tell);
    CHECK(flapping.judge(change("a", "return"), {}, kNow + Millis{1}) == Flapping::Verdict::Tell);
    const auto third = flapping.judge(change("a", "leave"), {}, kNow + Flapping::kWindow + late);
    CHECK((third == Flapping::Verdict::Begins) == (late < Millis{0}));
  }
}

TEST_CASE("the clients whose changes are counted have a bound, and room comes when they are calm") {
  Flapping flapping{2};
  for (std::size_t each = 0; each < Flapping::kClientsMax; ++each) {
    CHECK(flapping.judge(change(std::to_string(each), "leave"), {}, kNow) == Flapping::Verdict::Tell);
  }
  for (int times = 0; times < 5; ++times) {
    CHECK(flapping.judge(change("one more", "leave"), {}, kNow) == Flapping::Verdict::Tell);
    CHECK(flapping.find("one more") == nullptr);
  }
  const WallTime later = kNow + Flapping::kWindow;
  static_cast<void>(flapping.judge(change("one more", "leave"), {}, later));
  static_cast<void>(flapping.judge(change("one more", "return"), {}, later));
  CHECK(flapping.judge(change("one more", "leave"), {}, later) == Flapping::Verdict::Begins);
}

TEST_CASE("the state of a hook is the same when it is read back") {
  HookState state;
  state.cursor = {"b1", 7};
  state.batch = {.id = "ops-b1-8",
                 .body = "{\"a\":\"\\u2028\"}\n",
                 .first = {"b1", 8},
                 .end = {"b1", 9},
                 .at = "2026-11-29T06:00:00.000Z",
                 .events = 2,
                 .calm = "x"};
  state.failing_since_ms = 1'790'000'000'000;
  state.lost = 3;
  state.lost_from = "b1:1";
  state.lost_to = "b1:3";
  state.forgiven = {"a", "\"b\""};
  state.held = {"c"};
  state.flapping = {{"f", 9, "leave", kNow, {"b1", 6}}};
  const HookState read = hook_state_of(to_json(state));
  CHECK(to_json(read) == to_json(state));
  CHECK(read.batch->body == state.batch->body);
  CHECK(read.flapping.front().last_at == kNow);
  CHECK_FALSE(hook_state_of("no object").batch);
  CHECK_FALSE(hook_state_of(to_json(HookState{})).batch);
}

TEST_CASE("a command's environment has the members of a single event, printable, and the count of more") {
  const Record one = event(7, "pump-7", "leave", R"(,"reason":"silent","peer":"10.0.0.5:4000")");
  CHECK(environment_of(event_lines({one})) ==
        std::vector<std::string>{"HEARTBEAT_COUNT=1", "HEARTBEAT_EVENT=leave", "HEARTBEAT_CLIENT=pump-7",
                                 "HEARTBEAT_REASON=silent", "HEARTBEAT_PEER=10.0.0.5:4000",
                                 "HEARTBEAT_AT=2026-11-29T06:00:00.000Z"});
  CHECK(environment_of(event_lines({one, one})) == std::vector<std::string>{"HEARTBEAT_COUNT=2"});
  const Record hostile = event(8, R"(a\n$(x)\u0000\u202e)", "leave");
  CHECK(environment_of(event_lines({hostile}))[2] == R"(HEARTBEAT_CLIENT=a\n$(x)\x00\xe2\x80\xae)");
  const Record lost{{"b1", 9}, lost_object(2, "b1:8", "b1:9")};
  CHECK(environment_of(event_lines({lost})) ==
        std::vector<std::string>{"HEARTBEAT_COUNT=1", "HEARTBEAT_EVENT=lost"});
}

}  // namespace
}  // namespace heartbeat::notify
