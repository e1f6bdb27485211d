#define _POSIX_C_SOURCE 200809L
#include "heartbeat_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifdef __APPLE__ /* has SO_NOSIGPIPE and fcntl() in their place */
#define MSG_NOSIGNAL 0
#define SOCK_CLOEXEC 0
#endif
enum { FRAME_MAX = 4096, PARTING_MS = 1000, LOOKUP_MS = 20, DAY_MS = 24 * 60 * 60 * 1000 };

struct heartbeat_client {
  heartbeat_client *next; /* in the list of all clients of this process */
  struct heartbeat_options options;
  char host[256], port[32], id[129], group[65];
  int is_address;                   /* the host: then there is nothing to look up */
  struct addrinfo *found, *address; /* what a lookup found; the next of it to try in this attempt */
  enum { WAITING, LOOKING_UP, CONNECTING, CONNECTED, FORKED } state;
  int descriptor, wake[2];
  int64_t due, attempt_ends, connected_at, retry_after; /* of the monotonic clock, the last a length; milliseconds */
  int failures, barred, spoke; /* at most 31 in a row; closed for a reason of rule 3; on this connection */
  uint64_t random;
  size_t out_size, sent, in_size;
  char out[1024], in[4 + FRAME_MAX];
  pthread_t thread; /* where there is a way to wake it */
  /* Shared between threads, under the lock: */
  int64_t touched;
  char note[129];
  int leaves, looks_up, abandoned; /* a thread looks the host up; it is the last to use the client, and frees it */
};

/* Guards what threads share, the list, and each moment in which a descriptor is not in its client: fork() finds all. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static heartbeat_client *all_clients;
static void lock(void) { pthread_mutex_lock(&mutex); }
static void unlock(void) { pthread_mutex_unlock(&mutex); }
static void shut(int *descriptor) {
  if (*descriptor >= 0) close(*descriptor);
  *descriptor = -1;
}
static void shut_all(heartbeat_client *c) {
  shut(&c->descriptor);
  for (int i = 0; i < 2; i++) shut(&c->wake[i]);
}
/* The child has a copy of each descriptor.  Left open, it would hold the connection up when the parent has died. */
static void forget_in_child(void) {
  for (heartbeat_client *c = all_clients; c != NULL; c = c->next) {
    shut_all(c);
    c->state = FORKED;
    c->looks_up = 0;
  }
  unlock();
}
static void watch_forks(void) { pthread_atfork(lock, unlock, forget_in_child); }
static int prepare(int descriptor) {
  fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  fcntl(descriptor, F_SETFL, O_NONBLOCK);
#ifdef SO_NOSIGPIPE
  setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &(int){1}, sizeof(int));
#endif
  return descriptor;
}
/* A thread of ours gets no signals: they are for the program's own. */
static int make_thread(pthread_t *thread, void *(*body)(void *), void *argument) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int error = pthread_create(thread, NULL, body, argument);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return error;
}
static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
/* Devices that start at one moment have one clock and perhaps no entropy yet; their ids differ. */
static uint64_t seed(const char *id) {
  uint64_t seed = (uint64_t)now_ms() ^ (uint64_t)getpid() << 40;
  int source = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
  if (source >= 0 && read(source, &seed, sizeof seed) < 0) seed++;
  shut(&source);
  for (; *id != '\0'; id++) seed = (seed ^ (unsigned char)*id) * UINT64_C(1099511628211);
  return seed;
}
/* From 0 to `most`: the upper half of a linear congruential generator (Knuth's MMIX). */
static int64_t draw(heartbeat_client *c, int64_t most) {
  c->random = c->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (int64_t)((c->random >> 33) % (uint64_t)(most + 1));
}
/* The connection, or the attempt, is over: a pause, and then the next attempt. */
static void lose(heartbeat_client *c) {
  const int64_t now = now_ms(), cap = c->options.cap_ms;
  if (c->state == CONNECTED && now - c->connected_at >= c->options.interval_ms) c->failures = 0;
  if (c->barred) c->failures = 31;
  const int64_t most = (int64_t)c->options.base_ms << c->failures;
  /* At the cap half of it is waited for in any case: two programs with one id take over once a cap each at most. */
  const int64_t least = c->failures > 0 && most >= cap ? cap / 2 : 0;
  c->failures += c->failures < 31;
  c->due = now + least + draw(c, (most < cap ? most : cap) - least) + c->retry_after;
  c->retry_after = c->barred = c->spoke = 0;
  c->out_size = c->sent = c->in_size = 0;
  c->state = WAITING;
  lock();
  shut(&c->descriptor);
  unlock();
}

