// supersede and remember: what the relay of a fleet learned of a client of this daemon from the other
// daemons.
#include <optional>
#include <string>
#include <utility>

#include "common/endpoint.h"
#include "common/text.h"
#include "daemon/control/commands/all.h"
#include "daemon/control/one_answer.h"

namespace heartbeat::commands {
namespace {

// One connection: the client's id, and the address that it came from.  A later connection of the same id has
// another address.
struct OneConnection {
  std::string client{};
  Endpoint peer{};
};

OneConnection read_connection(Members& request) {
  OneConnection named{.client = request.required_text("client")};
  const auto peer =
      request.converted<Endpoint>("peer", [](const std::string& text) -> tl::expected<Endpoint, std::string> {
        const auto endpoint = parse_endpoint(text);
        if (!endpoint) return tl::unexpected(log_value(text) + " is no address with a port");
        return *endpoint;
      });
  if (peer)
    named.peer = *peer;
  else
    request.refuse("peer", "is required: the address of the connection");
  return named;
}

std::optional<ConnId> find(const Monitor& monitor, const OneConnection& named) {
  const auto slot = monitor.clients().slot_of(named.client);
  if (!slot || monitor.clients().at(*slot)->peer != named.peer) return {};
  return monitor.clients().conn_of(*slot);
}

void append_result(std::string& out, bool done, const OneConnection& named) {
  if (done) return append_done(out);
  append_error(out, "no_such_client",
               "there is no such connection of " + log_value(named.client) + " any more");
}

}  // namespace

Reading read_supersede(Members& request) {
  OneConnection named = read_connection(request);
  std::string by = request.required_text("by");
  if (by.size() > limits::kKickMessageMax || !is_printable(by)) {
    request.refuse("by", "must be the printable name of a node");
  }
  return request.made(
      Order{[named = std::move(named), by = std::move(by)](Operator who, ControlContext& context) {
        return one_answer([&desk = context.desk, who, named, by](std::string& out) {
          const auto conn = find(desk.monitor(), named);
          const bool superseded = conn && desk.supersede(*conn, "the client has come to the daemon of " + by);
          if (superseded) {
            log_change("supersede", who, " client=" + log_value(named.client) + " by=" + log_value(by));
          }
          append_result(out, superseded, named);
        });
      }});
}

Reading read_remember(Members& request) {
  OneConnection named = read_connection(request);
  return request.made(Order{[named = std::move(named)](Operator who, ControlContext& context) {
    return one_answer([&desk = context.desk, who, named](std::string& out) {
      const auto conn = find(desk.monitor(), named);
      const bool remembered = conn && desk.remember_leave(*conn);
      if (remembered) log_change("remember", who, " client=" + log_value(named.client));
      append_result(out, remembered, named);
    });
  }});
}

}  // namespace heartbeat::commands
