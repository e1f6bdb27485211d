// What a follower must know after its end: one JSON object in a file that is replaced as a whole.
//
// The object is sealed with the checksum of a journal's line.  After a crash the file holds the last object
// or the one before it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace heartbeat {

class CursorFile {
 public:
  explicit CursorFile(std::string path) : path_(std::move(path)) {}

  // The object that was saved last; nothing where there is no file.  The error is errno's: EBADMSG where the
  // file is damaged.
  [[nodiscard]] tl::expected<std::optional<std::string>, int> load() const;

  // When it returns 0, the disk holds the object.  Otherwise returns errno's number, and the file is as
  // before.
  [[nodiscard]] int save(std::string_view object) const;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace heartbeat
