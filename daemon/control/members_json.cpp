#include <algorithm>

#include <rapidjson/document.h>

#include "common/json_allocator.h"
#include "common/limits.h"
#include "common/text.h"
#include "daemon/control/members.h"

namespace heartbeat {
namespace {

using Pool = rapidjson::MemoryPoolAllocator<JsonAllocator>;
using Document = rapidjson::GenericDocument<rapidjson::UTF8<>, Pool, JsonAllocator>;
using Value = Document::ValueType;

std::string quoted(std::string_view text) {
  return "'" + escaped(text, limits::kExcerptMax) + "'";
}

std::string text_of(const Value& value) {
  return {value.GetString(), value.GetStringLength()};
}

}  // namespace

struct Members::Object {
  Document document;

  // Null where there is no such member.
  [[nodiscard]] const Value* find(std::string_view name) const {
    const auto length = static_cast<rapidjson::SizeType>(name.size());
    const auto member = document.FindMember(Value{rapidjson::StringRef(name.data(), length)});
    return member == document.MemberEnd() ? nullptr : &member->value;
  }
};

Members::Members(std::unique_ptr<Object> object) : object_(std::move(object)) {}
Members::Members(Members&&) noexcept = default;
Members& Members::operator=(Members&&) noexcept = default;
Members::~Members() = default;

tl::expected<Members, std::string> Members::parse(std::string_view body) {
  if (!is_utf8(body)) return tl::unexpected<std::string>("the request is not UTF-8");
  auto object = std::make_unique<Object>();
  // Iterative: a body that is nested deeply cannot use up the stack.
  object->document.Parse<rapidjson::kParseIterativeFlag>(body.data(), body.size());
  if (object->document.HasParseError() || !object->document.IsObject()) {
    return tl::unexpected("the request is not a JSON object: " + escaped(body, limits::kExcerptMax));
  }
  return Members{std::move(object)};
}

std::optional<std::string> Members::text(std::string_view name) {
  asked_.push_back(name);
  const Value* const value = object_->find(name);
  if (value == nullptr) return {};
  if (value->IsString()) return text_of(*value);
  refuse(name, "must be text");
  return {};
}

std::string Members::required_text(std::string_view name) {
  auto value = text(name);
  if (!value || value->empty()) refuse(name, "is required");
  return value.value_or("");
}

std::vector<std::string> Members::texts(std::string_view name) {
  asked_.push_back(name);
  const Value* const value = object_->find(name);
  if (value == nullptr) return {};
  std::vector<std::string> all;
  bool are_texts = value->IsArray();
  if (are_texts) {
    for (const Value& element : value->GetArray()) {
      are_texts = are_texts && element.IsString();
      if (are_texts) all.push_back(text_of(element));
    }
  }
  if (are_texts) return all;
  refuse(name, "must be an array of texts");
  return {};
}

bool Members::flag(std::string_view name) {
  asked_.push_back(name);
  const Value* const value = object_->find(name);
  if (value == nullptr) return false;
  if (!value->IsBool()) refuse(name, "must be true or false");
  return value->IsTrue();
}

std::size_t Members::number(std::string_view name, std::size_t min, std::size_t max, std::size_t otherwise) {
  asked_.push_back(name);
  const Value* const value = object_->find(name);
  if (value == nullptr) return otherwise;
  if (value->IsUint64() && value->GetUint64() >= min && value->GetUint64() <= max) return value->GetUint64();
  refuse(name, "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  return otherwise;
}

void Members::refuse(std::string_view name, std::string_view why, std::string_view between) {
  if (mistake_.empty()) mistake_ = quoted(name).append(between).append(why);
}

void Members::refuse_unknown() {
  for (const auto& member : object_->document.GetObject()) {
    const std::string_view name{member.name.GetString(), member.name.GetStringLength()};
    const bool known = std::find(asked_.begin(), asked_.end(), name) != asked_.end();
    if (!known) refuse(name, "is not a member of this command");
  }
}

}  // namespace heartbeat
