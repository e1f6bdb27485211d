#!/usr/bin/env python3
"""`top` on a pseudo-terminal: it draws, sorts, filters, scrolls, resizes, recovers, and leaves no trace."""

import signal
import subprocess
import threading
import unittest

from fake_daemon import FakeDaemon, client, done
from program import PROGRAM, Terminal, environment

SILENCE = {f"pump-{at:02}": (at * 7) % 40 for at in range(40)}


def clients(request):
    """Forty clients in the order that was asked for; as many as were asked for."""
    names = sorted(SILENCE, key=(lambda name: -SILENCE[name]) if request["sort"] == "silence" else None)
    glob = request.get("match", "").strip("*")
    names = [name for name in names if glob in name][:request["limit"]]
    return [client(name, silence=SILENCE[name]) for name in names] + [done(count=len(names))]


def names_in(text):
    return [word for word in text.split() if word in SILENCE]


class Top(unittest.TestCase):
    def setUp(self):
        self.daemon = FakeDaemon({"clients": clients})
        self.daemon.start()
        self.addCleanup(self.daemon.__exit__)

    def top(self, *arguments, **more):
        return Terminal(self.daemon, "top", *arguments, **more)

    def test_it_shows_totals_and_as_many_clients_as_fit(self):
        with self.top(rows=21) as top:
            top.wait_until(lambda text: "pump-13" in text)
            text = top.redrawn()
            self.assertEqual(names_in(text), [f"pump-{at:02}" for at in range(14)])
            for words in ("heartbeatd 0.1.0", "alive 3", "leave 1", "stalls", "sorted by margin", "1-14 of 4"):
                self.assertIn(words, " ".join(text.split()))

    def test_it_asks_again_by_itself(self):
        with self.top() as top:
            self.daemon.wait_for_request("status", 3)
            self.daemon.wait_for_request("clients", 3)
            top.press(b"q")
            self.assertEqual(top.end(), (0, ""))

    def test_keys_sort(self):
        with self.top(rows=21) as top:
            for key, sort in ((b"s", "silence"), (b"c", "connected"), (b"n", "name"), (b"m", "margin")):
                top.press(key)
                top.wait_until(lambda text, sort=sort: f"sorted by {sort}" in " ".join(text.split()))
                asked = self.daemon.wait_for_request("clients")
                while asked[-1]["sort"] != sort:  # the screen is drawn anew before the daemon is asked anew
                    asked = self.daemon.wait_for_request("clients", len(asked) + 1)
            top.press(b"s")
            worst = sorted(SILENCE, key=lambda name: -SILENCE[name])[:14]
            top.wait_until(lambda text: names_in(text) == worst)

    def test_the_sort_can_be_given(self):
        with self.top("--sort", "silence", "--match", "*-0*") as top:
            top.wait_until(lambda text: len(names_in(text)) == 10)
            self.assertEqual(self.daemon.wait_for_request("clients")[0]["match"], "*-0*")

    def test_a_filter_is_typed(self):
        with self.top() as top:
            top.press(b"/-1\r")
            top.wait_until(lambda text: names_in(text) == [f"pump-{at}" for at in range(10, 20)])
            top.press(b"/\r")
            top.wait_until(lambda text: "pump-05" in text)

    def test_it_scrolls(self):
        with self.top(rows=21) as top:
            top.wait_until(lambda text: "pump-13" in text)
            # The chosen row moves, and the table with it.
            for keys, first in ((b"\x1b[6~", 1), (b"\x1b[B", 2), (b"\x1b[5~", 1), (b"\x1b[A", 0)):
                top.press(keys)
                top.wait_until(lambda text, first=first: names_in(text)[:1] == [f"pump-{first:02}"])

    def test_it_follows_the_size_of_the_terminal(self):
        with self.top(rows=12, columns=60) as top:
            text = top.wait_until(lambda text: len(names_in(text)) == 3)
            self.assertNotIn("CLAIMS", text)
            top.resize(30, 200)
            text = top.wait_until(lambda text: len(names_in(text)) == 25)
            self.assertIn("CLAIMS", text)
            top.resize(3, 10)
            top.resize(12, 60)
            top.wait_until(lambda text: len(names_in(text)) == 3)

    def test_enter_shows_why_and_escape_leaves_it(self):
        self.daemon.answers["why"] = lambda request: [{
            "type": "story", "client": client(request["client"]), "connected_now": True, "moments": [], "stalls": [],
            "forgotten": 0, "verdict": "alive with a clean record"}]
        with self.top() as top:
            top.wait_until(lambda text: "pump-03" in text)
            top.press(b"\x1b[B\x1b[B\r")
            top.wait_until(lambda text: "alive with a clean record" in " ".join(text.split()))
            self.assertEqual(self.daemon.wait_for_request("why")[0]["client"], "pump-02")
            top.press(b"\x1b")
            top.wait_until(lambda text: "sorted by margin" in " ".join(text.split()) and "pump-03" in text)

    def test_a_status_is_chosen(self):
        with self.top() as top:
            top.press(b"t")
            top.wait_until(lambda text: "only leave" in " ".join(text.split()))
            asked = self.daemon.wait_for_request("clients")
            while asked[-1].get("status") != "leave":
                asked = self.daemon.wait_for_request("clients", len(asked) + 1)

    def test_help_comes_and_goes(self):
        with self.top() as top:
            top.press(b"?")
            top.wait_until(lambda text: "this help, and away again" in " ".join(text.split()))
            top.press(b"?")
            top.wait_until(lambda text: "pump-00" in text)

    def test_a_daemon_that_goes_away_is_said_to_and_found_again(self):
        with self.top(columns=160) as top:
            top.wait_until(lambda text: "pump-00" in text)
            self.daemon.stop()
            text = top.wait_until(lambda text: "no daemon at" in " ".join(text.split()))
            self.assertIn("pump-00", text)
            self.daemon.start()
            top.wait_until(lambda text: "sorted by margin" in " ".join(text.split()))
            top.press(b"q")
            self.assertEqual(top.end(), (0, ""))

    def test_keys_work_while_a_daemon_does_not_answer(self):
        self.daemon.answers["clients"] = lambda _: [] if self.stuck.wait(30) else []
        self.stuck = threading.Event()
        self.addCleanup(self.stuck.set)
        with self.top() as top:
            self.daemon.wait_for_request("clients")
            top.press(b"?")
            top.wait_until(lambda text: "this help" in " ".join(text.split()))
            top.press(b"q")
            self.assertEqual(top.end(), (0, ""))
            self.stuck.set()

    def test_an_error_is_shown(self):
        self.daemon.answers["clients"] = [{"type": "error", "code": "bad_request", "message": "match: [ has no end"}]
        with self.top("--match", "[") as top:
            top.wait_until(lambda text: "match: [ has no end" in " ".join(text.split()))

    def test_a_name_cannot_send_escapes(self):
        self.daemon.answers["clients"] = [client("a\x1b]0;owned\x07b\u009bc")]
        with self.top(columns=170) as top:
            top.wait_until(lambda text: r"a\x1b]0;owned\x07b\xc2\x9bc" in text)
            self.assertNotIn(b"owned\x07", top.screen)
            self.assertNotIn(b"\xc2\x9b", top.screen)

    def test_no_color_is_heeded(self):
        for more, colour in (({}, True), ({"NO_COLOR": "1"}, False)):
            with self.subTest(more), self.top(TERM="xterm", **more) as top:
                top.wait_until(lambda text: "alive" in text)
                self.assertEqual(b"\x1b[32m" in top.screen, colour)

    def test_the_terminal_is_as_it_was_on_every_way_out(self):
        ways = [(b"q", None, 0), *((None, number, -number) for number in
                                   (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP)),
                (b"\x03", None, -signal.SIGINT), (b"\x1c", None, -signal.SIGQUIT)]
        for keys, number, code in ways:
            with self.subTest((keys, number)), self.top(TERM="xterm") as top:
                top.wait_for(b"pump-00")
                self.assertFalse(top.is_as_before())
                if keys:
                    top.press(keys)
                self.assertEqual(top.end(number), (code, ""))
                self.assertTrue(top.is_as_before())
                for entered, left in ((b"\x1b[?1049h", b"\x1b[?1049l"), (b"\x1b[?25l", b"\x1b[?25h")):
                    self.assertIn(entered, top.screen)
                    self.assertGreater(top.screen.rfind(left), top.screen.rfind(entered))

    def test_without_a_daemon_the_screen_is_not_touched(self):
        self.daemon.stop()
        with self.top() as top:
            code, err = top.end()
            self.assertEqual((code, top.screen), (69, b""))
            self.assertIn(self.daemon.path, err)
        self.daemon.start()

    def test_a_terminal_that_cannot_be_drawn_on_is_refused(self):
        with self.top(TERM="nonsense") as top:
            code, err = top.end()
            self.assertEqual(code, 2)
            self.assertIn("top cannot draw on this terminal", err)

    def test_it_needs_a_terminal(self):
        result = subprocess.run([PROGRAM, "--control", self.daemon.path, "top"], stdin=subprocess.DEVNULL, text=True,
                                capture_output=True, env=environment(), check=False)
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        self.assertIn("top needs a terminal", result.stderr)


if __name__ == "__main__":
    unittest.main()
