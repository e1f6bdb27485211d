#include "daemon/restart/exec.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

namespace heartbeat {
namespace {

constexpr const char* kStateVariable = "HEARTBEATD_STATE";

std::string working_directory() {
  char* const name = getcwd(nullptr, 0);
  std::string directory = name == nullptr ? "" : name;
  std::free(name);  // NOLINT(cppcoreguidelines-no-malloc): getcwd()'s
  return directory;
}

bool is_program(const std::string& path) {
  return access(path.c_str(), X_OK) == 0;
}

// As a shell finds a program that is named without a folder.
std::string find_on_path(const std::string& name) {
  const char* const value = std::getenv("PATH");
  std::string_view folders = value == nullptr ? "" : value;
  while (!folders.empty()) {
    const std::string_view folder = folders.substr(0, folders.find(':'));
    folders.remove_prefix(std::min(folders.size(), folder.size() + 1));
    std::string path = std::string{folder} + '/' + name;
    if (path.starts_with('/') && is_program(path)) return path;
  }
  return {};
}

void close_on_exec(int descriptor, bool on) {
  fcntl(descriptor, F_SETFD, on ? FD_CLOEXEC : 0);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Invocation invocation(int argc, const char* const* argv) {
  Invocation program;
  program.arguments.assign(argv, argv + argc);
  const std::string name = argc > 0 ? argv[0] : "";
  if (name.starts_with('/')) {
    program.path = name;
  } else if (name.find('/') != std::string::npos) {
    program.path = working_directory() + '/' + name;
  } else {
    program.path = find_on_path(name);
  }
  return program;
}

SignalsBlocked::SignalsBlocked() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before_);
}

SignalsBlocked::~SignalsBlocked() {
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void unblock_signals() {
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);
}

int replace_process(const Invocation& program, int state, std::span<const int> kept) {
  std::vector<std::string> arguments = program.arguments;
  const std::vector<char*> argv = pointers(arguments);
  setenv(kStateVariable, std::to_string(state).c_str(), 1);
  close_on_exec(state, false);
  for (const int descriptor : kept) close_on_exec(descriptor, false);
  execv(program.path.c_str(), argv.data());
  const int error = errno;
  for (const int descriptor : kept) close_on_exec(descriptor, true);
  close_on_exec(state, true);
  unsetenv(kStateVariable);
  return error;
}

std::optional<Descriptor> take_state_descriptor() {
  const char* const value = std::getenv(kStateVariable);
  if (value == nullptr) return {};
  int number = -1;
  const char* const end = value + std::strlen(value);
  const auto read = std::from_chars(value, end, number);
  unsetenv(kStateVariable);
  if (read.ec != std::errc{} || read.ptr != end || fcntl(number, F_GETFD) < 0) return {};
  close_on_exec(number, true);
  return Descriptor{number};
}

}  // namespace heartbeat
