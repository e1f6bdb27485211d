/* A client of heartbeatd in one C99 file: POSIX only, no allocation after the start, no signal, no blocking
 * call.
 *
 * A program with a loop polls heartbeat_descriptor() for heartbeat_events(), at most heartbeat_timeout()
 * milliseconds, and then calls heartbeat_step().  A program without one calls heartbeat_start_thread() once.
 * The rules that the client keeps, and why, are in docs/clients.md. */
#ifndef HEARTBEAT_CLIENT_H
#define HEARTBEAT_CLIENT_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct heartbeat_client heartbeat_client;

/* All texts are copied.  NULL and 0 are the defaults given in brackets; every number is in milliseconds. */
struct heartbeat_options {
  const char *host;       /* a name or an address [127.0.0.1]; a name is looked up in a thread of its own */
  const char *port;       /* [14000] */
  const char *id;         /* 1 to 128 bytes of printable UTF-8, no address: the client's stable name [none] */
  const char *group;      /* 1 to 64 bytes: the group that the client says it is of [none] */
  int interval_ms;        /* declared, and between two heartbeats [10000] */
  int gate_ms;            /* leave is declared when the last heartbeat_touch() is older [no gate] */
  int base_ms;            /* the first pause before connecting again is at most this [1000] */
  int cap_ms;             /* and any pause is at most this [60000] */
  int connect_timeout_ms; /* an attempt to connect, with the lookup, may take this [10000] */

  /* Called in heartbeat_step() with each frame of the daemon: JSON, not ended by a zero, valid for the call.
   * It must not call heartbeat_end() or heartbeat_abandon().  [none] */
  void (*on_frame)(void *context, const char *body, size_t length);
  void *context;
};

/* NULL with errno EINVAL for a text or a number that is out of its bounds, else ENOMEM, EMFILE or EAGAIN (no
 * thread). */
heartbeat_client *heartbeat_start(const struct heartbeat_options *options);

/* For a loop: these four are called from one thread. */
int heartbeat_descriptor(const heartbeat_client *client); /* -1 while there is only time to wait for */
short heartbeat_events(const heartbeat_client *client);   /* of poll(): POLLIN, POLLOUT */
int heartbeat_timeout(const heartbeat_client *client);    /* milliseconds until the next step is due */
void heartbeat_step(heartbeat_client *client);            /* does what is due, and never blocks */

/* In place of a loop: a thread that makes the steps until the end.  0, or an error number. */
int heartbeat_start_thread(heartbeat_client *client);

/* From any thread.  With a thread a change is sent at once; with a loop the next step sends it. */
void heartbeat_touch(heartbeat_client *client);                  /* the work goes on */
int heartbeat_leave(heartbeat_client *client, const char *note); /* declare leave from now on; note may be NULL.
                                                                    0, or EINVAL if it is not 1 to 128 bytes */
void heartbeat_alive(heartbeat_client *client);                  /* take heartbeat_leave() back */

/* Says goodbye where there is a connection, waits at most a second until the daemon has read it, and frees.
 */
void heartbeat_end(heartbeat_client *client);

/* Frees without a goodbye: the daemon sees that the connection is gone. */
void heartbeat_abandon(heartbeat_client *client);

#ifdef __cplusplus
}
#endif
#endif
