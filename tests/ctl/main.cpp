#include <doctest/doctest.h>

#include "tools/ctl/text_width.h"

int main(int argc, char** argv) {
  heartbeat::ctl::use_utf8();
  return doctest::Context{argc, argv}.run();
}
