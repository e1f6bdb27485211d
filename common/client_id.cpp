#include "common/client_id.h"

#include "common/endpoint.h"
#include "common/limits.h"
#include "common/text.h"

namespace heartbeat {

bool is_client_id(std::string_view text) {
  return !text.empty() && text.size() <= limits::kIdMax && is_printable(text) && !reads_as_address(text);
}

std::optional<std::string> fault_of_client_id(std::string_view text) {
  if (text.empty()) return "it is empty";
  if (text.size() > limits::kIdMax) return "it has " + std::to_string(text.size()) + " bytes";
  if (!is_printable(text)) return "it has characters that cannot be seen";
  if (reads_as_address(text))
    return "it reads as an address, and only a client without an id is named by one";
  return {};
}

}  // namespace heartbeat
