#include "common/json_diagnosis.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include "common/client_id.h"
#include "common/json_allocator.h"
#include "common/limits.h"
#include "common/text.h"

namespace heartbeat {
namespace {

using namespace std::string_view_literals;

// As the heartbeat parser reads, and without recursion: the body may be nested as deep as it is long.
constexpr unsigned kFlags = rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseIterativeFlag;

std::string excerpt(std::string_view text) {
  return '"' + escaped(text, limits::kExcerptMax) + '"';
}

std::string at_byte(std::size_t offset) {
  return "at byte " + std::to_string(offset);
}

// Where the first JSON value ends or goes wrong.
struct Place {
  std::size_t offset = 0;
  bool is_error = false;
};

Place read_value(std::string_view body) {
  rapidjson::MemoryStream stream{body.data(), body.size()};
  rapidjson::BaseReaderHandler<> nothing;
  rapidjson::GenericReader<rapidjson::UTF8<>, rapidjson::UTF8<>, JsonAllocator> reader;
  const auto parsed = reader.Parse<kFlags | rapidjson::kParseStopWhenDoneFlag>(stream, nothing);
  if (parsed.IsError()) return {parsed.Offset(), true};
  return {stream.Tell(), false};
}

bool is_white(char byte) {
  return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

std::size_t skip_white(std::string_view body, std::size_t at) {
  while (at < body.size() && is_white(body[at])) ++at;
  return at;
}

// A byte order mark, or text in two bytes a character: what an editor or another platform's string gives.
std::optional<std::string_view> encoding_of(std::string_view body) {
  if (body.starts_with("\xef\xbb\xbf"))
    return "it begins with a byte order mark (EF BB BF), which JSON must not have";
  if (body.starts_with("\xff\xfe") || body.starts_with("\xfe\xff") || body.starts_with("{\0"sv) ||
      body.starts_with("\0{"sv) || body.starts_with("\"\0"sv) || body.starts_with("\0\""sv)) {
    return "it is UTF-16, and must be UTF-8";
  }
  return {};
}

// Whether the body begins as no JSON value does that could be a heartbeat.
bool begins_otherwise(std::string_view body) {
  const std::size_t begin = skip_white(body, 0);
  return begin < body.size() && std::string_view{"{[\""}.find(body[begin]) == std::string_view::npos;
}

bool is_control(char byte) {
  return static_cast<std::uint8_t>(byte) < 0x20 || byte == '\x7f';
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char byte) { return static_cast<std::uint8_t>(byte) < 0x80; });
}

bool is_name_letter(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' || byte == '$';
}

// Of a body that begins as no JSON value does: what it is, or what stands before the JSON.  Empty where that
// is not known.
std::string diagnose_beginning(std::string_view body) {
  if (const std::string_view name = known_encoding(body); !name.empty())
    return ": it is " + std::string{name} + ", and must be plain JSON";
  if (const auto at = find_object(body)) {
    return ": JSON begins only at byte " + std::to_string(*at) + ", behind " + excerpt(body.substr(0, *at)) +
           ": is that a second length, a type or another header?";
  }
  return {};
}

std::string diagnose_utf8(std::string_view body) {
  std::string text{explain(BadInput::NotUtf8)};
  if (const auto encoding = encoding_of(body)) return text + ": " + std::string{*encoding};
  if (begins_otherwise(body)) {
    if (const std::string what = diagnose_beginning(body); !what.empty()) return text + what;
    return text + ", but " + at_byte(0) + " stands " + excerpt(body) +
           ": is it a binary format, protobuf for example?";
  }
  std::size_t at = 0;
  for (std::string_view rest = body; !rest.empty(); at = body.size() - rest.size()) {
    if (!take_code_point(rest)) break;
  }
  if (is_json(body.substr(0, at))) {
    return text + ": the JSON is whole after " + std::to_string(at) + " bytes, and " +
           excerpt(body.substr(at)) + " follows: does the length count more than the body?";
  }
  text += ", but " + at_byte(at) + " stands " + excerpt(body.substr(at));
  // The rest of a code point is missing: the body was cut inside it.
  if (body.size() - at < 4 && static_cast<std::uint8_t>(body[at]) >= 0xC2) {
    return text + ", where the body ends: is the length in characters?";
  }
  return text + ": is it Latin-1 or Windows-1252?";
}

// What follows a JSON value that is whole.
std::string diagnose_rest(std::string_view body, std::size_t end) {
  const std::string_view rest = body.substr(end);
  std::string text =
      ": it is whole after " + std::to_string(end) + " bytes, and then " + excerpt(rest) + " follows";
  const auto own = static_cast<std::uint32_t>(body.size());
  const std::array<char, 4> prefix{static_cast<char>(own >> 24U), static_cast<char>(own >> 16U),
                                   static_cast<char>(own >> 8U), static_cast<char>(own)};
  if (rest == std::string_view{prefix.data(), prefix.size()}) {
    return text + ", which is the next length: the length must not count its own four bytes";
  }
  // Of a stream of frames it may also be the beginning of the next length, which is less than 256.
  if (rest.size() < prefix.size() && rest.find_first_not_of('\0') == std::string_view::npos) {
    return text + (rest.size() == 1 ? ", a NUL byte" : "") +
           ": is it the end of a C string, or is the length " + std::to_string(rest.size()) + " too high?";
  }
  if (rest.starts_with('\0')) return text + ": is a whole buffer sent, and not only what is in it?";
  if (rest.starts_with('{')) return text + ", a second object: each needs a length of its own";
  return text;
}

std::string diagnose_json(std::string_view body) {
  std::string text{explain(BadInput::NotJson)};
  if (const auto encoding = encoding_of(body)) return text + ": " + std::string{*encoding};
  const std::size_t begin = skip_white(body, 0);
  if (begin == body.size()) return text + ": it is nothing but white space";
  const Place place = read_value(body);
  const std::size_t at = skip_white(body, place.offset);
  if (!place.is_error) return text + diagnose_rest(body, at);
  const bool in_escape = at < body.size() && body[at] == '\\' && body.size() - at < 6;
  if (at >= body.size() || in_escape) {
    return text + ": it ends in the middle at byte " + std::to_string(body.size()) +
           (is_ascii(body) ? ": is the length too small?" : ": is the length in characters?");
  }
  if (at == begin && begins_otherwise(body)) {
    if (const std::string what = diagnose_beginning(body); !what.empty()) return text + what;
    if (is_control(body[at])) {
      return text + ", but " + at_byte(at) + " stands " + excerpt(body.substr(at)) +
             ": is it a binary format, protobuf for example?";
    }
  }
  if (body[at] == '\0') {
    return text + ", but " + at_byte(at) +
           " stands a NUL byte: is the buffer longer than what was written to it?";
  }
  text += ", but " + at_byte(at) + " stands " + excerpt(body.substr(at));
  if (body[at] == '\'') return text + ": JSON has double quotes, not single ones";
  if (body[at] == '}' || body[at] == ']') return text + ": is there a comma too many?";
  if (body.substr(at).starts_with("None") || body.substr(at).starts_with("True") ||
      body.substr(at).starts_with("False")) {
    return text + ": JSON writes null, true and false";
  }
  if (body.substr(at).starts_with("NaN") || body.substr(at).starts_with("Inf") ||
      body.substr(at).starts_with("undefined")) {
    return text + ": JSON has no such value";
  }
  if (body[at] == '/' && at > begin) return text + ": JSON has no comments";
  const std::size_t before = body.find_last_not_of(" \t\r\n", at == 0 ? 0 : at - 1);
  if (at > begin && is_name_letter(body[at]) && (body[before] == '{' || body[before] == ',')) {
    return text + ": a name must stand in double quotes";
  }
  if (at == begin && body[at] != '{' && body[at] != '"') return text + ": is it JSON at all?";
  return text;
}

// A member of the outermost object, with its value as it will be shown.
struct FoundMember {
  enum class Form : std::uint8_t { Text, Number, Literal, Object, Array };
  std::string name;
  Form form;
  std::string value;  // of Text: unescaped; of Object and Array: empty
};

// Collects the members of the outermost object; or, where the body is a string, that string.
class Members {
 public:
  [[nodiscard]] const std::vector<FoundMember>& all() const { return members_; }
  [[nodiscard]] const std::optional<std::string>& root_text() const { return root_text_; }

