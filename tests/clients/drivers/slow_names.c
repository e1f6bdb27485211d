/* A getaddrinfo() that takes SLOW_NAMES_S seconds for the name slow.test, which is then 127.0.0.1.
 * Preloaded into a client under conformance.py.  A byte is appended to the file SLOW_NAMES_BEGUN when a lookup begins. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int (*lookup)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
  lookup next;
  *(void **)&next = dlsym(RTLD_NEXT, "getaddrinfo");
  const int is_numeric = hints != NULL && (hints->ai_flags & AI_NUMERICHOST) != 0;
  if (node == NULL || is_numeric || strcmp(node, "slow.test") != 0) return next(node, service, hints, found);
  int begun = open(getenv("SLOW_NAMES_BEGUN"), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (begun >= 0) {
    ssize_t written = write(begun, "x", 1);
    (void)written;
    close(begun);
  }
  /* A signal wakes a blocked program, but does not shorten its lookup. */
  for (unsigned left = (unsigned)atoi(getenv("SLOW_NAMES_S")); left > 0;) left = sleep(left);
  return next("127.0.0.1", service, hints, found);
}
