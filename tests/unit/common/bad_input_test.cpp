#include "common/bad_input.h"

#include <set>
#include <string_view>

#include <doctest/doctest.h>

using namespace heartbeat;

TEST_CASE("every kind of bad input has a name and a sentence of its own") {
  std::set<std::string_view> names;
  std::set<std::string_view> sentences;
  for (std::size_t kind = 0; kind < kBadInputCount; ++kind) {
    names.insert(to_string(static_cast<BadInput>(kind)));
    sentences.insert(explain(static_cast<BadInput>(kind)));
  }
  CHECK(names.size() == kBadInputCount);
  CHECK(sentences.size() == kBadInputCount);
  CHECK_FALSE(names.contains(""));
  CHECK_FALSE(sentences.contains(""));
}

TEST_CASE("only what is wrong around the bodies is an error of the framing") {
  CHECK(is_frame_error(BadInput::LengthZero));
  CHECK(is_frame_error(BadInput::LengthNegative));
  CHECK(is_frame_error(BadInput::LengthOverMax));
  CHECK(is_frame_error(BadInput::ProxyMissing));
  CHECK(is_frame_error(BadInput::ProxyUntrusted));
  CHECK(is_frame_error(BadInput::ProxyInvalid));
  CHECK_FALSE(is_frame_error(BadInput::NotUtf8));
  CHECK_FALSE(is_frame_error(BadInput::NotifyInvalid));
  CHECK_FALSE(is_frame_error(BadInput::CertificateMissing));
}

TEST_CASE("only a credential that is lacking is no fault of the bytes") {
  CHECK(is_unauthorized(BadInput::CertificateMissing));
  CHECK(is_unauthorized(BadInput::CertificateId));
  CHECK_FALSE(is_unauthorized(BadInput::ProxyInvalid));
  CHECK_FALSE(is_unauthorized(BadInput::NotifyInvalid));
}
