"""The PROXY protocol in front of the daemon: written by hand, and by a real HAProxy."""
import socket
import struct
import tempfile
import unittest

import haproxy
from harness import Client, DaemonTest, frame, heartbeat, wait_until

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LOCAL = SIGNATURE + bytes([0x20, 0, 0, 0])


def version_1(source, port=51000):
    return f"PROXY TCP4 {source} 192.0.2.1 {port} 14000\r\n".encode()


def version_2(source, port=51000):
    addresses = socket.inet_aton(source) + socket.inet_aton("192.0.2.1") + struct.pack("!HH", port, 14000)
    return SIGNATURE + struct.pack("!BBH", 0x21, 0x11, len(addresses)) + addresses


class Proxied(DaemonTest):
    def start(self, proxy_from="127.0.0.1", **arguments):
        return super().start(proxy_from=proxy_from, **arguments)

    def test_the_address_is_that_of_the_header_and_the_proxy_stands_beside_it(self):
        daemon = self.start()
        for port, header in ((1, version_1("10.0.0.7", 1)), (2, version_2("10.0.0.7", 2))):
            client = self.connect(daemon)
            client.send(header)
            client.sync(id=f"pump-{port}", ip="192.168.0.9")
            line = daemon.wait("joined", client=f"pump-{port}")
            self.assertEqual((line["peer"], line["via"]), (f"10.0.0.7:{port}", client.name))
            story = daemon.ask("why", client=f"pump-{port}")
            self.assertEqual((story["client"]["peer"], story["client"]["via"]), (f"10.0.0.7:{port}", client.name))
        nameless = self.connect(daemon)
        nameless.send(version_2("10.0.0.8", 3))
        nameless.sync()
        daemon.wait("joined", client="10.0.0.8:3")

    def test_a_header_may_come_byte_by_byte_and_glued_with_the_first_frame(self):
        daemon = self.start()
        whole = version_2("10.0.0.7") + frame(heartbeat(id="glued", ack=True, seq=1))
        glued = self.connect(daemon)
        glued.send(whole)
        glued.read_until(type="ack", seq=1)
        slow = self.connect(daemon)
        for byte in whole.replace(b"glued", b"drops"):
            slow.send(bytes([byte]))
        slow.read_until(type="ack", seq=1)
        self.assertEqual(daemon.wait("joined", client="drops")["peer"], "10.0.0.7:51000")

    def test_a_header_that_names_no_client_keeps_the_address_of_the_connection(self):
        daemon = self.start()
        client = self.connect(daemon)
        client.send(LOCAL)
        client.sync(id="local")
        self.assertEqual(daemon.wait("joined", client="local")["peer"], client.name)
        self.assertNotIn("via", daemon.lines("joined", client="local")[0].pairs)

    def test_a_trusted_proxy_that_sends_no_header_or_a_wrong_one_is_closed_with_a_sentence(self):
        daemon = self.start()
        bare = self.connect(daemon)
        bare.beat()
        line = daemon.wait("close", client=bare.name)
        self.assertEqual((line["reason"], line["bad_input"]), ("bad_frame", "proxy_missing"))
        self.assertIn("there is no PROXY protocol header from 127.0.0.1, which is in proxy_from", line.detail)
        wrong = self.connect(daemon)
        wrong.send(version_1("10.0.0.256"))
        line = daemon.wait("close", client=wrong.name)
        self.assertEqual((line["reason"], line["bad_input"]), ("bad_frame", "proxy_invalid"))
        for client in (bare, wrong):
            self.assertEqual(client.read_to_end(), [])
        self.assertEqual(daemon.ask("status")["bad_input"], {"proxy_missing": 1, "proxy_invalid": 1})

    def test_a_peer_that_is_no_proxy_cannot_claim_an_address(self):
        daemon = self.start(proxy_from="127.0.0.2")
        for header in (version_1("10.0.0.7"), version_2("10.0.0.7")):
            spoofer = self.connect(daemon)
            spoofer.send(header)
            line = daemon.wait("close", client=spoofer.name)
            self.assertEqual((line["reason"], line["bad_input"]), ("bad_frame", "proxy_untrusted"))
            self.assertIn("an address that is not in proxy_from", line.detail)
        self.assertEqual(daemon.ask("status")["bad_input"], {"proxy_untrusted": 2})
        honest = self.connect(daemon)
        honest.sync(id="direct")
        proxied = self.connect(daemon, source="127.0.0.2")
        proxied.send(version_2("10.0.0.7"))
        proxied.sync(id="proxied")

    def test_the_bound_on_clients_of_one_address_counts_the_real_ones(self):
        daemon = self.start(max_clients_per_ip=1)
        for source in ("10.0.0.1", "10.0.0.2"):
            client = self.connect(daemon)
            client.send(version_2(source))
            client.sync(id=source.replace(".", "-"))
        third = self.connect(daemon)
        third.send(version_2("10.0.0.2", 7))
        third.beat()
        self.assertEqual(third.read_to_end(), [])
        self.assertIn("1 clients from 10.0.0.2 are connected", daemon.wait("close", client="10.0.0.2:7").detail)

    def test_a_health_check_is_a_probe_and_no_line_of_the_log(self):
        daemon = self.start()
        for end in (Client.close, Client.reset):
            check = self.connect(daemon)
            check.send(LOCAL)
            end(check)
        wait_until(lambda: daemon.ask("status")["totals"]["probes"] == 2, "two probes")
        daemon.end()
        self.assertEqual([line for line in daemon.lines() if line.word in ("close", "joined", "refused")], [])

    def test_hello_timeout_covers_the_header(self):
        daemon = self.start(hello_timeout="300ms", tick="100ms", leave_timeout="1min")
        silent = self.connect(daemon)
        begun = self.connect(daemon)
        begun.send(version_2("10.0.0.7")[:10])
        headed = self.connect(daemon)
        headed.send(version_2("10.0.0.8"))
        for client in (silent, begun, headed):
            self.assertEqual(client.read_to_end(), [])
        self.assertEqual(daemon.ask("status")["closes"], {"never_spoke": 3})

    def test_a_header_that_comes_late_finds_the_connection_as_old_as_its_accept(self):
        daemon = self.start(tick="100ms", leave_timeout="1min")
        client = self.connect(daemon)
        wait_until(lambda: daemon.ask("status")["accepting"]["waiting"] == 1, "the connection waits")
        started = daemon.ask("status")["uptime_ms"]
        wait_until(lambda: daemon.ask("status")["uptime_ms"] - started >= 1000, "a second passes")
        client.send(version_2("10.0.0.7"))
        client.sync(id="late")
        client.close()
        connected = float(daemon.wait("close", client="late")["connected"].removesuffix("s"))
        self.assertGreaterEqual(connected, 1.0)

    def test_a_takeover_names_the_proxy_of_both(self):
        daemon = self.start()
        old = self.connect(daemon)
        old.send(version_2("10.0.0.7", 1))
        old.sync(id="pump-7", notify=True)
        new = self.connect(daemon)
        new.send(version_2("10.0.0.8", 2))
        new.sync(id="pump-7")
        line = daemon.wait("takeover", client="pump-7")
        self.assertEqual((line["peer"], line["via"], line["previous_peer"]),
                         ("10.0.0.8:2", new.name, "10.0.0.7:1"))
        self.assertIn("10.0.0.8:2", old.read_to_end()[-1]["detail"])

    def test_a_reload_concerns_new_connections_only(self):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write("# nothing yet\n")
            file.flush()
            daemon = DaemonTest.start(self, config=file.name)
            before = self.connect(daemon)
            before.sync(id="before")
            file.write('proxy_from = ["127.0.0.0/8"]\n')
            file.flush()
            self.assertEqual([change["name"] for change in daemon.ask("reload")["changed"]], ["proxy_from"])
            before.sync()
            after = self.connect(daemon)
            after.send(version_2("10.0.0.7"))
            after.sync(id="after")
            self.assertEqual(daemon.wait("joined", client="after")["peer"], "10.0.0.7:51000")

    def test_each_listener_has_its_own_proxies_and_a_reload_changes_them_for_new_connections(self):
        def write(file, first, second):
            file.seek(0)
            file.truncate()
            file.write('proxy_from = ["127.0.0.1"]\n[[listener]]\naddress = "127.0.0.1:0"\n' + first +
                       '[[listener]]\naddress = "127.0.0.1:0"\n' + second)
            file.flush()

        def join(address, name, header):
            client = Client(address)
            self.addCleanup(client.close)
            client.send(header)
            client.sync(id=name)
            self.assertEqual("via" in daemon.wait("joined", client=name).pairs, header != b"")
            return client

        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            write(file, "", "proxy_from = []\n")
            daemon = DaemonTest.start(self, config=file.name, listen=())
            proxied, direct = daemon.addresses
            early = join(proxied, "early", version_2("10.0.0.7"))
            join(direct, "early-direct", b"")

            write(file, "proxy_from = []\n", "")
            self.assertEqual([change["name"] for change in daemon.ask("reload")["changed"]], ["listener"])
            self.assertEqual(daemon.lines("no"), [])  # no longer listening on …
            early.sync()
            join(proxied, "late-direct", b"")
            join(direct, "late", version_2("10.0.0.8"))


