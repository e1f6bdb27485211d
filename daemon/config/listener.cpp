#include "daemon/config/listener.h"

#include <algorithm>
#include <charconv>

#include "common/limits.h"
#include "common/text.h"
#include "daemon/config/config.h"

namespace heartbeat {
namespace {

constexpr std::string_view kProxyFrom = "proxy_from=";
constexpr std::string_view kRequire = "require=";
constexpr std::string_view kAcceptRate = "accept_rate=";

constexpr std::array<std::string_view, 2> kVersions{"1.2", "1.3"};
constexpr std::array<std::string_view, 2> kIdentities{"cn", "san"};

constexpr std::array kTlsOptions{
    TlsOption{"tls_certificate", &ListenerTls::certificate},
    TlsOption{"tls_key", &ListenerTls::key},
    TlsOption{"tls_client_ca", &ListenerTls::client_ca},
    TlsOption{"tls_client_crl", &ListenerTls::client_crl},
    TlsOption{"tls_min_version", &ListenerTls::min_version, kVersions},
    TlsOption{"tls_identity", &ListenerTls::identity, kIdentities},
};

std::string_view take_up_to(std::string_view& text, char separator) {
  const std::string_view part = text.substr(0, text.find(separator));
  text.remove_prefix(std::min(part.size() + 1, text.size()));
  return part;
}

template <class Word>
std::string joined(const std::vector<Network>& networks, std::string_view separator, Word word) {
  std::string text;
  for (const Network& network : networks) text.append(text.empty() ? "" : separator).append(word(network));
  return text;
}

using Taken = tl::expected<void, std::string>;

Taken take_proxies(std::string_view option, Listener& listener) {
  if (listener.proxy_from) return tl::unexpected(std::string{"proxy_from is given twice"});
  listener.proxy_from.emplace();
  option.remove_prefix(kProxyFrom.size());
  while (!option.empty()) {
    const auto network = parse_network(take_up_to(option, ','));
    if (!network) return tl::unexpected(network.error());
    listener.proxy_from->push_back(*network);
  }
  return {};
}

Taken take_requirement(std::string_view option, Listener& listener) {
  if (listener.require) return tl::unexpected(std::string{"require is given twice"});
  option.remove_prefix(kRequire.size());
  if (std::find(kRequirements.begin(), kRequirements.end(), option) == kRequirements.end()) {
    return tl::unexpected("'" + escaped(option) + "' is not one of none, certificate or token");
  }
  listener.require = option;
  return {};
}

Taken take_accept_rate(std::string_view option, Listener& listener) {
  if (listener.accept_rate) return tl::unexpected(std::string{"accept_rate is given twice"});
  option.remove_prefix(kAcceptRate.size());
  unsigned rate = 0;
  const auto [rest, error] = std::from_chars(option.data(), option.data() + option.size(), rate);
  if (error != std::errc{} || rest != option.data() + option.size() || rate > limits::kAcceptRateMax) {
    return tl::unexpected("accept_rate: '" + escaped(option) + "' is not a whole number from 0 to " +
                          std::to_string(limits::kAcceptRateMax));
  }
  listener.accept_rate = rate;
  return {};
}

Taken take_tls_or_refuse(std::string_view given, Listener& listener) {
  const std::size_t equals = std::min(given.find('='), given.size());
  const std::string_view name = given.substr(0, equals);
  const auto* const option = std::find_if(kTlsOptions.begin(), kTlsOptions.end(),
                                          [&](const TlsOption& known) { return known.name == name; });
  if (option == kTlsOptions.end() || equals == given.size()) {
    return tl::unexpected("'" + escaped(given) +
                          "' is not an option of a listener: proxy_from=NETWORK,…, require=WORD, "
                          "accept_rate=COUNT, tls_certificate=FILE, tls_key=FILE, tls_client_ca=FILE, "
                          "tls_client_crl=FILE, tls_min_version=WORD and tls_identity=WORD are");
  }
  const std::string_view value = given.substr(equals + 1);
  if (const auto fault = fault_of(*option, value)) {
    return tl::unexpected(std::string{name} + ": " + *fault);
  }
  if (!listener.tls) listener.tls.emplace();
  (*listener.tls).*(option->member) = value;
  return {};
}

// `, key = "value"` for each option that is not as it is by default.
template <class Append>
void for_each_given(const ListenerTls& tls, Append append) {
  const ListenerTls defaults;
  for (const TlsOption& option : kTlsOptions) {
    if (tls.*(option.member) != defaults.*(option.member)) append(option.name, tls.*(option.member));
  }
}

}  // namespace

std::span<const TlsOption> tls_options() {
  return kTlsOptions;
}

std::optional<std::string> fault_of(const TlsOption& option, std::string_view value) {
  const std::string quoted = "'" + escaped(value, limits::kExcerptMax) + "'";
  if (!option.choices.empty()) {
    if (std::find(option.choices.begin(), option.choices.end(), value) != option.choices.end()) return {};
    return quoted + " is not one of " + std::string{option.choices.front()} + " or " +
           std::string{option.choices.back()};
  }
  if (value.empty()) return "must be the path of a file";
  if (!is_printable(value) || value.find(' ') != std::string_view::npos) {
    return "must be printable text without spaces, not " + quoted;
  }
  if (value.size() <= limits::kPathMax) return {};
  return "must be at most " + std::to_string(limits::kPathMax) + " bytes, not " +
         std::to_string(value.size());
}

unsigned accept_rate_of(const Listener& listener) {
  return listener.accept_rate.value_or(listener.tls ? limits::kTlsAcceptRateDefault : 0);
}

std::string toml_string(std::string_view text) {
  return '"' + escaped(text) + '"';  // all values are printable, so only \\ and \" can come out of it
}

std::string to_string(const Listener& listener) {
  std::string text = to_string(listener.address);
  if (listener.proxy_from) {
    text.append(" ").append(kProxyFrom).append(joined(*listener.proxy_from, ",", [](const Network& network) {
      return to_string(network);
    }));
  }
  if (listener.require) text.append(" ").append(kRequire).append(*listener.require);
  if (listener.accept_rate) {
    text.append(" ").append(kAcceptRate).append(std::to_string(*listener.accept_rate));
  }
  if (listener.tls) {
    for_each_given(*listener.tls, [&](std::string_view name, const std::string& value) {
      text.append(" ").append(name).append("=").append(value);
    });
  }
  return text;
}

tl::expected<Listener, std::string> parse_listener(std::string_view text) {
  const auto address = parse_host_port(take_up_to(text, ' '));
  if (!address) return tl::unexpected(address.error());
  if (!is_printable(address->host)) {
    return tl::unexpected("must be printable text, not '" + escaped(address->host) + "'");
  }
  Listener listener{.address = *address};
  while (!text.empty()) {
    const std::string_view option = take_up_to(text, ' ');
    const auto taken = option.starts_with(kProxyFrom)    ? take_proxies(option, listener)
                       : option.starts_with(kRequire)    ? take_requirement(option, listener)
                       : option.starts_with(kAcceptRate) ? take_accept_rate(option, listener)
                                                         : take_tls_or_refuse(option, listener);
    if (!taken) return tl::unexpected(taken.error());
  }
  if (listener.tls && listener.tls->certificate.empty()) {
    return tl::unexpected(std::string{"a listener with TLS must have tls_certificate"});
  }
  return listener;
}

std::string toml_table(const Listener& listener) {
  std::string text = "{ address = " + toml_string(to_string(listener.address));
  if (listener.proxy_from) {
    text += ", proxy_from = [" +
            joined(*listener.proxy_from, ", ",
                   [](const Network& network) { return toml_string(to_string(network)); }) +
            "]";
  }
  if (listener.require) text += ", require = " + toml_string(*listener.require);
  if (listener.accept_rate) text += ", accept_rate = " + std::to_string(*listener.accept_rate);
  if (listener.tls) {
    for_each_given(*listener.tls, [&](std::string_view name, const std::string& value) {
      text.append(", ").append(name).append(" = ").append(toml_string(value));
    });
  }
  return text + " }";
}

std::vector<Listener> all_listeners(const Config& config) {
  std::vector<Listener> all;
  all.reserve(config.listen.size() + config.listeners.size());
  for (const HostPort& address : config.listen) all.push_back({address, config.proxy_from, config.require});
  for (const Listener& listener : config.listeners) {
    all.push_back({listener.address, listener.proxy_from.value_or(config.proxy_from),
                   listener.require.value_or(config.require), listener.tls, listener.accept_rate});
  }
  return all;
}

}  // namespace heartbeat
