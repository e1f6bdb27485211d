#include "tools/ctl/commands/all.h"

#include <array>

namespace heartbeat::ctl {
namespace {

using namespace commands;

constexpr std::array kAll{
    CommandRow{"status", "How the daemon is: settings in force, totals, its own stalls", make_status},
    CommandRow{"clients", "The clients that are connected", make_clients},
    CommandRow{"closed", "The clients that are gone, the one closed last first: when and why", make_closed},
    CommandRow{"why", "The story of one client, connected or among the last that were closed", make_why},
    CommandRow{"history", "Every event of one client in the event journal, also while no daemon runs",
               make_history},
    CommandRow{"availability", "How long each client was alive, in leave and gone, from the event journal",
               make_availability},
    CommandRow{"hooks", "How the deliveries of heartbeat-notify are doing", make_hooks},
    CommandRow{"roster", "The clients that are expected and not connected", make_roster},
    CommandRow{"settings", "Each setting with its value and where that comes from", make_settings},
    CommandRow{"watch", "Each change as it happens, until interrupted", make_watch},
    CommandRow{"top", "A live table of clients, for a terminal (q quits)", make_top},
#ifdef HEARTBEAT_FLEET
    CommandRow{"fleet", "What all daemons of a fleet have, as their relays publish it in Redis", make_fleet},
#endif
    CommandRow{"kick", "Close clients", make_kick},
    CommandRow{"brake", "End the brake on mass closing while it holds (see status)", make_brake},
    CommandRow{"forget", "Forget closed clients that will not come back", make_forget},
    CommandRow{"drain", "Have all clients connect elsewhere, so many a second, and take no new ones",
               make_drain},
    CommandRow{"hold", "Keep clients from being closed for silence while they are worked on", make_hold},
    CommandRow{"release", "End such a hold before its time", make_release},
    CommandRow{"log-level", "Change what the daemon logs", make_log_level},
    CommandRow{"token", "Make a token for a client, and its line for the daemon's file of tokens",
               make_token},
    CommandRow{"reload", "Have the configuration file read again", make_reload},
    CommandRow{"restart", "Have the installed program take the daemon's place; every client stays connected",
               make_restart},
};

}  // namespace

std::span<const CommandRow> all_commands() {
  return kAll;
}

}  // namespace heartbeat::ctl
