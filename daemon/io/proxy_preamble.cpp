#include "daemon/io/proxy_preamble.h"

#include <memory>
#include <utility>

#include "common/proxy_header.h"

namespace heartbeat {
namespace {

class ProxyPreamble final : public Preamble {
 public:
  State read(std::string_view& input, Introduction& introduction, std::string&) override {
    switch (header_.read(input)) {
      case ProxyHeader::State::NeedMore: return State::NeedMore;
      case ProxyHeader::State::Bad: return refuse(introduction);
      case ProxyHeader::State::Whole: break;
    }
    const ProxiedPeer& proxied = header_.peer();
    if (!proxied.source) return State::Done;  // the proxy speaks for itself
    introduction.arrival.passage.via = introduction.peer;
    introduction.arrival.passage.certificate_name = proxied.certificate_name;
    introduction.peer = *proxied.source;
    return State::Done;
  }

 private:
  State refuse(Introduction& introduction) const {
    const std::string proxy = address_string(introduction.peer) + ", which is in proxy_from";
    introduction.fault = header_.kind();
    introduction.why = header_.kind() == BadInput::ProxyMissing
                           ? "there is no PROXY protocol header from " + proxy + "; " + header_.why()
                           : "the PROXY protocol header from " + proxy + ", is invalid: " + header_.why();
    return State::Bad;
  }

  ProxyHeader header_;
};

}  // namespace

std::unique_ptr<Preamble> proxy_preamble(const std::vector<Network>& proxies, const Endpoint& peer) {
  return contains(proxies, peer) ? std::make_unique<ProxyPreamble>() : nullptr;
}

}  // namespace heartbeat