@unittest.skipUnless(haproxy.PROGRAM, "haproxy is not installed (tools/setup check)")
class ByHaproxy(DaemonTest):
    def front(self, daemon, server_options):
        """HAProxy before the daemon; its address."""
        directory = tempfile.TemporaryDirectory(prefix="heartbeat-haproxy-")
        self.addCleanup(directory.cleanup)
        return haproxy.start(self, directory.name, lambda port: f"""
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen heartbeats
  bind 127.0.0.1:{port}
  server daemon 127.0.0.1:{daemon.address[1]} {server_options}
""")

    def client_of(self, address):
        client = Client(address)
        self.addCleanup(client.close)
        return client

    def test_both_versions_bring_the_address_of_the_client(self):
        daemon = self.start(proxy_from="127.0.0.1")
        for version, options in enumerate(("send-proxy", "send-proxy-v2",
                                           "send-proxy-v2 proxy-v2-options unique-id,crc32c"), start=1):
            client = self.client_of(self.front(daemon, options))
            client.sync(id=f"by-{version}")
            line = daemon.wait("joined", client=f"by-{version}")
            self.assertEqual(line["peer"], client.name)
            self.assertTrue(line["via"].startswith("127.0.0.1:"))
            client.sync()

    def test_its_health_checks_are_probes(self):
        daemon = self.start(proxy_from="127.0.0.1")
        address = self.front(daemon, "send-proxy-v2 check check-send-proxy inter 100ms")
        wait_until(lambda: daemon.ask("status")["totals"]["probes"] >= 3, "three checks")
        client = self.client_of(address)
        client.sync(id="beside")
        self.assertEqual(daemon.wait("joined", client="beside")["peer"], client.name)
        self.assertEqual(daemon.lines("close"), [])

    def test_without_its_header_the_daemon_says_what_is_missing(self):
        daemon = self.start(proxy_from="127.0.0.1")
        client = self.client_of(self.front(daemon, ""))
        client.beat()
        self.assertEqual(client.read_to_end(), [])
        wait_until(lambda: daemon.lines("close", bad_input="proxy_missing"), "the sentence in the log")


if __name__ == "__main__":
    unittest.main()
