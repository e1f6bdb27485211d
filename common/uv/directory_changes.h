// Calls back when something in a directory changes: a file is written to, made or removed.  By inotify on
// Linux.
#pragma once

#include <functional>
#include <string>

#include <tl/expected.hpp>
#include <uv.h>

#include "common/uv/handle.h"
#include "common/uv/loop.h"

namespace heartbeat::uv {

class DirectoryChanges {
 public:
  using Callback = std::function<void()>;
  // The error is libuv's: there is no such directory, or the kernel has no room to watch it.  A directory
  // that is removed and made again has to be watched anew.
  [[nodiscard]] static tl::expected<Owned<DirectoryChanges>, int> create(Loop& loop,
                                                                         const std::string& directory,
                                                                         Callback on_change);

  [[nodiscard]] uv_handle_t* handle() { return reinterpret_cast<uv_handle_t*>(&event_); }

 private:
  DirectoryChanges() = default;

  uv_fs_event_t event_;
  Callback on_change_;
};

}  // namespace heartbeat::uv
