#include "tools/client/client.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <utility>

#include <sysexits.h>
#include <unistd.h>
#include <uv.h>

#include "common/cadence.h"
#include "common/duration.h"
#include "common/limits.h"
#include "common/text.h"
#include "common/uv/address.h"
#include "tools/client/outcome.h"
#include "tools/client/wording.h"
#include "tools/door/door.h"
#include "tools/door/stream.h"

namespace heartbeat::client {
namespace {

void complain(const std::string& what) {
  std::fprintf(stderr, "heartbeat-client: %s\n", what.c_str());
}

std::string name_of(const HostPort& where) {
  const bool v6 = where.host.find(':') != std::string::npos;
  return (v6 ? "[" + where.host + "]" : where.host) + ":" + std::to_string(where.port);
}

}  // namespace

class Connection final : public door::Stream {
 public:
  Connection(uv::Loop& loop, Client& client, std::shared_ptr<const tls::Context> context, std::string preface)
      : Stream(loop, std::move(context), std::move(preface)), client_(client) {}

 private:
  void on_open(int error) override { client_.connected(error); }
  void on_plain(std::string_view bytes) override { client_.received(bytes); }
  void on_end(int error) override { client_.lost(error); }

  Client& client_;
};

Client::Client(uv::Loop& loop, Options options, std::uint32_t seed, OnEnded on_ended)
    : loop_(loop),
      options_(std::move(options)),
      on_ended_(std::move(on_ended)),
      backoff_(seed, options_.base, options_.cap),
      timer_(uv::Timer::create(loop, [this] { due(); })) {}

Client::~Client() = default;

void Client::start() {
  touched_ = loop_.now();
  if (options_.gate > Millis{0}) watch_work();
  if (timer_ != nullptr) connect();
}

void Client::say_goodbye() {
  if (state_ == State::Parting) return;
  if (state_ != State::Beating || !send_heartbeat(Status::Close)) return end(EX_OK);
  part();
}

void Client::end(int exit_code) {
  if (timer_ == nullptr) return;
  state_ = State::Idle;
  connection_.reset();
  work_.reset();
  timer_.reset();
  on_ended_(exit_code);
}

void Client::due() {
  switch (state_) {
    case State::Idle: break;
    case State::Connecting: retry("no answer in " + format_duration(limits::kConnectMax)); break;
    case State::Beating: beat(); break;
    case State::Waiting: connect(); break;
    case State::Parting: end(EX_OK); break;
  }
}

// The name is looked up each time: a daemon that has moved is found again.
void Client::connect() {
  const auto server = uv::resolve(loop_, options_.server);
  if (!server) {
    const bool never_found = beats_ == 0 && backoff_.failures() == 0;
    if (!never_found) return retry(server.error());
    complain("--server: " + server.error());
    return end(EX_NOHOST);
  }
  state_ = State::Connecting;
  decoder_ = FrameDecoder{};
  std::string preface = options_.proxied ? door::proxy_header(*options_.proxied, *server) : std::string{};
  connection_.reset(new Connection{loop_, *this, options_.tls, std::move(preface)});
  const int error = connection_->connect(*server);
  if (error != 0) return retry(uv_strerror(error));
  timer_->arm(limits::kConnectMax);
}

void Client::connected(int error) {
  if (error != 0) return retry(reason_of(error));
  connection_->send_at_once();

  // Our end of this very connection is an address that reached the daemon; the host name's is often
  // 127.0.1.1.
  const auto local = connection_->local();
  claimed_ip_ = !options_.ip.empty() || !local ? options_.ip : address_string(*local);
  if (claimed_ip_.empty()) return retry("the connection ended at once");

  state_ = State::Beating;
  is_first_ = true;
  anchor_ = loop_.now();
  beat();
}

void Client::beat() {
  // What the kernel did not take waits in the stream.  Another heartbeat behind it would say nothing new.
  if (!connection_->has_unsent()) {
    const Status status = declared();
    if (!send_heartbeat(status)) return;
    ++beats_;
    if (!print(beat_line(std::time(nullptr), options_.pid, status))) return;
    if (options_.status == Status::Close || beats_ == options_.count) return part();
  }
  timer_->arm(next_beat(anchor_, options_.interval, loop_.now()) - loop_.now());
}

// Returns whether the connection stands.
bool Client::send_heartbeat(Status status) {
  Heartbeat heartbeat{.ip = claimed_ip_, .status = status, .id = options_.id, .pid = options_.pid};
  heartbeat.ack = options_.ack;
  heartbeat.notify = options_.notify;
  if (is_first_ && !options_.door.token.empty()) heartbeat.token = options_.door.token;
  if (is_first_) heartbeat.group = options_.group;
  if (is_first_) heartbeat.interval_ms = static_cast<std::uint32_t>(options_.interval.count());
  is_first_ = false;
  if (options_.ack) heartbeat.seq = beats_ + 1;
  std::string note;
  if (status == Status::Leave && options_.status == Status::Alive) {
    const auto silent = std::chrono::duration_cast<std::chrono::seconds>(loop_.now() - touched_);
    note = "no sign of work for " + std::to_string(silent.count()) + " s";
    heartbeat.note = note;
  }
  std::string frame;
  append_frame(frame, encode(heartbeat));
  const int error = connection_->send(frame);
  if (error != 0) retry(uv_strerror(error));
  return error == 0;
}

// What was asked for, and leave while the gate is closed.
Status Client::declared() const {
  const bool hangs = options_.gate > Millis{0} && loop_.now() - touched_ > options_.gate;
  return hangs && options_.status == Status::Alive ? Status::Leave : options_.status;
}

void Client::watch_work() {
  auto work = uv::Readable::create(loop_, STDIN_FILENO, [this] { hear_work(); });
  if (work) {
    work_ = std::move(*work);
  } else {
    complain("--gate: standard input must be a pipe, a terminal or a socket");
    end(EX_USAGE);
  }
}

// Whatever the work says, it goes on.  After the end of its output the gate closes in time.
void Client::hear_work() {
  std::array<char, limits::kExcerptMax> text{};
  const ssize_t got = read(STDIN_FILENO, text.data(), text.size());
  if (got > 0) touched_ = loop_.now();
  if (got == 0) work_->pause();
}

// Waits for the daemon's end of the stream: by then it has read the last heartbeat, and we its answers.
void Client::part() {
  state_ = State::Parting;
  connection_->part();
  timer_->arm(limits::kLingerMax);
}

void Client::retry(const std::string& why, const ServerFrame& close) {
  const Millis wait = pause_after(close);
  connection_.reset();
  const std::string what = name_of(options_.server) + ": " + why;
  if (options_.retries && backoff_.failures() > *options_.retries) {
    complain(what + "; given up after " + std::to_string(backoff_.failures()) + " failures in a row");
    return end(EX_UNAVAILABLE);
  }
  complain(what + "; connecting again in " + format_duration(wait));
  state_ = State::Waiting;
  timer_->arm(wait);
}

Millis Client::pause_after(const ServerFrame& close) {
  if (state_ == State::Beating && loop_.now() - anchor_ >= options_.interval) backoff_.succeeded();
  const std::uint64_t asked = close.retry_after_ms.value_or(0);
  const auto most = static_cast<std::uint64_t>(limits::kRetryAfterMax.count());
  const Millis at_least{static_cast<Millis::rep>(std::min(asked, most))};
  return at_least + (is_barred(close.reason) ? backoff_.barred() : backoff_.failed());
}

void Client::received(std::string_view bytes) {
  const Connection* const from = connection_.get();
  // A frame may end the connection: the bytes behind it are ignored.
  while (connection_.get() == from) {
    const FrameDecoder::Result frame = decoder_.next(bytes, limits::kFrameMax);
    if (frame.state == FrameDecoder::State::NeedMore) return;
    if (frame.state == FrameDecoder::State::Bad) {
      complain(name_of(options_.server) + " does not speak heartbeat frames (it announced a length of " +
               std::to_string(frame.length) + ")");
      return end(EX_PROTOCOL);
    }
    const auto read = parse_server_frame(frame.body);
    if (read) {
      hear(*read);
    } else if (!print(unreadable_line(read.error()))) {
      return;
    }
  }
}

void Client::hear(const ServerFrame& frame) {
  if (!print(frame_line(frame))) return;
  if (frame.welcome && frame.welcome->tick.count() > 0 && options_.interval > frame.welcome->tick) {
    complain("the daemon's tick is " + format_duration(frame.welcome->tick) + ": beating once in " +
             format_duration(options_.interval) + " may be judged as silence");
  }
  if (frame.type == "status" && frame.status == to_string(Status::Close)) hear_close(frame);
}

void Client::hear_close(const ServerFrame& frame) {
  Outcome outcome = outcome_of_close(frame.reason, options_.status);
  if (options_.persist && is_barred(frame.reason)) outcome.reconnect = true;
  const std::string why = "closed by the daemon as " + log_value(frame.reason) +
                          (frame.detail.empty() ? "" : ": " + escaped(frame.detail));
  if (outcome.reconnect) {
    // All that was to be sent has been: whatever else the daemon had in mind is no concern of ours.
    return state_ == State::Parting ? end(EX_OK) : retry(why, frame);
  }
  if (outcome.exit_code != EX_OK) complain(why);
  end(outcome.exit_code);
}

void Client::lost(int error) {
  if (state_ != State::Parting) {
    return retry(error == UV_EOF ? "the daemon closed the connection" : reason_of(error));
  }
  if (error == UV_EOF) return end(EX_OK);
  complain(std::string{"the connection broke before the last heartbeat was surely read: "} +
           uv_strerror(error));
  end(EX_UNAVAILABLE);
}

std::string Client::reason_of(int error) const {
  const std::string why = connection_->why();
  return why.empty() ? uv_strerror(error) : why;
}

// Returns whether the client goes on: it ends when its standard output cannot be written.
bool Client::print(const std::string& line) {
  if (options_.quiet) return true;
  if (std::fputs(line.c_str(), stdout) >= 0 && std::fflush(stdout) == 0) return true;
  complain("standard output is gone");
  end(EX_IOERR);
  return false;
}

}  // namespace heartbeat::client
