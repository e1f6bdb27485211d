// Runs the unit tests.  The random ones say at the start how to run them the same way again.
#include <doctest/doctest.h>

#include "tests/unit/support/property.h"

int main(int argc, char** argv) {
  doctest::Context context{argc, argv};
  heartbeat::test::print_seed();
  return context.run();
}
