"""The recipes of docs/security.md, carried out as they are written there."""
import os
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import unittest

import haproxy
from harness import Client, DaemonTest

OPENSSL = shutil.which("openssl")
DOCUMENT = os.path.join(os.path.dirname(__file__), "../../docs/security.md")


def recipe(name):
    """The indented block behind the mark of that name."""
    with open(DOCUMENT, encoding="utf-8") as file:
        text = file.read()
    block = re.search(rf"<!-- recipe: {name} -->\n\n((?:    .*\n|\n)+)", text)[1]
    return re.sub(r"(?m)^    ", "", block)


@unittest.skipUnless(haproxy.PROGRAM and OPENSSL, "haproxy or openssl is not installed (tools/setup check)")
class HaproxyWithCertificates(DaemonTest):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="heartbeat-security-")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        authority = recipe("authority")
        self.assertEqual(len(authority.strip().splitlines()), 5)
        script = authority + "cat server.pem server.key > server-and-key.pem\n"
        subprocess.run(["sh", "-e"], input=script, cwd=self.directory, check=True, text=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def path(self, name):
        return os.path.join(self.directory, name)

    def front(self, daemon):
        text = recipe("haproxy").replace("127.0.0.1:14000", f"127.0.0.1:{daemon.address[1]}")
        return haproxy.start(self, self.directory, lambda port: text.replace(":8883 ", f"127.0.0.1:{port} "))

    def connect_by_tls(self, address, certificate=None, server="heartbeat.example"):
        context = ssl.create_default_context(cafile=self.path("ca.pem"))
        if certificate is not None:
            context.load_cert_chain(self.path(certificate + ".pem"), self.path(certificate + ".key"))
        client = Client(address)
        self.addCleanup(lambda: client.socket.close())
        client.socket = context.wrap_socket(client.socket, server_hostname=server)
        return client

    def test_a_client_with_a_certificate_is_known_by_its_address_and_the_certificate(self):
        daemon = self.start(proxy_from="127.0.0.1")
        client = self.connect_by_tls(self.front(daemon), "pump-7")
        client.sync(id="pump-7")
        shown = daemon.ask("why", client="pump-7")["client"]
        self.assertEqual((shown["peer"], shown["certificate"]), (client.name, "pump-7"))
        self.assertTrue(shown["via"].startswith("127.0.0.1:"))

    def test_without_a_certificate_of_the_authority_no_client_comes_in(self):
        daemon = self.start(proxy_from="127.0.0.1")
        address = self.front(daemon)
        script = ('openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=pump-7" '
                  "-keyout forged.key -out forged.pem")
        subprocess.run(["sh", "-c", script], cwd=self.directory, check=True, stderr=subprocess.DEVNULL)
        for certificate in (None, "forged"):
            with self.assertRaises((ssl.SSLError, AssertionError, OSError)):
                self.connect_by_tls(address, certificate).sync(id="pump-7")
        self.assertEqual(daemon.ask("status")["totals"]["joins"], 0)

    def test_where_a_certificate_is_required_its_name_is_the_only_id(self):
        daemon = self.start(proxy_from="127.0.0.1", require="certificate")
        address = self.front(daemon)
        owner = self.connect_by_tls(address, "pump-7")
        owner.sync(id="pump-7")
        thief = self.connect_by_tls(address, "pump-7")
        thief.beat(id="pump-8", notify=True)
        self.assertEqual(thief.read_to_end()[-1]["reason"], "unauthorized")
        closed = daemon.wait("close", bad_input="certificate_id")
        self.assertIn('the certificate is for the id "pump-7", and not for "pump-8"', closed.detail)
        owner.sync()
        second = self.connect_by_tls(address, "pump-7")
        second.sync(id="pump-7")
        daemon.wait("takeover", client="pump-7")

    def test_a_proxied_client_without_a_certificate_is_refused_and_no_other_listener_lends_its_id(self):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write('[[listener]]\naddress = "127.0.0.1:0"\nproxy_from = ["127.0.0.1"]\nrequire = "certificate"\n'
                       '[[listener]]\naddress = "127.0.0.1:0"\n')
            file.flush()
            daemon = self.start(config=file.name, listen=())
            owner = self.connect_by_tls(self.front(daemon), "pump-7")
            owner.sync(id="pump-7")
            unproved = self.connect(daemon)
            unproved.send(b"PROXY TCP4 10.0.0.9 192.0.2.1 5 6\r\n")
            unproved.beat(id="pump-8")
            self.assertEqual(unproved.read_to_end(), [])
            daemon.wait("close", bad_input="certificate_missing")

            beside = Client(daemon.addresses[1])
            self.addCleanup(beside.close)
            beside.beat(id="pump-7")
            self.assertEqual(beside.read_to_end(), [])
            self.assertEqual(daemon.wait("close", bad_input="certificate_id")["reason"], "unauthorized")
            owner.sync()
            other = Client(daemon.addresses[1])
            self.addCleanup(other.close)
            other.sync(id="lamp")
            self.assertEqual(daemon.ask("status")["bad_input"], {"certificate_missing": 1, "certificate_id": 1})

    def test_the_name_of_the_server_is_verified(self):
        daemon = self.start(proxy_from="127.0.0.1")
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.connect_by_tls(self.front(daemon), "pump-7", server="other.example")


if __name__ == "__main__":
    unittest.main()
