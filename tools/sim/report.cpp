#include "tools/sim/report.h"

#include <algorithm>
#include <cstdio>

#include "common/limits.h"

namespace heartbeat::sim {
namespace {

std::size_t& count_of(Report::Row& row, Verdict verdict) {
  return row.verdicts.at(static_cast<std::size_t>(verdict));
}

bool was_kicked(const Record& record) {
  return record.closed.happened() &&
         (record.closed.reason == Reason::Silent || record.closed.reason == Reason::Away);
}

void add(Report::Row& row, const Record& record, const Judgement& judgement) {
  ++row.clients;
  row.connected += record.connected() ? 1 : 0;
  row.left += record.left.happened() ? 1 : 0;
  row.returned += record.returned.happened() ? 1 : 0;
  row.closed += record.closed.happened() ? 1 : 0;
  row.beats += record.beats;
  ++count_of(row, judgement.verdict);
  if (judgement.verdict == Verdict::NotYet && row.not_yet.empty()) row.not_yet = judgement.why;
  if (judgement.verdict == Verdict::NoPromise) row.no_promise = judgement.why;
}

std::string verdict_of(const Report::Row& row) {
  const auto number = [&](Verdict verdict) { return row.verdicts.at(static_cast<std::size_t>(verdict)); };
  if (number(Verdict::Kept) == row.clients) return "ok";
  std::string text;
  const auto add_part = [&](Verdict verdict, const char* words, const std::string& why = {}) {
    if (number(verdict) == 0) return;
    text.append(text.empty() ? "" : "; ").append(std::to_string(number(verdict))).append(words);
    if (!why.empty()) text.append(": ").append(why);
  };
  add_part(Verdict::Broken, " BROKEN");
  add_part(Verdict::Excused, " excused");
  add_part(Verdict::Kept, " ok");
  add_part(Verdict::NotYet, " waiting", row.not_yet);
  add_part(Verdict::NoPromise, " without a promise", row.no_promise);
  return text;
}

std::string table_line(std::string_view name, const std::array<std::string, 6>& cells,
                       const std::string& last) {
  std::string line{name};
  line.resize(std::max<std::size_t>(line.size(), 10), ' ');
  for (const std::string& cell : cells) {
    line.append(cell.size() < 10 ? 10 - cell.size() : 1, ' ').append(cell);
  }
  return line + "  " + last + "\n";
}

}  // namespace

std::string progress_line(std::span<const Record> records, std::size_t clients) {
  std::size_t connected = 0;
  std::size_t leave = 0;
  std::size_t kicked = 0;
  std::size_t closed = 0;
  std::uint64_t beats = 0;
  for (const Record& record : records) {
    beats += record.beats;
    if (record.closed.happened()) {
      ++(was_kicked(record) ? kicked : closed);
    } else if (record.connected()) {
      ++connected;
      leave += record.status == Status::Leave ? 1 : 0;
    }
  }
  const auto text = [](auto number) { return std::to_string(number); };
  return text(records.size()) + " of " + text(clients) + " added: " + text(connected - leave) + " alive, " +
         text(leave) + " leave, " + text(kicked) + " kicked, " + text(closed) + " closed; " + text(beats) +
         " beats";
}

std::size_t Report::count(Verdict verdict) const {
  std::size_t sum = 0;
  for (const Row& row : rows) sum += row.verdicts.at(static_cast<std::size_t>(verdict));
  return sum;
}

Report make_report(std::span<const Record> records, std::span<const Pace> paces,
                   const Circumstances& circumstances, std::string_view id_prefix) {
  Report report;
  for (std::size_t index = 0; index < records.size(); ++index) {
    const Record& record = records[index];
    const Judgement judgement = judge(record, paces[record.kind], circumstances);
    add(report.rows.at(static_cast<std::size_t>(record.behaviour)), record, judgement);
    report.late_max = std::max(report.late_max, record.late_max);

    if (judgement.verdict != Verdict::Broken && judgement.verdict != Verdict::Excused) continue;
    if (report.told.size() == limits::kViolationsTold) {
      ++report.untold;
      continue;
    }
    std::string line = judgement.verdict == Verdict::Broken ? "broken: " : "excused: ";
    line.append(to_string(record.behaviour)).append(" client ").append(id_prefix).append("-");
    report.told.push_back(line + std::to_string(index) + " " + judgement.why);
  }
  return report;
}

std::string table(const Report& report) {
  std::string text =
      table_line("behaviour", {"clients", "connected", "beats", "leave", "returned", "closed"}, "verdict");
  for (std::size_t index = 0; index < kBehaviourCount; ++index) {
    const Report::Row& row = report.rows.at(index);
    if (row.clients == 0) continue;
    text += table_line(to_string(static_cast<Behaviour>(index)),
                       {std::to_string(row.clients), std::to_string(row.connected), std::to_string(row.beats),
                        std::to_string(row.left), std::to_string(row.returned), std::to_string(row.closed)},
                       verdict_of(row));
  }
  return text;
}

}  // namespace heartbeat::sim
