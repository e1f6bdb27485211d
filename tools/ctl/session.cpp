#include "tools/ctl/session.h"

#include <utility>

#include <grp.h>
#include <sys/stat.h>

#include "common/control_path.h"
#include "common/duration.h"
#include "tools/ctl/exit_code.h"
#include "tools/ctl/text_width.h"

namespace heartbeat::ctl {
namespace {

using Kind = ConnectionError::Kind;

std::vector<std::string> paths_for(const std::string& control) {
  if (!control.empty()) return {control};
  std::vector<std::string> paths{default_control_path()};
  if (paths.front() != kSystemControlPath) paths.emplace_back(kSystemControlPath);
  return paths;
}

// The group that may use the socket; that of the packaged service where it is not known.
std::string group_of(const std::string& path) {
  struct stat about {};
  const bool is_known = stat(path.c_str(), &about) == 0;
  const group* const found = is_known ? getgrgid(about.st_gid) : nullptr;  // NOLINT(concurrency-mt-unsafe)
  return found == nullptr ? "heartbeatd" : found->gr_name;
}

int exit_code_of(std::string_view code) {
  if (code == "bad_request") return kUsage;
  return code == "busy" ? kBusy : kNo;
}

}  // namespace

tl::expected<Reply, ConnectionError> receive_reply(Connection& connection, Deadline deadline) {
  const auto body = connection.receive(deadline);
  if (!body) return tl::unexpected(body.error());
  auto reply = Reply::parse(*body);
  if (!reply) {
    return tl::unexpected(ConnectionError{Kind::Garbage, "a frame that is no JSON object with a type"});
  }
  return std::move(*reply);
}

Failure refusal(const Reply& error) {
  const Object object = error.object();
  const std::string_view code = object.text("code");
  const std::string_view message = object.text("message");
  Failure failure{exit_code_of(code), {shown(message.empty() ? code : message)}};
  for (const std::string& line : object.texts("errors")) failure.lines.push_back(shown(line));
  return failure;
}

Session::Session(const Options& options, const Output& output)
    : paths_(paths_for(options.control)), timeout_(options.timeout), output_(output) {}

tl::expected<Connection, ConnectionError> Session::connect(Deadline deadline) {
  std::string tried;
  for (const std::string& path : paths_) {
    auto connection = Connection::open(path, deadline);
    found_ = path;
    if (connection || connection.error().kind != Kind::NotThere) return connection;
    tried += (tried.empty() ? "" : " or ") + shown(path) + " (" + connection.error().text + ")";
  }
  return tl::unexpected(ConnectionError{Kind::NotThere, tried});
}

Failure Session::failure(const ConnectionError& error) const {
  const std::string path = shown(found_);
  switch (error.kind) {
    case Kind::NotThere:
      return {kDaemonAway,
              {"no daemon at " + error.text + ": start heartbeatd, or name its socket with --control PATH"}};
    case Kind::Denied:
      return {
          kDenied,
          {"may not use " + path + " (" + error.text + "): ask as root or as a user of the socket's group; " +
           "usermod -aG " + shown(group_of(found_)) + " USER adds one, from the next login on"}};
    case Kind::Gone:
      return {kDaemonAway, {"the daemon at " + path + " went away before it had answered: try again"}};
    case Kind::TooSlow:
      return {kDaemonAway,
              {"the daemon at " + path + " gave no answer within " + format_duration(timeout_) +
               ": look into its log, or wait longer with --timeout"}};
    case Kind::Garbage:
      return {kNotADaemon, {"what answers at " + path + " is no heartbeatd: it sent " + error.text}};
  }
  return {kInternal, {error.text}};
}

tl::expected<Reply, Failure> Session::ask(const Request& request, const OnObject& on_object) {
  const std::string body = request.body();
  if (body.size() > limits::kControlFrameMax) {
    return tl::unexpected(
        Failure{kUsage,
                {"the request has " + std::to_string(body.size()) + " bytes; the daemon reads at most " +
                 std::to_string(limits::kControlFrameMax)}});
  }
  if (!connection_) {
    auto connection = connect(answer_deadline());
    if (!connection) return tl::unexpected(failure(connection.error()));
    connection_ = std::move(*connection);
  }
  if (const auto sent = connection_->send(body, answer_deadline()); !sent) {
    return tl::unexpected(failure(sent.error()));
  }
  for (;;) {
    auto reply = receive_reply(*connection_, answer_deadline());
    if (!reply) return tl::unexpected(failure(reply.error()));
    if (reply->type() == "done") return std::move(*reply);
    if (output_.json()) output_.print(*reply);
    if (reply->type() == "error") return tl::unexpected(refusal(*reply));
    on_object(std::move(*reply));
  }
}

tl::expected<Reply, Failure> Session::ask_for_one(const Request& request) {
  std::optional<Reply> one;
  const auto done = ask(request, [&](Reply reply) { one = std::move(reply); });
  if (!done) return tl::unexpected(done.error());
  if (!one) return tl::unexpected(failure({Kind::Garbage, "an answer without an object"}));
  return std::move(*one);
}

}  // namespace heartbeat::ctl
