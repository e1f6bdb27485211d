/* Many C clients in one process: COUNT PORT BASE CAP, in milliseconds.  Prints one line for each `welcome`, the number of
 * its client and the time of the monotonic clock in milliseconds, until its standard input ends. */
#define _POSIX_C_SOURCE 200809L
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "heartbeat_client.h"

static void note_welcome(void *context, const char *body, size_t length) {
  if (length < 17 || memcmp(body, "{\"type\":\"welcome\"", 17) != 0) return;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  printf("%d %lld\n", *(const int *)context, (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

int main(int words, char **arguments) {
  if (words != 5) return 64;
  const int count = atoi(arguments[1]);
  heartbeat_client **clients = calloc((size_t)count, sizeof *clients);
  int *numbers = calloc((size_t)count, sizeof *numbers);
  struct pollfd *ready = calloc((size_t)count + 1, sizeof *ready);
  if (clients == NULL || numbers == NULL || ready == NULL) return 71;
  for (int each = 0; each < count; each++) {
    char id[32];
    snprintf(id, sizeof id, "fleet-%d", each);
    numbers[each] = each;
    const struct heartbeat_options options = {.port = arguments[2],
                                              .id = id,
                                              .base_ms = atoi(arguments[3]),
                                              .cap_ms = atoi(arguments[4]),
                                              .on_frame = note_welcome,
                                              .context = &numbers[each]};
    clients[each] = heartbeat_start(&options);
    if (clients[each] == NULL) return 71;
  }
  while (!(ready[count].revents & (POLLIN | POLLHUP))) {
    for (int each = 0; each < count; each++)
      ready[each] = (struct pollfd){heartbeat_descriptor(clients[each]), heartbeat_events(clients[each]), 0};
    ready[count] = (struct pollfd){0, POLLIN, 0};
    poll(ready, (nfds_t)count + 1, 10);
    for (int each = 0; each < count; each++)
      if (ready[each].revents != 0 || heartbeat_timeout(clients[each]) == 0) heartbeat_step(clients[each]);
    fflush(stdout);
  }
  for (int each = count - 1; each >= 0; each--) heartbeat_abandon(clients[each]);
  free(clients);
  free(numbers);
  free(ready);
  return 0;
}
