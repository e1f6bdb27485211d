#include "daemon/http/http_server.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <limits>
#include <new>
#include <utility>
#include <variant>
#include <vector>

#include <microhttpd.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include "common/limits.h"
#include "common/text.h"
#include "common/uv/address.h"
#include "common/uv/guard.h"
#include "common/uv/listening_socket.h"
#include "common/uv/machine.h"
#include "daemon/http/authorization.h"
#include "daemon/http/host_check.h"
#include "daemon/http/metrics.h"
#include "daemon/http/page.h"
#include "daemon/http/replies.h"
#include "daemon/report/story_json.h"

namespace heartbeat::http {
namespace {

constexpr const char* kJson = "application/json; charset=utf-8";
constexpr const char* kPlain = "text/plain; charset=utf-8";
constexpr const char* kMetrics = "text/plain; version=0.0.4; charset=utf-8";
constexpr const char* kEvents = "text/event-stream; charset=utf-8";
constexpr const char* kHtml = "text/html; charset=utf-8";

constexpr const char* kTlsPriorities = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";
constexpr char kTlsHandshake = 0x16;

// What is not a page runs nothing and loads nothing, whatever a browser takes it for.
constexpr const char* kNoPagePolicy = "default-src 'none'; frame-ancestors 'none'";

std::string_view header(MHD_Connection* handle, const char* name) {
  const char* const value = MHD_lookup_connection_value(handle, MHD_HEADER_KIND, name);
  return value == nullptr ? std::string_view{} : value;
}

void add_header(MHD_Response* reply, const char* name, const char* value) {
  // Fails only without memory; a response that is not protected is not sent (see send()).
  static_cast<void>(MHD_add_response_header(reply, name, value));
}

tl::unexpected<std::string> cannot_listen(const Endpoint& at, const std::string& why) {
  return tl::unexpected("cannot listen for HTTP on " + to_string(at) + ": " + why);
}

// A request with a body is refused; none of ours has one.
bool has_body(MHD_Connection* handle) {
  const std::string_view length = header(handle, "Content-Length");
  return !header(handle, "Transfer-Encoding").empty() || (!length.empty() && length != "0");
}

std::string line(const std::string& problem) {
  return (problem.empty() ? "ok" : problem) + "\n";
}

}  // namespace

// A request, from its first line until it is answered or its connection is gone.
struct Server::Exchange {
  Connection* connection = nullptr;
  std::string target{};
  bool begun = false;  // its headers are there
  bool is_head = false;
  bool follows = false;
  bool sorts = false;
  std::unique_ptr<Answer> answer{};  // while it is made
  std::string slice{};
  std::size_t sent = 0;  // of the slice
};

struct Server::Connection {
  int descriptor;  // libmicrohttpd's
  Endpoint peer{};
  MHD_Connection* handle = nullptr;
  bool has_spoken = false;      // its first byte has been looked at
  MonoTime since{};             // in its list, on the machine's clock
  Connections* list = nullptr;  // that it is in
  Connections::iterator place{};
  Exchange exchange{};  // the present one, or the next
};

// What libmicrohttpd calls; signatures are its own, and `self` is the server.  Each is guarded: a connection
// that there is no memory to answer is closed.
struct Callbacks {
  static void connection_changed(void* self, MHD_Connection* handle, void** context,
                                 MHD_ConnectionNotificationCode what) {
    uv::guarded([&] {
      if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = &static_cast<Server*>(self)->opened(handle);
      } else {
        auto* const connection = static_cast<Server::Connection*>(*context);
        connection->list->erase(connection->place);
      }
    });
  }

