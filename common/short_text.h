// A text of at most 255 bytes in 16: up to 15 of them inside, more in a block of its own.
//
// There are two in each client's record, and a std::string is twice as large.
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

class ShortText {
 public:
  static constexpr std::size_t kInside = 15;
  static constexpr std::size_t kMax = std::numeric_limits<std::uint8_t>::max();

  ShortText() = default;
  explicit ShortText(std::string_view text) { *this = text; }
  ShortText(ShortText&& other) noexcept { swap(other); }
  ShortText& operator=(ShortText&& other) noexcept {
    swap(other);
    return *this;
  }
  ShortText(const ShortText&) = delete;
  ShortText& operator=(const ShortText&) = delete;
  ~ShortText() { clear(); }

  // At most kMax bytes, and not a part of this text.
  ShortText& operator=(std::string_view text) {
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

  friend bool operator==(const ShortText& text, std::string_view other) { return text.view() == other; }

 private:
  void swap(ShortText& other) noexcept {
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
static_assert(sizeof(ShortText) == 16);

}  // namespace heartbeat
