// Preloaded into the daemon: crashes it at bytes that a test names.
//
// CRASH_AT is what to look for in the bytes of a call; CRASH_IN the call: `read`, which brings what clients
// send, `pread`, which brings the state that another process has left, or `pwrite`, which writes the state
// for the next one.  CRASH_AT_OPEN is the connection at whose opening it crashes: 1 for the first.  The
// kernel has no room for bytes to be sent with REFUSE_AT among them.  With FORK_HANGS, a process that the
// daemon forks hangs when it writes, until the daemon is gone.
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <dlfcn.h>
#include <sys/types.h>
#include <unistd.h>

namespace {

bool has(const void* bytes, ssize_t size, const char* variable) {
  const char* const text = std::getenv(variable);
  return text != nullptr && size > 0 &&
         memmem(bytes, static_cast<size_t>(size), text, std::strlen(text)) != nullptr;
}

void crash_at(const char* call, const void* bytes, ssize_t size) {
  const char* const in = std::getenv("CRASH_IN");
  if (in == nullptr || std::strcmp(in, call) != 0) return;
  if (has(bytes, size, "CRASH_AT")) std::raise(SIGSEGV);
}

const pid_t daemon_process = getpid();

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" ssize_t read(int file, void* bytes, size_t size) {
  static auto* const call = real<decltype(read)>("read");
  const ssize_t count = call(file, bytes, size);
  crash_at("read", bytes, count);
  return count;
}

extern "C" ssize_t write(int file, const void* bytes, size_t size) {
  static auto* const call = real<decltype(write)>("write");
  if (!has(bytes, static_cast<ssize_t>(size), "REFUSE_AT")) return call(file, bytes, size);
  errno = EAGAIN;
  return -1;
}

extern "C" ssize_t pread(int file, void* bytes, size_t size, off_t at) {
  static auto* const call = real<decltype(pread)>("pread");
  const ssize_t count = call(file, bytes, size, at);
  crash_at("pread", bytes, count);
  return count;
}

extern "C" ssize_t pread64(int file, void* bytes, size_t size, off64_t at) {
  static auto* const call = real<decltype(pread64)>("pread64");
  const ssize_t count = call(file, bytes, size, at);
  crash_at("pread", bytes, count);
  return count;
}

extern "C" ssize_t pwrite(int file, const void* bytes, size_t size, off_t at) {
  static auto* const call = real<decltype(pwrite)>("pwrite");
  crash_at("pwrite", bytes, static_cast<ssize_t>(size));
  if (getpid() != daemon_process && std::getenv("FORK_HANGS") != nullptr) {
    while (getppid() == daemon_process) usleep(1000);
    _exit(1);
  }
  return call(file, bytes, size, at);
}

extern "C" ssize_t pwrite64(int file, const void* bytes, size_t size, off64_t at) {
  return pwrite(file, bytes, size, at);
}

extern "C" int uv_tcp_open(void* handle, int socket) {
  static auto* const call = real<decltype(uv_tcp_open)>("uv_tcp_open");
  static int opened = 0;
  const char* const last = std::getenv("CRASH_AT_OPEN");
  if (last != nullptr && ++opened == std::atoi(last)) std::raise(SIGSEGV);
  return call(handle, socket);
}
