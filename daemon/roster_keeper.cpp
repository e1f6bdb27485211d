#include "daemon/roster_keeper.h"

#include <new>
#include <utility>

#include <spdlog/spdlog.h>
#include <tl/expected.hpp>

#include "common/text.h"
#include "daemon/config/config_file.h"

namespace heartbeat {
namespace {

// How often a step is compared once the roster is in force: what an event that was lost left wrong is mended
// within minutes.
constexpr Millis kLookEvery{1000};

tl::expected<std::unique_ptr<Attendance>, std::string> read_roster(const std::string& path) {
  const auto text = read_config_file(path, Reading::Again, kRosterFileMax);
  if (!text) return tl::unexpected(text.error());
  auto roster = Roster::parse(*text);
  if (!roster) return tl::unexpected(escaped(path) + ": " + roster.error());
  return std::make_unique<Attendance>(std::move(*roster));
}

}  // namespace

struct RosterKeeper::Outcome {
  tl::expected<std::unique_ptr<Attendance>, std::string> read = nullptr;
};

void RosterKeeper::read(const std::string& path) {
  path_ = path;
  is_asked_again_ = reading_.is_running();
  if (is_asked_again_) return;
  if (path.empty()) {
    in_force_.reset();
    next_.reset();
    error_.clear();
    return;
  }
  auto outcome = std::make_shared<Outcome>();
  const auto work = [path, outcome] {
    try {
      outcome->read = read_roster(path);
    } catch (const std::bad_alloc&) {
      outcome->read = nullptr;
    }
  };
  reading_.start(work, [this, outcome] { take(*outcome); });
}

void RosterKeeper::take(Outcome& outcome) {
  if (is_asked_again_ || path_.empty()) return read(path_);
  error_ = !outcome.read              ? outcome.read.error()
           : *outcome.read == nullptr ? "the daemon is out of memory"
                                      : "";
  if (!error_.empty()) {
    spdlog::error("roster: {}; the roster of before stays in force", error_);
    return;
  }
  next_ = std::move(*outcome.read);
}

void RosterKeeper::note(const Event& event) noexcept {
  if (in_force_ != nullptr) in_force_->note(event);
  if (next_ != nullptr) next_->note(event);
}

void RosterKeeper::after_turn(const Registry& clients, MonoTime now) noexcept {
  if (next_ != nullptr) {
    next_->look(clients);
    if (!next_->is_complete()) return;
    in_force_ = std::move(next_);
    spdlog::info("roster file={} ids={}", log_value(path_), in_force_->roster().ids().size());
  }
  if (in_force_ == nullptr || now < next_look_) return;
  in_force_->look(clients);
  next_look_ = now + kLookEvery;
}

std::optional<RosterFigures> RosterKeeper::figures() const {
  if (in_force_ == nullptr && error_.empty()) return {};
  return RosterFigures{.file = path_,
                       .expected = in_force_ == nullptr ? 0 : in_force_->roster().ids().size(),
                       .missing = in_force_ == nullptr ? 0 : in_force_->missing(),
                       .error = error_};
}

}  // namespace heartbeat
