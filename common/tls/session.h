// TLS by OpenSSL as a filter on bytes: one connection's records in, its plain bytes out, and the other way
// round.
//
// Knows no socket, loop or file.  The caller passes the bytes that came from the peer, and sends the peer
// what is appended to `output`.  A session keeps of the input only an unfinished record.  There are no
// session tickets, no resumption and no renegotiation.
//
// Every call throws std::bad_alloc where memory lacks.  The session cannot be used any more then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace heartbeat::tls {

enum class Failure : std::uint8_t {
  None,
  Handshake,           // no TLS, no version or cipher in common, an alert of the peer, a damaged record
  CertificateMissing,  // the peer gave none, and one is required
  CertificateInvalid,  // of another authority, expired, revoked, for another name
};

class Session {
 public:
  Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  Session(Session&&) = delete;
  Session& operator=(Session&&) = delete;
  virtual ~Session() = default;

  enum class Handshake : std::uint8_t { NeedMore, Done, Failed };
  // Carries the handshake on, and takes its bytes off the front of `input`.  A client begins it with no
  // input.  Must not be called after Done or Failed.
  [[nodiscard]] virtual Handshake shake_hands(std::string_view& input, std::string& output) = 0;

  enum class Read : std::uint8_t {
    NeedMore,  // all of `input` was taken
    Bytes,     // `count` bytes stand in `plain`, and there may be more
    End,       // the peer will send no more
    Failed,
  };
  // Decrypts from the front of `input` into `plain`, which should have room for a record (kRecordMax).
  [[nodiscard]] virtual Read read(std::string_view& input, std::span<char> plain, std::size_t& count,
                                  std::string& output) = 0;

  // Encrypts.  Returns false after a failure or the end.
  [[nodiscard]] virtual bool write(std::string_view plain, std::string& output) = 0;

  // Ends this direction (close_notify), once.
  virtual void end(std::string& output) = 0;

  // After Failed: what it was, and a sentence without its end.
  [[nodiscard]] virtual Failure failure() const = 0;
  [[nodiscard]] virtual const std::string& why() const = 0;

  // The name in the peer's verified certificate; empty if the peer gave none.  Printable.
  [[nodiscard]] virtual std::string peer_name() const = 0;
};

// The plain bytes of one record at most.
inline constexpr std::size_t kRecordMax = 16384;

// A file in memory; its name is for the sentences about it.
struct File {
  std::string name{};
  std::string text{};  // PEM
};

// Where the name of a client's certificate stands.
enum class Identity : std::uint8_t {
  CommonName,       // the subject's CN
  AlternativeName,  // the first DNS name among the subject's alternative names
};

struct ServerOptions {
  File certificate{};  // with the certificates between it and the authority behind it
  File key{};
  File client_ca{};   // that clients' certificates are verified by; without a text, none is asked for
  File client_crl{};  // certificates that were revoked; without a text, there are none
  bool require_certificate = false;
  bool allow_version_1_2 = false;  // beside 1.3
  Identity identity = Identity::CommonName;
};

struct ClientOptions {
  File ca{};  // that the server's certificate is verified by; without a text, the system's authorities
  File certificate{};  // that the client proves itself by; without a text, it has none
  File key{};
  std::string server{};  // the name or address that the server's certificate must be for
};

// What sessions are begun with.  Sessions outlive their context where they must: they share what it has.
class Context {
 public:
  Context() = default;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  Context(Context&&) = delete;
  Context& operator=(Context&&) = delete;
  virtual ~Context() = default;

  [[nodiscard]] virtual std::unique_ptr<Session> begin() const = 0;

  // When a file's certificate, or list of revoked ones, runs out; in seconds since 1970.
  struct Expiry {
    std::string file;
    std::int64_t at;
  };
  [[nodiscard]] virtual const std::vector<Expiry>& expiries() const = 0;
};

// The error is a sentence that names the file.  Without OpenSSL there is always one.
[[nodiscard]] tl::expected<std::shared_ptr<const Context>, std::string> server_context(
    const ServerOptions& options);
[[nodiscard]] tl::expected<std::shared_ptr<const Context>, std::string> client_context(
    const ClientOptions& options);

}  // namespace heartbeat::tls
