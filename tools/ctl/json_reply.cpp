#include "tools/ctl/json_reply.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "common/text.h"

namespace heartbeat::ctl {
namespace {

// Iterative: no depth of nesting can exhaust the stack.
constexpr unsigned kParseFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;

std::string_view view(const rapidjson::Value& text) {
  return {text.GetString(), text.GetStringLength()};
}

std::string as_text(const rapidjson::Value& value) {
  if (value.IsString()) return std::string{view(value)};
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer{buffer};
  value.Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

// Appends `\uXXXX`, twice for what is beyond the first plane.
void append_escape(std::string& out, std::string_view character) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(character[at]); };
  std::uint32_t value = byte(0);
  if (character.size() > 1) {
    value &= 0x7FU >> character.size();
    for (std::size_t at = 1; at < character.size(); ++at) value = value << 6U | (byte(at) & 0x3FU);
  }
  std::array<char, 16> text{};
  if (value > 0xFFFF) {
    const std::uint32_t beyond = value - 0x10000;
    std::snprintf(text.data(), text.size(), "\\u%04x\\u%04x", 0xD800U + (beyond >> 10U),
                  0xDC00U + (beyond & 0x3FFU));
  } else {
    std::snprintf(text.data(), text.size(), "\\u%04x", value);
  }
  out += text.data();
}

std::size_t character_size(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  if (byte >= 0xF0) return 4;
  if (byte >= 0xE0) return 3;
  return byte >= 0xC0 ? 2 : 1;
}

}  // namespace

Object::Object(const rapidjson::Value& value) : value_(value.IsObject() ? &value : nullptr) {}

const rapidjson::Value* Object::member(const char* name) const {
  if (value_ == nullptr) return nullptr;
  const auto found = value_->FindMember(name);
  return found == value_->MemberEnd() ? nullptr : &found->value;
}

std::string_view Object::text(const char* name) const {
  const auto* const value = member(name);
  return value != nullptr && value->IsString() ? view(*value) : std::string_view{};
}

std::optional<std::int64_t> Object::number(const char* name) const {
  const auto* const value = member(name);
  if (value == nullptr) return {};
  if (value->IsInt64()) return value->GetInt64();
  if (value->IsUint64()) return std::numeric_limits<std::int64_t>::max();
  return {};
}

std::optional<Millis> Object::millis(const char* name) const {
  const auto value = number(name);
  return value ? std::optional{Millis{*value}} : std::nullopt;
}

std::optional<double> Object::real(const char* name) const {
  const auto* const value = member(name);
  return value != nullptr && value->IsNumber() ? std::optional{value->GetDouble()} : std::nullopt;
}

std::optional<bool> Object::flag(const char* name) const {
  const auto* const value = member(name);
  return value != nullptr && value->IsBool() ? std::optional{value->GetBool()} : std::nullopt;
}

Object Object::object(const char* name) const {
  const auto* const value = member(name);
  return value != nullptr ? Object{*value} : Object{};
}

std::string Object::written(const char* name) const {
  const auto* const value = member(name);
  return value != nullptr ? as_text(*value) : std::string{};
}

std::vector<Object> Object::objects(const char* name) const {
  const auto* const value = member(name);
  std::vector<Object> found;
  if (value == nullptr || !value->IsArray()) return found;
  for (const auto& element : value->GetArray()) {
    if (element.IsObject()) found.emplace_back(element);
  }
  return found;
}

std::vector<std::string> Object::texts(const char* name) const {
  const auto* const value = member(name);
  std::vector<std::string> found;
  if (value == nullptr || !value->IsArray()) return found;
  for (const auto& element : value->GetArray()) found.push_back(as_text(element));
  return found;
}

std::vector<std::string> Object::names() const {
  std::vector<std::string> found;
  if (value_ == nullptr) return found;
  for (const auto& each : value_->GetObject()) found.emplace_back(view(each.name));
  return found;
}

std::vector<std::pair<std::string_view, std::int64_t>> Object::numbers() const {
  std::vector<std::pair<std::string_view, std::int64_t>> found;
  if (value_ == nullptr) return found;
  for (const auto& each : value_->GetObject()) {
    if (each.value.IsInt64()) found.emplace_back(view(each.name), each.value.GetInt64());
  }
  return found;
}

std::optional<Reply> Reply::parse(std::string_view body) {
  // The parser takes a NUL for the end of its input.
  if (body.find('\0') != std::string_view::npos) return {};
  auto document = std::make_unique<rapidjson::Document>();
  document->Parse<kParseFlags>(body.data(), body.size());
  if (document->HasParseError() || Object{*document}.text("type").empty()) return {};
  return Reply{std::string{body}, std::move(document)};
}

Reply::Reply(std::string body, std::unique_ptr<rapidjson::Document> document)
    : body_(std::move(body)), document_(std::move(document)) {}
Reply::Reply(Reply&&) noexcept = default;
Reply& Reply::operator=(Reply&&) noexcept = default;
Reply::~Reply() = default;

Object Reply::object() const {
  return Object{*document_};
}

std::string Reply::json_line() const {
  if (is_printable(body_)) return body_;
  std::string line;
  for (std::string_view rest = body_; !rest.empty();) {
    const std::string_view character = rest.substr(0, character_size(rest.front()));
    const bool white_space = static_cast<unsigned char>(rest.front()) < ' ';  // in a string it is no JSON
    if (white_space) {
      line += ' ';
    } else if (is_printable(character)) {
      line += character;
    } else {
      append_escape(line, character);
    }
    rest.remove_prefix(character.size());
  }
  return line;
}

}  // namespace heartbeat::ctl
