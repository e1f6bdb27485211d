#include <doctest/doctest.h>
#include <spdlog/spdlog.h>

int main(int argc, char** argv) {
  spdlog::set_level(spdlog::level::off);  // what commands log is seen by the tests of the real daemon
  doctest::Context context{argc, argv};
  return context.run();
}
