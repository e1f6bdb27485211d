#include "daemon/certificates.h"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include "common/text.h"
#include "daemon/core/conditions.h"

namespace heartbeat {
namespace {

// An hour is little beside the two weeks for which the condition lasts.
constexpr Millis kReviewEvery{60LL * 60 * 1000};

}  // namespace

void Certificates::use(const std::vector<tls::Context::Expiry>& files, WallTime now) {
  std::map<std::string, WallTime> expiries;
  for (const tls::Context::Expiry& file : files) {
    const WallTime at{std::chrono::seconds{file.at}};
    const auto [known, is_new] = expiries.try_emplace(file.file, at);
    if (!is_new) known->second = std::min(known->second, at);
  }
  for (const auto& [file, at] : expiries) {
    spdlog::info("tls file={} expires={}", log_value(file), format_instant(at));
  }
  expiries_ = std::move(expiries);
  review(now);
}

void Certificates::review(WallTime now) {
  next_review_ = server_.listening_now() + kReviewEvery;
  const Conditions& conditions = server_.monitor().conditions();
  std::vector<std::string> renewed;
  for (const Condition& condition : conditions.all()) {
    if (condition.kind != Condition::Kind::CertificateExpires) continue;
    const auto known = expiries_.find(condition.subject);
    if (known == expiries_.end() || known->second - now >= kCertificateWarning) {
      renewed.push_back(condition.subject);
    }
  }
  for (const std::string& file : renewed) server_.certificate_expires(file, {});
  for (const auto& [file, at] : expiries_) {
    if (at - now >= kCertificateWarning) continue;
    const bool is_over = at <= now;
    const std::string detail = log_value(file) + (is_over ? " has expired, at " : " expires at ") +
                               format_instant(at) + "; renew it, and reload";
    const Condition* const lasts = conditions.find(Condition::Kind::CertificateExpires, file);
    if (lasts == nullptr || lasts->detail != detail) server_.certificate_expires(file, detail);
  }
}

}  // namespace heartbeat
