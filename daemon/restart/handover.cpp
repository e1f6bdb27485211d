#include "daemon/restart/handover.h"

#include <cstring>
#include <utility>

#include "common/tagged_fields.h"

namespace heartbeat {
namespace {

constexpr std::string_view kMagic = "HBho";

// A tag is never used again for another meaning.
enum Tag : std::uint16_t {
  kVersion = 1,
  kWritten = 2,
  kState = 3,
  kClient = 4,
  kListener = 5,
  kControl = 6,
  kControlPath = 7,
  kHttp = 8,
  kWaiting = 9,
  kLogLevel = 10,
  kArmed = 50,  // 8 bytes each, in this machine's order
};
// Of the record of one client.
enum ClientTag : std::uint16_t { kClientSocket = 1, kSlot = 2, kGeneration = 3, kUnsent = 4 };
// Of the record of one listener.
enum ListenerTag : std::uint16_t { kListenerSocket = 1, kAsked = 2, kOfManager = 3 };

std::uint64_t number_of(const Field& field) {
  return field.number().value_or(0);
}

std::vector<MonoTime> read_instants(std::string_view bytes) {
  std::vector<MonoTime> instants(bytes.size() / sizeof(MonoTime));
  if (!instants.empty()) std::memcpy(instants.data(), bytes.data(), instants.size() * sizeof(MonoTime));
  return instants;
}

Handover::Client read_client(std::string_view bytes) {
  Handover::Client client;
  FieldReader fields{bytes};
  while (const auto field = fields.next()) {
    switch (field->tag) {
      case kClientSocket: client.socket = number_of(*field); break;
      case kSlot: client.conn.slot = static_cast<std::uint32_t>(number_of(*field)); break;
      case kGeneration: client.conn.generation = static_cast<std::uint32_t>(number_of(*field)); break;
      case kUnsent: client.unsent = field->value; break;
      default: break;
    }
  }
  return client;
}

Handover::Listener read_listener(std::string_view bytes) {
  Handover::Listener listener;
  FieldReader fields{bytes};
  while (const auto field = fields.next()) {
    switch (field->tag) {
      case kListenerSocket: listener.socket = number_of(*field); break;
      case kAsked: listener.asked = parse_endpoint(field->value).value_or(Endpoint{}); break;
      case kOfManager: listener.is_of_manager = number_of(*field) != 0; break;
      default: break;
    }
  }
  return listener;
}

void read_field(const Field& field, Handover& handover) {
  switch (field.tag) {
    case kVersion: handover.version = field.value; break;
    case kWritten: handover.written = MonoTime{Millis{static_cast<std::int64_t>(number_of(field))}}; break;
    case kState: handover.state = field.value; break;
    case kClient: handover.clients.push_back(read_client(field.value)); break;
    case kListener: handover.listeners.push_back(read_listener(field.value)); break;
    case kControl: handover.control = number_of(field); break;
    case kControlPath: handover.control_path = field.value; break;
    case kHttp: handover.http = number_of(field); break;
    case kLogLevel: handover.log_level = field.value; break;
    case kArmed: handover.armed = read_instants(field.value); break;
    case kWaiting: handover.waiting.push_back(number_of(field)); break;
    default: break;
  }
}

void write_client(FieldWriter& fields, const Handover::Client& client) {
  fields.number(kClientSocket, client.socket);
  fields.number(kSlot, client.conn.slot);
  fields.number(kGeneration, client.conn.generation);
  if (!client.unsent.empty()) fields.bytes(kUnsent, client.unsent);
}

void write_listener(FieldWriter& fields, const Handover::Listener& listener) {
  fields.number(kListenerSocket, listener.socket);
  fields.bytes(kAsked, to_string(listener.asked));
  fields.number(kOfManager, listener.is_of_manager ? 1 : 0);
}

}  // namespace

std::string write_handover(const Handover& handover) {
  std::string content;
  FieldWriter fields{content};
  fields.bytes(kVersion, handover.version);
  fields.number(kWritten, static_cast<std::uint64_t>(handover.written.since_origin().count()));
  fields.bytes(kState, handover.state);
  for (const Handover::Client& client : handover.clients) {
    fields.record(kClient, [&](FieldWriter& record) { write_client(record, client); });
  }
  for (const Handover::Listener& listener : handover.listeners) {
    fields.record(kListener, [&](FieldWriter& record) { write_listener(record, listener); });
  }
  fields.number(kControl, handover.control);
  fields.bytes(kControlPath, handover.control_path);
  fields.number(kHttp, handover.http);
  fields.bytes(kLogLevel, handover.log_level);
  if (!handover.armed.empty()) {
    const auto* const bytes = reinterpret_cast<const char*>(handover.armed.data());
    fields.bytes(kArmed, {bytes, handover.armed.size() * sizeof(MonoTime)});
  }
  for (const Handover::Cookie operator_of : handover.waiting) fields.number(kWaiting, operator_of);
  return in_envelope(
      kMagic, {.written_by = Handover::kFormat, .readable_by = Handover::kReadableBy, .content = content});
}

tl::expected<Handover, std::string> read_handover(std::string_view bytes) {
  const auto envelope = open_envelope(kMagic, bytes);
  if (!envelope) return tl::unexpected(std::string{"it is damaged, or no state of heartbeatd"});
  if (envelope->readable_by > Handover::kFormat) {
    return tl::unexpected("it has format " + std::to_string(envelope->written_by) + ", which this version (" +
                          std::to_string(Handover::kFormat) + ") cannot read");
  }
  Handover handover;
  FieldReader fields{envelope->content};
  while (const auto field = fields.next()) read_field(*field, handover);
  if (!fields.is_whole()) return tl::unexpected(std::string{"it is cut off"});
  return handover;
}

}  // namespace heartbeat
