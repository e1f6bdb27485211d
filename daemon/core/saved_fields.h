// How members become tagged fields and back: one list of a type's members, walked by a writer and a reader.
//
//     static void list(auto& fields, Is<Rule> auto& rule) {
//       fields(1, rule.tick);
//       fields(2, rule.threshold);
//     }
//
// A writer writes each member, also where it has its default, as the default may be another in a later
// version.  A reader leaves a member as it is whose tag is absent.  Tags ascend in each list, so that reading
// is one walk.  The types are those below; of any other there must be a list.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "common/endpoint.h"
#include "common/mono_time.h"
#include "common/short_text.h"
#include "common/tagged_fields.h"
#include "daemon/core/event.h"
#include "daemon/core/reason.h"
#include "daemon/core/refusal.h"
#include "daemon/core/saved_state.h"

namespace heartbeat {

struct SavedFields;

template <class T, class Plain>
concept Is = std::same_as<std::remove_const_t<T>, Plain>;

using Tag = std::uint16_t;

// Enumerations that are saved by their words, as their order may change; with how many values they have.
template <class Enumeration>
inline constexpr std::size_t kWordCount = 0;
template <>
inline constexpr std::size_t kWordCount<Reason> = kReasonCount;
template <>
inline constexpr std::size_t kWordCount<Event::Kind> = kEventKindCount;
template <>
inline constexpr std::size_t kWordCount<BadInput> = kBadInputCount;
template <>
inline constexpr std::size_t kWordCount<Refusal> = kRefusalCount;
template <>
inline constexpr std::size_t kWordCount<Condition::Kind> = kConditionKindCount;

// The others are saved by their numbers, so a value may only be added as the last.
template <class Enumeration>
inline constexpr Enumeration kLast{};
template <>
inline constexpr Status kLast<Status> = Status::Close;
template <>
inline constexpr Stall::Cause kLast<Stall::Cause> = Stall::Cause::Crashed;
template <>
inline constexpr Party kLast<Party> = Party::Operator;
template <>
inline constexpr BrakeEnd kLast<BrakeEnd> = BrakeEnd::TurnedOff;
template <>
inline constexpr Moment::Kind kLast<Moment::Kind> = Moment::Kind::Limited;
template <>
inline constexpr Phase kLast<Phase> = Phase::Ended;
template <>
inline constexpr Sweep::Kind kLast<Sweep::Kind> = Sweep::Kind::Hold;
template <>
inline constexpr Requirement kLast<Requirement> = Requirement::Token;

// Instants and lengths of time are at most this far from 0, or never(): sums of some of them do not overflow.
inline constexpr std::int64_t kMillisMax = std::int64_t{1} << 52U;

namespace saved {

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

template <class T>
concept Number = std::unsigned_integral<T>;  // bool among them
template <class T>
concept Enumeration = std::is_enum_v<T>;
template <class T>
concept Text = std::same_as<T, ShortText> || std::same_as<T, NameText>;

[[nodiscard]] std::string bytes_of(const Endpoint& endpoint);
[[nodiscard]] bool read(std::string_view bytes, Endpoint& endpoint);

}  // namespace saved

class FieldsWritten {
 public:
  explicit FieldsWritten(std::string& out) : writer_(out) {}

  template <class T>
  void operator()(Tag tag, const T& value) {
    if constexpr (saved::Number<T>) {
      writer_.number(tag, value);
    } else if constexpr (saved::Enumeration<T>) {
      if constexpr (kWordCount < T >> 0) {
        writer_.bytes(tag, to_string(value));
      } else {
        writer_.number(tag, static_cast<std::uint64_t>(value));
      }
    } else if constexpr (std::same_as<T, Millis>) {
      writer_.number(tag, static_cast<std::uint64_t>(value.count()));
    } else if constexpr (std::same_as<T, MonoTime>) {
      (*this)(tag, value.since_origin());
    } else if constexpr (std::same_as<T, std::string> || std::same_as<T, std::string_view>) {
      writer_.bytes(tag, value);
    } else if constexpr (saved::Text<T>) {
      writer_.bytes(tag, value.view());
    } else if constexpr (std::same_as<T, Endpoint>) {
      writer_.bytes(tag, saved::bytes_of(value));
    } else if constexpr (saved::IsOptional<T>::value) {
      if (value) (*this)(tag, *value);
    } else {
      record(tag, [&](FieldsWritten& fields) { fields.list(value); });
    }
  }

