#include "daemon/journal_options.h"

#include <cstdlib>
#include <string_view>

namespace heartbeat {
namespace {

// systemd sets it for StateDirectory=; of several directories the first is the daemon's.
std::string directory_of(const Config& config) {
  if (!config.events_directory.empty()) return config.events_directory;
  const char* const state = std::getenv("STATE_DIRECTORY");  // NOLINT(concurrency-mt-unsafe): nothing sets it
  if (state == nullptr || *state == '\0') return {};
  const std::string_view all{state};
  return std::string{all.substr(0, all.find(':'))} + "/events";
}

EventJournal::Sync sync_of(const Config& config) {
  if (config.events_sync == "no") return EventJournal::Sync::Never;
  return config.events_sync == "each" ? EventJournal::Sync::EachWrite : EventJournal::Sync::EachSecond;
}

}  // namespace

EventJournal::Options journal_options(const Config& config) {
  return {.directory = directory_of(config),
          .strikes = config.events_strikes == "yes",
          .sync = sync_of(config),
          .bounds = {.keep = config.events_keep, .bytes = std::uint64_t{config.events_max} * 1024 * 1024}};
}

}  // namespace heartbeat
