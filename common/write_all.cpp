#include "common/write_all.h"

#include <cerrno>

#include <unistd.h>

namespace heartbeat {
namespace {

// `write`: writes a part of the bytes, of which so many have been written already.
template <class Write>
int write_in_parts(std::string_view bytes, Write write) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t written = write(bytes.substr(done), done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    done += static_cast<std::size_t>(written);
  }
  return 0;
}

}  // namespace

int write_all(int file, std::string_view bytes) {
  return write_in_parts(bytes, [file](std::string_view rest, std::size_t /*done*/) {
    return ::write(file, rest.data(), rest.size());
  });
}

int write_all_at(int file, std::string_view bytes, std::uint64_t at) {
  return write_in_parts(bytes, [file, at](std::string_view rest, std::size_t done) {
    return ::pwrite(file, rest.data(), rest.size(), static_cast<off_t>(at + done));
  });
}

}  // namespace heartbeat
