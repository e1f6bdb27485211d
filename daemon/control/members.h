// The members of one request, asked for by name and checked.  Knows no command.
//
// The first mistake is kept.  A member that nothing asks for is a mistake of the caller, too: it would
// believe that the member counts.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

namespace heartbeat {

class Members {
 public:
  // The error is a sentence: the bytes are no JSON object.
  [[nodiscard]] static tl::expected<Members, std::string> parse(std::string_view body);
  Members(Members&&) noexcept;
  Members& operator=(Members&&) noexcept;
  Members(const Members&) = delete;
  Members& operator=(const Members&) = delete;
  ~Members();

  // Each returns the member's value.  Where the member is missing, or is a mistake: nothing, or the value
  // that the call names.
  [[nodiscard]] std::optional<std::string> text(std::string_view name);
  [[nodiscard]] std::string required_text(std::string_view name);
  [[nodiscard]] std::vector<std::string> texts(std::string_view name);
  [[nodiscard]] bool flag(std::string_view name);
  [[nodiscard]] std::size_t number(std::string_view name, std::size_t min, std::size_t max,
                                   std::size_t otherwise);

  // What `convert` makes of the text; its error is a sentence without the member's name.
  template <class T, class Convert>
  [[nodiscard]] std::optional<T> converted(std::string_view name, Convert convert) {
    const auto given = text(name);
    if (!given) return {};
    tl::expected<T, std::string> value = convert(*given);
    if (value) return std::move(*value);
    refuse(name, value.error(), ": ");
    return {};
  }

  // Notes a mistake: `'name' why`.
  void refuse(std::string_view name, std::string_view why, std::string_view between = " ");

  // What the members made, unless there was a mistake: its sentence.  Must be called when every member that
  // the command knows has been asked for.
  template <class T>
  [[nodiscard]] tl::expected<T, std::string> made(T order) {
    refuse_unknown();
    if (!mistake_.empty()) return tl::unexpected(mistake_);
    return order;
  }

 private:
  struct Object;  // the JSON
  explicit Members(std::unique_ptr<Object> object);
  void refuse_unknown();

  std::unique_ptr<Object> object_;
  std::vector<std::string_view> asked_;
  std::string mistake_;
};

}  // namespace heartbeat
