// heartbeatctl availability
#include "tools/ctl/availability.h"

#include <cstdio>

#include "common/glob.h"
#include "common/json_writer.h"
#include "tools/ctl/commands/all.h"
#include "tools/ctl/exit_code.h"
#include "tools/ctl/journal_files.h"
#include "tools/ctl/parameters.h"
#include "tools/ctl/table.h"
#include "tools/ctl/time_text.h"

namespace heartbeat::ctl::commands {
namespace {

constexpr std::uint64_t kDaysDefault = 30;
constexpr std::uint64_t kDaysMax = 3660;
constexpr std::int64_t kDay = 24LL * 60 * 60 * 1000;

// A daemon writes a mark each minute: with none for twice as long there is none.
constexpr Millis kMarkLate{120'000};

constexpr std::size_t kNameLeast = 12;

std::string percent(const Availability& of) {
  const auto share = of.share();
  if (!share) return {};
  std::array<char, 32> text{};
  // Cut, not rounded: 100.000 % is a client that was never away.
  const auto thousandths = static_cast<long long>(*share * 100'000.0);
  std::snprintf(text.data(), text.size(), "%lld.%03lld%%", thousandths / 1000, thousandths % 1000);
  return text.data();
}

class AvailabilityCommand final : public Command {
 public:
  void declare(Parameters& parameters) override {
    parameters.count("--days", "Of the last so many days [30]", days_);
    parameters.glob("--match", "Only clients with such a name", match_);
    parameters.flag("--csv", "Print comma-separated values", csv_);
    declare_journal(parameters, journal_);
  }

  [[nodiscard]] std::string contradiction(const Options& options) const override {
    if (days_ && *days_ > kDaysMax) return "--days: at most " + std::to_string(kDaysMax);
    if (!match_.empty() && !Glob::compile(match_)) return "--match: " + Glob::compile(match_).error();
    return csv_ && options.json ? "--csv: not with --json" : std::string{};
  }

  Outcome run(Session& /*session*/, const Output& output) override {
    const Millis now = wall_clock_now();
    const Millis length{static_cast<std::int64_t>(days_.value_or(kDaysDefault)) * kDay};
    Millis last{0};
    bool has_ended = false;
    // Up to the last line where the daemon runs: later than that nothing is known yet.
    auto look = read_journal(journal_, [&](const Reply& line, std::uint64_t) {
      last = std::max(last, parse_instant(line.object().text("at")).value_or(Millis{0}));
      has_ended = line.type() == "end";
    });
    if (!look) return look;
    const bool is_watching = !has_ended && now - last <= kMarkLate;
    AvailabilityCount count{now - length, is_watching ? last : now};
    auto read = read_journal(journal_, [&](const Reply& line, std::uint64_t) {
      if (const auto fact = fact_of(line.object())) count.add(*fact);
    });
    if (!read) return read;
    return show(count.finish(is_watching), output);
  }

 private:
  [[nodiscard]] Outcome show(const std::map<std::string, Availability>& all, const Output& output) const {
    const auto glob = Glob::compile(match_.empty() ? "*" : match_);
    Table table{{{"NAME", 0, kNameLeast},
                 {"AVAILABLE", 1, 0, Align::Right},
                 {"ALIVE", 2, 0, Align::Right},
                 {"LEAVE", 3, 0, Align::Right},
                 {"CLOSED", 4, 0, Align::Right},
                 {"UNKNOWN", 5, 0, Align::Right},
                 {"LEAVES", 6, 0, Align::Right},
                 {"CLOSES", 7, 0, Align::Right}}};
    std::string text;
    if (csv_) {
      text = csv_line({"client", "available_percent", "alive_ms", "leave_ms", "closed_ms", "unknown_ms",
                       "leaves", "closes"});
    }
    std::size_t listed = 0;
    for (const auto& [name, of] : all) {
      if (!glob || !glob->matches(name)) continue;
      ++listed;
      if (output.json()) {
        append_json(text, name, of);
      } else if (csv_) {
        std::string share = percent(of);
        if (!share.empty()) share.pop_back();
        text += csv_line({name, share, std::to_string(of.alive.count()), std::to_string(of.leave.count()),
                          std::to_string(of.closed.count()), std::to_string(of.unknown.count()),
                          std::to_string(of.leaves), std::to_string(of.closes)});
      } else {
        table.add({{name, Tone::Strong},
                   {percent(of)},
                   {span_text(of.alive)},
                   {span_text(of.leave)},
                   {span_text(of.closed)},
                   {span_text(of.unknown)},
                   {std::to_string(of.leaves)},
                   {std::to_string(of.closes)}});
      }
    }
    if (listed == 0) return tl::unexpected(Failure{kNo, {"no client in the event journal matches"}});
    std::fwrite(text.data(), 1, text.size(), stdout);
    if (text.empty()) output.print(table.take(output.width()));
    return {};
  }

  static void append_json(std::string& text, const std::string& name, const Availability& of) {
    JsonWriter json{text};
    json.begin_object();
    json.add("type", "availability");
    json.add("client", name);
    if (const auto share = of.share()) json.add("available_percent", *share * 100.0);
    json.add("alive_ms", of.alive);
    json.add("leave_ms", of.leave);
    json.add("closed_ms", of.closed);
    json.add("unknown_ms", of.unknown);
    json.add("leaves", of.leaves);
    json.add("closes", of.closes);
    json.end_object();
    text += '\n';
  }

  std::optional<std::uint64_t> days_;
  std::string match_;
  std::string journal_;
  bool csv_ = false;
};

}  // namespace

Made make_availability() {
  return std::make_unique<AvailabilityCommand>();
}

}  // namespace heartbeat::ctl::commands
