// One listening socket.
//
// It accepts by itself: libuv 1.44 accepts and closes, without a word, whoever comes while there is no
// descriptor, and tells nobody's address.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <tl/expected.hpp>

#include "common/descriptor.h"
#include "common/endpoint.h"
#include "common/uv/handle.h"
#include "common/uv/loop.h"
#include "common/uv/watchers.h"

namespace heartbeat {

class Listener {
 public:
  // Called in each poll in which somebody waits.
  using Callback = std::function<void(Listener& listener)>;

  // Listens at the endpoint; port 0 takes a free one.  An IPv6 endpoint takes IPv6 connections only, so that
  // 0.0.0.0 and [::] can be listened on side by side.  `shares_port`: with a listener that is told so
  // too.  The error names the address.
  [[nodiscard]] static tl::expected<std::unique_ptr<Listener>, std::string> create(
      uv::Loop& loop, const Endpoint& at, int backlog, bool shares_port, Callback on_waiting);

  // Goes on with a TCP socket that listens already, and owns the descriptor from here on, also when there is
  // an error.
  [[nodiscard]] static tl::expected<std::unique_ptr<Listener>, std::string> adopt(uv::Loop& loop,
                                                                                  int descriptor, int backlog,
                                                                                  Callback on_waiting);

  // With the real port.
  [[nodiscard]] const Endpoint& local() const { return local_; }
  // Whether it is what create() would be asked for at that endpoint.
  [[nodiscard]] bool is_for(const Endpoint& at) const { return at == asked_ || at == local_; }
  void set_backlog(int backlog);

  // Whether one that overlaps with it may be opened on its port: 0.0.0.0 beside 127.0.0.1.  Not to be left
  // on, or another program of the same user could listen here as well.
  void share_port(bool on);

  [[nodiscard]] int descriptor() const { return socket_.get(); }

  // How many wait, where the kernel tells it and somebody does; else more than there can be.  To accept until
  // nobody is left would cost a connection more each time: Linux makes the new socket before it looks for
  // one.
  [[nodiscard]] std::size_t waiting() const;

  // Accepts the connection that has waited longest, unless one is in hand already.  Returns 0 when one is in
  // hand, UV_EAGAIN when nobody waits, else what keeps the kernel from handing one over (UV_EMFILE …): those
  // who wait go on waiting.
  [[nodiscard]] int accept();

  // The one in hand.
  struct Accepted {
    Descriptor socket;
    Endpoint peer;
  };
  [[nodiscard]] Accepted take();

  // Whether it is told who waits; whoever comes meanwhile waits in the kernel.
  void watch(bool on);
  [[nodiscard]] bool is_watched() const { return readable_->is_on(); }

 private:
  Listener(uv::Loop& loop, Descriptor socket, Callback on_waiting);

  Descriptor socket_;
  Endpoint asked_;  // its port may be 0
  Endpoint local_;
  std::optional<Accepted> in_hand_;
  uv::Owned<uv::Readable> readable_;  // goes before the socket does
};

}  // namespace heartbeat
