#include "common/tls/session.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <new>
#include <utility>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "common/limits.h"
#include "common/text.h"

namespace heartbeat::tls {
namespace {

template <auto free>
struct Free {
  template <class T>
  void operator()(T* owned) const {
    free(owned);
  }
};
using OwnedBio = std::unique_ptr<BIO, Free<BIO_free>>;
using OwnedCertificate = std::unique_ptr<X509, Free<X509_free>>;
using OwnedKey = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using OwnedCrl = std::unique_ptr<X509_CRL, Free<X509_CRL_free>>;
using OwnedContext = std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>>;
using OwnedSsl = std::unique_ptr<SSL, Free<SSL_free>>;

template <class T>
T* must_have(T* allocated) {
  if (allocated == nullptr) throw std::bad_alloc{};
  return allocated;
}

// The reason of the error that OpenSSL reported last, in its words.
std::string last_reason() {
  const unsigned long error = ERR_peek_last_error();
  const char* const reason = ERR_reason_error_string(error);
  return reason == nullptr ? "OpenSSL gives no reason" : reason;
}

// --- the bytes of one call --------------------------------------------------------------------------------

// What OpenSSL reads from and writes to in place of a socket, for the length of one call.
struct Exchange {
  std::string_view* input = nullptr;
  std::string* output = nullptr;
  bool lacked_memory = false;
};

Exchange& exchange_of(BIO* bio) {
  return *static_cast<Exchange*>(BIO_get_data(bio));
}

int read_from(BIO* bio, char* to, int size) noexcept {
  BIO_clear_retry_flags(bio);
  std::string_view* const input = exchange_of(bio).input;
  if (input == nullptr || input->empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const std::size_t count = std::min(input->size(), static_cast<std::size_t>(size));
  std::copy_n(input->data(), count, to);
  input->remove_prefix(count);
  return static_cast<int>(count);
}

int write_to(BIO* bio, const char* bytes, int size) noexcept {
  BIO_clear_retry_flags(bio);
  Exchange& exchange = exchange_of(bio);
  if (exchange.output == nullptr) return -1;
  try {
    exchange.output->append(bytes, static_cast<std::size_t>(size));
  } catch (const std::bad_alloc&) {
    exchange.lacked_memory = true;
    return -1;
  }
  return size;
}

long control(BIO*, int command, long, void*) noexcept {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

const BIO_METHOD* exchange_method() {
  static const BIO_METHOD* const method = []() -> const BIO_METHOD* {
    BIO_METHOD* const made = must_have(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "exchange"));
    BIO_meth_set_read(made, read_from);
    BIO_meth_set_write(made, write_to);
    BIO_meth_set_ctrl(made, control);
    return made;
  }();
  return method;
}

// --- a session --------------------------------------------------------------------------------------------

class OpenSslSession final : public Session {
 public:
  OpenSslSession(OwnedSsl ssl, Identity identity) : ssl_(std::move(ssl)), identity_(identity) {
    BIO* const bio = must_have(BIO_new(exchange_method()));
    BIO_set_data(bio, &exchange_);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
  }

  Handshake shake_hands(std::string_view& input, std::string& output) override {
    const int result = call(input, output, [&] { return SSL_do_handshake(ssl_.get()); });
    if (result == 1) return Handshake::Done;
    if (SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_READ) return Handshake::NeedMore;
    fail();
    return Handshake::Failed;
  }

  Read read(std::string_view& input, std::span<char> plain, std::size_t& count,
            std::string& output) override {
    count = 0;
    if (failure_ != Failure::None) return Read::Failed;
    const int result =
        call(input, output, [&] { return SSL_read_ex(ssl_.get(), plain.data(), plain.size(), &count); });
    if (result == 1) return Read::Bytes;
    switch (SSL_get_error(ssl_.get(), result)) {
      case SSL_ERROR_WANT_READ: return Read::NeedMore;
      case SSL_ERROR_ZERO_RETURN: return Read::End;
      default: fail(); return Read::Failed;
    }
  }

  bool write(std::string_view plain, std::string& output) override {
    if (failure_ != Failure::None || has_ended_) return false;
    std::string_view nothing;
    std::size_t count = 0;
    return call(nothing, output,
                [&] { return SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &count); }) == 1;
  }

  void end(std::string& output) override {
    if (failure_ != Failure::None || std::exchange(has_ended_, true)) return;
    std::string_view nothing;
    static_cast<void>(call(nothing, output, [&] { return SSL_shutdown(ssl_.get()); }));
  }

  [[nodiscard]] Failure failure() const override { return failure_; }
  [[nodiscard]] const std::string& why() const override { return why_; }

  [[nodiscard]] std::string peer_name() const override {
    const X509* const certificate = SSL_get0_peer_certificate(ssl_.get());
    if (certificate == nullptr || SSL_get_verify_result(ssl_.get()) != X509_V_OK) return {};
    std::string name =
        identity_ == Identity::CommonName ? common_name(*certificate) : alternative_name(*certificate);
    return name.size() <= limits::kCertificateNameMax && is_printable(name) ? name : std::string{};
  }

 private:
  template <class Call>
  int call(std::string_view& input, std::string& output, Call make) {
    exchange_ = {&input, &output};
    ERR_clear_error();
    const int result = make();
    exchange_.input = nullptr;
    exchange_.output = nullptr;
    if (exchange_.lacked_memory || ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE) {
      throw std::bad_alloc{};
    }
    return result;
  }

  void fail() {
    const int reason = ERR_GET_REASON(ERR_peek_last_error());
    failure_ = Failure::Handshake;
    if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
      failure_ = Failure::CertificateMissing;
      why_ = "the peer gave no certificate";
    } else if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
      failure_ = Failure::CertificateInvalid;
      why_ = std::string{"the peer's certificate is refused: "} +
             X509_verify_cert_error_string(SSL_get_verify_result(ssl_.get()));
    } else if (reason == SSL_R_UNSUPPORTED_PROTOCOL || reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION) {
      why_ = "the peer offers no version of TLS that is accepted here";
    } else if (reason == SSL_R_NO_SHARED_CIPHER) {
      why_ = "the peer offers no cipher that is accepted here";
    } else if (reason >= SSL_AD_REASON_OFFSET) {
      why_ = "the peer refuses the connection: " + last_reason();
    } else {
      why_ = last_reason();
    }
  }

