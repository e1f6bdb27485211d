"""Out of memory: the connection that asks for more pays for it, the others are unharmed, and the daemon recovers by
itself."""
import http.client
import mmap
import os
import re
import resource
import signal
import socket
import struct
import tempfile
import unittest
import urllib.parse

import harness
from harness import Beating, Client, DaemonTest, wait_until

# More connections than this, each with its record, do not fit into what the allocator has left over.
MANY = 20_000
# Clients that asked to be notified of their end: their notices and events do not fit into the reserve at once.
NOTIFIED = 4000


@unittest.skipIf(os.environ.get("SANITIZED") == "1", "a sanitizer ends the process where there is no memory")
class Memory(DaemonTest):
    def address_space(self, daemon):
        with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmSize:\s+(\d+) kB", status.read())[1]) * 1024

    def forbid_more(self, daemon, spare=0):
        """From outside, while it runs: not one page more than it has, but for `spare` bytes.  Returns what undoes it."""
        limits = resource.prlimit(daemon.process.pid, resource.RLIMIT_AS)
        resource.prlimit(daemon.process.pid, resource.RLIMIT_AS, (self.address_space(daemon) + spare, limits[1]))
        return lambda: resource.prlimit(daemon.process.pid, resource.RLIMIT_AS, limits)

    def in_force(self, daemon):
        """The tick and `remember`, as the daemon says that they are."""
        settings = {setting["name"]: setting["value"] for setting in daemon.ask_all("settings")[:-1]}
        return [settings["tick"], settings["remember"]]

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

    def test_a_shutdown_without_memory_is_orderly_and_every_client_is_notified(self):
        daemon = self.start(max_clients=100_000)
        clients = [self.connect(daemon) for _ in range(NOTIFIED)]
        for client in clients:
            client.beat(notify=True)
        daemon.wait("joined", count=NOTIFIED)
        self.forbid_more(daemon)
        daemon.end()  # exit code 0, and no line that is none of the log's
        for client in clients:
            last = client.read_to_end()[-1]
            self.assertEqual((last.get("status"), last.get("reason")), ("close", "shutdown"), last)

    def test_a_reload_without_memory_for_it_fails_and_changes_nothing_and_the_next_one_changes_all(self):
        directory = tempfile.TemporaryDirectory(prefix="heartbeat-")
        self.addCleanup(directory.cleanup)
        path = os.path.join(directory.name, "heartbeatd.toml")

        def write(tick, remember):
            with open(path, "w", encoding="ascii") as file:
                file.write(f'tick = "{tick}"\nremember = {remember}\n')
        write("60s", 1000)
        daemon = self.start(config=path, threshold=1, cursor=1)
        silent = self.connect(daemon)
        silent.sync(id="pump-7", notify=True)
        allow = self.forbid_more(daemon, spare=64 << 20)
        write("200ms", 1_000_000)  # a million places are 160 MB
        answer = daemon.ask("reload")
        self.assertEqual(answer["type"], "error")
        self.assertEqual(answer["errors"], ["the daemon is out of memory"])
        self.assertEqual(self.in_force(daemon), ["1min", "1000"])
        allow()
        self.assertEqual(daemon.ask("reload")["type"], "done")
        self.assertEqual(self.in_force(daemon), ["200ms", "1000000"])
        self.assertEqual(silent.read_until(type="status")["reason"], "silent")


