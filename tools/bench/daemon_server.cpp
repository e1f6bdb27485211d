#include "tools/bench/daemon_server.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include <sys/mman.h>
#include <unistd.h>

#include "tools/bench/trouble.h"
#include "tools/ctl/connection.h"
#include "tools/ctl/json_reply.h"

namespace heartbeat::bench {
namespace {

// For an answer, and for the start: a machine that is busy is not a failure.
constexpr Millis kAnswerMax{30'000};

// What a connection costs is asked, and not how many a second are let in.
std::vector<std::string> command_of(const DaemonOptions& options, const std::string& control) {
  std::vector<std::string> command{options.program,
                                   "--listen",
                                   "127.0.0.1:0",
                                   "--control",
                                   control,
                                   "--backlog",
                                   std::to_string(options.backlog),
                                   "--accept-rate",
                                   "0",
                                   "--log-level",
                                   "info",
                                   "--log-target",
                                   "stderr"};
  command.insert(command.end(), options.flags.begin(), options.flags.end());
  return command;
}

// Sends a request on a connection of its own and hands over each object of the answer, the last one too.
// The connection is closed again, so that the daemon has no operator while it is measured.
template <class Each>
void ask(const std::string& control, std::string_view request, Each each) {
  const auto deadline = ctl::in(kAnswerMax);
  auto connection = ctl::Connection::open(control, deadline);
  if (!connection) throw Trouble{"the control socket: " + connection.error().text};
  if (const auto sent = connection->send(request, deadline); !sent) {
    throw Trouble{"the control socket: " + sent.error().text};
  }
  for (;;) {
    const auto body = connection->receive(deadline);
    if (!body) throw Trouble{"the control socket: " + body.error().text};
    const auto reply = ctl::Reply::parse(*body);
    if (!reply || reply->type() == "error")
      throw Trouble{"the control socket answered " + std::string{*body}};
    each(*reply);
    if (reply->type() == "done") return;
  }
}

std::int64_t number(const ctl::Object& object, const char* name) {
  return object.number(name).value_or(0);
}

template <class Read>
void read_status(const std::string& control, Read read) {
  ask(control, R"({"command":"status"})", [&](const ctl::Reply& reply) {
    if (reply.type() == "status") read(reply.object());
  });
}

}  // namespace

Folder::Folder() {
  const char* const given = std::getenv("TMPDIR");
  path_ = given != nullptr && *given != '\0' ? given : "/tmp";
  path_ += "/heartbeat-bench-XXXXXX";
  if (mkdtemp(path_.data()) == nullptr) throw system_trouble("cannot make the folder " + path_);
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

DaemonServer::DaemonServer(const DaemonOptions& options, int core)
    : control_(folder_.path() + "/control.sock"), log_(memfd_create("log", MFD_CLOEXEC)) {
  process_ = std::make_unique<Process>(command_of(options, control_), core, std::vector<int>{}, log_.get());
  wait_for_start();
}

void DaemonServer::wait_for_start() {
  const Nanos limit = monotonic_now() + kAnswerMax;
  while (!std::filesystem::exists(control_)) {
    if (process_->has_ended() || monotonic_now() > limit) {
      throw Trouble{"the daemon did not start; it said:\n" + log()};
    }
    wait_until(monotonic_now() + std::chrono::milliseconds{5}, false);
  }
  read_status(control_, [&](const ctl::Object& status) {
    for (const std::string& at : status.texts("listening")) {
      if (const auto endpoint = parse_endpoint(at)) address_ = *endpoint;
    }
  });
  if (address_.port == 0) throw Trouble{"the daemon listens nowhere"};
}

Handled DaemonServer::handled() {
  Handled handled;
  read_status(control_, [&](const ctl::Object& status) {
    const auto total = [](std::int64_t value) { return static_cast<std::uint64_t>(value); };
    handled.accepted = total(number(status.object("totals"), "connected"));
    for (const auto& [reason, closes] : status.object("closes").numbers()) handled.closed += total(closes);
    handled.heartbeats = total(number(status.object("heartbeats"), "total"));
  });
  return handled;
}

Lateness DaemonServer::verdict_lateness() const {
  Lateness lateness;
  read_status(control_, [&](const ctl::Object& status) {
    const ctl::Object told = status.object("verdict_lateness_ms");
    lateness = {.count = number(told, "count"),
                .p50 = number(told, "p50"),
                .p99 = number(told, "p99"),
                .max = number(told, "max")};
  });
  return lateness;
}

std::int64_t DaemonServer::stalls() const {
  std::int64_t stalls = 0;
  read_status(control_,
              [&](const ctl::Object& status) { stalls = number(status.object("stalls"), "count"); });
  return stalls;
}

std::uint64_t DaemonServer::list_all() const {
  std::uint64_t clients = 0;
  std::string cursor;
  do {
    std::string request = R"({"command":"clients","limit":10000)";
    if (!cursor.empty()) request += R"(,"cursor":")" + cursor + '"';
    request += '}';
    cursor.clear();
    ask(control_, request, [&](const ctl::Reply& reply) {
      if (reply.type() == "client") ++clients;
      if (reply.type() == "done") cursor = reply.object().text("next");
    });
  } while (!cursor.empty());
  return clients;
}

std::string DaemonServer::log() const {
  std::string text;
  std::array<char, 4096> part;
  off_t at = 0;
  for (ssize_t got = 0; (got = pread(log_.get(), part.data(), part.size(), at)) > 0; at += got) {
    text.append(part.data(), static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace heartbeat::bench