  static std::string text_of(const ASN1_STRING* value) {
    unsigned char* utf8 = nullptr;
    const int size = ASN1_STRING_to_UTF8(&utf8, value);
    if (size < 0) return {};
    const std::unique_ptr<unsigned char, Free<[](unsigned char* bytes) { OPENSSL_free(bytes); }>> owned{utf8};
    return {reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size)};
  }

  // The last one, which is the most specific.
  static std::string common_name(const X509& certificate) {
    const X509_NAME* const subject = X509_get_subject_name(&certificate);
    int last = -1;
    for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;) last = at;
    return last < 0 ? std::string{} : text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last)));
  }

  static std::string alternative_name(const X509& certificate) {
    const std::unique_ptr<GENERAL_NAMES, Free<GENERAL_NAMES_free>> names{
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr))};
    for (int at = 0; names != nullptr && at < sk_GENERAL_NAME_num(names.get()); ++at) {
      const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), at);
      if (name->type == GEN_DNS) return text_of(name->d.dNSName);
    }
    return {};
  }

  Exchange exchange_;  // declared before `ssl_`, whose BIO refers to it
  OwnedSsl ssl_;
  Identity identity_;
  Failure failure_ = Failure::None;
  bool has_ended_ = false;
  std::string why_;
};

// --- a context --------------------------------------------------------------------------------------------

using Sentence = std::string;
using Done = tl::expected<void, Sentence>;

tl::unexpected<Sentence> wrong(const File& file, const std::string& why) {
  return tl::unexpected(escaped(file.name) + ": " + why);
}

OwnedBio memory_of(const File& file) {
  return OwnedBio{must_have(BIO_new_mem_buf(file.text.data(), static_cast<int>(file.text.size())))};
}

// A key that is locked by a password is refused: without this, OpenSSL would ask at the terminal.
int no_password(char*, int, int, void*) noexcept {
  return 0;
}

OwnedCertificate next_certificate(BIO* from) {
  return OwnedCertificate{PEM_read_bio_X509(from, nullptr, no_password, nullptr)};
}

std::int64_t seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? timegm(&parts) : 0;
}

// Accepts a list of revoked certificates beyond its date: refusing would lock all clients out on the day on
// which it was not renewed.  Its expiry is reported like a certificate's.
int accept_old_list(int is_valid, X509_STORE_CTX* store) noexcept {
  if (X509_STORE_CTX_get_error(store) != X509_V_ERR_CRL_HAS_EXPIRED) return is_valid;
  X509_STORE_CTX_set_error(store, X509_V_OK);  // else it would stay the result of the verification
  return 1;
}

class OpenSslContext final : public Context {
 public:
  explicit OpenSslContext(const SSL_METHOD* method) : context_(must_have(SSL_CTX_new(method))) {
    SSL_CTX_set_options(context_.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
                                            SSL_OP_IGNORE_UNEXPECTED_EOF);
    // Buffers of 17 KiB a direction are freed between two records.
    SSL_CTX_set_mode(context_.get(), SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context_.get(), 0);
    SSL_CTX_set_max_cert_list(context_.get(), static_cast<long>(limits::kHandshakeBytesMax));
    SSL_CTX_set_default_passwd_cb(context_.get(), no_password);
  }

  [[nodiscard]] std::unique_ptr<Session> begin() const override {
    OwnedSsl ssl{must_have(SSL_new(context_.get()))};
    if (is_server_) {
      SSL_set_accept_state(ssl.get());
    } else {
      SSL_set_connect_state(ssl.get());
      if (!server_.empty() && SSL_set_tlsext_host_name(ssl.get(), server_.c_str()) != 1) {
        throw std::bad_alloc{};
      }
    }
    return std::make_unique<OpenSslSession>(std::move(ssl), identity_);
  }

  [[nodiscard]] const std::vector<Expiry>& expiries() const override { return expiries_; }