class Shim:
    """Allocations of a daemon that fail as a test says; see memory_shim.cpp."""

    # The first one that fails is made again from the reserve; the next ones are not.
    FAIL = 4

    def __init__(self):
        self._file = tempfile.NamedTemporaryFile(prefix="heartbeat-")
        self._file.truncate(mmap.PAGESIZE)
        self._order = mmap.mmap(self._file.fileno(), mmap.PAGESIZE)
        self.environment = {"LD_PRELOAD": os.environ["MEMORY_SHIM_LIBRARY"], "MEMORY_SHIM": self._file.name}

    def fail(self, least=1, most=1 << 40, skip=0, count=FAIL):
        """Of the allocations of these sizes, all but the first `skip`, and no more than `count`."""
        self._order[24:32] = struct.pack("q", 0)
        self._order[0:24] = struct.pack("3q", least, most, skip)
        self._order[32:40] = struct.pack("q", 0)
        self._order[24:32] = struct.pack("q", count)

    def stop(self):
        self._order[24:32] = struct.pack("q", 0)

    def failed(self):
        return struct.unpack("q", self._order[32:40])[0]

    def close(self):
        self._order.close()
        self._file.close()


@unittest.skipIf(os.environ.get("SANITIZED") == "1", "a sanitizer has an allocator of its own")
class FailingAllocations(DaemonTest):
    def start(self, **arguments):
        self.shim = Shim()
        self.addCleanup(self.shim.close)
        daemon = super().start(environment=self.shim.environment, **arguments)
        daemon.ask("status")  # the start is over
        return daemon

    def test_an_operator_for_whom_there_is_no_memory_waits_and_is_served_afterwards(self):
        daemon = self.start()
        inside = self.connect(daemon)
        inside.sync()
        self.shim.fail(least=300, most=500, count=1 << 40)
        with socket.socket(socket.AF_UNIX) as operator:
            operator.settimeout(harness.BOUND_S)
            operator.connect(daemon.control)
            daemon.wait_for(lambda: any("control socket: no connection can be accepted" in line.text
                                        for line in daemon.lines()), "the shortage")
            wait_until(lambda: self.shim.failed() >= 5, "it was tried again")
            self.assertEqual(inside.sync()["status"], "alive")
            self.shim.stop()
            operator.sendall(harness.frame('{"command":"status"}'))
            self.assertTrue(operator.recv(4096))
        reports = [line for line in daemon.lines() if "no connection can be accepted" in line.text]
        self.assertEqual(len(reports), 1)
        self.assertIn("MemoryMax=", reports[0].text)
        self.assertGreaterEqual(daemon.ask("status")["accepting"]["shortages"]["control"], 2)

    def test_whatever_allocation_of_an_http_request_fails_the_daemon_goes_on(self):
        daemon = self.start(http_listen="127.0.0.1:0")
        where = urllib.parse.urlsplit(daemon.http)

        def ask():
            connection = http.client.HTTPConnection(where.hostname, where.port, timeout=harness.BOUND_S)
            try:
                connection.request("GET", "/api/clients?limit=100&match=a-name-that-takes-memory-of-its-own")
                return connection.getresponse().status
            except (OSError, http.client.HTTPException):
                return None
            finally:
                connection.close()
        self.assertEqual(ask(), 200)
        answers = self.sweep(ask, lambda: self.assertEqual(ask(), 200))
        self.assertIn(None, answers)  # some could not be answered

    def test_whatever_allocation_of_a_reload_fails_the_daemon_goes_on(self):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as config:
            config.write('tick = "2s"\n')
            config.flush()
            daemon = self.start(config=config.name)

            def reload():
                daemon.send_signal(signal.SIGHUP)
                try:
                    self.connect(daemon).sync()
                except (AssertionError, OSError):
                    pass  # there was no memory for this connection

            def check():
                self.assertEqual(daemon.ask("status")["rule"]["tick_ms"], 2000)
            self.sweep(reload, check)

    def sweep(self, attempt, check):
        """Attempts it with some allocations in a row failing, later ones each time, until they are beyond the last
        one.  Returns what the attempts returned."""
        got = []
        for skip in range(1000):
            self.shim.fail(skip=skip)
            got.append(attempt())
            reached = self.shim.failed()
            self.shim.stop()
            check()
            if reached == 0:
                self.assertGreater(skip, 5)
                return got
        raise AssertionError("a thousand allocations are not one attempt's")


if __name__ == "__main__":
    unittest.main(verbosity=2)
