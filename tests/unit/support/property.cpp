#include "tests/unit/support/property.h"

#include <algorithm>
#include <sstream>

#include <doctest/doctest.h>

namespace heartbeat::test {
namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr int kCasesDivisor = 10;
#else
constexpr int kCasesDivisor = 1;
#endif

}  // namespace

void print_seed() {
  rc::detail::configuration();  // prints itself when it is first read
}

void check_cases(int cases, const rc::detail::Property& property) {
  constexpr int kDefaultMaxSuccess = 100;
  rc::detail::TestParams params = rc::detail::configuration().testParams;
  params.maxSuccess = std::max(1, cases / kCasesDivisor * params.maxSuccess / kDefaultMaxSuccess);

  rc::detail::TestMetadata metadata;
  metadata.id = metadata.description = doctest::getContextOptions()->currentTest->m_name;
  const auto result = rc::detail::checkProperty(property, metadata, params);
  if (result.is<rc::detail::SuccessResult>()) return;
  std::ostringstream message;
  rc::detail::printResultMessage(result, message);
  FAIL_CHECK(message.str());
}

}  // namespace heartbeat::test