  // The first line of a request is there.  Returns what the other callbacks get as their context.
  static void* request_began(void*, const char* target, MHD_Connection* handle) {
    auto* const connection = static_cast<Server::Connection*>(
        MHD_get_connection_info(handle, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context);
    Server::Exchange& exchange = connection->exchange;
    return uv::guarded([&] { exchange.target = target; }) ? &exchange : nullptr;
  }

  static MHD_Result request(void* self, MHD_Connection* handle, const char*, const char* method, const char*,
                            const char*, std::size_t* body_size, void** context) {
    *body_size = 0;
    auto* const exchange = static_cast<Server::Exchange*>(*context);
    if (exchange == nullptr) return MHD_NO;  // there was no memory for it
    bool goes_on = false;
    uv::guarded([&] { goes_on = static_cast<Server*>(self)->asked(*exchange, handle, method); });
    return goes_on ? MHD_YES : MHD_NO;
  }

  static void request_ended(void* self, MHD_Connection*, void** context, MHD_RequestTerminationCode) {
    auto* const exchange = static_cast<Server::Exchange*>(std::exchange(*context, nullptr));
    uv::guarded([&] {
      if (exchange != nullptr) static_cast<Server*>(self)->forget(*exchange);
    });
  }

  struct Reading {
    Server* server;
    Server::Exchange* exchange;
  };
  static ssize_t read(void* reading, std::uint64_t, char* buffer, std::size_t max) {
    const auto* const of = static_cast<Reading*>(reading);
    ssize_t got = MHD_CONTENT_READER_END_WITH_ERROR;
    uv::guarded([&] { got = of->server->read(*of->exchange, buffer, max); });
    return got;
  }
  static void end_reading(void* reading) {
    uv::guarded([&] { delete static_cast<Reading*>(reading); });
  }

  // What libmicrohttpd has to say is about peers that broke a connection or the protocol.
  static void log(void*, const char* format, va_list arguments) {
    std::array<char, 256> text{};
    std::vsnprintf(text.data(), text.size(), format, arguments);
    std::string_view said = text.data();
    while (said.ends_with('\n')) said.remove_suffix(1);
    uv::guarded([&] { spdlog::debug("http: {}", escaped(said)); });
  }
};

Server::Server(uv::Loop& loop, const OperatorDesk& desk, std::size_t connections_max)
    : loop_(loop),
      desk_(desk),
      closing_max_(connections_max * limits::kHttpClosingMax /
                   (limits::kHttpConnectionsMax + limits::kHttpClosingMax)),
      connections_max_(connections_max - closing_max_),
      timeout_(uv::Timer::create(loop, [this] { run(); })),
      wake_(loop) {
  counters_.responses[MHD_HTTP_OK] = 0;
}

// What was suspended has to go on before it can end.
Server::~Server() {
  if (daemon_ == nullptr) return;
  acceptor_.reset();
  readable_.reset();
  resume(waiting_for_turn_, waiting_for_turn_.size());
  resume(waiting_for_events_, waiting_for_events_.size());
  MHD_stop_daemon(daemon_);
}

void Server::use_tls(std::string certificate, std::string key) {
  certificate_ = std::move(certificate);
  key_ = std::move(key);
}

tl::expected<Endpoint, std::string> Server::listen(const Endpoint& at) {
  auto socket = uv::listening_socket(at, limits::kHttpBacklog);
  if (!socket) return cannot_listen(at, std::strerror(socket.error()));
  return adopt(std::move(*socket));
}

tl::expected<Endpoint, std::string> Server::adopt(Descriptor socket) {
  listening_ = uv::local_endpoint(socket.get());
  const auto refuse = [&](const std::string& why) { return cannot_listen(listening_, why); };
  if (connections_max_ == 0) return refuse("the descriptor limit leaves no room for it");
  const int send_buffer = limits::kHttpSendBuffer;  // accepted ones inherit it
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);

