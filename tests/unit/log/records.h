// Events to tell, and the records that came of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <spdlog/spdlog.h>

#include "common/mono_time.h"
#include "daemon/core/event.h"
#include "daemon/log/event_log.h"
#include "daemon/log/log_record.h"

namespace heartbeat::testing {

using namespace std::chrono_literals;

inline constexpr MonoTime kStart{Millis{1'000'000}};

// An event log that shows every level and keeps what it is given to write.
class RecordingLog {
 public:
  explicit RecordingLog(unsigned per_second)
      : log_(per_second, [this](const LogRecord& record) { records_.push_back(record); }) {
    spdlog::set_level(spdlog::level::trace);
  }

  EventLog& log() { return log_; }
  [[nodiscard]] const std::vector<LogRecord>& records() const { return records_; }

  // Logs one event and returns the one record that it made.
  LogRecord told(const Event& event) {
    records_.clear();
    log_.tell(event, kStart);
    return records_.size() == 1 ? records_.front() : LogRecord{};
  }

 private:
  std::vector<LogRecord> records_;
  EventLog log_;
};

// The field's value; `(absent)` where the record has none of that name.
inline std::string field(const LogRecord& record, std::string_view name) {
  for (const LogRecord::Field& field : record.fields) {
    if (field.name == name) return field.value;
  }
  return "(absent)";
}

inline Event event_of(Event::Kind kind, std::string client = "pump-7") {
  Event event{.kind = kind, .at = kStart, .client = NameText{client}};
  event.peer = {.address = {10, 0, 0, 7}, .port = 40000};
  event.claimed_ip = "192.168.1.105";
  event.pid = 26464;
  if (kind == Event::Kind::Braked || kind == Event::Kind::BrakeEnded) {
    BrakeReport brake{
        .span = {.from = kStart, .until = kStart + Millis{12'000}, .concerned = 40, .connected = 41}};
    brake.subnet = "10.1.0.0/16";
    brake.listener = Endpoint{.address = {10, 0, 0, 1}, .port = 14000};
    brake.heard_first = kStart - Millis{160'500};
    brake.heard_last = kStart - Millis{160'000};
    if (kind == Event::Kind::BrakeEnded) brake.span.end = BrakeEnd::Confirmed;
    brake.held = 38;
    event.extra.edit().brake = std::make_shared<const BrakeReport>(brake);
  }
  if (kind == Event::Kind::Held || kind == Event::Kind::HoldEnded) {
    Hold hold{.clients = {"pump-*", *Glob::compile("pump-*")}, .why = "a new firmware", .uid = 1000};
    hold.since = kStart;
    hold.until = kStart + Millis{7'200'000};
    event.extra.edit().hold = std::make_shared<const Hold>(hold);
  }
  return event;
}

}  // namespace heartbeat::testing