  template <class T>
  void operator()(Tag tag, const std::unique_ptr<T>& value) {
    if (value != nullptr) (*this)(tag, *value);
  }
  template <class T>
  void operator()(Tag tag, const std::shared_ptr<const T>& value) {
    if (value != nullptr) (*this)(tag, *value);
  }

  template <class T>
  void operator()(Tag tag, const Rarely<T>& value) {
    if (value.get() != nullptr) (*this)(tag, *value.get());
  }

  template <class T>
  void text(Tag tag, const T& value, std::size_t /*max*/) {
    (*this)(tag, value);
  }
  template <class Container>
  void each(Tag tag, const Container& values, std::size_t /*max*/) {
    for (const auto& value : values) (*this)(tag, value);
  }
  // An array by an enumeration with words: the elements that are not 0.
  template <class Enumeration, std::size_t size>
  void by_word(Tag tag, const std::array<std::uint64_t, size>& counts);
  // An array of counts: the place and the count of each that is not 0.
  template <std::size_t size>
  void counts(Tag tag, const std::array<std::uint64_t, size>& counts);

  // A record that `write` fills.
  template <class Write>
  void record(Tag tag, Write write) {
    writer_.record(tag, [&](FieldWriter&) { write(*this); });
  }

  template <class T>
  void list(const T& value);

 private:
  FieldWriter writer_;
};

// What went wrong first; nothing more is read from then on.
struct ReadingFault {
  std::optional<StateError> error;
};

class FieldsRead {
 public:
  FieldsRead(std::string_view bytes, ReadingFault& fault, const FieldsRead* outer = nullptr)
      : reader_(bytes), fault_(fault), outer_(outer) {
    advance();
  }

  template <class T>
  void operator()(Tag tag, T& value) {
    if (seek(tag)) read_and_advance(value);
  }

  template <class T>
  void text(Tag tag, T& value, std::size_t max) {
    if (!seek(tag)) return;
    if (field_->value.size() > max) return fail("a text is too long");
    read_and_advance(value);
  }
  template <class Container>
  void each(Tag tag, Container& values, std::size_t max) {
    while (seek(tag)) {
      if (values.size() == max) return fail("there are too many");
      typename Container::value_type value{};
      if (read_and_advance(value)) values.push_back(std::move(value));
    }
  }
  template <class Enumeration, std::size_t size>
  void by_word(Tag tag, std::array<std::uint64_t, size>& counts);
  template <std::size_t size>
  void counts(Tag tag, std::array<std::uint64_t, size>& counts);

  // Each record of this tag, in which `read(FieldsRead&)` reads.
  template <class Read>
  void records(Tag tag, Read read) {
    while (seek(tag)) {
      FieldsRead record{field_->value, fault_, this};
      read(record);
      record.finish();
      advance();
    }
  }

  // Must be called when all that is known was read: the rest is of a later version, but must be whole.
  void finish() {
    while (!is_over()) advance();
  }

  // Whether a word was read that this version does not know: what was read is of a later one.
  [[nodiscard]] bool is_of_later_version() const { return later_; }
  [[nodiscard]] bool failed() const { return fault_.error.has_value(); }
  void fail(std::string_view what);

  template <class T>
  void list(T& value);

 private:
  [[nodiscard]] bool is_over() const { return failed() || !field_; }
  void advance() {
    field_ = reader_.next();
    if (!field_ && !reader_.is_whole()) fail("it is cut off");
  }
  // Whether the next field has this tag.  Fields with lower tags are passed by.
  [[nodiscard]] bool seek(Tag tag) {
    while (!is_over() && field_->tag < tag) advance();
    return !is_over() && field_->tag == tag;
  }
  [[nodiscard]] std::string path() const {
    const std::string own = field_ ? std::to_string(field_->tag) : "end";
    return outer_ == nullptr ? own : outer_->path() + "." + own;
  }

  // Returns false if the value is not to be used.
  template <class T>
  bool read_and_advance(T& value) {
    const bool usable = read(value);
    if (!failed()) advance();
    return usable && !failed();
  }

  [[nodiscard]] std::uint64_t number(std::uint64_t max) {
    const auto number = field_->number();
    if (!number || *number > max) fail("a number is out of range");
    return failed() ? 0 : *number;
  }