  constexpr auto kIdleSeconds = static_cast<unsigned>(limits::kHttpIdleMax.count() / 1000);
  const bool has_tls = !certificate_.empty();
  if (has_tls && MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES) {
    return refuse("libmicrohttpd was built without TLS");
  }
  // TLS 1.2 and later; the list ends early where HTTP is plain.
  std::array<MHD_OptionItem, 4> tls{{
      {has_tls ? MHD_OPTION_HTTPS_MEM_CERT : MHD_OPTION_END, 0, certificate_.data()},
      {MHD_OPTION_HTTPS_MEM_KEY, 0, key_.data()},
      {MHD_OPTION_HTTPS_PRIORITIES, 0, const_cast<char*>(kTlsPriorities)},  // NOLINT: it is only read
      {MHD_OPTION_END, 0, nullptr},
  }};
  daemon_ = MHD_start_daemon(
      (has_tls ? MHD_USE_TLS : MHD_NO_FLAG) | MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET |
          MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG,
      0, nullptr, nullptr, &Callbacks::request, this, MHD_OPTION_EXTERNAL_LOGGER, &Callbacks::log, nullptr,
      MHD_OPTION_CONNECTION_LIMIT, static_cast<unsigned>(connections_max_ + closing_max_),
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, limits::kHttpConnectionMemory, MHD_OPTION_CONNECTION_TIMEOUT,
      kIdleSeconds, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_CONNECTION,
      &Callbacks::connection_changed, this, MHD_OPTION_URI_LOG_CALLBACK, &Callbacks::request_began, this,
      MHD_OPTION_NOTIFY_COMPLETED, &Callbacks::request_ended, this, MHD_OPTION_ARRAY, tls.data(),
      MHD_OPTION_END);
  if (daemon_ == nullptr) return refuse("libmicrohttpd does not start");
  descriptor_ = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
  auto readable = uv::Readable::create(loop_, descriptor_, [this] { run(); });
  if (!readable) return refuse(uv::describe(readable.error()));
  readable_ = std::move(*readable);
  auto acceptor = uv::Acceptor::create(loop_, std::move(socket), *this);
  if (!acceptor) return refuse(uv::describe(acceptor.error()));
  acceptor_ = std::move(*acceptor);
  return listening_;
}

HttpFigures Server::figures() const {
  HttpFigures figures = counters_;
  figures.listening = listening_;
  figures.connections = connections();
  figures.followers = followers_;
  return figures;
}

// --- connections ------------------------------------------------------------------------------------------

bool Server::may_accept(uv::Acceptor&) {
  return accepted_this_turn_ < kAcceptsPerTurn;
}

// All that can lack memory of ours comes first: the connection is offered again then.  For what
// libmicrohttpd has no memory for, it closes the connection itself.
void Server::take(uv::Acceptor&, uv::Acceptor::Accepted& accepted) {
  ++accepted_this_turn_;
  arriving_.clear();
  arriving_.push_back({.descriptor = accepted.socket.get(), .peer = accepted.peer});
  if (!make_room()) return;
  const uv::SocketAddress peer{accepted.peer};
  const bool is_taken =
      MHD_add_connection(daemon_, accepted.socket.release(), peer.get(), peer.size()) == MHD_YES;
  if (!is_taken) ++counters_.refused;
  run_again_ = true;
}

// At the bound, the connection that has gone longest without asking for anything is closed.
bool Server::make_room() {
  if (asking_.size() + answering_.size() < connections_max_) return true;
  if (!asking_.empty() && closing_.size() < closing_max_) {
    ++counters_.displaced;
    close(asking_.front());
    return true;
  }
  ++counters_.refused;
  if (loop_.now() - refusals_told_at_ >= limits::kHttpRefusalsTold) {
    refusals_told_at_ = loop_.now();
    spdlog::warn("http: a connection was turned away, {} are open; {} so far", connections(),
                 counters_.refused);
  }
  return false;
}

void Server::on_shortage(uv::Acceptor&, std::string_view why) {
  spdlog::warn("http: {}", why);
}

// Called within MHD_add_connection().
Server::Connection& Server::opened(MHD_Connection* handle) {
  was_active_ = true;
  Connection& connection = arriving_.front();
  connection.handle = handle;
  connection.since = loop_.now();
  connection.list = &asking_;
  connection.place = arriving_.begin();
  connection.exchange.connection = &connection;
  asking_.splice(asking_.end(), arriving_);
  return connection;
}

