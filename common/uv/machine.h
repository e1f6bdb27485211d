// What the machine says: the wall clock, a random name, and the resources that this process uses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "common/keyed_hash.h"
#include "common/uv/loop.h"
#include "common/wall_time.h"

namespace heartbeat::uv {

// The wall clock at the instant of Loop::now(), which lies a little back.
[[nodiscard]] WallTime wall_time(Loop& loop);

// 128 random bits, 32 hex digits.
[[nodiscard]] std::string random_id();

// Random bits that no other program can know.
[[nodiscard]] HashKey random_key();

// Resident; 0 where the machine does not say.
[[nodiscard]] std::uint64_t memory_bytes();

// Of this process since its start, user and system.
[[nodiscard]] double processor_seconds();

// Counts them: for a program that has only a few yet.
[[nodiscard]] std::size_t count_descriptors();

// libuv's words for one of its errors.
[[nodiscard]] std::string describe(int error);

}  // namespace heartbeat::uv
