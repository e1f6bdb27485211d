// A TLS handshake and the records behind it: whatever a peer sends, the preamble ends in order, and no byte
// that another peer changed comes out as a client's.
//
// Input: how the stream is chopped (the pieces' lengths go round), the lengths, then one of two.  0: a stream
// of a peer that is no TLS client.  1: what is changed in the records of a real client (a place and the bits
// to turn), and what that client sends.  The keys are new each time; what is held is true of all of them.
#include <memory>
#include <string>

#include "common/limits.h"
#include "common/text.h"
#include "common/tls/session.h"
#include "daemon/io/tls_preamble.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/promise.h"

using namespace heartbeat;
using heartbeat::fuzz::hold;
using heartbeat::fuzz::Input;

namespace {

// Made for this test, and used nowhere else.
constexpr const char* kCertificate =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBrjCCAVOgAwIBAgIUDVOlDyuEXBbpBgahLurDZ0uv0N8wCgYIKoZIzj0EAwIw\n"
    "HDEaMBgGA1UEAwwRaGVhcnRiZWF0LmV4YW1wbGUwIBcNMjYxMTI5MDYzMDUxWhgP\n"
    "MjEyNjExMDUwNjMwNTFaMBwxGjAYBgNVBAMMEWhlYXJ0YmVhdC5leGFtcGxlMFkw\n"
    "EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEPYDosmnnn0aJ24cIqaxzj5bDZGb5i003\n"
    "+mxHs/DXxsF8WxRsLfasFlbPZaFBA08XnkgM1wpiEz7Fo66an8h30qNxMG8wHQYD\n"
    "VR0OBBYEFF9zr+zIunkcgPD5bLdJLGo6kX+qMB8GA1UdIwQYMBaAFF9zr+zIunkc\n"
    "gPD5bLdJLGo6kX+qMA8GA1UdEwEB/wQFMAMBAf8wHAYDVR0RBBUwE4IRaGVhcnRi\n"
    "ZWF0LmV4YW1wbGUwCgYIKoZIzj0EAwIDSQAwRgIhAPjYfV+9jPx+GVjVXmKq/T7/\n"
    "yAU/qKQ3goO6qOO6uESXAiEA1LZjRCpFv5xvd+6UDeGtHL5OzpUgXETfsq9BwXhv\n"
    "d+A=\n"
    "-----END CERTIFICATE-----\n";
constexpr const char* kKey =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg7TSMvKNJH6uO0vrn\n"
    "uI6JCYnDZ4w3RL4O88ganNYSDuihRANCAAQ9gOiyaeefRonbhwiprHOPlsNkZvmL\n"
    "TTf6bEez8NfGwXxbFGwt9qwWVs9loUEDTxeeSAzXCmITPsWjrpqfyHfS\n"
    "-----END PRIVATE KEY-----\n";

// What a server answers to a whole handshake is smaller by far.
constexpr std::size_t kAnswerMax = 16384;

const tls::Context& server() {
  static const auto context = tls::server_context(
      {.certificate = {"certificate", kCertificate}, .key = {"key", kKey}, .allow_version_1_2 = true});
  hold(context.has_value(), "the certificate can be used");
  return **context;
}

const tls::Context& client() {
  static const auto context =
      tls::client_context({.ca = {"certificate", kCertificate}, .server = "heartbeat.example"});
  hold(context.has_value(), "the client can be made");
  return **context;
}

// A piece after the other, in memory of its own, so that a reader that looks beyond it is seen to.
template <class Take>
void chop(std::string_view stream, std::string_view lengths, Take take) {
  for (std::size_t piece = 0; !stream.empty(); ++piece) {
    const std::size_t length =
        lengths.empty() ? stream.size() : 1U + static_cast<std::uint8_t>(lengths[piece % lengths.size()]);
    const std::string bytes{stream.substr(0, length)};
    stream.remove_prefix(bytes.size());
    if (!take(std::string_view{bytes})) return;
  }
}

void hold_stranger(std::string_view stream, std::string_view lengths) {
  const auto preamble = tls_preamble(std::shared_ptr<const tls::Context>{&server(), [](const auto*) {}});
  Introduction introduction;
  std::string answer;
  chop(stream, lengths, [&](std::string_view bytes) {
    const Preamble::State state = preamble->read(bytes, introduction, answer);
    hold(answer.size() <= kAnswerMax, "an answer is small");
    hold(state != Preamble::State::Done, "a peer without keys finishes no handshake");
    if (state == Preamble::State::NeedMore) {
      hold(bytes.empty() && !introduction.fault, "a handshake that needs more has taken all");
      return true;
    }
    hold(introduction.fault.has_value(), "a refusal has a kind");
    hold(!introduction.why.empty() && is_printable(introduction.why), "and a sentence");
    hold(introduction.session == nullptr, "and no session");
    return false;
  });
}

// Returns the server's session after the handshake.
std::unique_ptr<tls::Session> shake_hands(tls::Session& from) {
  const auto preamble = tls_preamble(std::shared_ptr<const tls::Context>{&server(), [](const auto*) {}});
  Introduction introduction;
  std::string to_client;
  for (int flights = 0; introduction.session == nullptr; ++flights) {
    hold(flights < 4, "a handshake ends");
    std::string to_server;
    std::string_view unread = to_client;
    hold(from.shake_hands(unread, to_server) != tls::Session::Handshake::Failed, "the client agrees");
    to_client.clear();
    std::string_view bytes = to_server;
    hold(preamble->read(bytes, introduction, to_client) != Preamble::State::Bad, "the server agrees");
    hold(bytes.empty(), "no byte is left behind a handshake");
  }
  return std::move(introduction.session);
}

void hold_records(Input& input, std::string_view lengths) {
  const auto sender = client().begin();
  const auto receiver = shake_hands(*sender);
  std::size_t place = input.byte() * 256U;
  place += input.byte();
  const std::uint8_t bits = input.byte();
  const std::string_view sent = input.rest();
  std::string records;
  if (!sent.empty()) hold(sender->write(sent, records), "the client can send");
  if (!records.empty()) records[place % records.size()] ^= static_cast<char>(bits);

  std::string received;
  bool is_over = false;
  chop(records, lengths, [&](std::string_view bytes) {
    for (;;) {
      std::string plain(tls::kRecordMax, '\0');
      std::size_t count = 0;
      std::string answer;
      const tls::Session::Read read = receiver->read(bytes, plain, count, answer);
      hold(answer.size() <= kAnswerMax, "an answer is small");
      received += plain.substr(0, count);
      hold(sent.starts_with(received), "nothing comes out that the client did not send");
      if (read == tls::Session::Read::Bytes) continue;
      is_over = read != tls::Session::Read::NeedMore;
      if (read == tls::Session::Read::Failed) {
        hold(!receiver->why().empty() && is_printable(receiver->why()), "a failure has a sentence");
        hold(!receiver->write("x", answer), "nothing is sent after a failure");
      }
      return !is_over;
    }
  });
  if (bits == 0) hold(received == sent && !is_over, "records that are as they were sent are read");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input{data, size};
  const std::string_view lengths = input.bytes(input.below(9));
  if (input.below(2) == 0) {
    hold_stranger(input.rest(), lengths);
  } else {
    hold_records(input, lengths);
  }
  return 0;
}
