#include "common/message.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include <rapidjson/document.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include "common/client_id.h"
#include "common/frame.h"
#include "common/json_allocator.h"
#include "common/json_frame.h"
#include "common/plain_heartbeat.h"
#include "common/text.h"
#include "common/token.h"

namespace heartbeat {
namespace {

// Numbers stay text until a member of ours needs one: no rounding through double, nothing to overflow, and
// unknown members cost no conversion.
constexpr unsigned kParseFlags = rapidjson::kParseNumbersAsStringsFlag;

// The members that are read; everything else is Other.
enum class Member : std::uint8_t {
  Other,
  Ip,
  Status,
  Pid,
  Id,
  Seq,
  Ack,
  Notify,
  Note,
  Token,
  Group,
  Interval,
  Quiet
};

Member member_named(std::string_view key) {
  switch (key.size()) {
    case 2:
      if (key == "ip") return Member::Ip;
      if (key == "id") return Member::Id;
      break;
    case 3:
      if (key == "pid") return Member::Pid;
      if (key == "seq") return Member::Seq;
      if (key == "ack") return Member::Ack;
      break;
    case 4:
      if (key == "note") return Member::Note;
      break;
    case 5:
      if (key == "token") return Member::Token;
      if (key == "group") return Member::Group;
      break;
    case 6:
      if (key == "status") return Member::Status;
      if (key == "notify") return Member::Notify;
      break;
    case 8:
      if (key == "quiet_ms") return Member::Quiet;
      break;
    case 11:
      if (key == "interval_ms") return Member::Interval;
      break;
    default: break;
  }
  return Member::Other;
}

// A member's value so far: of one given twice the last counts, so a bad first value is no error yet.
enum class Given : std::uint8_t { Absent, Invalid, Valid };

template <class T>
struct Field {
  Given given = Given::Absent;
  T value{};

  void set(T to) {
    value = to;
    given = Given::Valid;
  }
};

// A short string, copied: the parser's own memory is gone before the object's end.
template <std::size_t Max>
struct TextField {
  Given given = Given::Absent;
  std::size_t size = 0;
  std::array<char, Max> bytes;

  void set(std::string_view to) {
    size = to.size();
    std::memcpy(bytes.data(), to.data(), to.size());
    given = Given::Valid;
  }
  [[nodiscard]] std::string_view view() const { return {bytes.data(), size}; }
};

template <class Integer>
void read_integer(std::string_view digits, Field<Integer>& field) {
  Integer value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [rest, error] = std::from_chars(digits.data(), end, value);
  if (error == std::errc{} && rest == end) field.set(value);
}

// Receives the parse of one body.  A false return stops the parser; why_stopped says why.
class Handler {
 public:
  void reset() {
    depth_ = 0;
    stopped_ = {};
    root_text_ = {};
    current_ = Member::Other;
    ip_.given = id_.given = note_.given = token_.given = group_.given = Given::Absent;
    status_.given = pid_.given = seq_.given = ack_.given = notify_.given = Given::Absent;
    interval_.given = quiet_.given = Given::Absent;
  }

  // The root was a string, which is now in `text`: the article's double encoding.
  [[nodiscard]] const std::optional<std::string_view>& root_text() const { return root_text_; }
  [[nodiscard]] std::optional<BadInput> why_stopped() const { return stopped_; }

