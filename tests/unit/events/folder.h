// A folder of its own for a test's journal, which goes with the test.
#pragma once

#include <cstdlib>
#include <string>

#include <doctest/doctest.h>

namespace heartbeat::test {

class Folder {
 public:
  Folder() { REQUIRE(::mkdtemp(path_.data()) != nullptr); }
  ~Folder() { static_cast<void>(std::system(("rm -r " + path_).c_str())); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  Folder(Folder&&) = delete;
  Folder& operator=(Folder&&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string journal() const { return path_ + "/events"; }  // is not there yet

 private:
  std::string path_ = "/tmp/heartbeat-journal-XXXXXX";
};

}  // namespace heartbeat::test
