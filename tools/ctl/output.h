// Standard output: lines that fit the terminal, with colour where it is wanted, or JSON.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "tools/ctl/json_reply.h"
#include "tools/ctl/styled.h"

namespace heartbeat::ctl {

class Output {
 public:
  // Colour and a width only where standard output is a terminal: COLUMNS, else what the terminal says.
  // No colour where NO_COLOR has a value (no-color.org), or on a terminal that calls itself dumb.
  explicit Output(bool json);

  [[nodiscard]] bool json() const { return json_; }
  [[nodiscard]] std::optional<std::size_t> width() const { return width_; }

  // A reader of the output waits for nothing else: what was printed is flushed when these return.
  void print(const std::vector<Line>& lines) const;
  void print(const Reply& reply) const;

  // Whether everything printed could be written.
  [[nodiscard]] static bool good();

 private:
  bool json_;
  bool colour_ = false;
  std::optional<std::size_t> width_;
};

// Whether NO_COLOR asks for none.
[[nodiscard]] bool colour_is_unwanted();

}  // namespace heartbeat::ctl