  [[nodiscard]] tl::expected<Heartbeat, BadInput> result() const {
    if (ip_.given != Given::Valid) return missing_or(ip_.given, BadInput::IpMissing, BadInput::IpInvalid);
    if (status_.given != Given::Valid) {
      return missing_or(status_.given, BadInput::StatusMissing, BadInput::StatusUnknown);
    }
    if (pid_.given == Given::Invalid) return tl::unexpected(BadInput::PidInvalid);
    if (id_.given == Given::Invalid) return tl::unexpected(BadInput::IdInvalid);
    if (seq_.given == Given::Invalid) return tl::unexpected(BadInput::SeqInvalid);
    if (ack_.given == Given::Invalid) return tl::unexpected(BadInput::AckInvalid);
    if (notify_.given == Given::Invalid) return tl::unexpected(BadInput::NotifyInvalid);

    Heartbeat heartbeat{.ip = ip_.view(), .status = status_.value};
    if (id_.given == Given::Valid) heartbeat.id = id_.view();
    if (pid_.given == Given::Valid) heartbeat.pid = pid_.value;
    if (seq_.given == Given::Valid) heartbeat.seq = seq_.value;
    // A note is for a person.  One that is not a text is no reason to take a client for silent.
    if (note_.given == Given::Valid) heartbeat.note = note_.view();
    // A client of another kind than it says is judged by the daemon's own rule.
    if (group_.given == Given::Valid) heartbeat.group = group_.view();
    // Nor is a client refused whose wish is no length of time: it is granted nothing.
    if (interval_.given == Given::Valid) heartbeat.interval_ms = interval_.value;
    if (quiet_.given == Given::Valid) heartbeat.quiet_ms = quiet_.value;
    // What the daemon asks no token of has never looked at this member: a wrong one is the core's to judge.
    if (token_.given == Given::Valid) heartbeat.token = token_.view();
    if (token_.given == Given::Invalid) heartbeat.token = std::string_view{};
    heartbeat.ack = ack_.given == Given::Valid && ack_.value;
    heartbeat.notify = notify_.given == Given::Valid && notify_.value;
    return heartbeat;
  }

  // --- called by RapidJSON, in its spelling ---
  // NOLINTBEGIN(readability-identifier-naming)
  bool Null() {
    return scalar([] {});
  }
  bool Bool(bool value) {
    return scalar([&] {
      if (current_ == Member::Ack) ack_.set(value);
      if (current_ == Member::Notify) notify_.set(value);
    });
  }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
    return scalar([&] {
      if (current_ == Member::Pid) read_integer({text, size}, pid_);
      if (current_ == Member::Seq) read_integer({text, size}, seq_);
      if (current_ == Member::Interval) read_integer({text, size}, interval_);
      if (current_ == Member::Quiet) read_integer({text, size}, quiet_);
    });
  }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    const std::string_view value{text, size};
    if (depth_ == 0) {
      root_text_ = value;
      return true;
    }
    return scalar([&] { read_text(value); });
  }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    current_ = depth_ == 1 ? member_named({text, size}) : Member::Other;
    return true;
  }
  bool StartObject() { return start(); }
  bool EndObject(rapidjson::SizeType) { return end(); }
  bool StartArray() { return depth_ == 0 ? stop(BadInput::NotAnObject) : start(); }
  bool EndArray(rapidjson::SizeType) { return end(); }
  // With numbers as strings the parser calls none of these, but it wants them declared.
  static bool Int(int) { return false; }
  static bool Uint(unsigned) { return false; }
  static bool Int64(std::int64_t) { return false; }
  static bool Uint64(std::uint64_t) { return false; }
  static bool Double(double) { return false; }
  // NOLINTEND(readability-identifier-naming)

 private:
  static tl::unexpected<BadInput> missing_or(Given given, BadInput missing, BadInput invalid) {
    return tl::unexpected<BadInput>(given == Given::Absent ? missing : invalid);
  }

  bool stop(BadInput why) {
    stopped_ = why;
    return false;
  }

  bool start() {
    if (depth_ == limits::kJsonDepthMax) return stop(BadInput::TooDeep);
    if (depth_ == 1) mark(Given::Invalid);  // no member of ours is an object or an array
    ++depth_;
    return true;
  }
  bool end() {
    --depth_;
    current_ = Member::Other;
    return true;
  }

  // A value that is neither object nor array: invalid for its member unless `read` makes it valid.
  template <class Read>
  bool scalar(Read read) {
    if (depth_ == 0) return stop(BadInput::NotAnObject);
    if (depth_ != 1 || current_ == Member::Other) return true;
    mark(Given::Invalid);
    read();
    return true;
  }

  void read_text(std::string_view value) {
    switch (current_) {
      case Member::Ip:
        if (!value.empty() && is_utf8(value)) ip_.set(cut_to_bytes(value, limits::kClaimedIpMax));
        break;
      case Member::Id:
        if (is_client_id(value)) id_.set(value);
        break;
      case Member::Note:
        if (!value.empty() && is_utf8(value)) note_.set(cut_to_bytes(value, limits::kNoteMax));
        break;
      case Member::Token:
        if (is_token(value)) token_.set(value);
        break;
      case Member::Group:
        if (value.size() <= limits::kGroupNameMax) group_.set(value);
        break;
      case Member::Status:
        if (value == "alive" || value == "live") status_.set(Status::Alive);
        if (value == "leave") status_.set(Status::Leave);
        if (value == "close") status_.set(Status::Close);
        break;
      default: break;
    }
  }

  void mark(Given given) {
    switch (current_) {
      case Member::Other: break;
      case Member::Ip: ip_.given = given; break;
      case Member::Status: status_.given = given; break;
      case Member::Pid: pid_.given = given; break;
      case Member::Id: id_.given = given; break;
      case Member::Seq: seq_.given = given; break;
      case Member::Ack: ack_.given = given; break;
      case Member::Notify: notify_.given = given; break;
      case Member::Note: note_.given = given; break;
      case Member::Token: token_.given = given; break;
      case Member::Group: group_.given = given; break;
      case Member::Interval: interval_.given = given; break;
      case Member::Quiet: quiet_.given = given; break;
    }
  }

  unsigned depth_ = 0;
  Member current_ = Member::Other;
  std::optional<BadInput> stopped_;
  std::optional<std::string_view> root_text_;
  TextField<limits::kClaimedIpMax> ip_;
  TextField<limits::kIdMax> id_;
  TextField<limits::kNoteMax> note_;
  TextField<limits::kTokenMax> token_;
  TextField<limits::kGroupNameMax> group_;
  Field<Status> status_;
  Field<std::uint32_t> pid_;
  Field<std::uint64_t> seq_;
  Field<std::uint32_t> interval_;
  Field<std::uint32_t> quiet_;
  Field<bool> ack_;
  Field<bool> notify_;
};

