#include "common/uv/directory_changes.h"

#include <utility>

#include "common/uv/guard.h"

namespace heartbeat::uv {

tl::expected<Owned<DirectoryChanges>, int> DirectoryChanges::create(Loop& loop, const std::string& directory,
                                                                    Callback on_change) {
  Owned<DirectoryChanges> changes{new DirectoryChanges};
  uv_fs_event_init(loop.get(), &changes->event_);
  changes->event_.data = changes.get();
  changes->on_change_ = std::move(on_change);
  const auto changed = [](uv_fs_event_t* event, const char*, int, int) {
    guarded(static_cast<DirectoryChanges*>(event->data)->on_change_);
  };
  const int error = uv_fs_event_start(&changes->event_, changed, directory.c_str(), 0);
  if (error != 0) return tl::unexpected(error);
  return changes;
}

}  // namespace heartbeat::uv
