#!/usr/bin/env python3
"""Each command, as a table and as JSON, and its exit code."""

import json
import unittest

from fake_daemon import FakeDaemon, client, done, status
from program import run

STORY = {
    "type": "story", "client": {"name": "pump-7", "peer": "127.0.0.1:40001", "ip": "10.0.0.7", "pid": 77,
                                "status": "close", "margin_least": 0, "heartbeats": 372,
                                "last_heard": "2026-11-22T08:30:50.000Z", "connected": "2026-11-22T08:00:00.000Z",
                                "connected_ms": 7200000},
    "connected_now": False, "verdict": "kicked at 10:00:00: in leave for 30 min after 15 silent ticks",
    "moments": [{"at": "2026-11-22T08:00:00.000Z", "what": "connected", "peer": "127.0.0.1:40001"},
                {"at": "2026-11-22T08:10:12.345Z", "what": "gap", "silent_ms": 12345, "ticks": 1},
                {"at": "2026-11-22T08:20:00.000Z", "what": "declared", "status": "leave"},
                {"at": "2026-11-22T08:25:00.000Z", "what": "return"},
                {"at": "2026-11-22T08:26:00.000Z", "what": "takeover", "peer": "127.0.0.1:40002"},
                {"at": "2026-11-22T08:31:50.000Z", "what": "strike", "strikes": 1},
                {"at": "2026-11-22T09:30:00.000Z", "what": "leave", "reason": "silent"},
                {"at": "2026-11-22T09:31:00.000Z", "what": "hiccup"}],
    "forgotten": 3, "stalls": [{"at": "2026-11-22T08:31:50.000Z", "stalled_ms": 3200}],
    "close": {"at": "2026-11-22T10:00:00.000Z", "reason": "silent", "by": "daemon"},
}


def json_lines(text):
    return [json.loads(line) for line in text.splitlines()]