/* Of what the daemon says only the outermost object is kept, without white space, and then searched.  No string can
 * hold what is searched for: a quote in a string has a backslash before it. */
static void hear(heartbeat_client *c, const char *body, size_t size) {
  char text[FRAME_MAX + 1];
  size_t kept = 0;
  int depth = 0, quoted = 0;
  if (c->options.on_frame != NULL) c->options.on_frame(c->options.context, body, size);
  for (size_t i = 0; i < size; i++) {
    const char byte = body[i];
    if (!quoted && (byte == '{' || byte == '[')) depth++;
    if (depth == 1 && (quoted || strchr(" \t\r\n", byte) == NULL)) text[kept++] = byte;
    if (!quoted && (byte == '}' || byte == ']')) depth--;
    if (byte == '"') quoted = !quoted;
    if (quoted && byte == '\\' && ++i < size && depth == 1) text[kept++] = body[i];
  }
  text[kept] = '\0';
  if (strstr(text, "\"type\":\"status\"") == NULL || strstr(text, "\"status\":\"close\"") == NULL) return;
  const char *wait = strstr(text, "\"retry_after_ms\":");
  c->retry_after = wait == NULL ? 0 : strtoll(wait + strlen("\"retry_after_ms\":"), NULL, 10);
  c->retry_after = c->retry_after < 0 ? 0 : c->retry_after > DAY_MS ? DAY_MS : c->retry_after;
  c->barred = strstr(text, "\"reason\":\"superseded\"") != NULL || strstr(text, "\"reason\":\"kicked\"") != NULL ||
              strstr(text, "\"reason\":\"unauthorized\"") != NULL || strstr(text, "\"reason\":\"crash\"") != NULL;
}

/* 1 if something was read, 0 if nothing is there, -1 if the connection is over. */
static int receive(heartbeat_client *c) {
  const ssize_t got = recv(c->descriptor, c->in + c->in_size, sizeof c->in - c->in_size, 0);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return 0;
  if (got <= 0) return -1;
  size_t at = 0;
  for (c->in_size += (size_t)got; c->in_size - at >= 4;) {
    uint32_t size;
    memcpy(&size, c->in + at, 4);
    size = ntohl(size);
    if (size < 1 || size > FRAME_MAX) return -1; /* no server of heartbeats */
    if (c->in_size - at < 4 + size) break;
    hear(c, c->in + at + 4, size);
    at += 4 + size;
  }
  c->in_size -= at;
  memmove(c->in, c->in + at, c->in_size);
  return 1;
}

