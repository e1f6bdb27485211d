// A text of at most 255 bytes: up to `inside` of them within, more in a block of its own.
//
// A std::string is larger, and there are two in each client's record.
#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>

namespace heartbeat {

template <std::size_t inside>
class ShortTextOf {
  static_assert(inside >= sizeof(char*));

 public:
  static constexpr std::size_t kInside = inside;
  static constexpr std::size_t kMax = std::numeric_limits<std::uint8_t>::max();

  ShortTextOf() = default;
  explicit ShortTextOf(std::string_view text) { *this = text; }
  ShortTextOf(ShortTextOf&& other) noexcept { swap(other); }
  ShortTextOf& operator=(ShortTextOf&& other) noexcept {
    swap(other);
    return *this;
  }
  ShortTextOf(const ShortTextOf& other) { *this = other.view(); }
  ShortTextOf& operator=(const ShortTextOf& other) {
    if (this != &other) *this = other.view();
    return *this;
  }
  ~ShortTextOf() { clear(); }

  // At most kMax bytes, and not a part of this text.
  ShortTextOf& operator=(std::string_view text) {
    assert(text.size() <= kMax);
    if (text.size() != size_) resize(text.size());
    std::copy(text.begin(), text.end(), data());
    return *this;
  }

  void clear() { resize(0); }
  [[nodiscard]] bool empty() const { return size_ == 0; }

  // Valid until the next change.
  [[nodiscard]] std::string_view view() const {
    return {size_ <= kInside ? bytes_.data() : block(), std::size_t{size_}};
  }
  operator std::string_view() const { return view(); }  // NOLINT(google-explicit-constructor): it is a text

  friend bool operator==(const ShortTextOf& text, std::string_view other) { return text.view() == other; }

 private:
  void swap(ShortTextOf& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(size_, other.size_);
  }

  void resize(std::size_t size) {
    char* const block = size > kInside ? new char[size] : nullptr;
    if (size_ > kInside) delete[] this->block();
    if (block != nullptr) std::memcpy(bytes_.data(), &block, sizeof block);
    size_ = static_cast<std::uint8_t>(size);
  }

  [[nodiscard]] char* data() { return size_ <= kInside ? bytes_.data() : block(); }
  [[nodiscard]] char* block() const {
    char* block = nullptr;
    std::memcpy(&block, bytes_.data(), sizeof block);
    return block;
  }

  std::array<char, kInside> bytes_{};  // the text, or where it is
  std::uint8_t size_ = 0;
};

using ShortText = ShortTextOf<15>;  // an IPv4 address
using NameText = ShortTextOf<23>;   // with a port, too
static_assert(sizeof(ShortText) == 16 && sizeof(NameText) == 24);

}  // namespace heartbeat
