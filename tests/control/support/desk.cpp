#include "tests/control/support/desk.h"

#include <stdexcept>

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "common/frame.h"
#include "common/message.h"
#include "common/text.h"

namespace heartbeat::test {

std::vector<std::string> bodies_of(std::string_view frames) {
  std::vector<std::string> bodies;
  FrameDecoder decoder;
  for (;;) {
    const auto frame = decoder.next(frames, limits::kControlFrameMax);
    if (frame.state == FrameDecoder::State::Bad) throw std::runtime_error{"not a frame"};
    if (frame.state == FrameDecoder::State::NeedMore) break;
    bodies.emplace_back(frame.body);
  }
  if (decoder.in_frame()) throw std::runtime_error{"half a frame"};
  return bodies;
}

rapidjson::Document parsed(std::string_view body) {
  rapidjson::Document document;
  document.Parse(body.data(), body.size());
  if (document.HasParseError()) throw std::runtime_error{"not JSON: " + std::string{body}};
  return document;
}

std::string member(std::string_view body, const char* name) {
  const rapidjson::Document document = parsed(body);
  const auto found = document.FindMember(name);
  if (found == document.MemberEnd()) return {};
  if (found->value.IsString()) return {found->value.GetString(), found->value.GetStringLength()};
  rapidjson::StringBuffer text;
  rapidjson::Writer<rapidjson::StringBuffer> writer{text};
  found->value.Accept(writer);
  return {text.GetString(), text.GetSize()};
}

Desk::Desk(const Settings& in_force) : monitor_(in_force) {}

Figures Desk::Operators::figures() const {
  return {.boot = desk_.boot_,
          .monitor = desk_.monitor_,
          .feed = desk_.feed_,
          .tally = desk_.tally,
          .reloads = desk_.reloads,
          .heartbeats = desk_.heartbeats,
          .loop_lateness = desk_.loop_lateness,
          .accepting = desk_.accepting,
          .shortages = desk_.shortages,
          .control = desk_.control,
          .pauses = desk_.pauses,
          .usage = desk_.usage,
          .journal = desk_.journal,
          .http = desk_.http,
          .certificates = desk_.certificates,
          .listening = desk_.listening};
}

tl::expected<std::string, std::string> Desk::Operators::set_log_level(const std::string& level) {
  if (level != "info" && level != "warn") return tl::unexpected(log_value(level) + " is no level");
  return "info";
}

ConnId Desk::connect() {
  Endpoint peer{.address = {127, 0, 0, 1}};
  peer.address[2] = static_cast<std::uint8_t>(peers_ >> 16U);
  peer.port = static_cast<std::uint16_t>(peers_++);
  const auto conn = monitor_.open(peer, now, effects_);
  if (!conn) throw std::runtime_error{"refused"};
  settle();
  return *conn;
}

void Desk::beat(ConnId conn, std::string_view id, std::string_view status, std::string_view note) {
  std::string frame;
  const Status said = status == "leave" ? Status::Leave : status == "close" ? Status::Close : Status::Alive;
  append_frame(frame,
               encode(Heartbeat{.ip = "10.0.0.1", .status = said, .id = id, .pid = 26464, .note = note}));
  send(conn, frame);
}

void Desk::send(ConnId conn, std::string_view bytes) {
  monitor_.receive(conn, bytes, now, effects_);
  settle();
}

ConnId Desk::join(std::string_view id) {
  const ConnId conn = connect();
  beat(conn, id);
  return conn;
}

void Desk::disconnect(ConnId conn, Reason reason) {
  monitor_.disconnect(conn, reason, now, effects_);
  settle();
}

void Desk::pass(Millis time) {
  now += time;
  while (monitor_.advance(now, effects_)) {
  }
  settle();
}

void Desk::stall(Millis length) {
  monitor_.stalled(length, now, effects_);
  stalled_ += length;
  settle();
}

bool Desk::kick(std::string_view name, std::string_view message) {
  const bool kicked = monitor_.kick(name, message, now, effects_);
  settle();
  return kicked;
}

bool Desk::supersede(ConnId conn, std::string_view detail) {
  const bool superseded = monitor_.supersede(conn, detail, now, effects_);
  settle();
  return superseded;
}

bool Desk::remember_leave(ConnId conn) {
  const bool remembered = monitor_.remember_leave(conn, now, effects_);
  settle();
  return remembered;
}

std::optional<std::size_t> Desk::end_brake(BrakeEnd how) {
  const auto count = monitor_.end_brake(how, now, effects_);
  while (monitor_.advance(now, effects_)) {
  }
  settle();
  return count;
}

bool Desk::hold(const Monitor::HoldOrder& order) {
  const bool held = monitor_.hold(order, now, effects_);
  pass(Millis{0});
  return held;
}

bool Desk::release(std::string_view pattern, std::uint32_t uid) {
  const bool released = monitor_.release(pattern, uid, now, effects_);
  pass(Millis{0});
  return released;
}

void Desk::drain(const DrainOrder& order) {
  monitor_.drain(order, now, effects_);
  settle();
}

std::optional<std::uint64_t> Desk::end_drain(std::uint32_t uid) {
  const auto drained = monitor_.end_drain(uid, now, effects_);
  settle();
  return drained;
}

std::unique_ptr<Answer> Desk::ask(std::string_view request) {
  return answer_to(request, {.uid = 1000, .pid = 99}, context_);
}

std::vector<std::string> Desk::answer(std::string_view request, unsigned steps_per_turn) {
  const auto answer = ask(request);
  std::vector<std::string> all;
  for (;;) {
    Slice slice = next_slice(*answer, steps_per_turn);
    for (std::string& body : slice.bodies) all.push_back(std::move(body));
    if (slice.state != Answer::State::Unfinished) return all;
  }
}

Desk::Slice Desk::next_slice(Answer& answer, unsigned steps_per_turn) {
  Steps steps{steps_per_turn};
  std::string slice;
  const Answer::State state = answer.go_on(slice, steps);
  return {.bodies = bodies_of(slice), .state = state, .steps = steps.spent(), .bytes = slice.size()};
}

const Client& Desk::client(std::string_view name) const {
  const auto slot = monitor_.clients().slot_named(name);
  if (!slot) throw std::runtime_error{"no client " + std::string{name}};
  return *monitor_.clients().at(*slot);
}

void Desk::settle() {
  clock_.agree(kMorning + (now - kStart) + stalled_, now);
  for (const Event& event : effects_.events()) feed_.add(event);
  effects_.clear();
}

}  // namespace heartbeat::test
