// Ownership of an object that embeds a libuv handle.
//
// Owned<T> is the only owner.  Letting go of it begins uv_close(), and the close callback deletes the object:
// so an object may be let go inside its own callback, because its memory lives until the loop's closing
// phase.  T has `handle()`, returns its uv_handle_t*, and sets that handle's `data` to itself as T*.
#pragma once

#include <memory>

#include <uv.h>

namespace heartbeat::uv {

struct BeginClose {
  template <class T>
  void operator()(T* object) const noexcept {
    uv_close(object->handle(), [](uv_handle_t* handle) noexcept { delete static_cast<T*>(handle->data); });
  }
};

template <class T>
using Owned = std::unique_ptr<T, BeginClose>;

}  // namespace heartbeat::uv
