// Asking the daemon: one request, its answer object by object, and what went wrong in words and an exit code.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "tools/ctl/connection.h"
#include "tools/ctl/json_reply.h"
#include "tools/ctl/json_request.h"
#include "tools/ctl/options.h"
#include "tools/ctl/output.h"

namespace heartbeat::ctl {

// Why a command ends otherwise than well: lines for standard error, each without the program's name.
struct Failure {
  int exit_code;
  std::vector<std::string> lines;
};
using Outcome = tl::expected<void, Failure>;

// The next object on a connection.  A frame that holds none is an error of kind Garbage.
[[nodiscard]] tl::expected<Reply, ConnectionError> receive_reply(Connection& connection, Deadline deadline);

// What an answer of type `error` means.
[[nodiscard]] Failure refusal(const Reply& error);

class Session {
 public:
  using OnObject = std::function<void(Reply)>;

  Session(const Options& options, const Output& output);

  // Looks where --control says; else where the daemon is by default, and then where the system's is.
  [[nodiscard]] tl::expected<Connection, ConnectionError> connect(Deadline deadline);

  // Asks on one connection, made for the first question.  Each object before the last goes to `on_object`,
  // and is printed where the output is JSON; the last one is returned.
  [[nodiscard]] tl::expected<Reply, Failure> ask(const Request& request, const OnObject& on_object);

  // The one object that the daemon answers this with.
  [[nodiscard]] tl::expected<Reply, Failure> ask_for_one(const Request& request);

  [[nodiscard]] Failure failure(const ConnectionError& error) const;

  [[nodiscard]] Millis timeout() const { return timeout_; }
  [[nodiscard]] Deadline answer_deadline() const { return in(timeout_); }

 private:
  std::vector<std::string> paths_;  // in the order in which they are tried; never empty
  std::string found_;               // the path of the last successful connection
  Millis timeout_;
  const Output& output_;
  std::optional<Connection> connection_;
};

}  // namespace heartbeat::ctl
