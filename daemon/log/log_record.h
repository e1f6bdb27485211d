// One event as it is logged: a line for a person, and the same as fields for the journal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <spdlog/common.h>

namespace heartbeat {

struct LogRecord {
  struct Field {
    std::string_view name;  // `silent_ms`; in the journal it reads HEARTBEAT_SILENT_MS
    std::string value;      // as it is, not escaped
  };

  std::string_view message_id;  // 128 bits in hexadecimal, fixed per kind of event
  spdlog::level::level_enum level;
  std::string message;
  std::vector<Field> fields;
};

}  // namespace heartbeat