  // The last of that name counts, as in the heartbeat parser; null where the object has no such member.
  [[nodiscard]] const FoundMember* last_named(std::string_view name) const {
    const auto found = std::find_if(members_.rbegin(), members_.rend(),
                                    [&](const FoundMember& member) { return member.name == name; });
    return found == members_.rend() ? nullptr : &*found;
  }

  // --- called by RapidJSON, in its spelling ---
  // NOLINTBEGIN(readability-identifier-naming)
  bool Null() { return add(FoundMember::Form::Literal, "null"); }
  bool Bool(bool value) { return add(FoundMember::Form::Literal, value ? "true" : "false"); }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
    return add(FoundMember::Form::Number, {text, size});
  }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    if (depth_ == 0) root_text_.emplace(text, size);
    return add(FoundMember::Form::Text, {text, size});
  }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    if (depth_ == 1) name_.assign(text, size);
    return true;
  }
  bool StartObject() { return begin(FoundMember::Form::Object); }
  bool EndObject(rapidjson::SizeType) { return end(); }
  bool StartArray() { return begin(FoundMember::Form::Array); }
  bool EndArray(rapidjson::SizeType) { return end(); }
  static bool Int(int) { return false; }
  static bool Uint(unsigned) { return false; }
  static bool Int64(std::int64_t) { return false; }
  static bool Uint64(std::uint64_t) { return false; }
  static bool Double(double) { return false; }
  // NOLINTEND(readability-identifier-naming)

 private:
  bool add(FoundMember::Form form, std::string_view value) {
    if (depth_ == 1) members_.push_back({name_, form, std::string{value}});
    return true;
  }
  bool begin(FoundMember::Form form) {
    add(form, {});
    ++depth_;
    return true;
  }
  bool end() {
    --depth_;
    return true;
  }

  std::size_t depth_ = 0;
  std::string name_;
  std::vector<FoundMember> members_;
  std::optional<std::string> root_text_;
};

