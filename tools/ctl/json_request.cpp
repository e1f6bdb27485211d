#include "tools/ctl/json_request.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace heartbeat::ctl {
namespace {

std::string quoted(std::string_view text) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer{buffer};
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  return {buffer.GetString(), buffer.GetSize()};
}

void append(std::string& members, std::string_view name, std::string_view value) {
  members += members.empty() ? '{' : ',';
  members += quoted(name);
  members += ':';
  members += value;
}

}  // namespace

Request::Request(std::string_view command) {
  with("command", command);
}

Request& Request::with(std::string_view name, std::string_view text) {
  append(members_, name, quoted(text));
  return *this;
}

Request& Request::with(std::string_view name, std::uint64_t number) {
  append(members_, name, std::to_string(number));
  return *this;
}

Request& Request::with(std::string_view name, std::span<const std::string> texts) {
  std::string array = "[";
  for (const std::string& text : texts) {
    if (array.size() > 1) array += ',';
    array += quoted(text);
  }
  append(members_, name, array + ']');
  return *this;
}

Request& Request::flagged(std::string_view name) {
  append(members_, name, "true");
  return *this;
}

}  // namespace heartbeat::ctl