  Done serve(const ServerOptions& options) {
    is_server_ = true;
    identity_ = options.identity;
    SSL_CTX_set_min_proto_version(context_.get(),
                                  options.allow_version_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION);
    Done done = use_certificate(options.certificate, options.key);
    if (done && !options.client_ca.text.empty()) done = verify_by(options.client_ca);
    if (!done || options.client_ca.text.empty()) return done;
    SSL_CTX_set_verify(context_.get(),
                       SSL_VERIFY_PEER | (options.require_certificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                       accept_old_list);
    return options.client_crl.text.empty() ? done : refuse_revoked(options.client_crl);
  }

  Done connect(const ClientOptions& options) {
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_2_VERSION);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    X509_VERIFY_PARAM* const verified = SSL_CTX_get0_param(context_.get());
    if (X509_VERIFY_PARAM_set1_ip_asc(verified, options.server.c_str()) != 1) {
      server_ = options.server;  // no address, so a name
      if (X509_VERIFY_PARAM_set1_host(verified, server_.data(), server_.size()) != 1) throw std::bad_alloc{};
    }
    Done done;
    if (!options.ca.text.empty()) {
      done = verify_by(options.ca);
    } else if (SSL_CTX_set_default_verify_paths(context_.get()) != 1) {
      return tl::unexpected(std::string{"the system's authorities cannot be read"});
    }
    return done && !options.certificate.text.empty() ? use_certificate(options.certificate, options.key)
                                                     : done;
  }

 private:
  Done use_certificate(const File& file, const File& key_file) {
    const OwnedBio pem = memory_of(file);
    ERR_clear_error();
    const OwnedCertificate certificate = next_certificate(pem.get());
    if (certificate == nullptr) return wrong(file, "has no certificate in PEM form");
    if (SSL_CTX_use_certificate(context_.get(), certificate.get()) != 1) return wrong(file, last_reason());
    expiries_.push_back({file.name, seconds_of(X509_get0_notAfter(certificate.get()))});
    while (const OwnedCertificate next = next_certificate(pem.get())) {
      if (SSL_CTX_add1_chain_cert(context_.get(), next.get()) != 1) return wrong(file, last_reason());
    }
    ERR_clear_error();
    const OwnedBio key_pem = memory_of(key_file);
    const OwnedKey key{PEM_read_bio_PrivateKey(key_pem.get(), nullptr, no_password, nullptr)};
    if (key == nullptr) return wrong(key_file, "has no private key in PEM form without a password");
    if (X509_check_private_key(certificate.get(), key.get()) != 1) {
      return wrong(key_file, "is not the key of the certificate in " + escaped(file.name));
    }
    if (SSL_CTX_use_PrivateKey(context_.get(), key.get()) != 1) return wrong(key_file, last_reason());
    return {};
  }

  Done verify_by(const File& file) {
    const OwnedBio pem = memory_of(file);
    X509_STORE* const store = SSL_CTX_get_cert_store(context_.get());
    std::size_t count = 0;
    while (const OwnedCertificate authority = next_certificate(pem.get())) {
      if (X509_STORE_add_cert(store, authority.get()) != 1) return wrong(file, last_reason());
      if (is_server_ && SSL_CTX_add_client_CA(context_.get(), authority.get()) != 1) throw std::bad_alloc{};
      if (is_server_) expiries_.push_back({file.name, seconds_of(X509_get0_notAfter(authority.get()))});
      ++count;
    }
    if (count == 0) return wrong(file, "has no certificate in PEM form");
    return {};
  }

  Done refuse_revoked(const File& file) {
    const OwnedBio pem = memory_of(file);
    X509_STORE* const store = SSL_CTX_get_cert_store(context_.get());
    std::size_t count = 0;
    while (const OwnedCrl list{PEM_read_bio_X509_CRL(pem.get(), nullptr, no_password, nullptr)}) {
      if (X509_STORE_add_crl(store, list.get()) != 1) return wrong(file, last_reason());
      if (const ASN1_TIME* const until = X509_CRL_get0_nextUpdate(list.get())) {
        expiries_.push_back({file.name, seconds_of(until)});
      }
      ++count;
    }
    if (count == 0) return wrong(file, "has no list of revoked certificates (CRL) in PEM form");
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
    return {};
  }

  OwnedContext context_;
  bool is_server_ = false;
  Identity identity_ = Identity::CommonName;
  std::string server_;  // the name for SNI; empty for an address
  std::vector<Expiry> expiries_;
};

}  // namespace

tl::expected<std::shared_ptr<const Context>, std::string> server_context(const ServerOptions& options) {
  auto context = std::make_shared<OpenSslContext>(TLS_server_method());
  if (const Done done = context->serve(options); !done) return tl::unexpected(done.error());
  return context;
}

tl::expected<std::shared_ptr<const Context>, std::string> client_context(const ClientOptions& options) {
  auto context = std::make_shared<OpenSslContext>(TLS_client_method());
  if (const Done done = context->connect(options); !done) return tl::unexpected(done.error());
  return context;
}

}  // namespace heartbeat::tls
