// A file descriptor that is closed with its owner.
#pragma once

#include <utility>

#include <unistd.h>

namespace heartbeat {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}  // negative: no descriptor
  Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }

  [[nodiscard]] int get() const { return number_; }
  // It is the caller's from here on.
  [[nodiscard]] int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

}  // namespace heartbeat
