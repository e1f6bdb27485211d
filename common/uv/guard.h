// The boundary where C calls us: no exception may cross a frame of libuv or libmicrohttpd.
#pragma once

#include <new>

namespace heartbeat::uv {

// Does `call`.  Returns false if it ran out of memory on the way (std::bad_alloc): the caller says what that
// costs.  Any other exception is a defect of ours and ends the process.
template <class Call>
bool guarded(Call&& call) noexcept {  // NOLINT(bugprone-exception-escape): meant, as said above
  try {
    call();
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

}  // namespace heartbeat::uv
