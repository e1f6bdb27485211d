#include "daemon/control/socket_file.h"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

using heartbeat::SocketFile;
namespace fs = std::filesystem;

namespace {

// A directory of its own for each test.
class Directory {
 public:
  Directory() {
    std::string pattern = fs::temp_directory_path() / "heartbeat-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  Directory(Directory&&) = delete;
  Directory& operator=(Directory&&) = delete;
  ~Directory() { fs::remove_all(path_); }

  [[nodiscard]] std::string operator/(const char* name) const { return path_ / name; }

 private:
  fs::path path_;
};

std::string refusal(const std::string& path) {
  const auto file = SocketFile::claim(path);
  REQUIRE_FALSE(file);
  return file.error();
}

}  // namespace

TEST_CASE("a claimed socket has mode 0660, whatever the umask is, and is removed at the end") {
  const Directory directory;
  const std::string path = directory / "control.sock";
  for (const mode_t mask : {mode_t{0}, mode_t{077}}) {
    const mode_t before = umask(mask);
    {
      const auto file = SocketFile::claim(path);
      REQUIRE(file);
      struct stat made {};
      REQUIRE(stat(path.c_str(), &made) == 0);
      CHECK(S_ISSOCK(made.st_mode));
      CHECK((made.st_mode & 07777U) == 0660);
      CHECK(umask(mask) == mask);
    }
    umask(before);
    CHECK_FALSE(fs::exists(path));
  }
}

TEST_CASE("the directory is made where only that one is missing") {
  const Directory directory;
  CHECK(SocketFile::claim(directory / "heartbeatd/control.sock"));
  CHECK(refusal(directory / "no/such/control.sock").find("No such file or directory") != std::string::npos);
}

TEST_CASE("a socket without a listener is replaced") {
  const Directory directory;
  const std::string path = directory / "control.sock";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(std::begin(address.sun_path), path.size());
  const int crashed = socket(AF_UNIX, SOCK_STREAM, 0);
  REQUIRE(bind(crashed, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  close(crashed);
  REQUIRE(fs::exists(path));
  CHECK(SocketFile::claim(path));
}

TEST_CASE("a socket with a listener is left alone") {
  const Directory directory;
  const std::string path = directory / "control.sock";
  auto alive = SocketFile::claim(path);
  REQUIRE(alive);
  const int descriptor = alive->take_descriptor();
  REQUIRE(listen(descriptor, 0) == 0);
  // Also when so many wait for it that it cannot be connected to any more.
  for (int attempt = 0; attempt < 3; ++attempt) {
    CHECK(refusal(path) == "control socket " + path + ": another process listens there (pid " +
                               std::to_string(getpid()) + ")");
  }
  close(descriptor);
}

TEST_CASE("a socket with a listener that knows of no lock is left alone") {
  const Directory directory;
  const std::string path = directory / "control.sock";
  auto alive = SocketFile::claim(path);
  REQUIRE(alive);
  const int descriptor = alive->take_descriptor();
  REQUIRE(listen(descriptor, 0) == 0);
  fs::remove(path + ".lock");
  for (int attempt = 0; attempt < 3; ++attempt) {
    CHECK(refusal(path) == "control socket " + path + ": another process listens there");
  }
  close(descriptor);
}

TEST_CASE(
    "the lock is readable by its owner only, goes with the socket, and is used again where it was left "
    "behind") {
  const Directory directory;
  const std::string path = directory / "control.sock";
  const std::string lock = path + ".lock";
  {
    const auto file = SocketFile::claim(path);
    REQUIRE(file);
    struct stat made {};
    REQUIRE(stat(lock.c_str(), &made) == 0);
    CHECK((made.st_mode & 07777U) == 0600);
  }
  CHECK_FALSE(fs::exists(lock));
  std::ofstream{lock} << "4711000\nof a daemon that crashed";
  const auto file = SocketFile::claim(path);
  REQUIRE(file);
  std::string owner;
  std::getline(std::ifstream{lock}, owner);
  CHECK(owner == std::to_string(getpid()));
}

TEST_CASE("of many who claim a stale socket again and again, no two have it at one time") {
  const Directory directory;
  const std::string path = directory / "control.sock";
  std::atomic<int> holders = 0;
  std::atomic<int> claims = 0;
  std::atomic<bool> two_held = false;
  // No process listens there, so the socket of the process that has it looks to every other like one that was
  // left behind.
  const auto claim_and_let_go = [&] {
    for (int round = 0; round < 2000; ++round) {
      const auto file = SocketFile::claim(path);
      if (!file) continue;
      ++claims;
      if (++holders > 1 || !fs::exists(path)) two_held = true;
      std::this_thread::yield();
      --holders;
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) threads.emplace_back(claim_and_let_go);
  }
  CHECK_FALSE(two_held);
  CHECK(claims > 0);
  CHECK(SocketFile::claim(path));
}

TEST_CASE("a lock that cannot be had is reported by its name, and a lock that is a link is not followed") {
  const Directory directory;
  const std::string path = directory / "control.sock";
  fs::create_symlink(directory / "elsewhere", path + ".lock");
  CHECK(refusal(path).find(path + ".lock: ") != std::string::npos);
  CHECK_FALSE(fs::exists(directory / "elsewhere"));
  CHECK_FALSE(fs::exists(path));
}

TEST_CASE("anything else of that name is left alone") {
  const Directory directory;
  const std::string path = directory / "control.sock";
  std::ofstream{path} << "precious";
  CHECK(refusal(path) == "control socket " + path + ": something that is not a socket has that name");
  CHECK(fs::file_size(path) == 8);
}

TEST_CASE("a name that has become another daemon's is not removed") {
  const Directory directory;
  const std::string path = directory / "control.sock";
  {
    const auto file = SocketFile::claim(path);
    REQUIRE(file);
    fs::remove(path);
    std::ofstream{path} << "precious";
  }
  CHECK(fs::exists(path));
}

TEST_CASE("a path has to fit the socket's address") {
  const Directory directory;
  const std::string prefix = directory / "";
  const std::string longest = prefix + std::string(107 - prefix.size(), 'x');
  CHECK(SocketFile::claim(longest));
  CHECK(refusal(longest + "x").find("a path is 1 to 107 bytes long") != std::string::npos);
  CHECK(refusal("").find("a path is 1 to 107 bytes long") != std::string::npos);
}
