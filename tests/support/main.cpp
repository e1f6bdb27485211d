// Runs the tests of a program that prepares nothing.  The linker takes it where the program has no main().
#include <doctest/doctest.h>

int main(int argc, char** argv) {
  return doctest::Context{argc, argv}.run();
}
