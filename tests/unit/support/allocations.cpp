#include "tests/unit/support/allocations.h"

#include <cstddef>
#include <cstdlib>
#include <new>

// The names that the linker's --wrap gives to the two sides.
extern "C" {
void* real_malloc(std::size_t size) asm("__real_malloc");
void* real_calloc(std::size_t count, std::size_t size) asm("__real_calloc");
void* real_realloc(void* block, std::size_t size) asm("__real_realloc");
void real_free(void* block) asm("__real_free");
void* counted_malloc(std::size_t size) asm("__wrap_malloc");
void* counted_calloc(std::size_t count, std::size_t size) asm("__wrap_calloc");
void* counted_realloc(void* block, std::size_t size) asm("__wrap_realloc");
void counted_free(void* block) asm("__wrap_free");
}

namespace heartbeat::test {
namespace {

std::uint64_t made = 0;
std::uint64_t freed = 0;

std::uint64_t until_failure = 0;  // 0: none fails
Fail which_fail = Fail::Once;
bool is_covered = false;
bool one_failed = false;

bool fails() {
  if (!is_covered || until_failure == 0) return false;
  if (until_failure > 1) {
    --until_failure;
    return false;
  }
  if (which_fail == Fail::Once) until_failure = 0;
  one_failed = true;
  return true;
}

}  // namespace

std::uint64_t allocations_made() {
  return made;
}

std::int64_t allocations_live() {
  return static_cast<std::int64_t>(made - freed);
}

FailingAllocations::FailingAllocations(std::uint64_t nth, Fail which) {
  until_failure = nth;
  which_fail = which;
  one_failed = false;
}
FailingAllocations::~FailingAllocations() {
  until_failure = 0;
}
bool FailingAllocations::has_failed() {
  return one_failed;
}
FailingAllocations::Cover::Cover() {
  is_covered = true;
}
FailingAllocations::Cover::~Cover() {
  is_covered = false;
}

}  // namespace heartbeat::test

void* counted_malloc(std::size_t size) {
  if (heartbeat::test::fails()) return nullptr;
  ++heartbeat::test::made;
  return real_malloc(size);
}

void* counted_calloc(std::size_t count, std::size_t size) {
  if (heartbeat::test::fails()) return nullptr;
  ++heartbeat::test::made;
  return real_calloc(count, size);
}

void* counted_realloc(void* block, std::size_t size) {
  if (heartbeat::test::fails()) return nullptr;
  ++heartbeat::test::made;
  if (block != nullptr) ++heartbeat::test::freed;
  return real_realloc(block, size);
}

void counted_free(void* block) {
  if (block != nullptr) ++heartbeat::test::freed;
  real_free(block);
}

// All of the ordinary forms, so that none is left to a sanitizer, which would not know the other half.
// malloc and free here are the counted ones.
// NOLINTBEGIN(cppcoreguidelines-no-malloc): what new and delete stand on
void* operator new(std::size_t size) {
  for (;;) {
    if (void* const block = std::malloc(size)) return block;
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc{};
    handler();
  }
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  try {
    return operator new(size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void* operator new[](std::size_t size) {
  return operator new(size);
}
void* operator new[](std::size_t size, const std::nothrow_t& nothrow) noexcept {
  return operator new(size, nothrow);
}
void operator delete(void* block) noexcept {
  std::free(block);
}
void operator delete(void* block, std::size_t) noexcept {
  std::free(block);
}
void operator delete(void* block, const std::nothrow_t&) noexcept {
  std::free(block);
}
void operator delete[](void* block) noexcept {
  std::free(block);
}
void operator delete[](void* block, std::size_t) noexcept {
  std::free(block);
}
void operator delete[](void* block, const std::nothrow_t&) noexcept {
  std::free(block);
}
// NOLINTEND(cppcoreguidelines-no-malloc)