class Answers(unittest.TestCase):
    def succeed(self, daemon, *arguments):
        result = run(daemon, *arguments)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return result.stdout

    def refuse(self, daemon, *arguments, code=1):
        result = run(daemon, *arguments)
        self.assertEqual(result.returncode, code, result.stderr)
        for line in result.stderr.splitlines():
            self.assertTrue(line.startswith("heartbeatctl: "), line)
        return result

    # --- status ---

    def test_status_tells_everything_there_is(self):
        with FakeDaemon() as daemon:
            facts = dict(line.split("  ", 1) for line in self.succeed(daemon, "status").splitlines())
        facts = {label: text.strip() for label, text in facts.items()}
        self.assertEqual(facts, {
            "heartbeatd": "0.1.0, pid 4242",
            "up": "3h12min, since 2026-11-22 06:43:00.000",
            "boot": "0123456789abcdef0123456789abcdef",
            "listening": "127.0.0.1:14000, [::1]:14000",
            "status page": "none: http.listen is empty",
            "rule": "tick 10s, threshold 5, cursor 3, recover 5, leave_timeout 30min",
            "clients": "3 alive, 1 in leave, 1000000 at most",
            "remembered": "2 closed clients",
            "heartbeats": "98765, per second 4.0 (1s), 3.9 (10s), 4.0 (60s)",
            "totals": "connected 12, refused 0, joins 11, strikes 4, leaves 2, returns 1, takeovers 0",
            "closes": "silent 1, goodbye 7",
            "refused": "max_clients_per_ip 2",
            "accepting": "at most 10000 a second; paused 3 times, for 150ms in all",
            "bad input": "not_json 1",
            "stalls": "2, worst 3.2s, 4.1s in all, last 900ms at 2026-11-22 09:50:00.000",
            "suspensions": "1, 8h in all, last 8h at 2026-11-22 09:40:00.000",
            "restarts": "none",
            "brake": "ready",
            "loop lateness": "p50 0ms, p99 1ms, max 12ms, of 5000",
            "verdict lateness": "p50 0ms, p99 2ms, max 2ms, of 9",
            "memory": "34.5 MiB",
            "descriptors": "17 of 1048576",
            "feed": "next event 1, held from 1",
        })

    def test_status_shows_what_a_newer_daemon_counts(self):
        new = {"http": {"connections": 2, "timed_out": 1}, "new_figure": 7}
        with FakeDaemon({"status": [status(**new)]}) as daemon:
            lines = self.succeed(daemon, "status").splitlines()
        self.assertIn("http              connections 2, timed_out 1", lines)
        self.assertIn("new figure        7", lines)

    def test_status_says_that_the_brake_holds_and_what_the_clients_have_in_common(self):
        last = {"from": "2026-11-22T09:50:00.000Z", "until": "2026-11-22T09:55:00.000Z", "concerned": 40, "clients": 41,
                "subnet": "10.1.0.0/16", "heard_first": "2026-11-22T09:17:20.000Z",
                "heard_last": "2026-11-22T09:17:30.000Z"}
        brake = {"state": "holding", "count": 1, "waiting": 38, "last": last}
        with FakeDaemon({"status": [status(brake=brake)]}) as daemon:
            out = self.succeed(daemon, "status")
        self.assertIn("closing for silence pauses until 2026-11-22 09:55:00.000: 38 wait, 40 of 41 clients are "
                      "concerned; subnet 10.1.0.0/16, listener several, last heard from 2026-11-22 09:17:20.000 to "
                      "2026-11-22 09:17:30.000", out)
        ended = {"state": "ready", "count": 2, "last": {**last, "ended": "confirmed"}}
        with FakeDaemon({"status": [status(brake=ended)]}) as daemon:
            out = self.succeed(daemon, "status")
        self.assertRegex(out, r"(?m)^brake +ready; it held 2 times, last from 2026-11-22 09:50:00.000 to "
                         r"2026-11-22 09:55:00.000 \(confirmed\)$")

    def test_brake_ends_it(self):
        for action, printed in (("confirm", "clients that waited and are closed now: 3\n"),
                             ("release", "clients with a new leave period: 3\n")):
            with FakeDaemon({"brake": [done(count=3)]}) as daemon:
                self.assertEqual(self.succeed(daemon, "brake", action), printed)
                self.assertEqual(daemon.requests[-1], {"command": "brake", "action": action})
        error = {"type": "error", "code": "no_brake", "message": "the brake on mass closing does not hold"}
        with FakeDaemon({"brake": [error]}) as daemon:
            self.assertIn("does not hold", self.refuse(daemon, "brake", "confirm").stderr)

    def test_hold_says_until_when_and_release_says_nothing(self):
        with FakeDaemon({"hold": [done(until="2026-11-22T12:00:00.000Z")]}) as daemon:
            self.assertEqual(self.succeed(daemon, "hold", "pump-*", "--for", "2h", "--why", "new firmware"),
                             "no client pump-* is closed for silence until 2026-11-22 12:00:00.000\n")
            self.assertEqual(daemon.requests[-1],
                             {"command": "hold", "match": "pump-*", "for_ms": 7200000, "why": "new firmware"})
        with FakeDaemon({"release": [done()]}) as daemon:
            self.assertEqual(self.succeed(daemon, "release", "pump-*"), "")
            self.assertEqual(daemon.requests[-1], {"command": "release", "match": "pump-*"})

    def test_forget_says_how_many(self):
        with FakeDaemon({"forget": [done(count=3)]}) as daemon:
            self.assertEqual(self.succeed(daemon, "forget", "pump-*"), "closed clients that are forgotten: 3\n")
            self.assertEqual(daemon.requests[-1], {"command": "forget", "match": "pump-*"})
        with FakeDaemon({"forget": [done(count=0)]}) as daemon:
            self.assertIn("no closed client matches", self.refuse(daemon, "forget", "pump-*").stderr)

    def test_a_drain_says_how_many_and_status_how_far(self):
        with FakeDaemon({"drain": [{"type": "done", "rate": 20, "count": 388}]}) as daemon:
            self.assertEqual(self.succeed(daemon, "drain", "--rate", "20", "--retry-after", "30s"),
                             "388 clients are drained now, 20 a second; heartbeatctl status shows how many are left\n")
            self.assertEqual(daemon.requests[-1], {"command": "drain", "rate": 20, "retry_after_ms": 30000})
        with FakeDaemon({"drain": [done(count=12)]}) as daemon:
            self.assertEqual(self.succeed(daemon, "drain", "--stop"), "clients that were drained: 12\n")
            self.assertEqual(daemon.requests[-1], {"command": "drain", "stop": True})
        drain = {"since": "2020-01-22T10:00:00.000Z", "uid": 1000, "rate": 20, "retry_after_ms": 30000, "drained": 12,
                 "left": 388, "complete": False}
        with FakeDaemon({"status": [status(drain=drain)]}) as daemon:
            self.assertRegex(self.succeed(daemon, "status"),
                             r"(?m)^drain +12 drained, 388 left; at 20 a second since 2020-01-22 .*, by uid 1000$")

    def test_status_lists_holds_and_groups(self):
        hold = {"match": "pump-*", "why": "new firmware", "uid": 1000, "since": "2026-11-22T10:00:00.000Z",
                "until": "2026-11-22T12:00:00.000Z"}
        rule = {"tick_ms": 1000, "threshold": 5, "cursor": 3, "recover": 5, "leave_timeout_ms": 60000}
        groups = [{"name": "games", "alive": 3, "leave": 1, "rule": rule}]
        with FakeDaemon({"status": [status(holds=[hold], groups=groups)]}) as daemon:
            out = self.succeed(daemon, "status")
        self.assertRegex(out, r"(?m)^hold +pump-\* until 2026-11-22 12:00:00.000, by uid 1000: new firmware$")
        self.assertRegex(out, r"(?m)^group games +3 alive, 1 in leave; tick 1s, threshold 5, cursor 3, recover 5, leave_timeout 1min$")

    def test_status_says_none_where_nothing_occurred(self):
        with FakeDaemon({"status": [status(closes={}, stalls={"count": 0, "total_ms": 0})]}) as daemon:
            out = self.succeed(daemon, "status")
        self.assertRegex(out, r"(?m)^closes +none$")
        self.assertRegex(out, r"(?m)^stalls +none$")

    def test_status_as_json_is_what_the_daemon_sent(self):
        with FakeDaemon() as daemon:
            self.assertEqual(json_lines(self.succeed(daemon, "status", "--json")), [status()])
            self.assertEqual(json_lines(self.succeed(daemon, "--json", "status")), [status()])

    # --- clients ---

    def test_clients_are_a_table_with_every_column(self):
        with FakeDaemon({"clients": [client("pump-7"), client("127.0.0.1:4", status="leave", silence=2)]}) as daemon:
            head, first, second = self.succeed(daemon, "clients").splitlines()
        self.assertEqual(head.split(), ["NAME", "STATUS", "SILENCE", "STRIKES", "MARGIN", "LEAST", "HEARD", "PEER",
                                        "CONNECTED", "STEADY", "INTERVAL", "BEATS", "CLAIMS", "PID"])
        self.assertEqual(first.split(), ["pump-7", "alive", "0/5", "0/3", "100%", "80%", "2.5s", "127.0.0.1:40001",
                                         "2026-11-22", "08:55:14", "3/5", "10.0s", "360", "192.168.1.105", "26464"])
        self.assertEqual(second.split()[:3], ["127.0.0.1:4", "leave", "2/5"])

    def test_clients_asks_for_what_was_asked(self):
        with FakeDaemon({"clients": [client("pump-7")]}) as daemon:
            self.succeed(daemon, "clients", "--json", "--status", "leave", "--match", "p*", "--sort", "silence",
                         "--limit", "7")
            self.assertEqual(daemon.requests, [{"command": "clients", "limit": 7, "status": "leave", "match": "p*",
                                                "sort": "silence"}])

    def paged(self, count):
        """Answers with pages of a list of so many clients."""
        def answer(request):
            first = int(request.get("cursor", "0"))
            last = min(first + request["limit"], count)
            more = {"next": str(last)} if last < count else {}
            return [client(f"pump-{at}") for at in range(first, last)] + [done(count=last - first, **more)]
        return answer

    def test_a_long_list_is_followed_to_its_end(self):
        with FakeDaemon({"clients": self.paged(2500)}) as daemon:
            names = [each["name"] for each in json_lines(self.succeed(daemon, "clients", "--json"))]
            self.assertEqual(names, [f"pump-{at}" for at in range(2500)])
            rows = self.succeed(daemon, "clients").splitlines()
            self.assertEqual([row.split()[0] for row in rows], ["NAME", *names])

    def test_a_list_ends_at_its_limit(self):
        with FakeDaemon({"clients": self.paged(2500)}) as daemon:
            names = [each["name"] for each in json_lines(self.succeed(daemon, "clients", "--json", "--limit", "1001"))]
            self.assertEqual(len(names), 1001)
            self.assertEqual([request["limit"] for request in daemon.requests], [1000, 1])

    def test_a_sorted_list_that_was_cut_says_so(self):
        with FakeDaemon({"clients": self.paged(10000)}) as daemon:
            result = run(daemon, "clients", "--json", "--sort", "name")
        self.assertEqual(result.returncode, 0)
        self.assertEqual(result.stderr, "heartbeatctl: these are the first 10000; a sorted list has no more\n")

    def test_no_client_that_matches_is_a_no(self):
        with FakeDaemon({"clients": []}) as daemon:
            for arguments in (["clients", "--status", "leave"], ["clients", "--json", "--match", "x*"]):
                result = self.refuse(daemon, *arguments)
                self.assertEqual((result.stdout, result.stderr), ("", "heartbeatctl: no client matches\n"))

    def test_closed_lists_when_and_why_and_says_what_is_beyond_the_limit(self):
        gone = {**client("pump-7"), "type": "closed", "status": "close", "margin_least": 0.34, "connected_ms": 31000,
                "close": {"at": "2026-11-22T09:55:14.570Z", "reason": "bad_frame", "by": "daemon", "detail": "length 0"}}
        with FakeDaemon({"closed": [gone, done(count=1, matching=3, remembered=9)]}) as daemon:
            result = run(daemon, "closed", "--since", "1h", "--reason", "bad_frame", "--match", "pump-*", "--limit", "1")
            self.assertEqual((result.returncode, result.stderr), (0, "heartbeatctl: these are the last 1 of 3\n"))
            heading, row = (line.split() for line in result.stdout.splitlines())
            self.assertEqual(heading[:4], ["NAME", "CLOSED", "REASON", "BY"])
            self.assertEqual(row[:5], ["pump-7", "2026-11-22", "09:55:14", "bad_frame", "daemon"])
            self.assertEqual(row[-2:], ["length", "0"])
            self.assertEqual(daemon.requests[-1], {"command": "closed", "limit": 1, "since": "1h", "reason": "bad_frame",
                                                   "match": "pump-*"})
            self.assertEqual(json.loads(run(daemon, "--json", "closed").stdout), gone)
        with FakeDaemon({"closed": [done(count=0, matching=0, remembered=0)]}) as daemon:
            result = run(daemon, "closed")
            self.assertEqual((result.returncode, result.stdout, result.stderr),
                             (0, "", "heartbeatctl: no closed client is remembered\n"))
            self.assertEqual(run(daemon, "closed", "--match", "x").returncode, 1)

    def test_an_empty_fleet_is_an_answer(self):
        with FakeDaemon({"clients": []}) as daemon:
            result = run(daemon, "clients")
            self.assertEqual((result.returncode, result.stdout, result.stderr),
                             (0, "", "heartbeatctl: no client is connected\n"))
            result = run(daemon, "--json", "clients")
            self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))

    def test_why_words_the_verdict_in_the_zone_of_the_reader(self):
        story = {**STORY, "verdict_exact": "kicked at 2020-01-22T10:00:00.000Z: in leave for 30 min"}
        with FakeDaemon({"why": [story]}) as daemon:
            for zone, first in (("UTC0", "kicked at 2020-01-22 10:00:00 UTC: in leave for 30 min"),
                                ("CET-1", "kicked at 2020-01-22 11:00:00 CET: in leave for 30 min")):
                out = run(daemon, "why", "pump-7", TZ=zone).stdout
                self.assertEqual(out.splitlines()[0], first)
                self.assertIn(f"WHEN ({zone[:3]})", out)

    def test_a_name_cannot_send_escapes(self):
        name = "a\x1b]0;owned\x07\u009b2J\u202eb"
        with FakeDaemon({"clients": [client(name)], "why": [{**STORY, "client": client(name), "verdict": name}],
                         "settings": [{"type": "setting", "name": name, "value": name, "origin": name}],
                         "kick": [{"type": "not_found", "client": name}]}) as daemon:
            for arguments in (["clients"], ["why", "x"], ["settings"], ["kick", "x"], ["clients", "--json"],
                              ["why", "x", "--json"]):
                with self.subTest(arguments):
                    result = run(daemon, *arguments)
                    for text in (result.stdout, result.stderr):
                        self.assertFalse(set(text) & set("\x1b\x07\u009b\u202e"), text)
            listed = json_lines(self.succeed(daemon, "clients", "--json"))
            self.assertEqual(listed[0]["name"], name)

    # --- why ---

    def test_why_begins_with_the_verdict_and_lays_the_stalls_over_the_moments(self):
        with FakeDaemon({"why": [STORY]}) as daemon:
            out = self.succeed(daemon, "why", "pump-7")
            self.assertEqual(daemon.requests[0], {"command": "why", "client": "pump-7"})
        self.assertEqual(out.splitlines()[0], STORY["verdict"])
        self.assertEqual(out[out.index("WHEN"):].splitlines(), [
            "WHEN (UTC)               WHAT",
            "…                        3 moments were forgotten, to keep within bounds",
            "2026-11-22 08:00:00.000  connected from 127.0.0.1:40001",
            "2026-11-22 08:10:12.345  had been silent for 12.345s, 1 whole tick",
            "2026-11-22 08:20:00.000  declared itself leave",
            "2026-11-22 08:25:00.000  return: alive again",
            "2026-11-22 08:26:00.000  taken over by a connection from 127.0.0.1:40002",
            "2026-11-22 08:31:50.000  the daemon itself was stalled for 3.200s",
            "2026-11-22 08:31:50.000  strike 1",
            "2026-11-22 09:30:00.000  leave (silent)",
            "2026-11-22 09:31:00.000  hiccup",
            "2026-11-22 10:00:00.000  closed by the daemon: silent",
        ])
        self.assertRegex(out, r"(?m)^claims +10\.0\.0\.7, pid 77$")

    def test_why_names_the_proxy_and_the_certificate_that_a_client_came_with(self):
        proxied = {**STORY, "client": {**STORY["client"], "via": "10.1.0.1:4711", "certificate": "pump"}}
        with FakeDaemon({"why": [proxied]}) as daemon:
            out = self.succeed(daemon, "why", "pump-7")
        self.assertRegex(out, r"(?m)^peer +127\.0\.0\.1:40001, via 10\.1\.0\.1:4711$")
        self.assertRegex(out, r"(?m)^certificate +pump$")

    def test_why_tells_of_the_brake_and_of_suspensions(self):
        brake = {"from": "2026-11-22T09:50:00.000Z", "until": "2026-11-22T09:55:00.000Z", "concerned": 40,
                 "clients": 41, "ended": "ran_out"}
        story = {**STORY, "moments": [{"at": "2026-11-22T09:56:00.000Z", "what": "renewed"}], "brakes": [brake],
                 "stalls": [{"at": "2026-11-22T08:31:50.000Z", "suspended_ms": 3200}], "forgotten": 0}
        with FakeDaemon({"why": [story]}) as daemon:
            out = self.succeed(daemon, "why", "pump-7")
        self.assertEqual(out[out.index("WHEN"):].splitlines(), [
            "WHEN (UTC)               WHAT",
            "2026-11-22 08:31:50.000  the machine was suspended for 3.200s",
            "2026-11-22 09:50:00.000  closing for silence pauses: 40 of 41 clients would be closed",
            "2026-11-22 09:55:00.000  closing goes on (ran_out)",
            "2026-11-22 09:56:00.000  an operator gave it a new leave period",
            "2026-11-22 10:00:00.000  closed by the daemon: silent",
        ])

    def test_why_tells_that_a_client_was_held_back(self):
        story = {**STORY, "moments": [{"at": "2026-11-22T09:56:00.000Z", "what": "limited"}], "stalls": [], "forgotten": 0}
        with FakeDaemon({"why": [story]}) as daemon:
            out = self.succeed(daemon, "why", "pump-7")
        self.assertIn("2026-11-22 09:56:00.000  beat faster than max_rate: read no faster from here on\n", out)

    def test_why_shows_local_time(self):
        with FakeDaemon({"why": [STORY]}) as daemon:
            out = run(daemon, "why", "pump-7", TZ="CET-1").stdout
        self.assertIn("WHEN (CET)", out)
        self.assertIn("2026-11-22 09:10:12.345  had been silent", out)

    def test_why_of_a_connected_client_tells_its_standing(self):
        story = {"type": "story", "client": client("pump-7", status="leave", closes="2026-11-22T10:25:00.000Z"),
                 "connected_now": True, "verdict": "in leave", "moments": [], "forgotten": 0, "stalls": []}
        with FakeDaemon({"why": [story]}) as daemon:
            out = self.succeed(daemon, "why", "pump-7")
        self.assertIn("silence 0/5, strikes 0/3, steady 3/5, margin 100%, least margin 80%", out)
        self.assertIn("at 2026-11-22 10:25:00.000 unless it returns", out)

    def test_why_as_json_is_the_story(self):
        with FakeDaemon({"why": [STORY]}) as daemon:
            self.assertEqual(json_lines(self.succeed(daemon, "why", "pump-7", "--json")), [STORY])

    def test_why_of_nobody_is_a_no(self):
        error = {"type": "error", "code": "no_such_client", "message": "no client is called 'x'"}
        with FakeDaemon({"why": [error]}) as daemon:
            result = self.refuse(daemon, "why", "x")
            self.assertEqual((result.stdout, result.stderr), ("", "heartbeatctl: no client is called 'x'\n"))
            result = self.refuse(daemon, "why", "x", "--json")
            self.assertEqual(json_lines(result.stdout), [error])

    # --- orders ---

    def test_kick_tells_of_each(self):
        kicked = [{"type": "kicked", "client": "a"}, {"type": "kicked", "client": "b"}]
        with FakeDaemon({"kick": kicked}) as daemon:
            out = self.succeed(daemon, "kick", "a", "b", "--message", "moving you")
            self.assertEqual(out, "CLIENT  RESULT\na       kicked\nb       kicked\n")
            self.assertEqual(daemon.requests[-1], {"command": "kick", "clients": ["a", "b"], "message": "moving you"})
            self.assertEqual(json_lines(self.succeed(daemon, "--json", "kick", "a", "b")), kicked)

    def test_kick_of_one_that_is_not_there_is_a_no_and_the_others_go(self):
        with FakeDaemon({"kick": [{"type": "kicked", "client": "a"}, {"type": "not_found", "client": "b"}]}) as daemon:
            result = self.refuse(daemon, "kick", "a", "b")
        self.assertEqual(result.stdout, "CLIENT  RESULT\na       kicked\nb       not found\n")
        self.assertEqual(result.stderr, "heartbeatctl: no such client: b\n")

    def test_many_are_kicked_in_orders_that_fit_a_frame(self):
        with FakeDaemon({"kick": lambda request: [{"type": "kicked", "client": name} for name in request["clients"]]
                         + [done(count=len(request["clients"]))]}) as daemon:
            names = [f'{at:03}{chr(34) * 61}' for at in range(250)]
            rows = self.succeed(daemon, "kick", *names).splitlines()
            self.assertEqual(len(rows), 251)
            self.assertEqual([len(request["clients"]) for request in daemon.requests], [100, 100, 50])

    def test_a_name_that_begins_with_a_dash_is_one_after_two(self):
        with FakeDaemon({"kick": [{"type": "kicked", "client": "-x"}]}) as daemon:
            self.succeed(daemon, "kick", "--", "-x")
            self.assertEqual(daemon.requests[0]["clients"], ["-x"])

    def test_log_level(self):
        answer = done(**{"from": "info", "to": "debug"})
        with FakeDaemon({"log_level": [answer]}) as daemon:
            self.assertEqual(self.succeed(daemon, "log-level", "debug"), "log level info -> debug\n")
            self.assertEqual(daemon.requests[0], {"command": "log_level", "level": "debug"})
            self.assertEqual(json_lines(self.succeed(daemon, "log-level", "debug", "--json")), [answer])

    def test_reload_tells_what_changed_and_what_cannot(self):
        answer = done(changed=[{"name": "tick", "from": "10s", "to": "5s"}], needs_restart=["backlog"])
        with FakeDaemon({"reload": [answer]}) as daemon:
            self.assertEqual(self.succeed(daemon, "reload"),
                             "SETTING  WAS  IS\ntick     10s  5s\n"
                             "backlog has changed in the file, and will count after a restart\n")
            self.assertEqual(json_lines(self.succeed(daemon, "reload", "--json")), [answer])

    def test_reload_of_the_same_changes_nothing(self):
        with FakeDaemon({"reload": [done(changed=[], needs_restart=[])]}) as daemon:
            self.assertEqual(self.succeed(daemon, "reload"), "nothing changed\n")

    def test_a_file_that_is_refused_is_a_no_with_every_error(self):
        error = {"type": "error", "code": "config_invalid", "message": "the file is refused: nothing has changed",
                 "errors": ["heartbeatd.toml:3:8: tick: no unit", "heartbeatd.toml:9:1: tik: no such key"]}
        with FakeDaemon({"reload": [error]}) as daemon:
            result = self.refuse(daemon, "reload")
            self.assertEqual(result.stderr, "".join(
                f"heartbeatctl: {line}\n" for line in [error["message"], *error["errors"]]))
            self.assertEqual(json_lines(self.refuse(daemon, "reload", "--json").stdout), [error])

    def test_settings(self):
        settings = [{"type": "setting", "name": "tick", "value": '"10s"', "origin": "default"},
                    {"type": "setting", "name": "threshold", "value": 7, "origin": "/etc/heartbeatd.toml:3"}]
        with FakeDaemon({"settings": settings}) as daemon:
            self.assertEqual(self.succeed(daemon, "settings"),
                             "SETTING    VALUE  ORIGIN\n"
                             'tick       "10s"  default\n'
                             "threshold  7      /etc/heartbeatd.toml:3\n")
            self.assertEqual(json_lines(self.succeed(daemon, "settings", "--json")), settings)


if __name__ == "__main__":
    unittest.main()
