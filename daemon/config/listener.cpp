#include "daemon/config/listener.h"

#include <algorithm>

#include "common/text.h"
#include "daemon/config/config.h"

namespace heartbeat {
namespace {

constexpr std::string_view kProxyFrom = "proxy_from=";

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

std::string quoted(const std::string& text) {
  return '"' + escaped(text) + '"';
}

}  // namespace

std::string to_string(const Listener& listener) {
  std::string text = to_string(listener.address);
  if (!listener.proxy_from) return text;
  return text.append(" ")
      .append(kProxyFrom)
      .append(joined(*listener.proxy_from, ",", [](const Network& network) { return to_string(network); }));
}

tl::expected<Listener, std::string> parse_listener(std::string_view text) {
  const auto address = parse_host_port(take_up_to(text, ' '));
  if (!address) return tl::unexpected(address.error());
  if (!is_printable(address->host)) {
    return tl::unexpected("must be printable text, not '" + escaped(address->host) + "'");
  }
  Listener listener{.address = *address};
  while (!text.empty()) {
    std::string_view option = take_up_to(text, ' ');
    if (!option.starts_with(kProxyFrom)) {
      return tl::unexpected("'" + escaped(option) +
                            "' is not an option of a listener: proxy_from=NETWORK,… is one");
    }
    if (listener.proxy_from) return tl::unexpected(std::string{"proxy_from is given twice"});
    listener.proxy_from.emplace();
    option.remove_prefix(kProxyFrom.size());
    while (!option.empty()) {
      const auto network = parse_network(take_up_to(option, ','));
      if (!network) return tl::unexpected(network.error());
      listener.proxy_from->push_back(*network);
    }
  }
  return listener;
}

std::string toml_table(const Listener& listener) {
  std::string text = "{ address = " + quoted(to_string(listener.address));
  if (listener.proxy_from) {
    text += ", proxy_from = [" +
            joined(*listener.proxy_from, ", ",
                   [](const Network& network) { return quoted(to_string(network)); }) +
            "]";
  }
  return text + " }";
}

std::vector<Listener> all_listeners(const Config& config) {
  std::vector<Listener> all;
  all.reserve(config.listen.size() + config.listeners.size());
  for (const HostPort& address : config.listen) all.push_back({address, config.proxy_from});
  for (const Listener& listener : config.listeners) {
    all.push_back({listener.address, listener.proxy_from.value_or(config.proxy_from)});
  }
  return all;
}

}  // namespace heartbeat
