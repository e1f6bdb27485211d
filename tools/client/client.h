// The reference client on the loop: connects, beats, listens, and connects again.
//
// One state at a time, and one timer whose meaning is the state's: an attempt that takes too long, the next
// heartbeat, the end of a pause, the end of a farewell.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "common/frame.h"
#include "common/message.h"
#include "common/mono_time.h"
#include "common/uv/handle.h"
#include "common/uv/loop.h"
#include "common/uv/watchers.h"
#include "tools/client/backoff.h"
#include "tools/client/options.h"

namespace heartbeat::client {

class Connection;

class Client {
 public:
  // `on_ended` is called once, with the exit code, when everything has been let go of.
  using OnEnded = std::function<void(int exit_code)>;
  Client(uv::Loop& loop, Options options, std::uint32_t seed, OnEnded on_ended);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  Client(Client&&) = delete;
  Client& operator=(Client&&) = delete;

  void start();

  // Says goodbye where there is a connection, and ends with 0 when the daemon has read it.
  void say_goodbye();

  // Ends now and sends nothing more: the daemon sees the connection end, and draws its own conclusions.
  void end(int exit_code);

  // --- what happens to the connection ---
  void connected(int error);
  void received(std::string_view bytes);
  void lost(int error);

 private:
  enum class State : std::uint8_t {
    Idle,        // nothing to wait for: before the start, and after the end
    Connecting,  // the timer: the attempt takes too long
    Beating,     // the timer: the next heartbeat is due
    Waiting,     // the timer: the end of the pause
    Parting,  // the last heartbeat is sent, the daemon's end of the stream is awaited; the timer: no longer
  };

  void due();
  void connect();
  void beat();
  void part();
  [[nodiscard]] bool send_heartbeat(Status status);
  [[nodiscard]] Status declared() const;
  void watch_work();
  void hear_work();
  void retry(const std::string& why, const ServerFrame& close = {});
  [[nodiscard]] Millis pause_after(const ServerFrame& close);
  void hear(const ServerFrame& frame);
  void hear_close(const ServerFrame& frame);
  // What the connection's error was, in words.
  [[nodiscard]] std::string reason_of(int error) const;
  [[nodiscard]] bool print(const std::string& line);

  uv::Loop& loop_;
  Options options_;
  OnEnded on_ended_;
  Backoff backoff_;
  uv::Owned<uv::Timer> timer_;
  uv::Owned<Connection> connection_;
  FrameDecoder decoder_;
  uv::Owned<uv::Readable> work_;  // standard input, where there is a gate
  std::string claimed_ip_;
  bool is_first_ = true;     // the next heartbeat is the first of its connection
  MonoTime anchor_;          // of this connection's heartbeats
  MonoTime touched_;         // when the last line came from the work
  std::uint64_t beats_ = 0;  // over all connections
  State state_ = State::Idle;
};

}  // namespace heartbeat::client
