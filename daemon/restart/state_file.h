// The memory file that the next process begins from: the handover, and the calls of the monitor since.
//
// The handover may be written after the first calls, by another process that has a copy of the writer's
// memory from before them.  Until then the file goes on from the one before it, whose handover is there.
//
// The file outlives the process that writes it, if another process has it open.  Its writer may be killed
// between any two stores, so the calls are read as far as they are committed (core/call_log.h).
//
// The file counts how often a process has begun to take it over.  A process that crashes while it does so
// would otherwise be followed by others that crash alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "common/descriptor.h"
#include "daemon/core/call_log.h"

namespace heartbeat {

class StateFile {
 public:
  // Of the files of one daemon, over all of its processes, the one with the highest number is the newest.
  struct Label {
    std::uint64_t number = 0;
    bool is_planned = false;  // the writer ends because it is restarted, and made no call since
  };

  // Without a handover yet.  `clock`: as of the handover.  `log_size`: bytes for calls, of which the machine
  // lends what is used.  The error is of errno.
  [[nodiscard]] static tl::expected<StateFile, int> create(const Label& label,
                                                           const ListeningClock::State& clock,
                                                           std::size_t log_size);
  ~StateFile();
  StateFile(StateFile&& other) noexcept;
  StateFile& operator=(StateFile&&) = delete;
  StateFile(const StateFile&) = delete;
  StateFile& operator=(const StateFile&) = delete;

  // Returns 0 or an error of errno.  In any process that has the file mapped.
  [[nodiscard]] int write(std::string_view handover);
  [[nodiscard]] bool has_handover() const;

  [[nodiscard]] int descriptor() const { return file_.get(); }
  [[nodiscard]] CallLog& log() { return log_; }

 private:
  StateFile(Descriptor file, std::span<std::byte> mapped);

  Descriptor file_;
  std::span<std::byte> mapped_;
  CallLog log_;
};

// What a process left in such a file.
struct LeftState {
  static constexpr unsigned kAttemptsMax = 3;

  StateFile::Label label{};
  unsigned attempts = 0;   // to take it over, with this one
  std::string handover{};  // empty: it was not written yet
  CallLog::Head head{};
  std::string calls{};  // that are committed
};

// The number of such a file; 0 if it is none, or of another version's format.
[[nodiscard]] std::uint64_t state_file_number(int descriptor);
// Counts an attempt.  The error is a sentence.
[[nodiscard]] tl::expected<LeftState, std::string> read_state_file(int descriptor);

}  // namespace heartbeat
