#include "tools/notify/status_files.h"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/descriptor.h"
#include "common/write_all.h"

namespace heartbeat::notify {
namespace {

constexpr Millis kStatusLookEvery{1000};
// A file that is older than some of these is of a notifier that is gone.
constexpr Millis kStatusWriteEvery{10'000};

}  // namespace

StatusFiles::StatusFiles(uv::Loop& loop, const Config& config, std::string status, OnLook on_look)
    : loop_(loop),
      on_look_(std::move(on_look)),
      status_{.path = std::move(status)},
      metrics_{.path = config.metrics},
      follower_(loop, {.journal = config.journal, .control = config.control}, std::nullopt, [] {}),
      timer_(uv::Timer::create(loop, [this] { write(); })) {
  if (!status_.path.empty() || !metrics_.path.empty()) timer_->arm(Millis{1});
}

void StatusFiles::write() {
  while (follower_.next()) continue;
  const std::vector<HookStatus> hooks = on_look_(follower_.cursor() ? follower_.cursor()->seq : 0);
  std::string metrics = metrics_text(hooks);
  if (metrics != last_metrics_ || loop_.now() >= next_write_) {
    replace(status_, status_json(hooks, std::chrono::floor<Millis>(std::chrono::system_clock::now())) + "\n");
    replace(metrics_, metrics);
    last_metrics_ = std::move(metrics);
    next_write_ = loop_.now() + kStatusWriteEvery;
  }
  timer_->arm(kStatusLookEvery);
}

// A reader finds the whole of the old text or of the new one.  Nothing is lost with the machine's power but a
// second.
void StatusFiles::replace(File& file, const std::string& text) {
  if (file.path.empty()) return;
  const std::string beside = file.path + ".new";
  int error = 0;
  {
    const Descriptor made{::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)};
    if (made.get() < 0 || ::fchmod(made.get(), 0644) != 0) error = errno;
    if (error == 0) error = write_all(made.get(), text);
  }
  if (error == 0 && std::rename(beside.c_str(), file.path.c_str()) != 0) error = errno;
  if (error != 0 && !file.is_failing) spdlog::error("cannot write {}: {}", file.path, std::strerror(error));
  file.is_failing = error != 0;
}

}  // namespace heartbeat::notify