void Server::move(Connection& connection, Connections& to) {
  to.splice(to.end(), *connection.list, connection.place);
  connection.list = &to;
  connection.since = loop_.now();
}

// libmicrohttpd sees the end of it in its next run, and lets go of it.
void Server::close(Connection& connection) {
  ::shutdown(connection.descriptor, SHUT_RDWR);
  move(connection, closing_);
}

// A slow sender is never idle, so the whole request is timed.  A follower is answered without an end, and
// only has to read.
void Server::close_late() {
  const MonoTime now = loop_.now();
  while (!asking_.empty() && now - asking_.front().since >= limits::kHttpRequestMax) {
    ++counters_.timed_out;
    close(asking_.front());
  }
  for (auto next = answering_.begin(); next != answering_.end();) {
    Connection& connection = *next++;
    if (now - connection.since < limits::kHttpAnswerMax) break;
    if (connection.exchange.follows) continue;
    ++counters_.timed_out;
    close(connection);
  }
}

// Closes the connections whose first byte cannot begin a request, before libmicrohttpd reads it: it would
// wait for the end of a line, and a client that was given the wrong port would learn nothing for as long.
void Server::close_strangers() {
  std::vector<pollfd> unheard;
  std::vector<Connection*> connections;
  for (Connection& connection : asking_) {
    if (connection.has_spoken) continue;
    unheard.push_back({.fd = connection.descriptor, .events = POLLIN, .revents = 0});
    connections.push_back(&connection);
  }
  if (unheard.empty() || poll(unheard.data(), unheard.size(), 0) <= 0) return;
  for (std::size_t at = 0; at < unheard.size(); ++at) {
    char first = 0;
    Connection& connection = *connections[at];
    if (unheard[at].revents == 0 || recv(connection.descriptor, &first, 1, MSG_PEEK) != 1) continue;
    connection.has_spoken = true;
    // A method is letters; servers skip empty lines before it (RFC 9112, 2.2).
    const bool may_begin_request =
        certificate_.empty()
            ? std::isalpha(static_cast<unsigned char>(first)) != 0 || first == '\r' || first == '\n'
            : first == kTlsHandshake;
    if (may_begin_request) continue;
    ++strangers_;
    if (loop_.now() - strangers_told_at_ >= limits::kHttpRefusalsTold) {
      strangers_told_at_ = loop_.now();
      spdlog::warn("http: {} sent no {} and was closed, {} so far: {}", to_string(connection.peer),
                   certificate_.empty() ? "HTTP" : "HTTPS", strangers_,
                   first == 0 ? "heartbeats belong to the address of listen, and this is http.listen"
                              : "this is http.listen");
    }
    close(connection);
  }
}

// --- requests ---------------------------------------------------------------------------------------------

// Called when the headers are there, and again when the whole request is.  An answer to the first call makes
// libmicrohttpd close the connection; that is used for requests with a body.
bool Server::asked(Exchange& exchange, MHD_Connection* handle, std::string_view method) {
  was_active_ = true;
  if (!std::exchange(exchange.begun, true)) {
    if (exchange.connection->list == &asking_) move(*exchange.connection, answering_);
    exchange.is_head = method == MHD_HTTP_METHOD_HEAD;
    if (method != MHD_HTTP_METHOD_GET && !exchange.is_head) {
      return refuse(handle,
                    {MHD_HTTP_METHOD_NOT_ALLOWED, "method_not_allowed", "only GET and HEAD are served"});
    }
    if (has_body(handle))
      return refuse(handle, {MHD_HTTP_BAD_REQUEST, "bad_request", "a question has no body"});
    return true;
  }
  if (!steps_.left()) {
    suspend(exchange, waiting_for_turn_);
    return true;
  }
  return answer(exchange, handle);
}

