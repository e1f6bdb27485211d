#include "daemon/report/saved_report.h"

#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "common/limits.h"
#include "common/tagged_fields.h"

namespace heartbeat {
namespace {

// A tag is never used again for another meaning.
enum Tag : std::uint16_t { kTransitions = 1, kCloses = 2, kReloads = 3, kAgreed = 4, kStep = 5 };

constexpr std::array kStatuses{Status::Alive, Status::Leave, Status::Close};
constexpr std::array kParties{Party::Client, Party::Daemon, Party::Operator};

// The numbers of a record by their tags, 1 to 4; 0 for one that is absent.  The word has tag 5.
struct Row {
  std::array<std::uint64_t, 5> numbers{};
  std::string_view word;

  explicit Row(std::string_view record) {
    FieldReader fields{record};
    while (const auto field = fields.next()) {
      if (field->tag < numbers.size()) numbers.at(field->tag) = field->number().value_or(0);
      if (field->tag == 5) word = field->value;
    }
  }

  [[nodiscard]] MonoTime instant(std::size_t tag) const { return MonoTime{length(tag)}; }
  [[nodiscard]] Millis length(std::size_t tag) const {
    return Millis{static_cast<std::int64_t>(numbers.at(tag))};
  }
};

std::optional<Reason> reason_of(std::string_view word) {
  for (const ReasonFacts& facts : kReasons) {
    if (facts.word == word) return facts.reason;
  }
  return {};
}

void write_transitions(FieldWriter& fields, const Tally& tally, Status from, Status to) {
  for (const ReasonFacts& facts : kReasons) {
    const std::uint64_t count = tally.transitions(from, to, facts.reason);
    if (count == 0) continue;
    fields.record(kTransitions, [&](FieldWriter& row) {
      row.number(1, static_cast<std::uint64_t>(from));
      row.number(2, static_cast<std::uint64_t>(to));
      row.number(3, count);
      row.bytes(5, facts.word);
    });
  }
}

void write_closes(FieldWriter& fields, const Tally& tally, Party by) {
  for (const ReasonFacts& facts : kReasons) {
    const std::uint64_t count = tally.closes(facts.reason, by);
    if (count == 0) continue;
    fields.record(kCloses, [&](FieldWriter& row) {
      row.number(1, static_cast<std::uint64_t>(by));
      row.number(3, count);
      row.bytes(5, facts.word);
    });
  }
}

void add_transitions(Tally& tally, const Row& row) {
  const auto reason = reason_of(row.word);
  if (!reason || row.numbers[1] >= kStatuses.size() || row.numbers[2] >= kStatuses.size()) return;
  tally.add_transitions(kStatuses.at(row.numbers[1]), kStatuses.at(row.numbers[2]), *reason, row.numbers[3]);
}

void add_closes(Tally& tally, const Row& row) {
  const auto reason = reason_of(row.word);
  if (!reason || row.numbers[1] >= kParties.size()) return;
  tally.add_closes(*reason, kParties.at(row.numbers[1]), row.numbers[3]);
}

}  // namespace

std::string save_report(const Tally& tally, const Reloads& reloads, const WallClock& clock) {
  std::string out;
  FieldWriter fields{out};
  for (const Status from : kStatuses) {
    for (const Status to : kStatuses) write_transitions(fields, tally, from, to);
  }
  for (const Party by : kParties) write_closes(fields, tally, by);
  fields.record(kReloads, [&](FieldWriter& row) {
    row.number(1, reloads.done);
    row.number(2, reloads.refused);
    row.number(3, reloads.last_refused ? 1 : 0);
  });
  const WallClock::State state = clock.state();
  fields.record(kAgreed, [&](FieldWriter& row) {
    row.number(1, static_cast<std::uint64_t>(state.agreed.since_origin().count()));
  });
  for (const WallClock::Step& step : state.steps) {
    fields.record(kStep, [&](FieldWriter& row) {
      row.number(1, static_cast<std::uint64_t>(step.from.since_origin().count()));
      row.number(2, static_cast<std::uint64_t>(step.ahead.count()));
    });
  }
  return out;
}

void restore_report(std::string_view bytes, Tally& tally, Reloads& reloads, WallClock& clock) {
  WallClock::State state;
  FieldReader fields{bytes};
  while (const auto field = fields.next()) {
    const Row row{field->value};
    switch (field->tag) {
      case kTransitions: add_transitions(tally, row); break;
      case kCloses: add_closes(tally, row); break;
      case kReloads:
        reloads = {.done = row.numbers[1], .refused = row.numbers[2], .last_refused = row.numbers[3] != 0};
        break;
      case kAgreed: state.agreed = row.instant(1); break;
      case kStep:
        if (state.steps.size() < limits::kWallStepsMax)
          state.steps.push_back({row.instant(1), row.length(2)});
        break;
      default: break;
    }
  }
  if (!state.steps.empty()) clock = WallClock{std::move(state)};
}

}  // namespace heartbeat
