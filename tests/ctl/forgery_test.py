"""Whatever text the daemon passes on from its clients, no line of heartbeatctl is forged and no terminal moved.

Every text of every answer is poisoned at once, also those that no client can choose; what is printed for it, by each
command, as text and as JSON, is held to be lines of visible text of our own making.
"""
import json
import unittest

from fake_daemon import FakeDaemon, client, done, event, status
from program import run

MARK = "FORGED"
POISON = f"a\x1b]0;owned\x07\x1b[2J\u009b2J\u202eb\u2028\u200b\r\n{MARK} pump-7 leave\n\x00\x7f"
# What the answer is for the program, rather than text for a person.
KEPT = {"type", "boot", "cursor"}

STORY = {"type": "story", "client": client("x"), "connected_now": False, "verdict": "x", "forgotten": 0,
         "moments": [{"at": "x", "what": "leave", "reason": "x"}, {"at": "x", "what": "x", "peer": "x"}],
         "stalls": [{"at": "x", "stalled_ms": 5}],
         "close": {"at": "x", "reason": "x", "by": "x", "detail": "x"}}
ANSWERS = {
    "status": [status()],
    "clients": [client("x"), client("y", leave_reason="x", left="x", closes="x")],
    "why": [STORY],
    "kick": [{"type": "kicked", "client": "x"}, {"type": "not_found", "client": "x"}, done(count=1)],
    "log_level": [done(**{"from": "x", "to": "x"})],
    "brake": [done(count="x")],
    "hold": [done(until="x")],
    "roster": [{"type": "missing", "client": "x"}, done(count=1)],
    "settings": [{"type": "setting", "name": "x", "value": "x", "origin": "x"}],
    "reload": [done(changed=[{"name": "x", "from": "x", "to": "x"}], needs_restart=["x"])],
}
COMMANDS = {
    "hold": ["hold", "x", "--for", "1h", "--why", "x"], "roster": ["roster"], "brake": ["brake", "release"], "status": ["status"], "clients": ["clients"], "why": ["why", "x"], "kick": ["kick", "x", "y"],
    "log_level": ["log-level", "debug"], "settings": ["settings"], "reload": ["reload"],
}


def poisoned(value, key=None):
    """The same with every text in it poisoned, also the names of counters."""
    if isinstance(value, dict):
        # Counters have names of their own, which are printed; other members are known by their names.
        counters = key in ("totals", "closes", "bad_input", "refused")
        return {(POISON if counters else name): poisoned(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return [poisoned(each) for each in value]
    return POISON if isinstance(value, str) and key not in KEPT else value


class Forgery(unittest.TestCase):
    def assert_our_own(self, result):
        for text in (result.stdout, result.stderr):
            for line in text.split("\n"):
                self.assertTrue(line.isprintable(), repr(line))
                self.assertFalse(line.lstrip().startswith(MARK), repr(line))

    def assert_json_lines(self, result):
        for line in result.stdout.splitlines():
            json.loads(line)

    def test_no_answer_of_any_command(self):
        self.assertEqual(set(ANSWERS), set(COMMANDS))
        with FakeDaemon({name: poisoned(answer) for name, answer in ANSWERS.items()}) as daemon:
            for name, arguments in COMMANDS.items():
                for form in ([], ["--json"]):
                    with self.subTest([*arguments, *form]):
                        result = run(daemon, *arguments, *form)
                        self.assertIn("owned", result.stdout + result.stderr)  # it was passed on, and shown
                        self.assert_our_own(result)
                        if form:
                            self.assert_json_lines(result)

    def test_no_event_and_no_snapshot(self):
        closed = event(1, "close", reason="x", by="x", detail="x", peer="x", ip="x", previous="x", previous_peer="x",
                       bad_input="x", to="x", **{"from": "x"})
        answer = poisoned([client("x", type="client"), closed, event(2, "x"), {"type": "x"}])
        answer[0]["type"] = "client"
        with FakeDaemon({"watch": [answer[0], {"type": "snapshot_end", "count": 1}, *answer[1:3]]}) as daemon:
            for form in ([], ["--json"]):
                with self.subTest(form):
                    result = run(daemon, "watch", "--once", "--snapshot", *form)
                    self.assertGreaterEqual(result.stdout.count("owned"), 3)
                    self.assert_our_own(result)
                    if form:
                        self.assert_json_lines(result)

    def test_no_error(self):
        error = {"type": "error", "code": "config_invalid", "message": POISON, "errors": [POISON, POISON]}
        for code in ("config_invalid", "bad_request", "no_such_client", "busy", POISON):
            with FakeDaemon({name: [{**error, "code": code}] for name in COMMANDS}) as daemon:
                for arguments in COMMANDS.values():
                    with self.subTest([*arguments, code]):
                        result = run(daemon, *arguments)
                        self.assertNotEqual(result.returncode, 0)
                        self.assert_our_own(result)


if __name__ == "__main__":
    unittest.main()
