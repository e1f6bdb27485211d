"""TLS in the daemon: against Python's ssl, the openssl program and peers that do it wrongly."""
import os
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import unittest
import urllib.request

from certificates import OPENSSL, Authority
from harness import BOUND_S, Beating, Client, DaemonTest, frame, heartbeat, wait_until

HANDSHAKES_MAX = 1024  # common/limits.h


class TlsClient(Client):
    """A client whose socket is a TLS socket, once the handshake is done."""

    def __init__(self, address, context, server="heartbeat.example", before=b""):
        super().__init__(address)
        self.socket.sendall(before)
        try:
            # A stream that ends without close_notify is an error here, and not an end.
            self.socket = context.wrap_socket(self.socket, server_hostname=server, suppress_ragged_eofs=False)
        except (ssl.SSLError, OSError):
            self.socket.close()
            raise


class InMemory:
    """The client's side of a handshake without a socket: which bytes go out, and what comes of those that come in."""

    def __init__(self, context):
        self.incoming = ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO()
        self.object = context.wrap_bio(self.incoming, self.outgoing, server_hostname="heartbeat.example")

    def step(self, received=b""):
        """Returns the bytes for the server, and whether the handshake is done."""
        self.incoming.write(received)
        try:
            self.object.do_handshake()
            done = True
        except ssl.SSLWantReadError:
            done = False
        return self.outgoing.read(), done

    def encrypt(self, plain):
        self.object.write(plain)
        return self.outgoing.read()


@unittest.skipUnless(OPENSSL, "openssl is not installed (tools/setup check)")
class TlsTest(DaemonTest):
    def setUp(self):
        self.authority = Authority(self)
        self.authority.issue("server", "heartbeat.example", "DNS:heartbeat.example")

    def path(self, name):
        return self.authority.path(name)

    def start_tls(self, options="", also="", **arguments):
        """A daemon whose first listener has TLS, with these further options; `also` is more of the file."""
        self.file = self.path("heartbeatd.toml")
        with open(self.file, "w", encoding="ascii") as file:
            file.write(f'[[listener]]\naddress = "127.0.0.1:0"\ntls_certificate = "{self.path("server.pem")}"\n'
                       f'tls_key = "{self.path("server.key")}"\n{options}\n{also}\n')
        return self.start(config=self.file, listen=(), **arguments)

    def context(self, certificate=None, version=None, ca="ca.pem"):
        context = ssl.create_default_context(cafile=self.path(ca))
        if certificate:
            context.load_cert_chain(self.path(certificate + ".pem"), self.path(certificate + ".key"))
        if version:
            context.minimum_version = context.maximum_version = version
        return context

    def connect_tls(self, daemon, certificate=None, **arguments):
        client = TlsClient(daemon.address, self.context(certificate), **arguments)
        self.addCleanup(lambda: client.socket.close())
        return client

    def refused(self, daemon, context, before=b""):
        """A client whose handshake, or first heartbeat, comes to nothing."""
        with self.assertRaises((ssl.SSLError, OSError, AssertionError)):
            client = TlsClient(daemon.address, context, before=before)
            self.addCleanup(lambda: client.socket.close())
            client.sync(id="refused")


