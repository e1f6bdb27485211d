// The header of the PROXY protocol, versions 1 and 2: a proxy sends it before a connection's own bytes, and
// names in it the address that the connection came from.  The protocol is HAProxy's:
// https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt
//
// Reads incrementally, and knows no socket: TCP may split the header anywhere and join it with what follows.
//
// Invariant: no more is held than the 16 bytes in which version 2 announces its length, until that length has
// been checked, or the 107 bytes of the longest line of version 1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/bad_input.h"
#include "common/endpoint.h"

namespace heartbeat {

// What a header says of its connection.
struct ProxiedPeer {
  // Where the connection came from.  Nothing where the proxy speaks for itself, as in its health checks
  // (LOCAL), or names no address over TCP: the connection's own address is right then.
  std::optional<Endpoint> source;
  // The common name of the client's certificate, where the proxy says that it ended TLS and that it verified
  // the certificate; empty otherwise, and where the name is not printable text of at most
  // limits::kCertificateNameMax bytes.
  std::string certificate_name;
};

class ProxyHeader {
 public:
  enum class State : std::uint8_t {
    NeedMore,  // what came so far is the beginning of a header
    Whole,
    Bad,  // it can become none
  };

  // Takes the header's bytes off the front of `input`.  When Whole, what is left of the input follows the
  // header.  Must not be called again after Whole or Bad.
  [[nodiscard]] State read(std::string_view& input);

  // When Whole.
  [[nodiscard]] const ProxiedPeer& peer() const { return peer_; }

  // When Bad: ProxyMissing, where the stream does not begin as a header does, or ProxyInvalid; and a clause
  // that says what is wrong.
  [[nodiscard]] BadInput kind() const { return kind_; }
  [[nodiscard]] const std::string& why() const { return why_; }

 private:
  State read_signature(std::string_view& input);
  State read_line(std::string_view& input);
  State read_binary(std::string_view& input);
  State parse_line(std::string_view line);
  State check_announcement();
  State parse_binary();
  State parse_extensions(std::string_view extensions);
  State parse_tls(std::string_view value);
  State refuse(BadInput kind, std::string why);
  State invalid(std::string why) { return refuse(BadInput::ProxyInvalid, std::move(why)); }

  std::string bytes_;     // of the header so far
  std::size_t size_ = 0;  // of the whole header of version 2; 0 until it has been announced and checked
  ProxiedPeer peer_;
  BadInput kind_ = BadInput::ProxyMissing;
  std::string why_;
};

// Whether a stream that begins with these bytes begins as a header does.  True of at least the first four
// bytes of version 1, and of the first five of version 2: its first four may also be two empty lines.
[[nodiscard]] bool begins_as_proxy_header(std::string_view bytes);

}  // namespace heartbeat
