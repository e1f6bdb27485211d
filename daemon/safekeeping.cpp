#include "daemon/safekeeping.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/os/socket.h"
#include "common/uv/guard.h"
#include "daemon/restart/exec.h"
#include "daemon/systemd/handed_sockets.h"
#include "daemon/systemd/service_manager.h"

namespace heartbeat {
namespace {

std::string name_of(std::string_view kind, std::uint64_t number) {
  return std::string{kind} + std::to_string(number);
}

// Of a state file, by its name; 0 where the name has none.
std::uint64_t number_of_state(std::string_view name) {
  name.remove_prefix(kKeptState.size());
  std::uint64_t number = 0;
  std::from_chars(name.data(), name.data() + name.size(), number);
  return number;
}

void forget_all(auto& names) {
  for (const std::string& name : names) ServiceManager::forget(name);
  names.clear();
}

}  // namespace

Safekeeping::Safekeeping(Server& server, std::function<Snapshot()> take_snapshot)
    : server_(server), take_snapshot_(std::move(take_snapshot)) {}

// The manager compares descriptors, and would not store a listening socket a second time under another name.
// The next state file has a name that none of these has: letting go of one of theirs would let go of it, too.
void Safekeeping::inherit(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    (name.starts_with(kKeptSocket) ? listening_names_ : earlier_).insert(name);
    if (name.starts_with(kKeptState)) number_ = std::max(number_, number_of_state(name));
  }
}

void Safekeeping::begin() {
  is_on_ = fill_bags_anew() && begin_file(Writer::ThisProcess);
  forget_all(earlier_);
}

void Safekeeping::after_turn(MonoTime machine_now) {
  machine_now_ = machine_now;
  if (!is_on_) {
    if (next_try_ == MonoTime{} || machine_now < next_try_) return;
    return begin();
  }
  is_on_ = put_into_bags(server_.share_new_sockets()) && (!bags_are_worn(machine_now) || fill_bags_anew()) &&
           renew_file();
}

bool Safekeeping::leave() {
  const bool has_left = (is_on_ ? put_into_bags(server_.share_new_sockets()) : fill_bags_anew()) &&
                        begin_file({.number = number_ + 1, .is_planned = true}, Writer::ThisProcess) &&
                        ServiceManager::has_stored(1 + bag_names_.size() + listening_names_.size());
  if (!has_left) {
    forget();
    return false;
  }
  server_.leave_connections();
  return true;
}

void Safekeeping::forget() {
  is_on_ = false;
  server_.log_calls(nullptr);
  forget(std::move(file_before_));
  forget(std::move(file_));
  forget_all(bag_names_);
  bags_ = SocketBags{};
  forget_all(listening_names_);
  forget_all(earlier_);
}

// --- the clients' sockets ---------------------------------------------------------------------------------

bool Safekeeping::put_into_bags(const std::vector<int>& sockets) {
  if (const int error = bags_.put(sockets); error != 0) {
    give_up("the clients' sockets", error);
    return false;
  }
  for (std::size_t bag = bag_names_.size(); bag < bags_.bags().size(); ++bag) {
    const int receiving = bags_.bags()[bag].get();
    bag_names_.push_back(name_of(kKeptBag, os::socket_cookie(receiving)));
    ServiceManager::store(bag_names_.back(), receiving);
  }
  return true;
}

bool Safekeeping::fill_bags_anew() {
  filled_at_ = machine_now_;
  const SocketBags before = std::exchange(bags_, SocketBags{});
  std::vector<std::string> names = std::exchange(bag_names_, {});
  const bool are_full = put_into_bags(server_.share_all_sockets());
  forget_all(names);
  return are_full;
}

// Every ended connection is a socket of the kernel until its bag is let go of.
bool Safekeeping::bags_are_worn(MonoTime machine_now) const {
  const std::size_t open = server_.monitor().clients().size();
  const std::size_t ended = bags_.size() - std::min(bags_.size(), open);
  if (ended > std::max(limits::kEndedInBagsMin, open / 2) || bag_names_.size() > limits::kBagsMax)
    return true;
  return ended > 0 && machine_now - filled_at_ >= limits::kBagsKeptFor;
}

// --- state ------------------------------------------------------------------------------------------------

bool Safekeeping::renew_file() {
  if (fork_ != 0 && waitpid(fork_, nullptr, WNOHANG) == fork_) {
    fork_ = 0;
    if (!file_->file.has_handover()) return begin_file(Writer::ThisProcess);
    forget(std::move(file_before_));
  }
  const CallLog& log = file_->file.log();
  if (log.is_broken()) return begin_file(Writer::ThisProcess);
  return fork_ != 0 || log.room() >= log.size() / 4 || begin_file(Writer::Fork);
}

// The files before are let go of when this one is whole.
bool Safekeeping::begin_file(const StateFile::Label& label, Writer writer) {
  const std::size_t clients = server_.monitor().clients().size();
  const std::size_t log_size =
      label.is_planned ? 0 : std::max(limits::kCallLogMin, clients * limits::kCallLogPerClient);
  auto made = StateFile::create(label, server_.turn_state().clock, log_size);
  if (!made) {
    give_up("the state", made.error());
    return false;
  }
  auto next = std::make_unique<Stored>(Stored{std::move(*made), name_of(kKeptState, label.number)});
  number_ = label.number;
  ServiceManager::store(next->name, next->file.descriptor());
  server_.log_calls(label.is_planned ? nullptr : &next->file.log());
  std::unique_ptr<Stored> last = std::exchange(file_, std::move(next));
  if (writer == Writer::Fork && fork_to_write_state()) {
    file_before_ = std::move(last);
    return true;
  }
  const int error = write_state();
  forget(std::move(file_before_));
  forget(std::move(last));
  if (error != 0) give_up("the state", error);
  return error == 0;
}

int Safekeeping::write_state() {
  int error = ENOMEM;
  uv::guarded([&] {
    const Snapshot now = take_snapshot_();
    store_listening(now.listening);
    error = file_->file.write(write_handover(now.handover));
  });
  return error;
}

// The sockets to listen at are those of the file before: a change of them breaks its log off.
bool Safekeeping::fork_to_write_state() {
  const SignalsBlocked blocked;  // in the other process for good: signals are for this one
  const pid_t process = ::fork();
  if (process == 0) {
    const bool has_memory = uv::guarded(
        [this] { static_cast<void>(file_->file.write(write_handover(take_snapshot_().handover))); });
    ::_exit(has_memory ? 0 : 1);
  }
  if (process > 0) fork_ = process;
  return process > 0;
}

void Safekeeping::forget(std::unique_ptr<Stored> stored) {
  if (stored != nullptr) ServiceManager::forget(stored->name);
}

void Safekeeping::store_listening(const std::vector<int>& sockets) {
  std::set<std::string> before = std::exchange(listening_names_, {});
  for (const int socket : sockets) {
    const std::string name = name_of(kKeptSocket, os::socket_cookie(socket));
    if (before.erase(name) == 0) ServiceManager::store(name, socket);
    listening_names_.insert(name);
  }
  forget_all(before);
}

void Safekeeping::give_up(const char* what, int error) {
  spdlog::error(
      "{} cannot be kept for the next process ({}): a crash would close every client; tried again in {} s",
      what, std::strerror(error), limits::kSafekeepingRetry.count() / 1000);
  forget();
  next_try_ = machine_now_ + limits::kSafekeepingRetry;
}

}  // namespace heartbeat
