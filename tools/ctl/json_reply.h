// What the daemon answered: JSON objects, one a frame, to be asked for their members by name.
//
// The daemon is trusted, but may be of another version, and the socket may be another program's: a member
// that is absent, or not of the kind that was asked for, reads as nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rapidjson/fwd.h>

#include "common/mono_time.h"

namespace heartbeat::ctl {

// A view of an object, valid while the reply that it is from.
class Object {
 public:
  Object() = default;  // without members
  explicit Object(const rapidjson::Value& value);

  [[nodiscard]] std::string_view text(const char* name) const;  // empty for nothing
  [[nodiscard]] std::optional<std::int64_t> number(const char* name) const;
  [[nodiscard]] std::optional<Millis> millis(const char* name) const;
  [[nodiscard]] std::optional<double> real(const char* name) const;  // of a whole number, too
  [[nodiscard]] std::optional<bool> flag(const char* name) const;
  [[nodiscard]] Object object(const char* name) const;

  // A member of any kind as text: text as it is, nothing as empty, everything else as JSON.
  [[nodiscard]] std::string written(const char* name) const;

  [[nodiscard]] std::vector<Object> objects(const char* name) const;  // of an array, the ones that are
  [[nodiscard]] std::vector<std::string> texts(const char* name) const;

  // The names of its members, in order.
  [[nodiscard]] std::vector<std::string> names() const;

  // Its members that are whole numbers, in order.
  [[nodiscard]] std::vector<std::pair<std::string_view, std::int64_t>> numbers() const;

 private:
  [[nodiscard]] const rapidjson::Value* member(const char* name) const;

  const rapidjson::Value* value_ = nullptr;  // an object
};

// One object from the daemon.
class Reply {
 public:
  // Nothing where the body is not one JSON object with a `type`.
  [[nodiscard]] static std::optional<Reply> parse(std::string_view body);

  Reply(Reply&&) noexcept;
  Reply& operator=(Reply&&) noexcept;
  Reply(const Reply&) = delete;
  Reply& operator=(const Reply&) = delete;
  ~Reply();

  [[nodiscard]] std::string_view type() const { return object().text("type"); }
  [[nodiscard]] Object object() const;

  // The body as the daemon sent it, on one line; what a terminal would obey, or a person not see, is written
  // as the escape of JSON that means the same.
  [[nodiscard]] std::string json_line() const;

 private:
  Reply(std::string body, std::unique_ptr<rapidjson::Document> document);

  std::string body_;
  std::unique_ptr<rapidjson::Document> document_;
};

}  // namespace heartbeat::ctl
