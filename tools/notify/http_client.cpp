#include "tools/notify/http_client.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <curl/curl.h>
#include <uv.h>

#include "common/uv/guard.h"
#include "common/uv/handle.h"

namespace heartbeat::notify {
namespace {

constexpr std::size_t kAnswerBytesMax = 1024;

// A socket of libcurl on the loop.
class CurlSocket {
 public:
  using Callback = std::function<void(int events)>;

  static uv::Owned<CurlSocket> create(uv::Loop& loop, curl_socket_t socket, Callback on_ready) {
    uv::Owned<CurlSocket> made{new CurlSocket};
    uv_poll_init_socket(loop.get(), &made->poll_, socket);
    made->poll_.data = made.get();
    made->on_ready_ = std::move(on_ready);
    return made;
  }

  void watch(int action) {
    const int events =
        ((action & CURL_POLL_IN) != 0 ? UV_READABLE : 0) | ((action & CURL_POLL_OUT) != 0 ? UV_WRITABLE : 0);
    uv_poll_start(&poll_, events, [](uv_poll_t* poll, int status, int ready) {
      int flags = status < 0 ? CURL_CSELECT_ERR : 0;
      if ((ready & UV_READABLE) != 0) flags |= CURL_CSELECT_IN;
      if ((ready & UV_WRITABLE) != 0) flags |= CURL_CSELECT_OUT;
      uv::guarded([&] { static_cast<CurlSocket*>(poll->data)->on_ready_(flags); });
    });
  }

  [[nodiscard]] uv_handle_t* handle() { return reinterpret_cast<uv_handle_t*>(&poll_); }

 private:
  CurlSocket() = default;

  uv_poll_t poll_;
  Callback on_ready_;
};

struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeHeaders {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

struct Transfer {
  std::unique_ptr<CURL, FreeEasy> easy{curl_easy_init()};
  std::unique_ptr<curl_slist, FreeHeaders> headers{};
  HttpClient::Request request;
  OnAttemptEnd on_end;
  std::size_t answer_bytes = 0;
};

}  // namespace

struct HttpClient::State {
  explicit State(uv::Loop& of) : loop(of), multi(curl_multi_init()) {
    timer = uv::Timer::create(loop, [this] { act(CURL_SOCKET_TIMEOUT, 0); });
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
    const auto on_socket = +[](CURL*, curl_socket_t socket, int action, void* state, void*) {
      uv::guarded([&] { static_cast<State*>(state)->watch(socket, action); });
      return 0;
    };
    const auto on_timer = +[](CURLM*, long wait_ms, void* state) {
      auto& wakeup = static_cast<State*>(state)->timer;
      if (wait_ms < 0)
        wakeup->disarm();
      else
        wakeup->arm(Millis{wait_ms});
      return 0;
    };
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
  }
  ~State() {
    for (auto& [easy, transfer] : transfers) curl_multi_remove_handle(multi, easy);
    transfers.clear();
    curl_multi_cleanup(multi);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  State(State&&) = delete;
  State& operator=(State&&) = delete;

  void watch(curl_socket_t socket, int action) {
    if (action == CURL_POLL_REMOVE) {
      sockets.erase(socket);
      return;
    }
    auto& watched = sockets[socket];
    if (watched == nullptr) {
      watched = CurlSocket::create(loop, socket, [this, socket](int events) { act(socket, events); });
    }
    watched->watch(action);
  }

  void act(curl_socket_t socket, int events) {
    int running = 0;
    curl_multi_socket_action(multi, socket, events, &running);
    int left = 0;
    while (const CURLMsg* const message = curl_multi_info_read(multi, &left)) {
      if (message->msg == CURLMSG_DONE) end(message->easy_handle, message->data.result);
    }
  }

  void end(CURL* easy, CURLcode code) {
    AttemptResult result;
    long status = 0;
    curl_off_t retry_after = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_after);
    // A body beyond the bound ends the transfer; the status is what counts.
    const auto found = transfers.find(easy);
    const bool is_answer =
        status > 0 &&
        (code == CURLE_OK || (code == CURLE_WRITE_ERROR && found->second->answer_bytes > kAnswerBytesMax));
    result.is_delivered = is_answer && status >= 200 && status < 300;
    result.is_gone = is_answer && status == 410;
    if (retry_after > 0) result.retry_after = Millis{std::min<curl_off_t>(retry_after, 24L * 60 * 60) * 1000};
    result.text = is_answer ? std::to_string(status) : curl_easy_strerror(code);
    curl_multi_remove_handle(multi, easy);
    const std::unique_ptr<Transfer> transfer = std::move(found->second);
    transfers.erase(found);
    transfer->on_end(std::move(result));
  }

  uv::Loop& loop;
  CURLM* multi;
  uv::Owned<uv::Timer> timer;
  std::map<curl_socket_t, uv::Owned<CurlSocket>> sockets;
  std::map<CURL*, std::unique_ptr<Transfer>> transfers;
};

HttpClient::HttpClient(uv::Loop& loop) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  state_ = std::make_unique<State>(loop);
}

HttpClient::~HttpClient() {
  state_.reset();
  curl_global_cleanup();
}

std::string HttpClient::version() {
  return std::string{"libcurl "} + curl_version_info(CURLVERSION_NOW)->version;
}

void HttpClient::send(Request request, OnAttemptEnd on_end) {
  auto transfer = std::make_unique<Transfer>();
  CURL* const easy = transfer->easy.get();
  transfer->request = std::move(request);
  transfer->on_end = std::move(on_end);
  const Request& wanted = transfer->request;
  for (const std::string& header : wanted.headers) {
    curl_slist* const list = curl_slist_append(transfer->headers.get(), header.c_str());
    static_cast<void>(transfer->headers.release());
    transfer->headers.reset(list);
  }
  curl_easy_setopt(easy, CURLOPT_URL, wanted.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(wanted.timeout.count()));
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "heartbeat-notify/" HEARTBEAT_VERSION);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers.get());
  if (!wanted.body.empty()) {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, wanted.body.data());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(wanted.body.size()));
  }
  const auto on_body = +[](char*, std::size_t size, std::size_t count, void* owner) -> std::size_t {
    auto& bytes = static_cast<Transfer*>(owner)->answer_bytes;
    bytes += size * count;
    return bytes > kAnswerBytesMax ? 0 : size * count;
  };
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer.get());
  state_->transfers.emplace(easy, std::move(transfer));
  curl_multi_add_handle(state_->multi, easy);
}

}  // namespace heartbeat::notify
