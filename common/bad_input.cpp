#include "common/bad_input.h"

#include <array>

namespace heartbeat {
namespace {

struct Words {
  std::string_view name;
  std::string_view explanation;
};

// In the order of the enumeration.
constexpr std::array<Words, kBadInputCount> kWords{{
    {"length_zero", "a frame's length must be at least 1"},
    {"length_negative", "a frame's length must not be negative"},
    {"length_over_max", "the frame is longer than this daemon accepts"},
    {"not_utf8", "the body must be valid UTF-8"},
    {"not_json", "the body must be one JSON value and nothing else"},
    {"too_deep", "the body's objects and arrays are nested more than 16 deep"},
    {"not_an_object", "the body must be a JSON object, or a JSON string that holds one"},
    {"ip_missing", "the member 'ip' is required"},
    {"ip_invalid", "'ip' must be a string, and not an empty one"},
    {"status_missing", "the member 'status' is required"},
    {"status_unknown", "'status' must be one of alive, live, leave, close"},
    {"pid_invalid", "'pid' must be an integer from 0 to 4294967295"},
    {"id_invalid",
     "'id' must be a string of 1 to 128 bytes of printable text that does not read as an address"},
    {"id_changed", "'id' must stay what this connection first gave"},
    {"seq_invalid", "'seq' must be an integer from 0 to 18446744073709551615"},
    {"ack_invalid", "'ack' must be true or false"},
    {"notify_invalid", "'notify' must be true or false"},
    {"proxy_missing", "a connection from an address in proxy_from must begin with a PROXY protocol header"},
    {"proxy_untrusted", "a PROXY protocol header is accepted only from the addresses in proxy_from"},
    {"proxy_invalid", "the PROXY protocol header is not a valid one"},
    {"certificate_missing", "a client at this listener must come with a verified certificate"},
    {"certificate_id", "a client may use no id that another client's certificate proves"},
    {"token_missing", "a client at this listener must give a token in its first heartbeat"},
    {"token_wrong", "the token must be one of those in the file of tokens"},
    {"token_id",
     "a client may use no id that its token is not for, and none that another client's token proves"},
    {"tls_missing", "a connection to this listener must begin with a TLS handshake"},
    {"tls_failed", "the TLS handshake, or a record behind it, is not a valid one"},
    {"certificate_invalid", "the client's certificate must be one that this listener's authority verifies"},
}};
static_assert(static_cast<std::size_t>(BadInput::CertificateInvalid) + 1 == kBadInputCount);

}  // namespace

std::string_view to_string(BadInput kind) {
  return kWords.at(static_cast<std::size_t>(kind)).name;
}

std::string_view explain(BadInput kind) {
  return kWords.at(static_cast<std::size_t>(kind)).explanation;
}

}  // namespace heartbeat
