"""How the daemon is started, and how it says that it cannot be."""
import os
import re
import socket
import subprocess
import sys
import tempfile
import unittest

from harness import BOUND_S, DAEMON, Client, DaemonTest

USAGE, UNAVAILABLE = 64, 69  # sysexits.h


def run(*arguments):
    return subprocess.run([DAEMON, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=BOUND_S, check=False)


class Refused(unittest.TestCase):
    def assert_refused(self, arguments, code, *named):
        with self.subTest(" ".join(arguments)):
            ended = run(*arguments)
            self.assertEqual(ended.returncode, code, ended.stderr)
            self.assertEqual(ended.stdout, "")
            lines = [line for line in ended.stderr.splitlines() if not re.match(r"\d{4}-\S+ info ", line)]
            self.assertEqual(len(lines), 1, ended.stderr)
            self.assertTrue(lines[0].startswith("heartbeatd: "), lines[0])
            for words in named:
                self.assertIn(words, lines[0])

    def test_a_flag_that_there_is_not(self):
        self.assert_refused(["--bogus"], USAGE, "--bogus")
        self.assert_refused(["bogus"], USAGE, "bogus")

    def test_a_duration_that_is_none(self):
        self.assert_refused(["--tick", "10"], USAGE, "--tick", "'10' has no unit", "10s", "10ms")
        self.assert_refused(["--tick", "10 s"], USAGE, "--tick", "'10 s'")
        self.assert_refused(["--leave-timeout", "1fortnight"], USAGE, "--leave-timeout", "'fortnight'")
        self.assert_refused(["--tick", "-1s"], USAGE, "--tick", "'-1s'")
        self.assert_refused(["--tick"], USAGE, "--tick")
        self.assert_refused(["--tick", "9ms"], USAGE, "--tick", "'9ms' is not from 10ms")
        self.assert_refused(["--tick", "25h"], USAGE, "--tick", "'25h'")

    def test_a_number_out_of_range(self):
        for flag in ("--threshold", "--cursor", "--recover"):
            self.assert_refused([flag, "0"], USAGE, flag, "'0'", "from 1 to 1000")
            self.assert_refused([flag, "1001"], USAGE, flag, "'1001'")
        self.assert_refused(["--max-clients", "0"], USAGE, "--max-clients", "'0'")
        self.assert_refused(["--backlog", "many"], USAGE, "--backlog", "'many'")

    def test_a_leave_shorter_than_a_tick(self):
        self.assert_refused(["--leave-timeout", "5s"], USAGE, "--leave-timeout", "5s", "10s")

    def test_a_log_level_that_there_is_not(self):
        self.assert_refused(["--log-level", "loud"], USAGE, "--log-level", "'loud'", "debug")

    def test_an_address_that_is_none(self):
        for text in ("127.0.0.1", "127.0.0.1:65536", "127.0.0.1:http", "::1:0", ":14000"):
            self.assert_refused(["--listen", text], USAGE, "--listen", f"'{text}'")
        too_many = ["--listen", "127.0.0.1:0"] * 65
        self.assert_refused(too_many, USAGE, "--listen", "more than 64 addresses")

    def test_a_host_that_cannot_be_found(self):
        # An empty label stands in no name: no server is asked for it.
        self.assert_refused(["--listen", "no..such:0"], UNAVAILABLE, "'no..such'")

    def test_a_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            address = f"127.0.0.1:{other.getsockname()[1]}"
            self.assert_refused(["--listen", address], UNAVAILABLE, address, "in use")
            self.assert_refused(["--listen", "127.0.0.1:0", "--listen", address], UNAVAILABLE, address)


class Answers(unittest.TestCase):
    def test_the_help_names_every_flag(self):
        ended = run("--help")
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        for flag in ("--listen", "--tick", "--threshold", "--cursor", "--recover", "--leave-timeout",
                     "--max-clients", "--backlog", "--log-target", "--log-rate", "--log-level", "--debug", "--version"):
            self.assertIn(flag, ended.stdout)
        self.assertIn("Exit codes", ended.stdout)

    def test_the_version(self):
        ended = run("--version")
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        self.assertRegex(ended.stdout, r"^heartbeatd \d+\.\d+\.\d+ \(libuv \d+\.\d+\.\d+, (without libsystemd|libsystemd \d+), "
                                       r"(without OpenSSL|OpenSSL \d+\.\d+\.\d+)\)\n$")


class Listening(DaemonTest):
    def test_on_several_addresses_each_with_its_real_port(self):
        listen = ["127.0.0.1:0", "127.0.0.2:0", "localhost:0"]
        if os.path.exists("/proc/net/if_inet6"):
            listen.append("[::1]:0")
        else:
            print("the part about [::1] is left out: this machine has no IPv6")
        daemon = self.start(listen=listen)
        self.assertGreaterEqual(len(set(daemon.addresses)), len(listen))  # a name may have several addresses
        for address in daemon.addresses:
            self.assertNotEqual(address[1], 0)
            client = Client(address)
            self.addCleanup(client.close)
            self.assertEqual(client.sync()["status"], "alive")
            self.assertEqual(daemon.wait("joined", client=client.name)["peer"], client.name)

    def test_on_all_addresses_of_a_name(self):
        wanted = {(found[4][0], 14000) for found in socket.getaddrinfo("localhost", 14000, type=socket.SOCK_STREAM)}
        daemon = self.start(listen=["localhost:0"])
        self.assertEqual({host for host, _ in daemon.addresses}, {host for host, _ in wanted})

    def test_on_an_address_that_comes_later(self):
        daemon = self.start(listen=["192.0.2.7:14000", "127.0.0.1:0"])
        self.assertEqual(daemon.wait("192.0.2.7").text,
                         "192.0.2.7 is no address of this machine yet: clients can connect as soon as it is one")
        self.assertEqual(daemon.addresses[0], ("192.0.2.7", 14000))
        client = Client(daemon.addresses[1])
        self.addCleanup(client.close)
        self.assertEqual(client.sync()["status"], "alive")

    def test_clients_connect_once_the_address_has_come(self):
        in_namespace = ["unshare", "--user", "--map-root-user", "--net"]
        if subprocess.run([*in_namespace, "ip", "link", "show", "lo"], capture_output=True, check=False).returncode != 0:
            self.skipTest("no network namespace can be made here")
        script = """
import os, subprocess, sys
daemon = subprocess.Popen([sys.argv[1], "--listen", "198.51.100.7:14000", "--control", sys.argv[2]], stderr=subprocess.PIPE,
                          text=True)
try:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    while "is ready" not in daemon.stderr.readline():
        assert daemon.poll() is None
    subprocess.run(["ip", "address", "add", "198.51.100.7/32", "dev", "lo"], check=True)
    import socket
    socket.create_connection(("198.51.100.7", 14000), 30).close()
finally:
    daemon.terminate()
    assert daemon.wait(30) == 0
"""
        with tempfile.TemporaryDirectory() as folder:
            ended = subprocess.run([*in_namespace, sys.executable, "-c", script, DAEMON, folder + "/control.sock"],
                                   capture_output=True, text=True, timeout=3 * BOUND_S, check=False)
        self.assertEqual(ended.returncode, 0, ended.stderr)

    def test_again_on_a_port_whose_connections_have_just_ended(self):
        first = self.start()
        client = self.connect(first)
        client.sync(notify=True)
        first.end()
        second = self.start(listen=[f"127.0.0.1:{first.address[1]}"])
        self.assertEqual(second.address, first.address)


class LogLevel(DaemonTest):
    def test_nothing_per_heartbeat_at_info(self):
        daemon = self.start()
        client = self.connect(daemon)
        client.sync()
        daemon.wait("joined")
        lines = len(daemon.lines())
        for _ in range(20):
            client.sync()
        self.assertEqual(len(daemon.lines()), lines)


if __name__ == "__main__":
    unittest.main(verbosity=2)