// Parses exactly the body: RapidJSON takes a NUL byte for the end of its input, so what it read is compared
// with what there was.
template <class Reader>
std::optional<BadInput> run(Reader& reader, std::string_view body, Handler& handler) {
  if (!is_utf8(body)) return BadInput::NotUtf8;
  rapidjson::MemoryStream stream{body.data(), body.size()};
  const rapidjson::ParseResult parsed = reader.template Parse<kParseFlags>(stream, handler);
  if (handler.why_stopped()) return handler.why_stopped();
  if (parsed.IsError() || stream.Tell() != body.size()) return BadInput::NotJson;
  return {};
}

}  // namespace

struct HeartbeatParser::State {
  rapidjson::GenericReader<rapidjson::UTF8<>, rapidjson::UTF8<>, JsonAllocator> reader;
  Handler handler;
  std::string inner;  // the object inside a body that was encoded twice
};

HeartbeatParser::HeartbeatParser() : state_(std::make_unique<State>()) {}
HeartbeatParser::~HeartbeatParser() = default;
HeartbeatParser::HeartbeatParser(HeartbeatParser&&) noexcept = default;
HeartbeatParser& HeartbeatParser::operator=(HeartbeatParser&&) noexcept = default;

tl::expected<Heartbeat, BadInput> HeartbeatParser::parse(std::string_view body) {
  tl::expected<Heartbeat, BadInput> plain;
  if (read_plain_heartbeat(body, *plain)) return plain;
  return parse_in_full(body);
}

tl::expected<Heartbeat, BadInput> HeartbeatParser::parse_in_full(std::string_view body) {
  Handler& handler = state_->handler;
  handler.reset();
  if (const auto bad = run(state_->reader, body, handler)) return tl::unexpected(*bad);

  if (handler.root_text()) {
    state_->inner.assign(*handler.root_text());
    handler.reset();
    if (const auto bad = run(state_->reader, state_->inner, handler)) return tl::unexpected(*bad);
    if (handler.root_text()) return tl::unexpected(BadInput::NotAnObject);
  }
  return handler.result();
}

namespace {

std::uint64_t count(Millis millis) {
  return static_cast<std::uint64_t>(millis.count());
}

}  // namespace