Members members_of(std::string_view body) {
  Members members;
  rapidjson::MemoryStream stream{body.data(), body.size()};
  rapidjson::Reader reader;
  reader.Parse<kFlags>(stream, members);
  return members;
}

std::string_view member_of(BadInput kind) {
  switch (kind) {
    case BadInput::IpMissing:
    case BadInput::IpInvalid: return "ip";
    case BadInput::StatusMissing:
    case BadInput::StatusUnknown: return "status";
    case BadInput::PidInvalid: return "pid";
    case BadInput::IdInvalid: return "id";
    case BadInput::SeqInvalid: return "seq";
    case BadInput::AckInvalid: return "ack";
    case BadInput::NotifyInvalid: return "notify";
    default: return "";
  }
}

char lower(char byte) {
  return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte | 0x20) : byte;
}

bool same_but_for_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t at = 0; at < a.size(); ++at) {
    if (lower(a[at]) != lower(b[at])) return false;
  }
  return true;
}

// Which members there are instead of the one that is missing.
std::string diagnose_missing(std::string_view wanted, const std::vector<FoundMember>& members) {
  constexpr std::size_t kNamed = 4;
  if (members.empty()) return ", and the object is empty";
  std::string names;
  for (std::size_t at = 0; at < members.size(); ++at) {
    const std::string name = '\'' + escaped(members[at].name, limits::kExcerptMax) + '\'';
    if (same_but_for_case(members[at].name, wanted)) {
      return ", and there is " + name + ": names are written in lower case";
    }
    if (at < kNamed) names += (names.empty() ? "" : ", ") + name;
    if (at == kNamed) names += ", …";
  }
  const auto wrapping = std::find_if(members.begin(), members.end(), [](const FoundMember& member) {
    return member.form == FoundMember::Form::Object;
  });
  std::string text = ", and there is only " + names;
  if (wrapping != members.end()) {
    text += ": is it inside '" + escaped(wrapping->name, limits::kExcerptMax) +
            "'? It must stand in the outermost object";
  }
  return text;
}

std::string diagnose_text(BadInput kind, std::string_view text) {
  if (text.empty()) return ", but it is empty";
  if (kind == BadInput::IdInvalid) {
    if (const auto fault = fault_of_client_id(text)) return ", but " + *fault + ": " + excerpt(text);
  }
  for (const std::string_view known : {"alive"sv, "live"sv, "leave"sv, "close"sv}) {
    if (kind == BadInput::StatusUnknown && same_but_for_case(text, known)) {
      return ", but it is " + excerpt(text) + ": statuses are written in lower case";
    }
  }
  return ", but it is " + excerpt(text);
}

std::string diagnose_value(BadInput kind, const FoundMember& member) {
  const bool wants_text =
      kind == BadInput::IpInvalid || kind == BadInput::IdInvalid || kind == BadInput::StatusUnknown;
  switch (member.form) {
    case FoundMember::Form::Object: return ", but it is an object";
    case FoundMember::Form::Array: return ", but it is an array";
    case FoundMember::Form::Text:
      return wants_text ? diagnose_text(kind, member.value) : ", but it is the text " + excerpt(member.value);
    case FoundMember::Form::Number:
      return ", but it is the number " + escaped(member.value, limits::kExcerptMax);
    case FoundMember::Form::Literal: return ", but it is " + member.value;
  }
  return "";
}

