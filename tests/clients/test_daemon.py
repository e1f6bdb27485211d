#!/usr/bin/env python3
"""A client and the real daemon: the gate in `why`, two programs with one id, and TLS and the token.

    test_daemon.py [--tls WORDS] [--token WORDS] [--fight SECONDS] [--cap MILLISECONDS] -- COMMAND...

COMMAND, and WORDS that are added to it for TLS with a token and for a token alone, are those of conformance.py.  With
--fight only the fight of two programs for one id is watched, for so long, with this cap; else for 5 s with a cap of 1 s.
"""
import os
import sys
import tempfile
import time
import types
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../process"))
from certificates import OPENSSL, Authority  # noqa: E402
from conformance import GROUP, SLACK, Client  # noqa: E402
from harness import DaemonTest  # noqa: E402
from test_tokens import BUILT, new_token  # noqa: E402


def words_after(option):
    """The value of an option on the command line, and what is left of that."""
    if option not in sys.argv[:sys.argv.index("--")]:
        return ""
    at = sys.argv.index(option)
    value = sys.argv[at + 1]
    del sys.argv[at:at + 2]
    return value


TLS, TOKEN = words_after("--tls"), words_after("--token")
FIGHT = words_after("--fight")
CAP_MS = int(words_after("--cap") or 1000)
# What a takeover may be seen late, or early after one that was seen late.
LOOK_S = 0.05
COMMAND = sys.argv[sys.argv.index("--") + 1:]


class WithDaemon(DaemonTest):
    def client(self, daemon, words="", ca="", token="", **settings):
        files = tempfile.TemporaryDirectory(prefix="heartbeat-client-")
        self.addCleanup(files.cleanup)
        token_file = os.path.join(files.name, "token")
        with open(token_file, "w", encoding="ascii") as file:
            file.write(token + "\n")
        os.chmod(token_file, 0o600)
        options = types.SimpleNamespace(command=COMMAND, tls=words, ca=ca, token=token, token_file=token_file)
        client = Client(options, daemon.address[1], "pump", tls=bool(words), own_id="pump-7", **settings)
        for end in (client.errors.close, client.process.stdout.close, client.process.stdin.close, client.kill):
            self.addCleanup(end)
        return client

    def test_work_that_hangs_is_a_leave_and_why_says_for_how_long(self):
        daemon = self.start(tick="300ms", recover=1)
        client = self.client(daemon, interval=100, gate=1000)
        daemon.wait("joined", client="pump-7")
        for _ in range(6):
            client.order("touch")
            touched = time.monotonic()
            time.sleep(0.25)  # longer in all than the gate: these touches keep it open
        self.assertEqual(daemon.lines("leave"), [])
        daemon.wait("leave", client="pump-7", reason="declared")
        self.assertLess(time.monotonic() - touched, 1 + 0.1 + SLACK)
        self.assertIsNone(client.process.poll())
        self.assertRegex(str(daemon.ask("why", client="pump-7")), r"no sign of work for \d+ s")
        client.order("touch")
        daemon.wait("return", client="pump-7")
        client.end()
        daemon.wait("close", client="pump-7", reason="goodbye")

    def test_two_programs_with_one_id_take_over_at_most_once_a_cap_each(self):
        daemon = self.start()
        for _ in range(2):
            self.client(daemon, interval=100, base=20, cap=CAP_MS)
        daemon.wait("takeover", client="pump-7")
        end = time.monotonic() + int(FIGHT or 5)
        holder, taken_at, gaps = None, {}, []
        while time.monotonic() < end:
            client = daemon.ask("why", client="pump-7")["client"]
            now = time.monotonic()
            if client["pid"] != holder:
                holder = client["pid"]
                gaps += [now - taken_at[holder]] if holder in taken_at else []
                taken_at[holder] = now
            time.sleep(LOOK_S)
        takeovers = daemon.ask("status")["totals"]["takeovers"]
        print(f"{takeovers} takeovers in {FIGHT or 5} s with a cap of {CAP_MS / 1000:g} s, by one program at least "
              f"{min(gaps, default=0):.2f} s apart")
        self.assertGreaterEqual(takeovers, 3, "they do not fight")
        self.assertEqual(len(taken_at), 2, "they do not fight")
        self.assertGreaterEqual(min(gaps), CAP_MS / 1000 - 2 * LOOK_S - 0.1)
        self.assertLessEqual(takeovers, 1 + 2 * (1 + int(FIGHT or 5) * 1000 / CAP_MS))

    def test_the_group_and_the_interval_that_the_client_declares_are_its_own(self):
        daemon = self.start(config=self.file_of(f'[[group]]\nname = "{GROUP}"\nby_name = "yes"\ntick = "7s"\n'
                                                'interval_min = "100ms"\ninterval_max = "1min"'))
        self.client(daemon, interval=300)
        daemon.wait("joined", client="pump-7")
        client = daemon.ask("why", client="pump-7")["client"]
        self.assertEqual((client["group"], client["declared_interval_ms"]), (GROUP, 300))

    @unittest.skipUnless(TLS and BUILT and OPENSSL, "the client has no TLS, or heartbeatd was built without OpenSSL")
    def test_tls_and_the_token_let_the_client_in(self):
        daemon, ca, token = self.guarded()
        self.client(daemon, TLS, ca, token)
        daemon.wait("joined", client="pump-7")
        self.assertEqual(daemon.ask("why", client="pump-7")["client"]["token_name"], "pumps")

    @unittest.skipUnless(TLS and BUILT and OPENSSL, "the client has no TLS, or heartbeatd was built without OpenSSL")
    def test_a_wrong_token_is_tried_again_after_half_the_cap_at_least(self):
        daemon, ca, token = self.guarded()
        self.client(daemon, TLS, ca, token[:-1] + ("A" if token[-1] != "A" else "B"), base=20, cap=6000)
        daemon.wait("close", reason="unauthorized", bad_input="token_wrong")
        time.sleep(2)  # a hundred of the shortest pauses, and two thirds of half the cap
        self.assertEqual(len(daemon.lines("close", reason="unauthorized")), 1)
        daemon.wait("close", 2, reason="unauthorized", bad_input="token_wrong")

    @unittest.skipUnless(TOKEN and BUILT, "the client has no token, or heartbeatd was built without OpenSSL")
    def test_the_token_goes_without_tls_too(self):
        token, line = new_token("pumps", "pump-*")
        daemon = self.start(tokens=self.file_of(line), require="token")
        self.client(daemon, TOKEN, "", token)
        daemon.wait("joined", client="pump-7")

    def guarded(self):
        """A daemon with one listener, which has TLS and requires a token; its authority's file, and a token."""
        authority = Authority(self)
        authority.issue("server", "127.0.0.1", "IP:127.0.0.1")
        token, line = new_token("pumps", "pump-*")
        listener = (f"127.0.0.1:0 tls_certificate={authority.path('server.pem')} tls_key={authority.path('server.key')} "
                    "require=token")
        daemon = self.start(listen=(), listener=listener, tokens=self.file_of(line))
        return daemon, authority.path("ca.pem"), token

    def file_of(self, line):
        folder = tempfile.TemporaryDirectory(prefix="heartbeat-tokens-")
        self.addCleanup(folder.cleanup)
        with open(os.path.join(folder.name, "tokens"), "w", encoding="ascii") as file:
            file.write(line + "\n")
        return file.name


if __name__ == "__main__":
    one = ".test_two_programs_with_one_id_take_over_at_most_once_a_cap_each" if FIGHT else ""
    unittest.main(argv=[sys.argv[0], "WithDaemon" + one], verbosity=2, warnings="ignore")