bool Server::answer(Exchange& exchange, MHD_Connection* handle) {
  const std::string_view host = header(handle, MHD_HTTP_HEADER_HOST);
  // A request without a Host header does not come from a browser.
  if (!host.empty() && !is_meant_for(host, listening_)) {
    return refuse(handle,
                  {MHD_HTTP_MISDIRECTED_REQUEST, "misdirected",
                   "this is " + to_string(listening_) + ", and not '" + escaped(host, limits::kExcerptMax) +
                       "': a proxy has to send 'Host: " + to_string(listening_) +
                       "' (nginx: proxy_set_header Host $proxy_host; Apache: ProxyPreserveHost Off)"});
  }
  auto request = route(exchange.target, header(handle, "Last-Event-ID"));
  if (!request) return refuse(handle, request.error());
  if (!is_authorized(handle, *request)) {
    return refuse(handle,
                  {MHD_HTTP_UNAUTHORIZED, "unauthorized",
                   "a request needs a token of http.tokens: 'Authorization: Bearer TOKEN', or the token "
                   "as the password of a user of any name"});
  }
  return answer(exchange, handle, std::move(*request));
}

// Balancers ask for the health without a token, and learn a word.
bool Server::is_authorized(MHD_Connection* handle, const Request& request) const {
  if (tokens_ == nullptr || std::holds_alternative<HealthRequest>(request) ||
      std::holds_alternative<ReadyRequest>(request)) {
    return true;
  }
  const auto token = token_in(header(handle, MHD_HTTP_HEADER_AUTHORIZATION));
  return token && tokens_->find(*token).has_value();
}

bool Server::answer(Exchange& exchange, MHD_Connection* handle, Request request) {
  const auto busy = [&](const std::string& what) {
    return refuse(handle, {MHD_HTTP_SERVICE_UNAVAILABLE, "busy", what + ": ask again in a moment"});
  };
  const auto health = [&](const std::string& problem) {
    const unsigned status = problem.empty() ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
    return send_text(handle, status, kPlain, line(problem));
  };
  steps_.spend(limits::kStepsPerWrite);
  if (std::holds_alternative<PageRequest>(request)) return send_page(handle);
  if (std::holds_alternative<IconRequest>(request))
    return send_text(handle, MHD_HTTP_NO_CONTENT, nullptr, "");
  if (std::holds_alternative<HealthRequest>(request)) return health(desk_.health().unhealthy);
  if (std::holds_alternative<ReadyRequest>(request)) {
    const std::string problem = desk_.health().unready;
    return problem.empty() ? send_text(handle, MHD_HTTP_OK, kPlain, readiness_text(desk_)) : health(problem);
  }
  if (std::holds_alternative<MetricsRequest>(request)) {
    steps_.spend(limits::kStepsPerScrape);
    return send_text(handle, MHD_HTTP_OK, kMetrics, metrics_text(desk_.figures()));
  }
  if (std::holds_alternative<StatusRequest>(request)) {
    steps_.spend(limits::kStepsPerOnce);
    return send_text(handle, MHD_HTTP_OK, kJson, status_text(desk_));
  }
  if (const auto* const story = std::get_if<StoryRequest>(&request)) {
    steps_.spend(limits::kStepsPerOnce);
    const auto text = story_text(desk_, story->name);
    if (text) return send_text(handle, MHD_HTTP_OK, kJson, *text);
    return refuse(handle, {MHD_HTTP_NOT_FOUND, "no_such_client", explain_unknown(story->name)});
  }
  if (std::holds_alternative<HistoryRequest>(request)) {
    return send_pieces(exchange, handle, kJson, std::make_unique<HistoryReply>(desk_));
  }
  if (auto* const closed = std::get_if<ClosedRequest>(&request)) {
    return send_pieces(exchange, handle, kJson,
                       std::make_unique<ClosedReply>(desk_, std::move(closed->list)));
  }
  if (auto* const clients = std::get_if<ClientsRequest>(&request)) {
    if (clients->list.cursor && clients->list.cursor->boot != desk_.boot().id) {
      return refuse(handle, {MHD_HTTP_BAD_REQUEST, "bad_request",
                             "'cursor' is of another run of the daemon: begin the list again"});
    }
    if (clients->list.sort) {
      if (sorted_lists_ == limits::kSortedListsMax) {
        return busy(std::to_string(sorted_lists_) + " sorted lists are being made already");
      }
      exchange.sorts = true;
      ++sorted_lists_;
    }
    return send_pieces(exchange, handle, kJson,
                       std::make_unique<ClientsReply>(desk_, std::move(clients->list)));
  }
  auto& events = std::get<EventsRequest>(request);
  if (events.feed.since && is_ahead(*events.feed.since, desk_.feed(), desk_.boot().id)) {
    return refuse(handle, {MHD_HTTP_BAD_REQUEST, "bad_request", "that is beyond the last event"});
  }
  if (!exchange.is_head) {
    if (followers_ == limits::kHttpFollowersMax) {
      return busy(std::to_string(followers_) + " follow /api/events already");
    }
    exchange.follows = true;
    ++followers_;
  }
  return send_pieces(exchange, handle, kEvents, std::make_unique<EventsReply>(desk_, std::move(events)));
}