class Conversation(TlsTest):
    def test_a_client_beats_and_is_answered_over_tls_1_3(self):
        daemon = self.start_tls()
        client = self.connect_tls(daemon)
        self.assertEqual(client.socket.version(), "TLSv1.3")
        client.sync(id="pump-7")
        daemon.wait("joined", client="pump-7")
        for _ in range(50):
            client.sync()
        self.assertIsNone(client.socket.session and client.socket.session.has_ticket or None)

    def test_records_may_come_byte_by_byte_and_many_at_once(self):
        daemon = self.start_tls()
        peer = self.connect(daemon)
        tls = InMemory(self.context())
        out, done = tls.step()
        while not done:
            for byte in out:
                peer.send(bytes([byte]))
            out, done = tls.step(peer.socket.recv(65536))
        frames = [frame(heartbeat(id="drops", seq=seq)) for seq in range(99)]
        for byte in out + tls.encrypt(frame(heartbeat(id="drops"))):
            peer.send(bytes([byte]))
        daemon.wait("joined", client="drops")
        peer.send(b"".join(tls.encrypt(each) for each in frames[:50]) + tls.encrypt(b"".join(frames[50:])))
        wait_until(lambda: daemon.ask("why", client="drops")["client"]["heartbeats"] == 100, "a hundred heartbeats")
        # The first frame in the same segment as the end of the handshake.
        glued = self.connect(daemon)
        tls = InMemory(self.context())
        out, done = tls.step()
        while not done:
            glued.send(out)
            out, done = tls.step(glued.socket.recv(65536))
        glued.send(out + tls.encrypt(frame(heartbeat(id="glued"))))
        daemon.wait("joined", client="glued")

    def test_the_openssl_program_speaks_to_it(self):
        daemon = self.start_tls()
        done = subprocess.run([OPENSSL, "s_client", "-connect", "%s:%d" % daemon.address, "-CAfile",
                               self.path("ca.pem"), "-verify_return_error", "-verify_hostname", "heartbeat.example",
                               "-quiet", "-no_ign_eof"], input=frame(heartbeat(id="s-client")),
                              capture_output=True, timeout=BOUND_S, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        daemon.wait("joined", client="s-client")
        self.assertEqual(daemon.wait("close", client="s-client")["reason"], "peer_closed")

    def test_the_daemon_ends_the_session_before_the_connection(self):
        daemon = self.start_tls(tick="100ms", leave_timeout="1min")
        told, untold = self.connect_tls(daemon), self.connect_tls(daemon)
        told.sync(id="told", notify=True)
        untold.beat(id="untold")
        daemon.wait("joined", client="untold")
        daemon.ask("kick", clients=["told", "untold"])
        self.assertEqual(told.read_to_end()[-1]["reason"], "kicked")
        self.assertEqual(untold.read_to_end(), [])
        self.assertEqual((told.ended_by, untold.ended_by), ("eof", "eof"))

    def test_the_last_frame_before_the_end_counts(self):
        daemon = self.start_tls()
        client = self.connect_tls(daemon)
        client.sync(id="goer")
        client.send(frame(heartbeat(id="goer", status="close")))
        client.socket.unwrap()
        self.assertEqual(daemon.wait("close", client="goer")["reason"], "goodbye")


class WrongDoor(TlsTest):
    def test_a_plain_client_at_a_port_with_tls_is_said_to_be_one(self):
        daemon = self.start_tls()
        for first, words in ((frame(heartbeat(id="plain")), "a frame of a client without TLS"),
                             (b"GET / HTTP/1.1\r\n\r\n", "an HTTP request"),
                             (b"hello", "bytes that are no TLS")):
            peer = self.connect(daemon)
            peer.send(first)
            line = daemon.wait("close", client=peer.name)
            self.assertEqual((line["reason"], line["bad_input"]), ("bad_frame", "tls_missing"))
            self.assertEqual(line.detail, "this listener takes TLS only, and the peer began with " + words)
            self.assert_ended_unsaid(peer)
        self.assertEqual(daemon.ask("status")["bad_input"], {"tls_missing": 3})

    def test_a_client_with_tls_at_a_plain_port_is_said_to_be_one(self):
        daemon = self.start_tls(also='[[listener]]\naddress = "127.0.0.1:0"')
        peer = Client(daemon.addresses[1])
        self.addCleanup(peer.close)
        peer.send(InMemory(self.context()).step()[0][:11])
        self.assertIn("a TLS handshake (0x16 0x03), and this listener speaks plain TCP", daemon.wait("close").detail)

    def test_a_client_that_has_only_an_older_version_is_refused_unless_it_is_allowed(self):
        strict = self.start_tls()
        self.refused(strict, self.context(version=ssl.TLSVersion.TLSv1_2))
        line = strict.wait("close", bad_input="tls_failed")
        self.assertEqual(line.detail, "TLS: the peer offers no version of TLS that is accepted here")
        lenient = self.start_tls('tls_min_version = "1.2"')
        client = TlsClient(lenient.address, self.context(version=ssl.TLSVersion.TLSv1_2))
        self.addCleanup(lambda: client.socket.close())
        client.sync(id="old")

    def test_a_client_that_does_not_trust_the_server_is_said_to_refuse_it(self):
        daemon = self.start_tls()
        self.refused(daemon, ssl.create_default_context())
        self.assertIn("the peer refuses the connection: tlsv1 alert unknown ca",
                      daemon.wait("close", bad_input="tls_failed").detail)


class ClientCertificates(TlsTest):
    def test_the_name_in_the_certificate_is_the_only_id(self):
        self.authority.issue("pump-7")
        daemon = self.start_tls(f'tls_client_ca = "{self.path("ca.pem")}"\nrequire = "certificate"')
        owner = self.connect_tls(daemon, "pump-7")
        owner.sync(id="pump-7")
        self.assertEqual(daemon.ask("why", client="pump-7")["client"]["certificate"], "pump-7")
        thief = self.connect_tls(daemon, "pump-7")
        thief.beat(id="pump-8", notify=True)
        self.assertEqual(thief.read_to_end()[-1]["reason"], "unauthorized")
        daemon.wait("close", bad_input="certificate_id")

    def test_the_alternative_name_can_be_the_identity(self):
        self.authority.issue("device", "serial 4711", "DNS:pump-9")
        daemon = self.start_tls(f'tls_client_ca = "{self.path("ca.pem")}"\nrequire = "certificate"\n'
                                'tls_identity = "san"')
        client = self.connect_tls(daemon, "device")
        client.sync(id="pump-9")

    def test_a_certificate_that_is_missing_or_wrong_keeps_its_client_out_each_with_its_own_sentence(self):
        self.authority.issue("old", is_expired=True)
        self.authority.issue("lost")
        self.authority.issue("good")
        self.authority.revoke("lost")
        foreign = Authority(self, "another authority")
        foreign.issue("forged")
        for end in (".pem", ".key"):
            self.authority.write("forged" + end, foreign.read("forged" + end))
        daemon = self.start_tls(f'tls_client_ca = "{self.path("ca.pem")}"\ntls_client_crl = "{self.path("crl.pem")}"\n'
                                'require = "certificate"')
        for certificate, kind, words in (
                (None, "certificate_missing", "the peer gave no certificate"),
                ("forged", "certificate_invalid", "unable to get local issuer certificate"),
                ("old", "certificate_invalid", "certificate has expired"),
                ("lost", "certificate_invalid", "certificate revoked")):
            before = len(daemon.lines("close", bad_input=kind))
            self.refused(daemon, self.context(certificate))
            line = daemon.wait("close", count=before + 1, bad_input=kind)
            self.assertEqual(line["reason"], "unauthorized")
            self.assertIn(words, line.detail)
        self.connect_tls(daemon, "good").sync(id="good")
        self.assertEqual(daemon.ask("status")["totals"]["joins"], 1)

    def test_a_list_of_revoked_certificates_beyond_its_date_still_counts(self):
        self.authority.issue("lost")
        self.authority.issue("good")
        self.authority.revoke("lost", is_expired=True)
        daemon = self.start_tls(f'tls_client_ca = "{self.path("ca.pem")}"\ntls_client_crl = "{self.path("crl.pem")}"\n'
                                'require = "certificate"')
        self.connect_tls(daemon, "good").sync(id="good")
        self.refused(daemon, self.context("lost"))
        self.assertIn("certificate revoked", daemon.wait("close", bad_input="certificate_invalid").detail)

    def test_without_a_requirement_a_certificate_is_optional(self):
        self.authority.issue("pump-7")
        daemon = self.start_tls(f'tls_client_ca = "{self.path("ca.pem")}"')
        self.connect_tls(daemon).sync(id="nobody-in-particular")
        self.connect_tls(daemon, "pump-7").sync(id="pump-7")
        self.assertEqual(daemon.ask("why", client="pump-7")["client"]["certificate"], "pump-7")


class Proxies(TlsTest):
    def test_tls_goes_on_behind_the_header_of_a_proxy(self):
        daemon = self.start_tls('proxy_from = ["127.0.0.1"]')
        client = self.connect_tls(daemon, before=b"PROXY TCP4 10.0.0.7 192.0.2.1 51000 14000\r\n")
        client.sync(id="pump-7")
        self.assertEqual(daemon.wait("joined", client="pump-7")["peer"], "10.0.0.7:51000")
        self.refused(daemon, self.context())
        daemon.wait("close", bad_input="proxy_missing")


class Reload(TlsTest):
    def serial_of_server(self, daemon):
        client = self.connect_tls(daemon)
        client.sync(id="looker")
        return client.socket.getpeercert()["serialNumber"]

    def test_new_connections_get_the_new_certificate_and_the_others_stay(self):
        daemon = self.start_tls()
        old = self.connect_tls(daemon)
        old.sync(id="old")
        before = self.serial_of_server(daemon)
        self.authority.issue("server", "heartbeat.example", "DNS:heartbeat.example")
        daemon.send_signal(signal.SIGHUP)
        daemon.wait_for(lambda: any("reload done" in line.text for line in daemon._lines), "the reload")
        self.assertNotEqual(self.serial_of_server(daemon), before)
        old.sync()

    def test_a_broken_file_is_named_and_nothing_changes(self):
        daemon = self.start_tls()
        before = self.serial_of_server(daemon)
        certificate, key = self.authority.read("server.pem"), self.authority.read("server.key")
        self.authority.issue("other")
        for name, text, words in (
                ("server.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n", "server.pem: has no certificate in PEM form"),
                ("server.pem", certificate[:300], "server.pem: has no certificate in PEM form"),
                ("server.key", "", "server.key: has no private key in PEM form without a password"),
                ("server.key", self.authority.read("other.key"), "server.key: is not the key of the certificate in")):
            self.authority.write(name, text)
            answer = daemon.ask("reload")
            self.assertIn(words, str(answer))
            self.authority.write("server.pem", certificate)
            self.authority.write("server.key", key)
            self.assertEqual(self.serial_of_server(daemon), before)
        os.unlink(self.path("server.key"))
        self.assertIn("cannot read", str(daemon.ask("reload")))

    def use_as_server(self, name):
        for end in (".pem", ".key"):
            self.authority.write("server" + end, self.authority.read(name + end))

    def expiring(self, daemon):
        return [(each["subject"], each["count"]) for each in daemon.ask("status")["conditions"]
                if each["kind"] == "certificate_expires"]

    def test_a_file_that_expires_within_two_weeks_is_a_condition_until_it_is_renewed(self):
        server = self.path("server.pem")
        self.authority.issue("renewed", "heartbeat.example", "DNS:heartbeat.example", days=15)
        self.authority.issue("soon", "heartbeat.example", "DNS:heartbeat.example", days=13)
        daemon = self.start_tls(also='[http]\nlisten = "127.0.0.1:0"')
        line = daemon.wait("tls", file=server)
        self.assertEqual(line.level, "info")
        self.assertRegex(line["expires"], r"^\d{4}-\d\d-\d\dT")
        self.assertEqual(self.expiring(daemon), [])
        self.assertEqual(daemon.ask("status")["certificates"], [{"file": server, "expires": line["expires"]}])

        self.use_as_server("soon")
        daemon.ask("reload")
        warning = daemon.wait("certificate_expires:")
        self.assertEqual(warning.level, "warning")
        self.assertRegex(warning.detail, f"^ ?{server} expires at [^;]+; renew it, and reload$")
        daemon.ask("reload")  # nothing new
        self.assertEqual(self.expiring(daemon), [(server, 1)])
        with urllib.request.urlopen(daemon.http + "/metrics") as metrics:
            self.assertIn(f'heartbeatd_certificate_expires_timestamp_seconds{{file="{server}"}} ', metrics.read().decode())

        self.use_as_server("renewed")
        daemon.ask("reload")
        ended = daemon.wait("certificate_expires", state="ended")
        self.assertEqual((ended.level, ended["count"]), ("info", "1"))
        self.assertEqual(self.expiring(daemon), [])
        self.assertEqual(len(daemon.lines("certificate_expires:")), 1)

    def test_a_condition_of_a_certificate_lasts_over_a_restart_and_ends_where_the_file_is_not_used_any_more(self):
        self.authority.issue("soon", "heartbeat.example", "DNS:heartbeat.example", days=13)
        self.use_as_server("soon")
        daemon = self.start_tls()
        daemon.wait("certificate_expires:")
        daemon.send_signal(signal.SIGUSR2)
        daemon.wait("restarted")
        self.assertEqual(self.expiring(daemon), [(self.path("server.pem"), 1)])
        self.assertEqual(len(daemon.lines("certificate_expires:")), 1)
        with open(self.file, "w", encoding="ascii") as file:
            file.write('listen = ["127.0.0.1:0"]\n')
        daemon.ask("reload")
        daemon.wait("certificate_expires", state="ended")
        self.assertNotIn("certificates", daemon.ask("status"))

    def test_a_list_of_revoked_certificates_is_read_again(self):
        self.authority.issue("pump-7")
        self.authority.revoke()
        daemon = self.start_tls(f'tls_client_ca = "{self.path("ca.pem")}"\ntls_client_crl = "{self.path("crl.pem")}"\n'
                                'require = "certificate"')
        self.connect_tls(daemon, "pump-7").sync(id="pump-7")
        self.authority.revoke("pump-7")
        self.assertEqual(daemon.ask("reload")["type"], "done")
        self.refused(daemon, self.context("pump-7"))
        self.assertIn("certificate revoked", daemon.wait("close", bad_input="certificate_invalid").detail)


class Restart(TlsTest):
    def test_a_restart_closes_tls_clients_with_a_reason_and_keeps_the_others(self):
        daemon = self.start_tls(also='[[listener]]\naddress = "127.0.0.1:0"')
        plain = Client(daemon.addresses[1])
        self.addCleanup(plain.close)
        plain.sync(id="plain")
        client = self.connect_tls(daemon)
        client.sync(id="by-tls", notify=True)
        daemon.send_signal(signal.SIGUSR2)
        self.assertEqual(client.read_to_end()[-1]["reason"], "shutdown")
        self.assertEqual(client.ended_by, "eof")
        self.assertIn("a TLS connection does not outlast a restart", daemon.wait("close", client="by-tls").detail)
        plain.sync()
        daemon.wait("restarted")
        plain.sync()
        again = self.connect_tls(daemon)
        again.sync(id="by-tls")


class Hostile(TlsTest):
    def test_a_handshake_that_is_cut_anywhere_costs_its_own_connection_alone(self):
        daemon = self.start_tls(debug=True)
        honest = self.connect_tls(daemon)
        honest.sync(id="honest")
        # What a client sends in a whole handshake with a first frame.
        whole = self.connect(daemon)
        tls = InMemory(self.context())
        first, _ = tls.step()
        whole.send(first)
        received = b""
        second, done = b"", False
        while not done:
            received = whole.socket.recv(65536)
            second, done = tls.step(received)
        whole.send(second + tls.encrypt(frame(heartbeat(id="whole"))))
        daemon.wait("joined", client="whole")
        before = daemon.descriptors()
        for cut in [*range(1, len(first), 23), len(first)]:
            peer = self.connect(daemon)
            peer.send(first[:cut])
            peer.reset() if cut % 2 else peer.close()
        honest.sync()
        # The same client's last message does not fit another handshake: it is refused, wherever it is cut.
        for cut in range(1, len(second), 17):
            peer = self.connect(daemon)
            peer.send(first)
            peer.socket.recv(65536)
            peer.send(second[:cut])
            peer.close()
        honest.sync()
        wait_until(lambda: daemon.descriptors() == before, "the descriptors are free again")
        self.assertEqual(daemon.ask("status")["totals"]["joins"], 2)

    def test_plain_bytes_behind_half_a_handshake_are_never_read_as_a_client(self):
        daemon = self.start_tls(hello_timeout="300ms", tick="100ms", leave_timeout="1min")
        first, _ = InMemory(self.context()).step()
        for begun in (first[:40], first):
            peer = self.connect(daemon)
            peer.send(begun)
            if begun is first:
                peer.socket.recv(65536)
            line = daemon.wait("close", client=peer.name)
            self.assertEqual(line["reason"], "never_spoke")
        peer = self.connect(daemon)
        peer.send(first + frame(heartbeat(id="smuggled")))
        peer.socket.recv(65536)
        self.assertEqual(daemon.wait("close", client=peer.name)["bad_input"], "tls_failed")
        self.assertEqual(daemon.ask("status")["totals"]["joins"], 0)

    def test_garbage_behind_the_handshake_ends_the_client(self):
        daemon = self.start_tls()
        for garbage in (b"\x17\x03\x03\xff\xff" + bytes(100), b"\x17\x03\x03\x00\x40" + bytes(64),
                        frame(heartbeat(id="plain"))):
            client = self.connect_tls(daemon)
            client.sync(id="spoiler")
            closes = len(daemon.lines("close"))
            raw = socket.socket(fileno=os.dup(client.socket.fileno()))
            self.addCleanup(raw.close)
            raw.sendall(garbage)
            line = daemon.wait("close", count=closes + 1)
            self.assertEqual((line["reason"], line["bad_input"]), ("bad_frame", "tls_failed"))

    def test_a_first_message_without_end_is_cut_off(self):
        daemon = self.start_tls()
        peer = self.connect(daemon)
        record = struct.pack("!BHH", 0x16, 0x0301, 16384)
        message = struct.pack("!BBH", 1, 1, 0xfff0) + bytes(16380)  # announces 130 KB
        try:
            for _ in range(8):
                peer.send(record + message)
                message = bytes(16384)
        except OSError:
            pass
        line = daemon.wait("close", client=peer.name)
        self.assertEqual(line["bad_input"], "tls_failed")
        self.assertIn("the handshake is longer than 32768 bytes", line.detail)

    def test_renegotiation_is_refused(self):
        daemon = self.start_tls('tls_min_version = "1.2"')
        process = subprocess.Popen([OPENSSL, "s_client", "-tls1_2", "-connect", "%s:%d" % daemon.address,
                                    "-CAfile", self.path("ca.pem")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)
        with process.stdout:
            text = b""
            while b"---\n" not in text or b"Verify return code" not in text:
                text += process.stdout.readline()
            process.stdin.write(b"R\n")
            process.stdin.flush()
            text = b""
            while b"renegotiation" not in text.lower().replace(b"renegotiating", b""):
                line = process.stdout.readline()
                self.assertTrue(line, f"s_client ended after {text}")
                text += line
            process.stdin.close()
            process.kill()
            process.wait(BOUND_S)
        self.assertIn(b"no renegotiation", text)

    def test_handshakes_that_are_left_half_done_are_bounded_and_the_clients_stay_in_time(self):
        daemon = self.start_tls('accept_rate = 0', tick="1s", max_clients=2000)
        honest = self.connect_tls(daemon)
        honest.sync(id="honest")
        first, _ = InMemory(self.context()).step()
        idle_kib = daemon.resident_kib()
        with Beating([honest], 0.2):
            left = []
            for _ in range(HANDSHAKES_MAX + 200):
                peer = self.connect(daemon)
                peer.send(first)
                left.append(peer)
            wait_until(lambda: daemon.ask("status")["accepting"]["displaced"] >= 200, "the oldest are displaced")
            self.assertLessEqual(daemon.ask("status")["accepting"]["waiting"], HANDSHAKES_MAX)
            self.assertLess(daemon.resident_kib() - idle_kib, 100 * 1024)
            newcomer = self.connect_tls(daemon)
            newcomer.sync(id="newcomer")
            for peer in left:
                peer.close()
            wait_until(lambda: daemon.ask("status")["accepting"]["waiting"] == 0, "the anteroom is empty")
            self.assertEqual(daemon.ask("why", client="honest")["client"]["status"], "alive")
            self.assertEqual(daemon.lines("strike", client="honest"), [])


class AcceptRate(TlsTest):
    def test_a_listener_has_a_rate_of_its_own_and_the_others_do_not_wait_for_it(self):
        daemon = self.start_tls("accept_rate = 20", also='[[listener]]\naddress = "127.0.0.1:0"')
        waiting = [self.connect(daemon) for _ in range(70)]  # 40 at once, and then 20 a second
        line = daemon.wait("accept_paused")
        self.assertIn("come faster than 20 a second (its accept_rate); connections wait", line.detail)
        self.assertLess(daemon.ask("status")["accepting"]["waiting"], 70)
        beside = Client(daemon.addresses[1])
        self.addCleanup(beside.close)
        beside.sync(id="beside")
        self.assertLess(daemon.ask("status")["accepting"]["waiting"], 70)
        wait_until(lambda: daemon.ask("status")["accepting"]["waiting"] == 70, "all are accepted in turn")
        self.assertEqual(len(waiting), 70)


class Configuration(TlsTest):
    def check(self, text):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(text)
            file.flush()
            done = subprocess.run([os.environ["HEARTBEATD"], "--check-config", "--config", file.name],
                                  capture_output=True, text=True, timeout=BOUND_S, check=False)
        return done.returncode, done.stdout + done.stderr

    def listener(self, options):
        return f'[[listener]]\naddress = "0.0.0.0:14000"\n{options}'

    def test_what_does_not_fit_together_is_said_by_check_config(self):
        certificate = f'tls_certificate = "{self.path("server.pem")}"\n'
        key = f'tls_key = "{self.path("server.key")}"\n'
        self.assertEqual(self.check(self.listener(certificate + key))[0], 0)
        for options, words in (
                (certificate, "server.pem: has no private key in PEM form without a password"),
                (key, "a [[listener]] with TLS must have tls_certificate"),
                (certificate + key + 'tls_min_version = "1.1"\n', "'1.1' is not one of 1.2 or 1.3"),
                (certificate + key + 'tls_identity = "dn"\n', "'dn' is not one of cn or san"),
                (certificate + key + 'require = "certificate"\n', "tls_client_ca or a proxy of proxy_from"),
                (certificate + key + f'tls_client_ca = "{self.path("server.key")}"\n',
                 "server.key: has no certificate in PEM form"),
                ('tls_certificate = "/no/such/file"\n', "cannot read /no/such/file: No such file or directory")):
            code, said = self.check(self.listener(options))
            self.assertEqual(code, 78, said)
            self.assertIn(words, said)

    def test_a_listener_with_tls_may_require_tokens_on_a_network(self):
        self.authority.write("tokens", "")
        text = f'tokens = "{self.path("tokens")}"\n' + self.listener('require = "token"\n')
        self.assertIn("token_in_clear", self.check(text)[1])
        text += f'tls_certificate = "{self.path("server.pem")}"\ntls_key = "{self.path("server.key")}"\n'
        self.assertEqual(self.check(text)[0], 0)


if __name__ == "__main__":
    unittest.main()
