"""Verdicts come at their instants also where nothing else wakes the loop: a fleet that falls silent all at once, as
when a switch fails."""
import time
import unittest

from harness import Client, DaemonTest

CLIENTS = 1000
TICK_MS = 1000
APART_S = 0.001

# The promise is 5 ms at p99 (docs/guarantees.md, tests/scale/lateness.py).  Here other tests run beside this one, so
# the bound lies between what a busy machine adds and what the fault that it is for makes of it: a wake-up that is lost
# leaves the verdict to the next pulse of the loop, and p99 at 215 ms or more.
P99_MAX_MS = 100


class Lateness(DaemonTest):
    def test_a_fleet_that_falls_silent_a_millisecond_apart_is_judged_in_time(self):
        daemon = self.start(tick=f"{TICK_MS}ms", threshold=1, cursor=3, brake_share=0, hello_timeout="0s",
                            max_clients=CLIENTS + 1, log_rate=1)
        clients = []
        self.addCleanup(lambda: [client.close() for client in clients])
        begin = time.monotonic()
        for number in range(CLIENTS):
            time.sleep(max(0.0, begin + number * APART_S - time.monotonic()))  # the rate itself, not a wait
            clients.append(Client(daemon.address))
            clients[-1].beat(notify=number == CLIENTS - 1)
        # Nothing is asked of the daemon until all of them are judged: each question would wake its loop.
        clients[-1].read_until(type="status", status="leave")
        status = daemon.ask("status")
        lateness = status["verdict_lateness_ms"]
        self.assertGreaterEqual(lateness["count"], 3 * CLIENTS)  # two strikes, and the third with its leave
        # Where the machine kept the loop from running, that is no lost wake-up.
        self.assertLess(lateness["p99"], P99_MAX_MS + status["loop_lateness_ms"]["p99"],
                        {key: status[key] for key in ("verdict_lateness_ms", "loop_lateness_ms", "stalls")})


if __name__ == "__main__":
    unittest.main(verbosity=2)