/* Puts one heartbeat into `out`, which must be empty.  The claimed address is our end of the connection. */
static void say(heartbeat_client *c, const char *status, const char *note) {
  struct sockaddr_storage own;
  socklen_t length = sizeof own;
  char ip[65] = "0.0.0.0", first[144] = "";
  if (getsockname(c->descriptor, (struct sockaddr *)&own, &length) == 0)
    getnameinfo((struct sockaddr *)&own, length, ip, sizeof ip, NULL, 0, NI_NUMERICHOST);
  if (!c->spoke)
    snprintf(first, sizeof first, "%s%s%s,\"interval_ms\":%d,\"notify\":true", *c->group ? ",\"group\":\"" : "",
             c->group, *c->group ? "\"" : "", c->options.interval_ms);
  const int size =
      snprintf(c->out + 4, sizeof c->out - 4, "{\"ip\":\"%s\",\"status\":\"%s\",\"pid\":%ld%s%s%s%s%s%s%s}", ip, status,
               (long)getpid(), *c->id ? ",\"id\":\"" : "", c->id, *c->id ? "\"" : "", *note ? ",\"note\":\"" : "", note,
               *note ? "\"" : "", first);
  const uint32_t prefix = htonl((uint32_t)size);
  memcpy(c->out, &prefix, 4);
  c->out_size = 4 + (size_t)size;
  c->sent = 0;
  c->spoke = 1;
}
/* Where this fails the connection is over, which receive() says, after all that the daemon has still said. */
static void flush(heartbeat_client *c) {
  const ssize_t sent = send(c->descriptor, c->out + c->sent, c->out_size - c->sent, MSG_NOSIGNAL);
  if (sent > 0) c->sent += (size_t)sent;
}
static void beat(heartbeat_client *c, int64_t now) {
  char note[sizeof c->note];
  c->due = now + c->options.interval_ms - (now - c->connected_at) % c->options.interval_ms;
  lock();
  const int64_t silent = now - c->touched;
  const int leaves = c->leaves, hangs = !leaves && c->options.gate_ms > 0 && silent > c->options.gate_ms;
  strcpy(note, c->note);
  unlock();
  if (hangs) snprintf(note, sizeof note, "no sign of work for %lld s", (long long)(silent / 1000));
  /* What could not be sent waits in `out`.  Another heartbeat behind it would say nothing new. */
  if (c->sent == c->out_size) say(c, leaves || hangs ? "leave" : "alive", note);
}
static void release(heartbeat_client *c) {
  if (c->found != NULL) freeaddrinfo(c->found);
  free(c);
}
/* The end of a lookup has no descriptor, which a child of fork() would have to close: it is asked for. */
static void *look_up(void *argument) {
  heartbeat_client *c = argument;
  struct addrinfo *found = NULL;
  pthread_detach(pthread_self());
  if (getaddrinfo(c->host, c->port, &(struct addrinfo){.ai_socktype = SOCK_STREAM}, &found) != 0) found = NULL;
  lock();
  if (c->found != NULL) freeaddrinfo(c->found);
  c->found = found;
  c->looks_up = 0;
  const int abandoned = c->abandoned;
  unlock();
  if (abandoned) release(c);
  return NULL;
}
/* Begins with the next address that takes an attempt, or gives the attempt up. */
static void connect_next(heartbeat_client *c) {
  c->state = CONNECTING;
  c->due = c->attempt_ends;
  for (; c->address != NULL; c->address = c->address->ai_next) {
    lock();
    shut(&c->descriptor);
    c->descriptor = prepare(socket(c->address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    unlock();
    if (connect(c->descriptor, c->address->ai_addr, c->address->ai_addrlen) == 0 || errno == EINPROGRESS) break;
  }
  if (c->address == NULL) lose(c);
  else c->address = c->address->ai_next;
}

static void begin(heartbeat_client *c, int64_t now) {
  pthread_t thread;
  c->attempt_ends = now + c->options.connect_timeout_ms;
  c->state = LOOKING_UP;
  lock();
  const int begins = !c->is_address && !c->looks_up;
  c->looks_up |= begins;
  unlock();
  if (begins && make_thread(&thread, look_up, c) != 0) c->looks_up = 0;
}

void heartbeat_step(heartbeat_client *c) {
  const int64_t now = now_ms();
  if (c->state == WAITING && now >= c->due) begin(c, now);
  if (c->state == LOOKING_UP) {
    lock();
    const int looks_up = c->looks_up;
    c->address = c->found;
    unlock();
    c->due = now + LOOKUP_MS;
    if (!looks_up) connect_next(c);
  }
  struct pollfd ready = {c->descriptor, POLLOUT, 0};
  if (c->state == CONNECTING && poll(&ready, 1, 0) > 0) {
    c->state = CONNECTED; /* or failed, which receive() says */
    c->connected_at = c->due = now;
  }
  if ((c->state == LOOKING_UP || c->state == CONNECTING) && now >= c->attempt_ends) lose(c);
  if (c->state == CONNECTED && receive(c) < 0) (c->spoke ? lose : connect_next)(c);
  if (c->state == CONNECTED && now >= c->due) beat(c, now);
  if (c->state == CONNECTED && c->sent < c->out_size) flush(c);
}

int heartbeat_descriptor(const heartbeat_client *c) { return c->descriptor; }
short heartbeat_events(const heartbeat_client *c) {
  return c->state == CONNECTING || c->sent < c->out_size ? POLLIN | POLLOUT : POLLIN;
}
int heartbeat_timeout(const heartbeat_client *c) {
  const int64_t left = c->due - now_ms();
  return c->state == FORKED ? -1 : left < 0 ? 0 : left > DAY_MS ? DAY_MS : (int)left;
}
void heartbeat_touch(heartbeat_client *c) {
  lock();
  c->touched = now_ms();
  unlock();
}
/* Copies text that is printable, as far as that can be said without tables; the daemon looks closer.  0 or EINVAL. */
static int copy(char *into, const char *text, size_t most) {
  if (text == NULL) return 0;
  for (const char *p = text; *p != '\0'; p++)
    if ((unsigned char)*p < 0x20 || *p == 0x7f || *p == '"' || *p == '\\') return EINVAL;
  if (*text == '\0' || strlen(text) > most) return EINVAL;
  strcpy(into, text);
  return 0;
}
/* Whether the daemon reads this as an address: with brackets, a zone and a port, or without. */
static int reads_as_address(const char *id) {
  char text[sizeof((heartbeat_client *)0)->id], *host = text + (*id == '['), address[16];
  const size_t zone = strcspn(id, "%"), behind = zone + strcspn(id + zone, "]");
  snprintf(text, sizeof text, "%.*s%s", (int)zone, id, id + behind);
  if (inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1) return 1;
  char *end = strchr(host, *id == '[' ? ']' : ':');
  if (end == NULL) return 0;
  int size = 0;
  const char *port = end + (*end == ']');
  sscanf(port, ":%*[0-9]%n", &size);
  if (port[size] != '\0') return 0;
  *end = '\0';
  return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}
static int declare(heartbeat_client *c, int leaves, const char *note) {
  lock();
  c->leaves = leaves;
  c->note[0] = '\0';
  const int error = copy(c->note, note, sizeof c->note - 1);
  unlock();
  if (c->wake[1] < 0 && c->state == CONNECTED) c->due = now_ms();
  if (c->wake[1] >= 0 && send(c->wake[1], "!", 1, MSG_NOSIGNAL) < 0) errno = 0; /* earlier wake-ups are unread */
  return error;
}
int heartbeat_leave(heartbeat_client *c, const char *note) { return declare(c, 1, note); }
void heartbeat_alive(heartbeat_client *c) { declare(c, 0, NULL); }

static void *make_steps(void *argument) {
  heartbeat_client *c = argument;
  for (;;) {
    struct pollfd ready[2] = {{heartbeat_descriptor(c), heartbeat_events(c), 0}, {c->wake[0], POLLIN, 0}};
    char byte;
    poll(ready, 2, heartbeat_timeout(c));
    const ssize_t woken = recv(c->wake[0], &byte, 1, 0);
    if (woken == 0) return NULL;
    if (woken > 0 && c->state == CONNECTED) c->due = now_ms();
    heartbeat_step(c);
  }
}

int heartbeat_start_thread(heartbeat_client *c) {
  lock();
  int error = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, c->wake) == 0 ? 0 : errno;
  for (int i = 0; i < 2 && error == 0; i++) prepare(c->wake[i]);
  unlock();
  if (error == 0) error = make_thread(&c->thread, make_steps, c);
  for (int i = 0; i < 2 && error != 0; i++) shut(&c->wake[i]);
  return error;
}

/* The goodbye goes out, and the daemon's answers are read, so that no reset overtakes it. */
static void part(heartbeat_client *c) {
  const int64_t until = now_ms() + PARTING_MS;
  struct pollfd ready = {c->descriptor, POLLIN, 0};
  if (c->sent == c->out_size) say(c, "close", ""); /* behind half a heartbeat it would not be understood */
  flush(c);
  if (shutdown(c->descriptor, SHUT_WR) != 0) return;
  while (receive(c) >= 0 && now_ms() < until) poll(&ready, 1, (int)(until - now_ms()) + 1);
}

static void finish(heartbeat_client *c, int goodbye) {
  if (c->wake[1] >= 0) {
    shutdown(c->wake[1], SHUT_WR);
    pthread_join(c->thread, NULL);
  }
  if (goodbye && c->state == CONNECTED) part(c);
  lock();
  heartbeat_client **link = &all_clients;
  while (*link != c) link = &(*link)->next;
  *link = c->next;
  shut_all(c);
  c->abandoned = 1;
  const int looks_up = c->looks_up;
  unlock();
  if (!looks_up) release(c);
}
void heartbeat_end(heartbeat_client *c) { finish(c, 1); }
void heartbeat_abandon(heartbeat_client *c) { finish(c, 0); }
static int given(int value, int otherwise) { return value > 0 ? value : otherwise; }
heartbeat_client *heartbeat_start(const struct heartbeat_options *options) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  const struct addrinfo numeric = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
  heartbeat_client *c = calloc(1, sizeof *c);
  if (c == NULL || copy(c->host, options->host != NULL ? options->host : "127.0.0.1", sizeof c->host - 1) != 0 ||
      copy(c->port, options->port != NULL ? options->port : "14000", sizeof c->port - 1) != 0 ||
      copy(c->id, options->id, sizeof c->id - 1) != 0 || copy(c->group, options->group, sizeof c->group - 1) != 0 ||
      reads_as_address(c->id)) {
    errno = c == NULL ? ENOMEM : EINVAL;
    free(c);
    return NULL;
  }
  c->options = *options;
  c->options.interval_ms = given(options->interval_ms, 10000);
  c->options.base_ms = given(options->base_ms, 1000);
  c->options.cap_ms = given(options->cap_ms, 60000);
  c->options.connect_timeout_ms = given(options->connect_timeout_ms, 10000);
  c->is_address = getaddrinfo(c->host, c->port, &numeric, &c->found) == 0;
  c->descriptor = c->wake[0] = c->wake[1] = -1;
  c->random = seed(c->id);
  c->touched = c->due = now_ms();
  pthread_once(&once, watch_forks);
  lock();
  c->next = all_clients;
  all_clients = c;
  unlock();
  return c;
}