bool Server::refuse(MHD_Connection* handle, const Refusal& refusal) {
  return send_text(handle, refusal.status, kJson, error_text(refusal));
}

bool Server::send_page(MHD_Connection* handle) {
  const Page& page = http::page();
  const bool is_known =
      header(handle, MHD_HTTP_HEADER_IF_NONE_MATCH).find(page.etag) != std::string_view::npos;
  const std::string_view text = is_known ? std::string_view{} : page.html;
  const Reply reply{MHD_create_response_from_buffer(text.size(), const_cast<char*>(text.data()),  // NOLINT
                                                    MHD_RESPMEM_PERSISTENT),
                    &MHD_destroy_response};
  if (reply == nullptr) return false;
  add_header(reply.get(), MHD_HTTP_HEADER_ETAG, std::string{page.etag}.c_str());
  add_header(reply.get(), "Content-Security-Policy", std::string{page.policy}.c_str());
  add_header(reply.get(), MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");  // asks each time whether it is new
  return send(handle, is_known ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, kHtml, reply);
}

bool Server::send_text(MHD_Connection* handle, unsigned status, const char* type, const std::string& text) {
  const Reply reply{MHD_create_response_from_buffer(text.size(), const_cast<char*>(text.data()),  // NOLINT
                                                    MHD_RESPMEM_MUST_COPY),
                    &MHD_destroy_response};
  if (reply == nullptr) return false;
  add_header(reply.get(), "Content-Security-Policy", kNoPagePolicy);
  add_header(reply.get(), MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
  if (status == MHD_HTTP_UNAUTHORIZED) {
    add_header(reply.get(), MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"heartbeatd\"");
    add_header(reply.get(), MHD_HTTP_HEADER_WWW_AUTHENTICATE, R"(Basic realm="heartbeatd", charset="UTF-8")");
  }
  if (status == MHD_HTTP_METHOD_NOT_ALLOWED) add_header(reply.get(), MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  return send(handle, status, type, reply);
}

bool Server::send_pieces(Exchange& exchange, MHD_Connection* handle, const char* type,
                         std::unique_ptr<Answer> answer) {
  exchange.answer = std::move(answer);
  auto reading = std::make_unique<Callbacks::Reading>(Callbacks::Reading{this, &exchange});
  const Reply reply{MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, limits::kHttpBlock, &Callbacks::read,
                                                      reading.get(), &Callbacks::end_reading),
                    &MHD_destroy_response};
  if (reply == nullptr) return false;
  static_cast<void>(reading.release());  // the reply's
  add_header(reply.get(), "Content-Security-Policy", kNoPagePolicy);
  add_header(reply.get(), MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
  return send(handle, MHD_HTTP_OK, type, reply);
}

bool Server::send(MHD_Connection* handle, unsigned status, const char* type, const Reply& reply) {
  if (type != nullptr) add_header(reply.get(), MHD_HTTP_HEADER_CONTENT_TYPE, type);
  add_header(reply.get(), "X-Content-Type-Options", "nosniff");
  add_header(reply.get(), "X-Frame-Options", "DENY");
  add_header(reply.get(), "Referrer-Policy", "no-referrer");
  add_header(reply.get(), "Cross-Origin-Resource-Policy", "same-origin");
  ++counters_.responses[status];
  return MHD_queue_response(handle, status, reply.get()) == MHD_YES;
}

std::ptrdiff_t Server::read(Exchange& exchange, char* buffer, std::size_t max) {
  if (!exchange.follows) was_active_ = true;
  if (exchange.sent == exchange.slice.size()) {
    exchange.slice.clear();
    exchange.sent = 0;
    if (exchange.answer == nullptr) return MHD_CONTENT_READER_END_OF_STREAM;
    if (!steps_.left()) {
      suspend(exchange, waiting_for_turn_);
      return 0;
    }
    const Answer::State made = exchange.answer->go_on(exchange.slice, steps_);
    if (made == Answer::State::Done) exchange.answer.reset();
    if (exchange.slice.empty()) {
      if (made == Answer::State::Done) return MHD_CONTENT_READER_END_OF_STREAM;
      suspend(exchange, made == Answer::State::WaitsForEvents ? waiting_for_events_ : waiting_for_turn_);
      return 0;
    }
  }
  steps_.spend(limits::kStepsPerWrite);
  const std::size_t size = std::min(max, exchange.slice.size() - exchange.sent);
  std::copy_n(exchange.slice.data() + exchange.sent, size, buffer);
  exchange.sent += size;
  return static_cast<std::ptrdiff_t>(size);
}

void Server::suspend(Exchange& exchange, Exchanges& until) {
  MHD_suspend_connection(exchange.connection->handle);
  until.push_back(&exchange);
}

void Server::resume(Exchanges& suspended, std::size_t count) {
  for (; count > 0 && !suspended.empty(); --count) {
    MHD_resume_connection(suspended.front()->connection->handle);
    suspended.pop_front();
    run_again_ = true;
  }
}

void Server::forget(Exchange& exchange) {
  if (exchange.follows) --followers_;
  if (exchange.sorts) --sorted_lists_;
  Connection& connection = *exchange.connection;
  exchange = {.connection = &connection};
  if (connection.list == &answering_) move(connection, asking_);
}

// --- the loop ---------------------------------------------------------------------------------------------

void Server::run() {
  close_strangers();
  MHD_run(daemon_);
  MHD_UNSIGNED_LONG_LONG wait = 0;
  const bool is_limited = MHD_get_timeout(daemon_, &wait) == MHD_YES;
  run_again_ = is_limited && wait == 0;
  if (is_limited && wait > 0) timeout_->arm(Millis{static_cast<std::int64_t>(wait)});
}

void Server::after_turn() {
  if (daemon_ == nullptr) return;
  accepted_this_turn_ = 0;
  steps_ = Steps{limits::kHttpStepsPerTurn};
  resume(waiting_for_turn_, limits::kHttpResumedPerTurn);
  wake_followers();
  close_late();
  if (run_again_) run();
  if (run_again_ || !waiting_for_turn_.empty()) wake_.at(loop_.now());
}

bool Server::has_news() const {
  return desk_.feed().next() != events_seen_ || desk_.timeline().next() != seconds_seen_;
}

void Server::wake_followers() {
  if (waiting_for_events_.empty() || !has_news()) return;
  const MonoTime now = loop_.now();
  if (now - woken_at_ < limits::kHttpEventsEvery) return wake_.at(woken_at_ + limits::kHttpEventsEvery);
  woken_at_ = now;
  events_seen_ = desk_.feed().next();
  seconds_seen_ = desk_.timeline().next();
  resume(waiting_for_events_, waiting_for_events_.size());
}

}  // namespace heartbeat::http
