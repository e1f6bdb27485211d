// HTTP requests on the loop, by libcurl: http and https alone, no redirects, no proxy, no cookies.
//
// Of an answer the status and Retry-After count.  Its body is read to 1 KiB and thrown away.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/uv/loop.h"
#include "common/uv/watchers.h"
#include "tools/notify/attempt.h"

namespace heartbeat::notify {

class HttpClient {
 public:
  struct Request {
    std::string url;
    std::vector<std::string> headers{};  // `NAME: VALUE`
    std::string body{};                  // empty: GET
    Millis timeout{30'000};
  };

  explicit HttpClient(uv::Loop& loop);
  ~HttpClient();  // requests under way end without a result
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  HttpClient(HttpClient&&) = delete;
  HttpClient& operator=(HttpClient&&) = delete;

  // `on_end` is called once, in a later turn of the loop.
  void send(Request request, OnAttemptEnd on_end);

  [[nodiscard]] static std::string version();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace heartbeat::notify
