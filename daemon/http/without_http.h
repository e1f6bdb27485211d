// What stands for http::Server in a build without HTTP (CMake option HEARTBEAT_HTTP): it cannot listen, and
// so never has a connection.  The configuration refuses `http.listen` in such a build, so none is made at
// all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <tl/expected.hpp>

#include "common/descriptor.h"
#include "common/endpoint.h"
#include "common/uv/acceptor.h"
#include "common/uv/loop.h"
#include "daemon/core/credentials.h"
#include "daemon/report/figures.h"
#include "daemon/report/operator_desk.h"

namespace heartbeat::http {

class Server {
 public:
  Server(uv::Loop& /*loop*/, const OperatorDesk& /*desk*/, std::size_t /*connections_max*/) {}

  [[nodiscard]] static tl::expected<Endpoint, std::string> listen(const Endpoint& at) {
    return tl::unexpected("cannot listen for HTTP on " + to_string(at) + ": heartbeatd was built without it");
  }
  [[nodiscard]] static tl::expected<Endpoint, std::string> adopt(const Descriptor& /*socket*/) {
    return listen({});
  }
  static void require(const Credentials* /*tokens*/) {}
  static void use_tls(const std::string& /*certificate*/, const std::string& /*key*/) {}
  static void after_turn() {}
  [[nodiscard]] static bool was_active() { return false; }
  [[nodiscard]] static int descriptor() { return -1; }
  [[nodiscard]] static const uv::Acceptor* acceptor() { return nullptr; }
  [[nodiscard]] static std::uint64_t shortages() { return 0; }
  [[nodiscard]] static HttpFigures figures() { return {}; }
  [[nodiscard]] static std::size_t connections() { return 0; }
};

}  // namespace heartbeat::http
