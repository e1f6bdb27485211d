// What the commands of the control socket work with, for the life of the daemon.
#pragma once

#include <cstddef>

#include "daemon/report/operator_desk.h"

namespace heartbeat {

struct ControlContext {
  OperatorDesk& desk;
  std::size_t sorted_lists = 0;  // in the making
};

}  // namespace heartbeat
