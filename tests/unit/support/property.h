// Properties: something that must hold for every one of many random cases.
//
// The seed is new for each run; RC_PARAMS="seed=N" gives an earlier run's.  A failure is shrunk to a small
// case and printed together with the RC_PARAMS that bring back exactly that case.
#pragma once

#include <utility>

#include <rapidcheck.h>

namespace heartbeat::test {

// Prints the seed of this run, to standard error.
void print_seed();

// What check_property() does with a property whose type is known.
void check_cases(int cases, const rc::detail::Property& property);

// Tries the property on `cases` random cases, a tenth of them where a sanitizer makes each one slow; one that
// does not hold fails the test.  RC_PARAMS="max_success=1000" makes it ten times as many: 100 stands for the
// number written here.
template <class Testable>
void check_property(int cases, Testable&& testable) {
  check_cases(cases, rc::detail::toProperty(std::forward<Testable>(testable)));
}

// A whole number from `min` to `max`, each equally likely however far the run has come.  (RapidCheck's own
// ranges begin narrow and widen.)  Shrinks towards `min`.
template <class Integer>
[[nodiscard]] rc::Gen<Integer> between(Integer min, Integer max) {
  return rc::gen::resize(rc::kNominalSize, rc::gen::inRange<Integer>(min, static_cast<Integer>(max + 1)));
}

}  // namespace heartbeat::test