  template <class T>
  [[nodiscard]] bool read(T& value) {
    if constexpr (saved::Number<T>) {
      value = static_cast<T>(number(std::numeric_limits<T>::max()));
    } else if constexpr (saved::Enumeration<T>) {
      return read_enumeration(value);
    } else if constexpr (std::same_as<T, Millis>) {
      const auto count = static_cast<std::int64_t>(number(std::numeric_limits<std::uint64_t>::max()));
      const bool in_range = count >= -kMillisMax && count <= kMillisMax;
      if (!in_range && count != MonoTime::never().since_origin().count()) fail("a time is out of range");
      value = Millis{count};
    } else if constexpr (std::same_as<T, MonoTime>) {
      Millis since_origin{0};
      static_cast<void>(read(since_origin));
      value = MonoTime{since_origin};
    } else if constexpr (std::same_as<T, std::string>) {
      value = field_->value;
    } else if constexpr (saved::Text<T>) {
      if (field_->value.size() <= T::kMax) {
        value = field_->value;
      } else {
        fail("a text is too long");
      }
    } else if constexpr (std::same_as<T, Endpoint>) {
      if (!saved::read(field_->value, value)) fail("an address is malformed");
    } else if constexpr (saved::IsOptional<T>::value) {
      return read(value.emplace(typename T::value_type{}));
    } else {
      FieldsRead record{field_->value, fault_, this};
      record.list(value);
      record.finish();
      return !record.later_;
    }
    return true;
  }
  template <class T>
  [[nodiscard]] bool read(std::unique_ptr<T>& value) {
    value = std::make_unique<T>();
    return read(*value);
  }
  template <class T>
  [[nodiscard]] bool read(std::shared_ptr<const T>& value) {
    auto made = std::make_shared<T>();
    const bool usable = read(*made);
    if (usable) value = std::move(made);
    return usable;
  }

  template <class T>
  [[nodiscard]] bool read(Rarely<T>& value) {
    return read(value.edit());
  }

  // A word that is not known leaves the value as it is.
  template <class Enumeration>
  [[nodiscard]] bool read_enumeration(Enumeration& value) {
    if constexpr (kWordCount < Enumeration >> 0) {
      const auto known = by_word<Enumeration>(field_->value);
      if (!known) later_ = true;
      value = known.value_or(value);
      return known.has_value();
    } else {
      value = static_cast<Enumeration>(number(static_cast<std::uint64_t>(kLast<Enumeration>)));
      return true;
    }
  }
  template <class Enumeration>
  [[nodiscard]] static std::optional<Enumeration> by_word(std::string_view word) {
    for (std::size_t place = 0; place < kWordCount<Enumeration>; ++place) {
      const auto value = static_cast<Enumeration>(place);
      if (to_string(value) == word) return value;
    }
    return {};
  }

  FieldReader reader_;
  std::optional<Field> field_;
  ReadingFault& fault_;
  const FieldsRead* outer_;
  bool later_ = false;
};

// --- arrays -----------------------------------------------------------------------------------------------

template <class Enumeration, std::size_t size>
void FieldsWritten::by_word(Tag tag, const std::array<std::uint64_t, size>& counts) {
  static_assert(size == kWordCount<Enumeration>);
  for (std::size_t place = 0; place < size; ++place) {
    if (counts.at(place) == 0) continue;
    record(tag, [&](FieldsWritten& fields) {
      fields(1, static_cast<Enumeration>(place));
      fields(2, counts.at(place));
    });
  }
}

template <std::size_t size>
void FieldsWritten::counts(Tag tag, const std::array<std::uint64_t, size>& counts) {
  for (std::uint32_t place = 0; place < size; ++place) {
    if (counts.at(place) == 0) continue;
    record(tag, [&](FieldsWritten& fields) {
      fields(1, place);
      fields(2, counts.at(place));
    });
  }
}

// A word of a later version is left out.
template <class Enumeration, std::size_t size>
void FieldsRead::by_word(Tag tag, std::array<std::uint64_t, size>& counts) {
  records(tag, [&](FieldsRead& record) {
    Enumeration word{};
    std::uint64_t count = 0;
    record(1, word);
    record(2, count);
    if (!record.is_of_later_version()) counts.at(static_cast<std::size_t>(word)) = count;
  });
}

template <std::size_t size>
void FieldsRead::counts(Tag tag, std::array<std::uint64_t, size>& counts) {
  records(tag, [&](FieldsRead& record) {
    std::uint32_t place = 0;
    std::uint64_t count = 0;
    record(1, place);
    record(2, count);
    if (place >= size) return record.fail("there is no such place");
    counts.at(place) = count;
  });
}

}  // namespace heartbeat
