#!/usr/bin/env python3
"""What guards HTTP where other machines can reach it: tokens and TLS."""
import base64
import hashlib
import http.client
import os
import socket
import ssl
import subprocess
import tempfile
import unittest

import surfer
from surfer import BOUND_S
from certificates import OPENSSL, Authority

TOKEN = "hb_" + 43 * "t"
OTHER = "hb_" + 43 * "o"


def line(name, token):
    return f"{name} sha256:{hashlib.sha256(token.encode()).hexdigest()} id=*\n"


class Tokens(surfer.HttpTest):
    def setUp(self):
        file = tempfile.NamedTemporaryFile("w", suffix=".tokens")
        self.addCleanup(file.close)
        self.path = file.name
        self.write(line("prometheus", TOKEN))

    def write(self, text):
        with open(self.path, "w", encoding="ascii") as file:
            file.write(text)

    @staticmethod
    def bearer(token):
        return {"Authorization": f"Bearer {token}"}

    def test_nothing_is_answered_without_a_token_but_the_health(self):
        daemon = self.start(http_tokens=self.path)
        for path in ("/", "/metrics", "/api/status", "/api/clients", "/api/closed", "/api/client?name=a", "/api/history",
                     "/api/events"):
            for headers in ({}, self.bearer(OTHER), self.bearer(TOKEN[:-1]), {"Authorization": TOKEN}):
                answer = self.get(daemon, path, headers=headers)
                self.assertEqual((path, answer.status), (path, 401))
                self.assertEqual(answer.json["code"], "unauthorized")
        for path in ("/healthz", "/readyz"):
            self.assertEqual(self.get(daemon, path).status, 200)

    def test_a_token_opens_it_as_bearer_and_as_a_password(self):
        daemon = self.start(http_tokens=self.path)
        password = base64.b64encode(f"anyone:{TOKEN}".encode()).decode()
        for headers in (self.bearer(TOKEN), {"Authorization": f"Basic {password}"}):
            for path in ("/", "/metrics", "/api/status", "/api/clients"):
                self.assertEqual(self.get(daemon, path, headers=headers).status, 200)

    def test_a_browser_is_asked_for_a_password(self):
        daemon = self.start(http_tokens=self.path)
        connection = http.client.HTTPConnection(*self.address_of(daemon), timeout=BOUND_S)
        self.addCleanup(connection.close)
        connection.request("GET", "/")
        challenges = connection.getresponse().headers.get_all("WWW-Authenticate")
        self.assertEqual([challenge.split()[0] for challenge in challenges], ["Bearer", "Basic"])

    def test_a_reload_takes_a_token_away_and_gives_another(self):
        daemon = self.start(http_tokens=self.path)
        self.write(line("prometheus", OTHER))
        self.assertEqual(daemon.ask("reload")["type"], "done")
        self.assertEqual(self.get(daemon, "/metrics", headers=self.bearer(TOKEN)).status, 401)
        self.assertEqual(self.get(daemon, "/metrics", headers=self.bearer(OTHER)).status, 200)

    def test_a_refused_request_is_counted_and_no_token_is_logged(self):
        daemon = self.start(http_tokens=self.path, log_level="debug")
        self.get(daemon, "/metrics", headers=self.bearer(OTHER))
        text = self.get(daemon, "/metrics", headers=self.bearer(TOKEN)).body
        self.assertIn('heartbeatd_http_responses_total{code="401"} 1', text)
        daemon.end()
        for logged in daemon.lines():
            self.assertNotIn("hb_", logged.raw)


@unittest.skipUnless(OPENSSL, "openssl is not installed (tools/setup check)")
class Https(surfer.HttpTest):
    def setUp(self):
        self.authority = Authority(self)
        self.authority.issue("server", "127.0.0.1", "IP:127.0.0.1,DNS:localhost")

    def path(self, name):
        return self.authority.path(name)

    def start_tls(self, **arguments):
        return self.start(http_tls_certificate=self.path("server.pem"), http_tls_key=self.path("server.key"),
                          **arguments)

    def ask(self, daemon, path, version=None):
        context = ssl.create_default_context(cafile=self.path("ca.pem"))
        if version:
            context.minimum_version = context.maximum_version = version
        connection = http.client.HTTPSConnection(*self.address_of(daemon), timeout=BOUND_S, context=context)
        try:
            connection.request("GET", path)
            return surfer.Answer(connection.getresponse())
        finally:
            connection.close()

    def test_the_page_and_the_metrics_are_served_by_tls(self):
        daemon = self.start_tls()
        self.assertTrue(daemon.http.startswith("https://"))
        client = self.connect(daemon)
        client.sync(id="pump-7")
        for version in (None, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            self.assertIn("heartbeatd_clients", self.ask(daemon, "/metrics", version).body)
        self.assertIn("<html", self.ask(daemon, "/").body)
        self.assertEqual(self.ask(daemon, "/api/clients").json["clients"][0]["name"], "pump-7")

    def test_a_plain_request_is_closed_with_a_line_in_the_log_and_costs_no_other(self):
        daemon = self.start_tls()
        with socket.create_connection(self.address_of(daemon), BOUND_S) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertEqual(plain.recv(4096), b"")
        daemon.wait_for(lambda: any("sent no HTTPS and was closed" in line.text for line in daemon._lines), "the line")
        self.assertEqual(self.ask(daemon, "/healthz").status, 200)

    def test_handshakes_left_half_done_do_not_keep_others_out(self):
        daemon = self.start_tls()
        left = []
        for _ in range(60):
            peer = socket.create_connection(self.address_of(daemon), BOUND_S)
            self.addCleanup(peer.close)
            peer.sendall(b"\x16\x03\x01\x02\x00\x01")
            left.append(peer)
        self.assertEqual(self.ask(daemon, "/healthz").status, 200)
        client = self.connect(daemon)
        client.sync(id="pump-7")

    def check(self, *flags):
        done = subprocess.run([os.environ["HEARTBEATD"], "--check-config", "--config", os.devnull, *flags],
                              capture_output=True, text=True, timeout=BOUND_S, check=False)
        return done.returncode, done.stdout + done.stderr

    def test_an_address_for_other_machines_needs_both_or_a_yes(self):
        self.authority.write("tokens", line("a", TOKEN))
        remote = ("--http-listen", "0.0.0.0:14080")
        tokens = ("--http-tokens", self.path("tokens"))
        certificate = ("--http-tls-certificate", self.path("server.pem"), "--http-tls-key", self.path("server.key"))
        for flags in ((), tokens, certificate):
            self.assertIn("give both http.tokens and http.tls_certificate", self.check(*remote, *flags)[1])
        self.assertEqual(self.check(*remote, *tokens, *certificate)[0], 0)
        self.assertEqual(self.check(*remote, "--http-allow-remote", "yes")[0], 0)
        self.assertIn("has no private key", self.check("--http-tls-certificate", self.path("server.pem"))[1])
        self.assertIn("there is no http.tls_certificate", self.check("--http-tls-key", self.path("server.key"))[1])
        self.assertIn("cannot read", self.check("--http-tokens", "/no/such/file")[1])


if __name__ == "__main__":
    unittest.main()
