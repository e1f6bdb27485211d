// What the daemon uses of libsystemd, and nothing else of it.
//
// There are two of the implementation, and the build takes one: libsystemd.cpp, and without_libsystemd.cpp
// for systems that have none, where nothing is there to be told and nothing is ever handed over.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <sys/uio.h>

#include "common/mono_time.h"

namespace heartbeat::libsystemd {

// For --version: `libsystemd 252`, `without libsystemd`.
[[nodiscard]] std::string version();

// Whether there is a journal to write to, as far as the build goes.
[[nodiscard]] bool has_journal();

// Tells the service manager `KEY=value` lines.  Where none listens, nobody is told.
void notify(const std::string& lines);

// How often the service manager wants to hear WATCHDOG=1 at least; nothing where it does not watch.
[[nodiscard]] std::optional<Millis> watchdog();

// An open descriptor that the service manager passed, now the caller's to close.
struct NamedDescriptor {
  int descriptor;
  std::string name;
};

// Taken once: the variables that announce them are gone from the environment afterwards.
[[nodiscard]] std::vector<NamedDescriptor> take_descriptors();

// Sends one record of `FIELD=value` parts.  Returns whether the journal took it.
[[nodiscard]] bool send_to_journal(std::span<const iovec> fields);

}  // namespace heartbeat::libsystemd