std::string diagnose_root(std::string_view body) {
  const std::size_t begin = skip_white(body, 0);
  if (begin < body.size() && body[begin] == '[') return ", but it is an array: " + excerpt(body);
  if (begin < body.size() && body[begin] == '"') {
    return ", but it is a string that does not hold one: " + excerpt(body);
  }
  return ", but it is " + excerpt(body);
}

std::string diagnose_member(BadInput kind, std::string_view body) {
  const Members members = members_of(body);
  const std::string_view wanted = member_of(kind);
  const FoundMember* const member = members.last_named(wanted);
  std::string text{explain(kind)};
  return text + (member == nullptr ? diagnose_missing(wanted, members.all()) : diagnose_value(kind, *member));
}

// Whether the body is one JSON value and nothing else.
bool read_whole(std::string_view body) {
  const Place place = read_value(body);
  return !place.is_error && skip_white(body, place.offset) == body.size();
}

std::string diagnose_plain(BadInput kind, std::string_view body) {
  switch (kind) {
    case BadInput::NotJson: return diagnose_json(body);
    case BadInput::NotAnObject: return std::string{explain(kind)} + diagnose_root(body);
    case BadInput::TooDeep: return std::string{explain(kind)} + ": " + excerpt(body);
    default: return diagnose_member(kind, body);
  }
}

}  // namespace

std::string diagnose_body(BadInput kind, std::string_view body) {
  if (kind == BadInput::NotUtf8) return diagnose_utf8(body);
  // The article's client encodes twice: what is wrong may be wrong in the text that the string holds.
  const std::optional<std::string> inner = members_of(body).root_text();
  if (inner && read_whole(body)) {
    const bool nested = members_of(*inner).root_text().has_value();
    if (!nested && kind != BadInput::NotAnObject) {
      return diagnose_plain(kind, *inner) + " (in the string that the body holds)";
    }
  }
  return diagnose_plain(kind, body);
}

std::string diagnose_changed_id(std::string_view first, std::string_view id) {
  return std::string{explain(BadInput::IdChanged)} + ", " + excerpt(first) + ", but it is " + excerpt(id);
}

std::string_view known_encoding(std::string_view bytes) {
  struct Beginning {
    std::string_view bytes;
    std::string_view name;
  };
  constexpr std::array kBeginnings{
      Beginning{"\x1f\x8b", "compressed data (gzip)"},
      Beginning{"x\x01", "compressed data (zlib)"},
      Beginning{"x^", "compressed data (zlib)"},
      Beginning{"x\x9c", "compressed data (zlib)"},
      Beginning{"x\xda", "compressed data (zlib)"},
      Beginning{"\x28\xb5\x2f\xfd", "compressed data (Zstandard)"},
      Beginning{"\x04\x22\x4d\x18", "compressed data (LZ4)"},
      Beginning{"\xac\xed\0\x05"sv, "Java serialization"},
      Beginning{"\x80\x01\0"sv, "Thrift"},
      Beginning{"\x80\x04\x95", "a Python pickle"},
      Beginning{"eyJ", "JSON in base64"},
  };
  for (const Beginning& beginning : kBeginnings) {
    if (bytes.starts_with(beginning.bytes)) return beginning.name;
  }
  if (bytes.size() < 2) return {};
  // A map of at most fifteen members whose first name is short.
  const auto first = static_cast<std::uint8_t>(bytes[0]);
  const auto second = static_cast<std::uint8_t>(bytes[1]);
  if (first >= 0x82 && first <= 0x8F && second >= 0xA1 && second <= 0xBF) return "MessagePack";
  if (first >= 0xA2 && first <= 0xAF && second >= 0x61 && second <= 0x77) return "CBOR";
  return {};
}

std::optional<std::size_t> find_object(std::string_view bytes) {
  constexpr std::size_t kSearched = 32;
  for (std::size_t at = 0; at < std::min(bytes.size(), kSearched); ++at) {
    if (bytes[at] != '{') continue;
    const std::size_t name = skip_white(bytes, at + 1);
    if (name < bytes.size() && bytes[name] == '"') return at;
  }
  return {};
}

bool is_json(std::string_view bytes) {
  const std::size_t begin = skip_white(bytes, 0);
  if (begin == bytes.size() || std::string_view{"{[\""}.find(bytes[begin]) == std::string_view::npos)
    return false;
  return read_whole(bytes);
}

}  // namespace heartbeat