std::string encode(const Heartbeat& heartbeat) {
  std::string body;
  JsonWriter json{body};
  json.begin_object();
  json.add("ip", heartbeat.ip);
  json.add("status", to_string(heartbeat.status));
  if (heartbeat.pid) json.add("pid", *heartbeat.pid);
  if (!heartbeat.id.empty()) json.add("id", heartbeat.id);
  if (heartbeat.token) json.add("token", *heartbeat.token);
  if (!heartbeat.group.empty()) json.add("group", heartbeat.group);
  if (heartbeat.interval_ms) json.add("interval_ms", *heartbeat.interval_ms);
  if (heartbeat.quiet_ms) json.add("quiet_ms", *heartbeat.quiet_ms);
  if (heartbeat.seq) json.add("seq", *heartbeat.seq);
  if (heartbeat.ack) json.add("ack", true);
  if (heartbeat.notify) json.add("notify", true);
  if (!heartbeat.note.empty()) json.add("note", heartbeat.note);
  json.end_object();
  return body;
}

std::string encode_twice(const Heartbeat& heartbeat) {
  std::string body;
  JsonWriter{body}.value(encode(heartbeat));
  return body;
}

void append_ack(std::string& out, std::optional<std::uint64_t> seq, Status status) {
  append_json_frame(out, [&](JsonWriter& json) {
    json.add("type", "ack");
    if (seq) json.add("seq", *seq);
    json.add("status", to_string(status));
  });
}

void append_welcome(std::string& out, const Welcome& welcome) {
  append_json_frame(out, [&](JsonWriter& json) {
    json.add("type", "welcome");
    json.add("tick_ms", count(welcome.tick));
    json.add("threshold", welcome.threshold);
    json.add("cursor", welcome.cursor);
    json.add("recover", welcome.recover);
    json.add("leave_timeout_ms", count(welcome.leave_timeout));
    json.add("max_frame", welcome.frame_max);
  });
}

void append_status(std::string& out, Status status, std::string_view reason, std::string_view detail,
                   Millis retry_after) {
  append_json_frame(out, [&](JsonWriter& json) {
    json.add("type", "status");
    json.add("status", to_string(status));
    json.add("reason", reason);
    if (!detail.empty()) json.add("detail", detail);
    if (retry_after > Millis{0}) json.add("retry_after_ms", count(retry_after));
  });
}

void append_granted(std::string& out, Status status, Millis interval, Millis quiet) {
  append_json_frame(out, [&](JsonWriter& json) {
    json.add("type", "status");
    json.add("status", to_string(status));
    json.add("reason", "granted");
    json.add("interval_ms", count(interval));
    json.add("quiet_ms", count(quiet));
  });
}

namespace {

std::string text_member(const rapidjson::Document& document, const char* name) {
  const auto member = document.FindMember(name);
  if (member == document.MemberEnd() || !member->value.IsString()) return {};
  return {member->value.GetString(), member->value.GetStringLength()};
}

std::optional<std::uint64_t> integer_member(const rapidjson::Document& document, const char* name) {
  const auto member = document.FindMember(name);
  if (member == document.MemberEnd() || !member->value.IsUint64()) return {};
  return member->value.GetUint64();
}

Welcome welcome_of(const rapidjson::Document& document) {
  const auto number = [&](const char* name) { return integer_member(document, name).value_or(0); };
  const auto millis = [&](const char* name) { return Millis{static_cast<std::int64_t>(number(name))}; };
  return {.tick = millis("tick_ms"),
          .threshold = static_cast<unsigned>(number("threshold")),
          .cursor = static_cast<unsigned>(number("cursor")),
          .recover = static_cast<unsigned>(number("recover")),
          .leave_timeout = millis("leave_timeout_ms"),
          .frame_max = number("max_frame")};
}

}  // namespace

tl::expected<ServerFrame, std::string> parse_server_frame(std::string_view body) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(body.data(), body.size());
  if (document.HasParseError() || !document.IsObject()) {
    return tl::unexpected("not a JSON object: " + escaped(body, limits::kExcerptMax));
  }
  ServerFrame frame{.type = text_member(document, "type"),
                    .status = text_member(document, "status"),
                    .reason = text_member(document, "reason"),
                    .detail = text_member(document, "detail"),
                    .seq = integer_member(document, "seq"),
                    .retry_after_ms = integer_member(document, "retry_after_ms"),
                    .welcome = {}};
  if (frame.type.empty()) return tl::unexpected("no 'type' in " + escaped(body, limits::kExcerptMax));
  if (frame.type == "welcome") frame.welcome = welcome_of(document);
  return frame;
}

}  // namespace heartbeat
