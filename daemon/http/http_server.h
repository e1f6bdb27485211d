// HTTP on the loop: libmicrohttpd speaks it, and this decides which requests are answered, and how.
//
// Connections are accepted here (uv::Acceptor) and handed to libmicrohttpd.  It has an epoll descriptor of
// its own, which the loop watches; it runs only when that is readable or one of its timeouts is due, and in
// one turn of the loop it does a bounded number of steps.  An answer that has nothing to send is suspended
// until it has.
//
// A connection is asking (its request is not whole yet), being answered, or closing.  The front of each list
// has been in it for longest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

#include "common/descriptor.h"
#include "common/endpoint.h"
#include "common/limits.h"
#include "common/mono_time.h"
#include "common/uv/acceptor.h"
#include "common/uv/handle.h"
#include "common/uv/loop.h"
#include "common/uv/wake_up.h"
#include "common/uv/watchers.h"
#include "daemon/core/credentials.h"
#include "daemon/http/route.h"
#include "daemon/report/answer.h"
#include "daemon/report/figures.h"
#include "daemon/report/operator_desk.h"

struct MHD_Connection;
struct MHD_Daemon;
struct MHD_Response;

namespace heartbeat::http {

class Server final : uv::Acceptor::Door {
 public:
  // At most `connections_max` at once, those included that are about to be closed.  One more takes the place
  // of the connection that has gone longest without asking; if all are being answered it is closed unread.
  Server(uv::Loop& loop, const OperatorDesk& desk, std::size_t connections_max);
  ~Server() override;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  Server(Server&&) = delete;
  Server& operator=(Server&&) = delete;

  // Requests need a token of these from here on, but those for /healthz and /readyz; null: none is needed.
  // They outlive the server or the next call.
  void require(const Credentials* tokens) { tokens_ = tokens; }
  // Must be called before listen(): certificates and their key in PEM form, which can be used.
  void use_tls(std::string certificate, std::string key);

  // Listens at the endpoint; port 0 takes a free one.  Returns it with its real port; the error is a sentence
  // that names it.
  [[nodiscard]] tl::expected<Endpoint, std::string> listen(const Endpoint& at);
  // The same at a socket that listens already.
  [[nodiscard]] tl::expected<Endpoint, std::string> adopt(Descriptor socket);

  // To be called at each turn of the loop, when all that was read in it has been dealt with.
  void after_turn();

  // Whether a peer connected or asked since the last call, or is being answered; followers do not count.
  [[nodiscard]] bool was_active() { return std::exchange(was_active_, false); }
  // Can be read when libmicrohttpd has something to do.  While listening.
  [[nodiscard]] int descriptor() const { return descriptor_; }
  // Null before listen().
  [[nodiscard]] const uv::Acceptor* acceptor() const { return acceptor_.get(); }
  // How often a connection could not be accepted, for want of a descriptor or of memory.
  [[nodiscard]] std::uint64_t shortages() const { return acceptor_ ? acceptor_->shortages() : 0; }

  [[nodiscard]] HttpFigures figures() const;

  [[nodiscard]] std::size_t connections() const {
    return asking_.size() + answering_.size() + closing_.size();
  }

 private:
  friend struct Callbacks;  // what libmicrohttpd calls

  struct Exchange;
  struct Connection;
  using Connections = std::list<Connection>;

  // To make room for a new connection an old one is closed, and libmicrohttpd lets go of that in its next
  // run. So half of the connections that may be closing at once are accepted in a turn.
  static constexpr unsigned kAcceptsPerTurn = limits::kHttpClosingMax / 2;

  using Exchanges = std::deque<Exchange*>;
  using Reply = std::unique_ptr<MHD_Response, void (*)(MHD_Response*)>;

  // --- from the acceptor ---
  [[nodiscard]] bool may_accept(uv::Acceptor& at) override;
  void take(uv::Acceptor& from, uv::Acceptor::Accepted& accepted) override;
  void on_shortage(uv::Acceptor& at, std::string_view why) override;

  // --- connections ---
  [[nodiscard]] bool make_room();
  Connection& opened(MHD_Connection* handle);
  void move(Connection& connection, Connections& to);
  void close(Connection& connection);
  void close_late();
  void close_strangers();

  // --- requests; each returns whether libmicrohttpd may go on ---
  bool asked(Exchange& exchange, MHD_Connection* handle, std::string_view method);
  bool answer(Exchange& exchange, MHD_Connection* handle);
  bool answer(Exchange& exchange, MHD_Connection* handle, Request request);
  [[nodiscard]] bool is_authorized(MHD_Connection* handle, const Request& request) const;
  bool refuse(MHD_Connection* handle, const Refusal& refusal);
  bool send_page(MHD_Connection* handle);
  bool send_text(MHD_Connection* handle, unsigned status, const char* type, const std::string& text);
  bool send_pieces(Exchange& exchange, MHD_Connection* handle, const char* type,
                   std::unique_ptr<Answer> answer);
  bool send(MHD_Connection* handle, unsigned status, const char* type, const Reply& reply);

  // Fills `buffer` with the next bytes to send; 0 where the exchange waits for its turn or for events, and
  // below 0 at the end.
  std::ptrdiff_t read(Exchange& exchange, char* buffer, std::size_t max);
  void suspend(Exchange& exchange, Exchanges& until);
  void resume(Exchanges& suspended, std::size_t count);
  void forget(Exchange& exchange);

  // --- the loop ---
  void run();
  [[nodiscard]] bool has_news() const;
  void wake_followers();

  uv::Loop& loop_;
  const OperatorDesk& desk_;
  std::size_t closing_max_;
  std::size_t connections_max_;
  Endpoint listening_;
  const Credentials* tokens_ = nullptr;
  std::string certificate_;  // empty: HTTP is plain
  std::string key_;
  unsigned accepted_this_turn_ = 0;  // at most kAcceptsPerTurn
  Connections arriving_;             // at most one: accepted, and about to be libmicrohttpd's
  Connections asking_;
  Connections answering_;
  Connections closing_;
  std::size_t followers_ = 0;
  std::size_t sorted_lists_ = 0;
  Exchanges waiting_for_turn_;  // the one that has waited longest in front
  Exchanges waiting_for_events_;
  Steps steps_{0};                  // what may still be done in this turn
  std::uint64_t events_seen_ = 0;   // the feed's next one when followers were last woken
  std::uint64_t seconds_seen_ = 0;  // the timeline's
  MonoTime woken_at_;               // on the machine's clock
  MonoTime refusals_told_at_ = MonoTime{-limits::kHttpRefusalsTold};
  MonoTime strangers_told_at_ = MonoTime{-limits::kHttpRefusalsTold};
  std::uint64_t strangers_ = 0;  // connections closed because they spoke no HTTP
  HttpFigures counters_;         // the numbers of connections and followers are not kept here
  bool run_again_ = false;       // libmicrohttpd has more to do at once
  bool was_active_ = false;
  int descriptor_ = -1;  // libmicrohttpd's epoll
  MHD_Daemon* daemon_ = nullptr;
  std::unique_ptr<uv::Acceptor> acceptor_;
  uv::Owned<uv::Readable> readable_;
  uv::Owned<uv::Timer> timeout_;  // of libmicrohttpd's
  uv::WakeUp wake_;               // for the followers' next events, and where more can be done at once
};

}  // namespace heartbeat::http
