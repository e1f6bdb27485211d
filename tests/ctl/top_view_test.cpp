#include "tools/ctl/top_view.h"

#include <doctest/doctest.h>

#include "tests/ctl/lines.h"

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

TEST_CASE("a key a sort, beginning with the one that was asked for") {
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
  CHECK(view.query().match == '*' + std::string(64, 'a') + '*');
}

TEST_CASE("the table scrolls by rows and pages, and stops at its ends") {
  TopView view{"margin", ""};
  view.resize({9, 80});  // three rows of clients
  const TopAnswers answers = answers_of(8);
  CHECK(names(view, answers) == "pump-1 pump-2 pump-3 ");
  view.press({Kind::Down});
  CHECK(names(view, answers) == "pump-2 pump-3 pump-4 ");
  view.press({Kind::PageDown});
  CHECK(names(view, answers) == "pump-5 pump-6 pump-7 ");
  view.press({Kind::PageDown});
  CHECK(names(view, answers) == "pump-6 pump-7 pump-8 ");
  view.press({Kind::PageUp});
  CHECK(names(view, answers) == "pump-3 pump-4 pump-5 ");
  view.press({Kind::Home});
  view.press({Kind::Up});
  CHECK(names(view, answers) == "pump-1 pump-2 pump-3 ");
}

TEST_CASE("it asks for what it shows and a page more, within what a list may have") {
  TopView view{"margin", ""};
  view.resize({9, 80});
  CHECK(view.query().limit == 7);
  view.press({Kind::PageDown});
  CHECK(view.query().limit == 10);
  view.press({Kind::End});
  CHECK(view.query().limit == 10'000);
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
  view.resize({9, 80});
  CHECK(plain(view.lines(answers_of(8))).find("1-3 of 203  q quit") != std::string::npos);
  CHECK(plain(view.lines(answers_of(0))).find("no client  q quit") != std::string::npos);
}

TEST_CASE("a brake that holds is said in the place of the sorting") {
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
