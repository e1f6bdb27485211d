// What is said of a run: one line while it goes on, and a table of verdicts at its end.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/sim/behaviour.h"
#include "tools/sim/judge.h"
#include "tools/sim/record.h"

namespace heartbeat::sim {

// `7 of 12 added: 5 alive, 1 leave, 0 kicked, 1 closed; 61 beats`, where `closed` is for any other reason.
// With 20 000 clients and a million beats it has 76 columns.
[[nodiscard]] std::string progress_line(std::span<const Record> records, std::size_t clients);

struct Report {
  struct Row {
    std::size_t clients = 0;
    std::size_t connected = 0;
    std::size_t left = 0;
    std::size_t returned = 0;
    std::size_t closed = 0;
    std::uint64_t beats = 0;
    std::array<std::size_t, 5> verdicts{};  // by Verdict
    std::string not_yet;                    // the first client's
    std::string no_promise;
  };

  std::array<Row, kBehaviourCount> rows;
  std::vector<std::string> told;  // the first broken or excused ones, a line each
  std::size_t untold = 0;
  Millis late_max{0};

  [[nodiscard]] std::size_t count(Verdict verdict) const;
};

// `name` is the prefix that the clients' ids are made of, to name them with.
// Each record is judged by the pace of its kind.
[[nodiscard]] Report make_report(std::span<const Record> records, std::span<const Pace> paces,
                                 const Circumstances& circumstances, std::string_view id_prefix);

// Several lines, with a heading: a row for each behaviour that took part.
[[nodiscard]] std::string table(const Report& report);

}  // namespace heartbeat::sim
