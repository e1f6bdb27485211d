/* What heartbeat_client.h promises beyond the rules: no allocation after the start, no descriptor in a child, no
 * signal, bounds of texts.  Linked with --wrap for malloc, calloc and realloc, so that each call of the client's own is counted. */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "heartbeat_client.h"

enum { WAIT_MS = 60000, STEP_MS = 20 };

#define CHECK(condition) \
  ((condition) ? (void)0 : (fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition), exit(1)))

static int allocations;
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__wrap_malloc(size_t size) { return allocations++, __real_malloc(size); }
void *__wrap_calloc(size_t count, size_t size) { return allocations++, __real_calloc(count, size); }
void *__wrap_realloc(void *block, size_t size) { return allocations++, __real_realloc(block, size); }

static int listener;
static char port[8];

static void listen_somewhere(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  listener = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 8) == 0);
  CHECK(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
  snprintf(port, sizeof port, "%d", ntohs(address.sin_port));
}

/* Makes steps until the server's descriptor can be read. */
static void step_until(heartbeat_client *client, int readable) {
  for (int waited = 0;; waited += STEP_MS) {
    struct pollfd ready = {readable, POLLIN, 0};
    CHECK(waited < WAIT_MS);
    if (client != NULL) heartbeat_step(client);
    if (poll(&ready, 1, STEP_MS) > 0) return;
  }
}

static int accept_next(heartbeat_client *client) {
  step_until(client, listener);
  const int peer = accept(listener, NULL, NULL);
  CHECK(peer >= 0);
  return peer;
}

/* One read of what the client has said. */
static const char *hear(heartbeat_client *client, int peer) {
  static char text[4096];
  step_until(client, peer);
  const ssize_t size = recv(peer, text, sizeof text - 1, 0);
  CHECK(size >= 0);
  text[size] = '\0';
  return size == 0 ? "" : text + 4;
}

static void count_frame(void *context, const char *body, size_t length) {
  CHECK(length == 14 && memcmp(body, "{\"type\":\"any\"}", length) == 0);
  ++*(int *)context;
}

static void test_no_allocation_after_the_start(void) {
  int frames = 0;
  const struct heartbeat_options options = {
      .port = port, .id = "a", .interval_ms = 50, .base_ms = 20, .cap_ms = 20, .on_frame = count_frame, .context = &frames};
  heartbeat_client *client = heartbeat_start(&options);
  CHECK(client != NULL && allocations > 0);
  allocations = 0;
  for (int round = 0; round < 3; round++) {
    const int peer = accept_next(client);
    CHECK(strstr(hear(client, peer), "\"notify\":true") != NULL);
    CHECK(strstr(hear(client, peer), "\"notify\"") == NULL);
    CHECK(send(peer, "\0\0\0\16{\"type\":\"any\"}", 18, 0) == 18);
    CHECK(heartbeat_leave(client, "a note") == 0);
    CHECK(strstr(hear(client, peer), "\"leave\",\"pid\"") != NULL);
    heartbeat_alive(client);
    heartbeat_touch(client);
    hear(client, peer);
    close(peer);
  }
  CHECK(frames == 3 && allocations == 0);
  heartbeat_abandon(client);
}

static void test_a_child_of_fork_holds_nothing(void) {
  const struct heartbeat_options options = {.port = port, .interval_ms = 50};
  heartbeat_client *client = heartbeat_start(&options);
  CHECK(client != NULL && heartbeat_start_thread(client) == 0);
  const int peer = accept_next(NULL);
  hear(NULL, peer);
  int alive[2];
  CHECK(pipe(alive) == 0);
  const pid_t child = fork();
  if (child == 0) {
    char byte;
    close(alive[1]);
    if (heartbeat_descriptor(client) != -1 || heartbeat_timeout(client) != -1) _exit(1);
    heartbeat_step(client);
    heartbeat_touch(client);
    if (read(alive[0], &byte, 1) != 0) _exit(2); /* until the parent has looked */
    heartbeat_end(client);
    _exit(0);
  }
  heartbeat_abandon(client);
  while (*hear(NULL, peer) != '\0') continue; /* the end of the stream, although the child lives */
  int status = 0;
  close(alive[1]);
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  close(alive[0]);
  close(peer);
}

static void test_a_goodbye_to_a_dead_connection_raises_no_signal(void) {
  const struct heartbeat_options options = {.port = port};
  heartbeat_client *client = heartbeat_start(&options);
  CHECK(client != NULL);
  const int peer = accept_next(client);
  hear(client, peer);
  /* A reset that follows the end of the stream makes the next write fail with EPIPE, and with SIGPIPE where that is not
   * prevented. */
  const struct linger reset = {1, 0};
  CHECK(shutdown(peer, SHUT_WR) == 0 && setsockopt(peer, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0);
  close(peer);
  struct pollfd ready = {heartbeat_descriptor(client), POLLIN, 0};
  do CHECK(poll(&ready, 1, WAIT_MS) > 0);
  while ((ready.revents & POLLHUP) == 0);
  heartbeat_end(client);
}

static void test_every_descriptor_is_closed_by_exec(void) {
  const struct heartbeat_options options = {.port = port};
  enum { DESCRIPTORS = 64 };
  int open_before[DESCRIPTORS], looked_at = 0;
  for (int each = 0; each < DESCRIPTORS; each++) open_before[each] = fcntl(each, F_GETFD) >= 0;
  heartbeat_client *client = heartbeat_start(&options);
  CHECK(client != NULL && heartbeat_start_thread(client) == 0);
  const int peer = accept_next(NULL);
  hear(NULL, peer);
  for (int each = 0; each < DESCRIPTORS; each++) {
    const int flags = fcntl(each, F_GETFD);
    if (flags < 0 || open_before[each] || each == peer) continue;
    CHECK((flags & FD_CLOEXEC) != 0);
    looked_at++;
  }
  CHECK(looked_at == 3); /* the connection, and both ends of what wakes the thread */
  heartbeat_end(client);
  close(peer);
}

static void test_texts_at_their_bounds(void) {
  char id[130], note[130];
  memset(id, 'x', sizeof id);
  memset(note, 'x', sizeof note);
  id[129] = note[129] = '\0';
  struct heartbeat_options options = {.port = port, .id = id};
  CHECK(heartbeat_start(&options) == NULL && errno == EINVAL);
  id[128] = '\0';
  heartbeat_client *client = heartbeat_start(&options);
  CHECK(client != NULL);
  CHECK(heartbeat_leave(client, note) == EINVAL && heartbeat_leave(client, "") == EINVAL);
  note[128] = '\0';
  CHECK(heartbeat_leave(client, note) == 0 && heartbeat_leave(client, NULL) == 0);
  const char *const wrong[] = {"", "a\"b", "a\\b", "a\tb", "a\x7f"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    options.id = wrong[i];
    CHECK(heartbeat_start(&options) == NULL && errno == EINVAL);
  }
  heartbeat_abandon(client);
}

int main(void) {
  listen_somewhere();
  test_no_allocation_after_the_start();
  test_a_child_of_fork_holds_nothing();
  test_a_goodbye_to_a_dead_connection_raises_no_signal();
  test_every_descriptor_is_closed_by_exec();
  test_texts_at_their_bounds();
  puts("all as promised");
  return 0;
}
