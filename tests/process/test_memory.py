"""Out of memory: whoever asks for more pays for it, those inside are unharmed, and the daemon recovers by itself."""
import os
import re
import resource
import unittest

from harness import Beating, Client, DaemonTest, wait_until

# More connections than this, each with its record, do not fit into what the allocator has left over.
MANY = 20_000


@unittest.skipIf(os.environ.get("SANITIZED") == "1", "a sanitizer ends the process where there is no memory")
class Memory(DaemonTest):
    def address_space(self, daemon):
        with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmSize:\s+(\d+) kB", status.read())[1]) * 1024

    def forbid_more(self, daemon):
        """From outside, while it runs: not one page more than it has.  Returns what undoes it."""
        limits = resource.prlimit(daemon.process.pid, resource.RLIMIT_AS)
        resource.prlimit(daemon.process.pid, resource.RLIMIT_AS, (self.address_space(daemon), limits[1]))
        return lambda: resource.prlimit(daemon.process.pid, resource.RLIMIT_AS, limits)

    def refused(self, daemon):
        return daemon.ask("status")["refused"].get("out_of_memory", 0)

    def is_taken(self, daemon):
        """Whether one more connection is."""
        client = self.connect(daemon)
        try:
            client.beat(ack=True, seq=1)
        except OSError:
            return False
        return client.read_frame() is not None

    def assert_unharmed(self, daemon, inside):
        names = {client.name for client in inside}
        self.assertEqual([line for line in daemon.lines("close") + daemon.lines("leave") if line["client"] in names], [])

    def test_connections_that_there_is_no_memory_for_are_refused_those_inside_are_unharmed_and_it_recovers(self):
        daemon = self.start(tick="100ms", max_clients=100_000)
        inside = [self.connect(daemon) for _ in range(10)]
        with Beating(inside, 0.05):
            for client in inside:
                daemon.wait("joined", client=client.name)
            allow = self.forbid_more(daemon)
            crowd = []
            self.addCleanup(lambda: [client.close() for client in crowd])
            while self.refused(daemon) == 0:
                self.assertLess(len(crowd), MANY)
                for _ in range(200):
                    crowd.append(Client(daemon.address))
            refused = daemon.wait("refused", reason="limit")
            self.assertIn("out of memory", refused.detail)
            for client in inside:
                self.assertEqual(client.sync()["status"], "alive")
            allow()
            wait_until(lambda: self.is_taken(daemon), "one more is taken")
            for client in inside:
                self.assertEqual(client.sync()["status"], "alive")
        self.assert_unharmed(daemon, inside)

    def test_the_connection_whose_bytes_there_is_no_memory_for_is_closed_and_no_other_is_harmed(self):
        daemon = self.start(tick="100ms", max_clients=100_000)
        crowd = [self.connect(daemon) for _ in range(1000)]
        inside = [self.connect(daemon) for _ in range(10)]
        with Beating(inside, 0.05):
            for client in inside:
                daemon.wait("joined", client=client.name)
            allow = self.forbid_more(daemon)
            # Each asks for the memory of a frame that is not finished.
            for client in crowd:
                client.send(b"\0\0\x0f\xff" + b" " * 4000)
            closed = daemon.wait("close", reason="limit")
            self.assertEqual(closed["by"], "daemon")
            self.assertIn("out of memory", closed.detail)
            for client in inside:
                self.assertEqual(client.sync()["status"], "alive")
            allow()
            wait_until(lambda: self.is_taken(daemon), "one more is taken")
        self.assert_unharmed(daemon, inside)


if __name__ == "__main__":
    unittest.main(verbosity=2)
