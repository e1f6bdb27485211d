// When the files of TLS run out: logged, shown in `status` and /metrics, and reported as a condition while it
// is soon.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "common/mono_time.h"
#include "common/tls/session.h"
#include "common/wall_time.h"
#include "daemon/io/server.h"

namespace heartbeat {

// How long before a file runs out the condition begins: two weeks are enough to renew a certificate by hand.
inline constexpr std::chrono::days kCertificateWarning{14};

class Certificates {
 public:
  // The server carries the condition; it outlives this object.
  explicit Certificates(Server& server) : server_(server) {}

  // The files that are in use from now on.  One that is named twice runs out at the earlier date.
  void use(const std::vector<tls::Context::Expiry>& files, WallTime now);

  // Begins and ends conditions; to be called when is_due().
  void review(WallTime now);
  [[nodiscard]] bool is_due(MonoTime now) const { return now >= next_review_; }

  // The dates of all files in use, by path.
  [[nodiscard]] const std::map<std::string, WallTime>& expiries() const { return expiries_; }

 private:
  Server& server_;
  std::map<std::string, WallTime> expiries_;
  MonoTime next_review_{};
};

}  // namespace heartbeat
