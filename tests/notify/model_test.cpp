#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tools/notify/alerts_json.h"
#include "tools/notify/body_json.h"
#include "tools/notify/config.h"
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
       "notify.toml:4: secret: must be the name of a credential, not the secret"}};
  for (const auto& [hook, mistake] : wrong) {
    CAPTURE(hook);
    CHECK(mistakes_of(hook) == std::vector{mistake});
  }
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

}  // namespace
}  // namespace heartbeat::notify
