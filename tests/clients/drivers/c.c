/* The C client under conformance.py: loop|thread HOST PORT ID INTERVAL BASE CAP GATE GROUP, in milliseconds. */
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "heartbeat_client.h"

static int ending[2];

static void end(int number) {
  (void)number;
  const ssize_t written = write(ending[1], "x", 1);
  (void)written;
}

static void obey(heartbeat_client *client) {
  char orders[4096];
  const ssize_t size = read(0, orders, sizeof orders - 1);
  orders[size > 0 ? size : 0] = '\0';
  if (strncmp(orders, "leave ", 6) == 0) {
    orders[strcspn(orders, "\n")] = '\0';
    heartbeat_leave(client, orders + 6);
    return;
  }
  if (strstr(orders, "alive\n") != NULL) heartbeat_alive(client);
  if (strstr(orders, "crash\n") != NULL) abort();
  if (strstr(orders, "touch\n") != NULL) heartbeat_touch(client);
  if (strstr(orders, "ping\n") != NULL) puts("pong");
  fflush(stdout);
}

int main(int count, char **arguments) {
  if (count != 10) return 64;
  const struct heartbeat_options options = {.host = arguments[2],
                                            .port = arguments[3],
                                            .id = arguments[4],
                                            .group = arguments[9],
                                            .interval_ms = atoi(arguments[5]),
                                            .base_ms = atoi(arguments[6]),
                                            .cap_ms = atoi(arguments[7]),
                                            .gate_ms = atoi(arguments[8])};
  const int threaded = strcmp(arguments[1], "thread") == 0;
  struct sigaction action = {.sa_handler = end};
  if (pipe(ending) != 0 || sigaction(SIGTERM, &action, NULL) != 0) return 71;
  heartbeat_client *client = heartbeat_start(&options);
  if (client == NULL || (threaded && heartbeat_start_thread(client) != 0)) return 71;
  for (;;) {
    struct pollfd ready[3] = {{ending[0], POLLIN, 0}, {0, POLLIN, 0}, {-1, 0, 0}};
    if (!threaded) ready[2] = (struct pollfd){heartbeat_descriptor(client), heartbeat_events(client), 0};
    poll(ready, 3, threaded ? -1 : heartbeat_timeout(client));
    if (ready[0].revents & POLLIN) break;
    if (ready[1].revents & POLLIN) obey(client);
    if (!threaded) heartbeat_step(client);
  }
  heartbeat_end(client);
  return 0;
}
