#include "daemon/events/known_clients_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "common/descriptor.h"
#include "common/duration.h"
#include "common/limits.h"
#include "common/uv/machine.h"
#include "common/write_all.h"
#include "daemon/events/known_clients_json.h"

namespace heartbeat {
namespace {

// Looked at in one turn: some hundred microseconds.
constexpr std::uint32_t kSlotsATurn = 1024;

}  // namespace

struct KnownClientsFile::Job {
  std::string path;
  std::string piece;
  bool is_first = false;
  bool is_last = false;
  Descriptor file{-1};
  int error = 0;

  [[nodiscard]] std::string new_path() const { return path + ".new"; }

  int write() {
    if (is_first) {
      file = Descriptor{::open(new_path().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640)};
      if (file.get() < 0) return errno;
    }
    if (const int failed = write_all(file.get(), piece); failed != 0) return failed;
    if (!is_last) return 0;
    if (::fsync(file.get()) != 0) return errno;
    file = Descriptor{-1};
    return std::rename(new_path().c_str(), path.c_str()) == 0 ? 0 : errno;
  }
};

KnownClientsFile::KnownClientsFile(uv::Loop& loop, std::string directory, std::string boot, Millis first)
    : loop_(loop),
      directory_(std::move(directory)),
      boot_(std::move(boot)),
      job_(std::make_shared<Job>()),
      next_(loop.now() + first),
      writing_(loop) {
  job_->path = directory_ + '/' + kKnownClientsName;
}

void KnownClientsFile::after_turn(const Monitor& monitor) {
  if (directory_.empty() || writing_.is_running()) return;
  if (!is_walking_ && loop_.now() >= next_) begin(monitor);
  if (is_walking_) go_on(monitor);
}

void KnownClientsFile::begin(const Monitor& monitor) {
  next_ = loop_.now() + limits::kKnownClientsEvery;
  is_walking_ = true;
  slot_ = 0;
  piece_.clear();
  job_->is_first = true;
  append_list_begin(piece_, boot_, monitor.state().events_told, uv::wall_time(loop_));
}

void KnownClientsFile::go_on(const Monitor& monitor) {
  const Registry& clients = monitor.clients();
  const std::uint32_t end = clients.slots() - slot_ > kSlotsATurn ? slot_ + kSlotsATurn : clients.slots();
  for (; slot_ < end; ++slot_) {
    const Client* const client = clients.at(slot_);
    if (client == nullptr || client->id.empty()) continue;
    append_known_client(piece_, {.name = std::string{client->id.view()},
                                 .peer = to_string(client->peer),
                                 .status = client->liveness.status(),
                                 .away = client->away,
                                 .group = std::string{monitor.group_name_of(*client)}});
  }
  // Clients of before this run are known as long as they are missing.
  const bool is_last = slot_ >= clients.slots();
  if (is_last) {
    monitor.missing().for_each([&](const ClosedClient& missing) {
      append_known_client(piece_, {.name = std::string{missing.name.view()},
                                   .peer = to_string(missing.peer),
                                   .status = missing.status,
                                   .away = missing.away,
                                   .group = std::string{missing.group.view()}});
    });
  }
  if (is_last || piece_.size() >= limits::kKnownClientsPiece) write_piece(is_last);
}

void KnownClientsFile::write_piece(bool is_last) {
  std::swap(job_->piece, piece_);
  piece_.clear();
  job_->is_last = is_last;
  const auto work = [job = job_] { job->error = job->write(); };
  writing_.start(work, [this] {
    job_->is_first = false;
    if (job_->error != 0) {
      if (!std::exchange(has_failed_, true)) {
        spdlog::warn("the list of known clients cannot be written to {}: {}; it is tried again in {}",
                     job_->path, std::strerror(job_->error), format_duration(limits::kKnownClientsEvery));
      }
      is_walking_ = false;
      job_->file = Descriptor{-1};
    } else if (job_->is_last) {
      has_failed_ = false;
      is_walking_ = false;
    }
  });
}

}  // namespace heartbeat
