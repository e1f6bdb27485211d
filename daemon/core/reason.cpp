#include "daemon/core/reason.h"

namespace heartbeat {

std::string_view to_string(Party party) {
  switch (party) {
    case Party::Client: return "client";
    case Party::Daemon: return "daemon";
    case Party::Operator: return "operator";
  }
  return "";
}

}  // namespace heartbeat
