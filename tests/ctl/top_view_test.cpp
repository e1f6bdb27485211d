#include "tools/ctl/top_view.h"

#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "tests/ctl/lines.h"
#include "tools/ctl/text_width.h"

namespace heartbeat::ctl {
namespace {

using Kind = Key::Kind;

void type(TopView& view, std::string_view text) {
  for (const char byte : text) view.press({Kind::Character, byte});
}

TopAnswers answers_of(int clients) {
  TopAnswers answers;
  answers.status =
      Reply::parse(R"({"type":"status","version":"0.1.0","clients":{"alive":200,"leave":3,"max":1000},)"
                   R"("closes":{"silent":1,"goodbye":2},"rule":{"threshold":5,"cursor":3,"recover":5}})");
  for (int number = 1; number <= clients; ++number) {
    answers.clients.push_back(
        std::move(*Reply::parse(R"({"type":"client","name":"pump-)" + std::to_string(number) +
                                R"(","status":"alive","silence":0,"strikes":0,"margin":1})")));
  }
  return answers;
}

// The first words of the lines in the table, without its headings.
std::string names(TopView& view, const TopAnswers& answers) {
  std::string all;
  for (const Line& line : view.lines(answers)) {
    const std::string text = rendered(line, false);
    if (text.starts_with("pump-")) all += text.substr(0, text.find(' ')) + ' ';
  }
  return all;
}

TEST_CASE("q ends it, and nothing else does") {
  TopView view{"margin", ""};
  type(view, "smcn?x");
  CHECK(!view.ended());
  type(view, "q");
  CHECK(view.ended());
}

TEST_CASE("each key sets a sort, and the sort of the command line is the first") {
  TopView view{"connected", ""};
  CHECK(view.query().sort == "connected");
  for (const auto& [key, sort] :
       {std::pair{"s", "silence"}, {"m", "margin"}, {"c", "connected"}, {"n", "name"}}) {
    type(view, key);
    CHECK(view.query().sort == sort);
  }
}

TEST_CASE("a filter is typed, taken with Enter, and may be part of a name") {
  TopView view{"margin", ""};
  type(view, "/pu");
  CHECK(view.query().match.empty());
  CHECK(plain(view.lines(answers_of(1))).find("filter: pu_") != std::string::npos);
  view.press({Kind::Enter});
  CHECK(view.query().match == "*pu*");

  type(view, "/pump-?");
  view.press({Kind::Enter});
  CHECK(view.query().match == "pump-?");
}

TEST_CASE("letters of a filter are no commands, Backspace takes one back, and Escape all") {
  TopView view{"margin", "a*"};
  type(view, "/q\xc3\xbc");
  view.press({Kind::Backspace});
  CHECK(plain(view.lines(answers_of(1))).find("filter: q_") != std::string::npos);
  view.press({Kind::Escape});
  CHECK(!view.ended());
  CHECK(view.query().match == "a*");
  type(view, "/");
  view.press({Kind::Enter});
  CHECK(view.query().match.empty());
}

TEST_CASE("a filter that is half a character is not taken") {
  TopView view{"margin", ""};
  type(view, "/\xc3");
  view.press({Kind::Enter});
  CHECK(view.query().match.empty());
}

TEST_CASE("a filter has a bound") {
  TopView view{"margin", ""};
  type(view, "/" + std::string(200, 'a'));
  view.press({Kind::Enter});
  CHECK(view.query().match == '*' + std::string(128, 'a') + '*');
}

// The row that is chosen, as it is shown.
std::string chosen(TopView& view, const TopAnswers& answers) {
  for (const Line& line : view.lines(answers)) {
    if (!line.empty() && line.front().tone == Tone::Chosen) return line.front().text;
  }
  return {};
}

TEST_CASE("one row is chosen, and the table scrolls so that it is shown") {
  TopView view{"margin", ""};
  view.resize({8, 200});  // a row of totals, one of the sort, four of clients
  const TopAnswers answers = answers_of(8);
  CHECK(names(view, answers) == "pump-1 pump-2 pump-3 pump-4 ");
  CHECK(chosen(view, answers) == "pump-1");
  for (int row = 0; row < 4; ++row) view.press({Kind::Down});
  CHECK(names(view, answers) == "pump-2 pump-3 pump-4 pump-5 ");
  CHECK(chosen(view, answers) == "pump-5");
  view.press({Kind::PageDown});
  CHECK(names(view, answers) == "pump-5 pump-6 pump-7 pump-8 ");
  CHECK(chosen(view, answers) == "pump-8");
  view.press({Kind::Down});
  CHECK(chosen(view, answers) == "pump-8");
  view.press({Kind::PageUp});
  CHECK(names(view, answers) == "pump-4 pump-5 pump-6 pump-7 ");
  CHECK(chosen(view, answers) == "pump-4");
  view.press({Kind::Home});
  view.press({Kind::Up});
  CHECK(names(view, answers) == "pump-1 pump-2 pump-3 pump-4 ");
  CHECK(chosen(view, answers) == "pump-1");
  view.press({Kind::End});
  CHECK(chosen(view, answers) == "pump-8");
}

TEST_CASE("the choice follows its client, and keeps its row when that is gone") {
  TopView view{"margin", ""};
  TopAnswers answers = answers_of(5);
  CHECK(chosen(view, answers) == "pump-1");
  view.press({Kind::Down});
  CHECK(chosen(view, answers) == "pump-2");
  std::swap(answers.clients[1], answers.clients[3]);
  CHECK(chosen(view, answers) == "pump-2");
  answers.clients.erase(answers.clients.begin() + 3);
  CHECK(chosen(view, answers) == "pump-5");  // which is in its row now
}

TEST_CASE("Enter asks for the story of the chosen client and shows it, and Escape leaves it") {
  TopView view{"margin", ""};
  view.resize({24, 80});
  TopAnswers answers = answers_of(3);
  CHECK(chosen(view, answers) == "pump-1");
  view.press({Kind::Down});
  view.press({Kind::Enter});
  CHECK(view.query().story == "pump-2");
  CHECK(plain(view.lines(answers)).find("the story of pump-2 …") != std::string::npos);
  answers.story = Reply::parse(
      R"({"type":"story","client":{"name":"pump-2","status":"alive"},"verdict":"alive with a clean record",)"
      R"("moments":[],"stalls":[]})");
  CHECK(plain(view.lines(answers)).find("alive with a clean record") != std::string::npos);
  type(view, "q");
  CHECK(!view.ended());
  CHECK(view.query().story.empty());
  CHECK(chosen(view, answers) == "pump-2");
}

TEST_CASE("t goes through the statuses that are shown") {
  TopView view{"margin", ""};
  for (const char* const status : {"leave", "alive", ""}) {
    type(view, "t");
    CHECK(view.query().status == status);
  }
  type(view, "t");
  CHECK(plain(view.lines(answers_of(1))).find("sorted by margin, only leave\n") != std::string::npos);
}

TEST_CASE("the heading of the sorted column is marked") {
  TopView view{"margin", ""};
  CHECK(plain(view.lines(answers_of(1))).find("MARGIN↑") != std::string::npos);
  type(view, "s");
  const std::string screen = plain(view.lines(answers_of(1)));
  CHECK(screen.find("HEARD↓") != std::string::npos);
  CHECK(screen.find("MARGIN↑") == std::string::npos);
}

TEST_CASE("it asks for what it shows and a page more, within what a list may have") {
  TopView view{"margin", ""};
  view.resize({8, 200});
  names(view, answers_of(20));
  CHECK(view.query().limit == 9);
  view.press({Kind::PageDown});
  names(view, answers_of(20));
  CHECK(view.query().limit == 13);
  view.press({Kind::End});
  CHECK(view.query().limit == 10'000);
}

// As the daemon of a fleet in trouble words it, with numbers of many digits.
TopAnswers in_a_brake() {
  TopAnswers answers = answers_of(20);
  answers.status = Reply::parse(
      R"({"type":"status","version":"0.1.0","uptime_ms":356400000,)"
      R"("clients":{"alive":18000,"leave":2000,"max":1000000},)"
      R"("heartbeats":{"per_second":{"1":18234.5,"10":18012.3,"60":17999.9}},)"
      R"("totals":{"connected":123456,"refused":1234,"joins":123456,"strikes":123456,"leaves":12345,"returns":12345,)"
      R"("takeovers":1234,"probes":12345,"limited":123},"closes":{"silent":12345},)"
      R"("stalls":{"count":12,"total_ms":123456,"worst_ms":12345,"last_ms":1234,"last":"2026-11-22T09:55:14.570Z"},)"
      R"("loop_lateness_ms":{"p99":12},"memory_bytes":123456789,"descriptors":{"used":20123,"limit":1048576},)"
      R"("brake":{"state":"holding","count":1,"waiting":18000,"last":{"concerned":18000,"clients":20000,)"
      R"("until":"2026-11-22T09:55:14.570Z"}}})");
  return answers;
}

TEST_CASE("at 80 columns no line of the head is cut, and it is said what to do in a brake") {
  TopView view{"margin", ""};
  view.resize({24, 80});
  const std::vector<Line> lines = view.lines(in_a_brake());
  std::string screen;  // what is wrapped is on one line here
  for (const Line& line : lines) {
    const std::string text = rendered(line, false);
    CAPTURE(text);
    CHECK(width_of(text.substr(0, text.size() - 1)) <= 80);
    screen += text.substr(0, text.size() - 1) + ' ';
  }
  for (const char* const part :
       {"alive 18000", "leave 2000", "of 1000000", "17999.9 (60s)", "limited 123", "closes 12345",
        "in all, last 1.2s", "loop p99 12ms", "memory 117.7 MiB", "descriptors 20123 of 1048576",
        "18000 wait", "heartbeatctl", "brake confirm", "brake release", "sorted by margin", "Enter why",
        "q quit"}) {
    CAPTURE(part);
    CHECK(screen.find(part) != std::string::npos);
  }
  CHECK(screen.find("pump-9") != std::string::npos);  // and there is room for clients
}

TEST_CASE("the lines are as many as the screen has, whatever its size") {
  TopView view{"margin", ""};
  const TopAnswers answers = answers_of(100);
  for (const std::size_t rows : {1U, 2U, 4U, 5U, 6U, 7U, 24U, 200U}) {
    CAPTURE(rows);
    view.resize({rows, 40});
    CHECK(view.lines(answers).size() == rows);
    type(view, "?");
    CHECK(view.lines(answers).size() == rows);
    type(view, "?");
  }
}

TEST_CASE("the last line says which are shown, out of how many") {
  TopView view{"margin", ""};
  view.resize({8, 200});
  CHECK(plain(view.lines(answers_of(8))).find("1-4 of 203  q quit") != std::string::npos);
  CHECK(plain(view.lines(answers_of(0))).find("no client  q quit") != std::string::npos);
}

TEST_CASE("a brake that holds is said above the sorting") {
  TopView view{"margin", ""};
  view.resize({9, 200});
  TopAnswers answers = answers_of(2);
  answers.status = Reply::parse(
      R"({"type":"status","brake":{"state":"holding","count":1,"waiting":38,"last":{"concerned":40,)"
      R"("clients":41,"until":"x"}}})");
  CHECK(plain(view.lines(answers))
            .find("closing for silence pauses until x: 38 wait, 40 of 41 clients are concerned") !=
        std::string::npos);
}

TEST_CASE("what is wrong is said, and the last answers stay") {
  TopView view{"margin", ""};
  TopAnswers answers = answers_of(2);
  answers.trouble = "no daemon";
  const std::string screen = plain(view.lines(answers));
  CHECK(screen.find("no daemon") != std::string::npos);
  CHECK(screen.find("pump-2") != std::string::npos);
  CHECK(plain(TopView{"margin", ""}.lines({})).starts_with("heartbeatd\n"));
}

}  // namespace
}  // namespace heartbeat::ctl
