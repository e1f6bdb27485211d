// Counts what our code asks of the allocator: new and delete, and RapidJSON's malloc.
//
// The linker redirects every call of the allocator in this program to the counting functions (see
// CMakeLists.txt), which pass it on to the real ones, a sanitizer's where there is one.
#pragma once

#include <cstdint>

namespace heartbeat::test {

// Which of the allocations that are asked for inside cover() fail.
enum class Fail : std::uint8_t { Once, FromThereOn };

// Makes the n-th one fail, counted from 1, and others as said.  One at a time.
class FailingAllocations {
 public:
  FailingAllocations(std::uint64_t nth, Fail which);
  ~FailingAllocations();
  FailingAllocations(const FailingAllocations&) = delete;
  FailingAllocations& operator=(const FailingAllocations&) = delete;
  FailingAllocations(FailingAllocations&&) = delete;
  FailingAllocations& operator=(FailingAllocations&&) = delete;

  // Does it; only what it asks for is counted, and may fail.
  template <class Do>
  void cover(Do do_it) {
    const Cover covered;
    do_it();
  }
  // Whether any has failed.
  [[nodiscard]] static bool has_failed();

 private:
  struct Cover {
    Cover();
    ~Cover();
    Cover(const Cover&) = delete;
    Cover& operator=(const Cover&) = delete;
    Cover(Cover&&) = delete;
    Cover& operator=(Cover&&) = delete;
  };
};

// Blocks asked for since the start, a block that was made to grow included.
[[nodiscard]] std::uint64_t allocations_made();

// Blocks asked for and not given back.  Only differences mean something: what a library allocated itself and
// we free is counted on one side.
[[nodiscard]] std::int64_t allocations_live();

}  // namespace heartbeat::test
