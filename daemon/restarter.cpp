#include "daemon/restarter.h"

#include <cstring>
#include <utility>

#include <spdlog/spdlog.h>
#include <sysexits.h>

#include "common/os/memory_file.h"
#include "common/os/unnamed_file.h"
#include "common/text.h"
#include "common/uv/guard.h"
#include "common/uv/machine.h"
#include "daemon/restart/handover.h"

namespace heartbeat {
namespace {

constexpr std::size_t kOutputMax = 64UL * 1024;

// What a program wrote, on one line.
std::string words_of(int output) {
  std::string text = os::read_memory_file(output, kOutputMax).value_or("it wrote too much");
  while (text.ends_with('\n')) text.pop_back();
  std::string words;
  for (const char each : text) each == '\n' ? words.append("; ") : words.append(1, each);
  return words.empty() ? "it does not say why" : escaped(words);
}

}  // namespace

Restarter::Restarter(uv::Loop& loop, Invocation program, std::function<void()> on_refused)
    : loop_(loop),
      program_(std::move(program)),
      on_refused_(std::move(on_refused)),
      timeout_(uv::Timer::create(loop, [this] {
        is_late_ = true;
        if (process_ != nullptr) process_->kill();
      })) {}

void Restarter::begin() {
  if (attempt_.under_way) return;
  if (!uv::guarded([this] { ask(); })) refuse("out of memory");
}

void Restarter::ask() {
  attempt_ = {.under_way = true};
  is_late_ = false;
  if (program_.path.empty()) return refuse("the path of this program is not known; start it by its path");
  auto output = os::unnamed_file();
  if (!output) return refuse(std::strerror(output.error()));
  output_ = std::move(*output);
  std::vector<std::string> arguments = program_.arguments;
  arguments.emplace_back("--can-restore");
  arguments.push_back(std::to_string(Handover::kReadableBy));
  auto process = uv::Process::start(loop_, program_.path, std::move(arguments), output_.get(),
                                    [this](int exit_code, int signal) { answered(exit_code, signal); });
  if (!process) return refuse(program_.path + " cannot be run: " + uv::describe(process.error()));
  process_ = std::move(*process);
  timeout_->arm(kAnswerMax);
}

void Restarter::answered(int exit_code, int signal) {
  timeout_->disarm();
  process_.reset();
  const Descriptor output = std::exchange(output_, Descriptor{-1});
  if (!is_late_ && signal == 0 && exit_code == EX_OK) {
    is_due_ = true;
    return loop_.stop();
  }
  std::string why = "out of memory";
  uv::guarded([&] { why = refusal(exit_code, signal, output.get()); });
  refuse(why);
}

std::string Restarter::refusal(int exit_code, int signal, int output) const {
  if (is_late_) return program_.path + " did not answer in time";
  if (signal != 0) return program_.path + " was ended by signal " + std::to_string(signal);
  return program_.path + " refuses (exit code " + std::to_string(exit_code) + "): " + words_of(output);
}

// If not even the reason finds memory, the next attempt is possible all the same.
void Restarter::refuse(const std::string& why) {
  is_due_ = false;
  attempt_ = {};
  attempt_.error = why;
  spdlog::error("restart refused: {}; the daemon goes on as before", why);
  on_refused_();
}

}  // namespace heartbeat
