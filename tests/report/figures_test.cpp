// The table of figures against the documents that explain it.  That `status` and /metrics have every row,
// their own tests hold.
#include "daemon/report/figures.h"

#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "tests/control/support/desk.h"

using namespace heartbeat;

namespace {

std::string document(const char* name) {
  const std::ifstream file{std::string{HEARTBEAT_SOURCE_DIR "/docs/"} + name};
  std::ostringstream text;
  text << file.rdbuf();
  REQUIRE_FALSE(text.str().empty());
  return text.str();
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// The row of the table of `status` that begins with this member; empty where there is none.
std::string row_of(const std::string& text, std::string_view member) {
  const std::size_t section = text.find("### `status`");
  const std::size_t end = text.find("### `clients`");
  const std::string table = text.substr(section, end - section);
  std::istringstream lines{table};
  for (std::string line; std::getline(lines, line);) {
    const std::string first = line.substr(0, line.find('|', 1));
    if (has(first, "`" + std::string{member} + "`")) return line;
  }
  return {};
}

}  // namespace

TEST_CASE("docs/control.md has every figure that the status has, in the row of its group") {
  const std::string text = document("control.md");
  for (const Figure& figure : all_figures()) {
    if (figure.member.empty()) continue;
    const std::string member{figure.member};
    CAPTURE(std::string{figure.group});
    CAPTURE(member);
    const std::string row =
        row_of(text, figure.group.empty() ? figure.member : figure.group.substr(0, figure.group.find('.')));
    CHECK(has(row, "`" + member + "`"));
  }
  for (const LatenessFigure& figure : all_lateness_figures()) {
    if (!figure.member.empty()) CHECK_FALSE(row_of(text, figure.member).empty());
  }
}

TEST_CASE("docs/operating.md has every metric, by its name or by the family it belongs to") {
  const std::string text = document("operating.md");
  const auto explains = [&](const std::string& metric) {
    if (has(text, "`" + metric)) return true;
    for (const std::string family : {"heartbeatd_http_", "process_"}) {
      if (metric.starts_with(family) && has(text, "`" + family + "*`")) return true;
    }
    // `heartbeatd_connections_total`, `_joins_total`
    const std::string prefix = "heartbeatd_";
    return metric.starts_with(prefix) && has(text, "`_" + metric.substr(prefix.size()) + "`");
  };
  for (const Figure& figure : all_figures()) {
    CAPTURE(std::string{figure.metric});
    if (!figure.metric.empty()) CHECK(explains(std::string{figure.metric}));
  }
  for (const LatenessFigure& figure : all_lateness_figures()) CHECK(explains(std::string{figure.metric}));
}

TEST_CASE("no two figures have one place, and rows of one metric follow one another") {
  std::set<std::pair<std::string_view, std::string_view>> members;
  std::set<std::string_view> metrics;
  std::string_view last;
  for (const Figure& figure : all_figures()) {
    CAPTURE(std::string{figure.member});
    CAPTURE(std::string{figure.metric});
    CHECK_FALSE((figure.member.empty() && figure.metric.empty()));
    if (!figure.member.empty()) CHECK(members.emplace(figure.group, figure.member).second);
    if (!figure.metric.empty() && figure.metric != last) CHECK(metrics.insert(figure.metric).second);
    if (!figure.metric.empty()) last = figure.metric;
  }
}

TEST_CASE("a figure is what the daemon counts at that moment") {
  test::Desk desk;
  const auto joins = [&] {
    for (const Figure& figure : all_figures()) {
      if (figure.member == "joins") return std::get<std::uint64_t>(figure.value(desk.figures()));
    }
    return std::uint64_t{0};
  };
  CHECK(joins() == 0);
  desk.join("pump-7");
  CHECK(joins() == 1);
}
