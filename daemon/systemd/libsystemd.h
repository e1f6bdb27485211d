// What the daemon uses of libsystemd, and nothing else of it.
//
// There are two of the implementation, and the build takes one: libsystemd.cpp, and without_libsystemd.cpp
// for systems that have none, where nothing is notified and nothing is ever handed over.
#pragma once

#include <cstddef>
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

// Sends `KEY=value` lines to the service manager; does nothing where none listens.
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

// Whether a service manager listens to notify().
[[nodiscard]] bool has_manager();

// Keeps duplicates of the descriptors, under this name, in the service manager's store: the next process of
// the unit gets them with take_descriptors().  Returns whether the manager was sent them.
[[nodiscard]] bool store(const std::string& name, std::span<const int> descriptors);
// The manager lets go of what it stored under this name.
void forget(const std::string& name);
// Waits until the manager has dealt with all messages that were sent before.  Returns whether it has, in
// time.
[[nodiscard]] bool wait_for_manager(Millis bound);

// What the manager knows of this process's unit, asked over D-Bus; nothing where it cannot be asked.
struct UnitState {
  std::string job;         // that is running: `stop`, `restart` ...; empty if none is
  std::size_t stored = 0;  // descriptors in its store
};
[[nodiscard]] std::optional<UnitState> unit_state();

// Sends one record of `FIELD=value` parts.  Returns whether the journal took it.
[[nodiscard]] bool send_to_journal(std::span<const iovec> fields);

}  // namespace heartbeat::libsystemd
