#include "daemon/io/tls_preamble.h"

#include <utility>

#include "common/limits.h"
#include "common/stream_diagnosis.h"

namespace heartbeat {
namespace {

constexpr char kHandshakeRecord = 0x16;

BadInput kind_of(tls::Failure failure) {
  switch (failure) {
    case tls::Failure::CertificateMissing: return BadInput::CertificateMissing;
    case tls::Failure::CertificateInvalid: return BadInput::CertificateInvalid;
    case tls::Failure::Handshake:
    case tls::Failure::None: break;
  }
  return BadInput::TlsFailed;
}

class TlsPreamble final : public Preamble {
 public:
  explicit TlsPreamble(std::shared_ptr<const tls::Context> context) : context_(std::move(context)) {}

  State read(std::string_view& input, Introduction& introduction, std::string& output) override {
    if (input.empty()) return State::NeedMore;
    if (session_ == nullptr) {  // not before: a silent peer costs no session
      if (input.front() != kHandshakeRecord) return refuse_plain(input, introduction);
      session_ = context_->begin();
    }
    const std::size_t before = input.size();
    const tls::Session::Handshake handshake = session_->shake_hands(input, output);
    taken_ += before - input.size();
    switch (handshake) {
      case tls::Session::Handshake::Done: return introduce(introduction);
      case tls::Session::Handshake::Failed:
        return refuse(introduction, kind_of(session_->failure()), "TLS: " + session_->why());
      case tls::Session::Handshake::NeedMore: break;
    }
    if (taken_ <= limits::kHandshakeBytesMax) return State::NeedMore;
    return refuse(
        introduction, BadInput::TlsFailed,
        "TLS: the handshake is longer than " + std::to_string(limits::kHandshakeBytesMax) + " bytes");
  }

  [[nodiscard]] Cost cost() const override { return session_ == nullptr ? Cost::Begin : Cost::GoOn; }

 private:
  State introduce(Introduction& introduction) {
    std::string name = session_->peer_name();
    if (!name.empty()) introduction.arrival.passage.certificate_name = std::move(name);
    introduction.session = std::move(session_);
    return State::Done;
  }

  static State refuse_plain(std::string_view input, Introduction& introduction) {
    const std::string_view known = known_protocol(input);
    return refuse(introduction, BadInput::TlsMissing,
                  "this listener takes TLS only, and the peer began with " +
                      (!known.empty()          ? std::string{known}
                       : input.front() == '\0' ? "a frame of a client without TLS"
                                               : "bytes that are no TLS"));
  }

  static State refuse(Introduction& introduction, BadInput fault, std::string why) {
    introduction.fault = fault;
    introduction.why = std::move(why);
    return State::Bad;
  }

  std::shared_ptr<const tls::Context> context_;
  std::unique_ptr<tls::Session> session_;
  std::size_t taken_ = 0;
};

}  // namespace

std::unique_ptr<Preamble> tls_preamble(std::shared_ptr<const tls::Context> context) {
  return std::make_unique<TlsPreamble>(std::move(context));
}

}  // namespace heartbeat
