#!/usr/bin/env python3
"""`watch`: each event as it comes, once, also across a daemon that goes away."""

import json
import signal
import unittest

from fake_daemon import BOOT, FakeDaemon, client, event, status
from program import Beside, run

OTHER_BOOT = "f" * 32


def sequence(lines):
    return [json.loads(line).get("seq") for line in lines]


class Watch(unittest.TestCase):
    def test_an_event_is_an_aligned_line_as_it_comes(self):
        with FakeDaemon() as daemon, Beside(daemon, "watch") as watch:
            daemon.wait_for_request("watch")
            daemon.emit("joined", ip="10.0.0.7", pid=77)
            self.assertEqual(watch.lines(1), [
                "2026-11-22 09:55:01.001  joined      pump-7                 ip=10.0.0.7 pid=77"])
            daemon.emit("leave", "127.0.0.1:40001", **{"from": "alive", "to": "leave", "reason": "silent"})
            self.assertEqual(watch.lines(1), [
                "2026-11-22 09:55:02.002  leave       127.0.0.1:40001        from=alive to=leave reason=silent"])

    def test_as_json_it_is_what_the_daemon_sent(self):
        with FakeDaemon() as daemon, Beside(daemon, "watch", "--json") as watch:
            daemon.wait_for_request("watch")
            daemon.emit("joined")
            self.assertEqual(json.loads(watch.lines(1)[0]), event(1, "joined"))

    def test_it_asks_for_what_was_asked(self):
        with FakeDaemon() as daemon, Beside(daemon, "watch", "--since", f"{BOOT}:0", "--client", "pump-*", "--event",
                                            "leave,close", "--event", "return", "--snapshot"):
            self.assertEqual(daemon.wait_for_request("watch"), [
                {"command": "watch", "since": f"{BOOT}:0", "snapshot": True, "match": "pump-*",
                 "events": ["leave", "close", "return"]}])

    def test_without_since_it_begins_where_the_feed_stands(self):
        with FakeDaemon({"status": [status(feed={"next": 3, "oldest": 1})]}) as daemon:
            daemon.emit("connected")
            daemon.emit("joined")
            with Beside(daemon, "watch", "--json") as watch:
                self.assertEqual(daemon.wait_for_request("watch"), [{"command": "watch", "since": f"{BOOT}:2"}])
                daemon.emit("leave")
                self.assertEqual(sequence(watch.lines(1)), [3])

    def test_a_snapshot_comes_first_and_is_marked_off(self):
        with FakeDaemon() as daemon:
            daemon.snapshot = [client("pump-7"), client("pump-8")]
            with Beside(daemon, "watch", "--snapshot") as watch:
                first, second, end = watch.lines(3)
                self.assertRegex(first, r"^2026-11-22 09:55:14\.570  snapshot    pump-7 +status=alive silence=0")
                self.assertIn("pump-8", second)
                self.assertEqual(end, "-- end of the snapshot: 2 clients --")

    def test_across_a_dropped_connection_nothing_is_lost_or_told_twice(self):
        with FakeDaemon() as daemon, Beside(daemon, "watch", "--json") as watch:
            daemon.wait_for_request("watch")
            seen = 0
            for drop in range(1, 4):
                for _ in range(5):
                    daemon.emit("strike")
                self.assertEqual(sequence(watch.lines(5)), list(range(seen + 1, seen + 6)))
                seen += 5
                daemon.stop()
                daemon.emit("leave")  # while no connection can hear it
                self.assertEqual(watch.error_line(), "heartbeatctl: the daemon went away (it closed the connection); "
                                                     "trying until it is back")
                daemon.start()
                self.assertEqual(watch.error_line(), f"heartbeatctl: the daemon is back; resuming after {BOOT}:{seen}")
                self.assertEqual(daemon.wait_for_request("watch", drop + 1)[-1]["since"], f"{BOOT}:{seen}")
                self.assertEqual(sequence(watch.lines(1)), [seen + 1])
                seen += 1
            _, out, err = watch.end(signal.SIGINT)
            self.assertEqual((out, err), ("", ""))

    def test_an_event_that_was_cut_off_is_told_once(self):
        whole = event(1, "leave")
        with FakeDaemon() as daemon, Beside(daemon, "watch", "--json") as watch:
            daemon.wait_for_request("watch")
            with daemon.changed:
                daemon.connections[-1][0].sendall(b"\0\0\1\0" + b'{"type":"event","cur')
            daemon.drop()
            daemon.wait_for_request("watch", 2)
            daemon.emit("leave")
            self.assertEqual([json.loads(line) for line in watch.lines(1)], [whole])

    def test_what_happened_before_the_first_event_is_resumed_too(self):
        with FakeDaemon() as daemon, Beside(daemon, "watch", "--json") as watch:
            daemon.wait_for_request("watch")
            daemon.stop()
            daemon.emit("leave")
            daemon.start()
            self.assertEqual(sequence(watch.lines(1)), [1])

    def test_a_snapshot_is_not_told_again(self):
        with FakeDaemon() as daemon:
            daemon.snapshot = [client("pump-7")]
            with Beside(daemon, "watch", "--snapshot") as watch:
                watch.lines(2)
                daemon.drop()
                self.assertNotIn("snapshot", daemon.wait_for_request("watch", 2)[-1])

    def test_a_daemon_that_was_started_anew_is_told_as_a_loss(self):
        with FakeDaemon() as daemon, Beside(daemon, "watch") as watch:
            daemon.wait_for_request("watch")
            daemon.stop()
            daemon.boot = OTHER_BOOT
            daemon.emit("connected")
            daemon.start()
            lost, connected = watch.lines(2)
            self.assertEqual(lost, "-- lost events: the daemon was started anew, and their number is unknown --")
            self.assertIn("connected", connected)
            daemon.drop()
            self.assertEqual(daemon.wait_for_request("watch", 3)[-1]["since"], f"{OTHER_BOOT}:1")

    def test_events_that_were_lost_are_counted(self):
        with FakeDaemon({"watch": [{"type": "lost", "count": 12}]}) as daemon:
            self.assertEqual(run(daemon, "watch").stdout, "-- lost 12 events --\n")
            self.assertEqual(json.loads(run(daemon, "watch", "--json").stdout.splitlines()[0]),
                             {"type": "lost", "count": 12})

    def test_once_it_ends_with_the_daemon(self):
        with FakeDaemon() as daemon, Beside(daemon, "watch", "--once") as watch:
            self.assertIn("following", watch.error_line())
            daemon.drop()
            self.assertIn("went away", watch.error_line())
            self.assertEqual(watch.process.wait(30), 69)

    def test_it_says_at_once_that_it_follows(self):
        following = "heartbeatctl: following; each event is a line from here on (Ctrl-C ends)"
        with FakeDaemon() as daemon, Beside(daemon, "watch") as watch:
            self.assertEqual(watch.error_line(), following)
            daemon.emit("joined")
            self.assertIn("joined", watch.lines(1)[0])

    def test_a_cursor_that_is_none_is_a_bad_command_line(self):
        error = {"type": "error", "code": "bad_request", "message": "since: 'x' is no cursor"}
        with FakeDaemon({"watch": [error]}) as daemon:
            result = run(daemon, "watch", "--since", "x")
        self.assertEqual((result.returncode, result.stdout, result.stderr),
                         (2, "", "heartbeatctl: since: 'x' is no cursor\n"))

    def test_garbage_ends_it(self):
        with FakeDaemon({"watch": [b"\xff" * 8]}) as daemon:
            result = run(daemon, "watch")
        self.assertEqual(result.returncode, 76)
        self.assertIn("is no heartbeatd", result.stderr)

    def test_signals_end_it_quietly(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number), FakeDaemon() as daemon, Beside(daemon, "watch") as watch:
                self.assertIn("following", watch.error_line())
                self.assertEqual(watch.end(number), (-number, "", ""))

    def test_a_reader_that_has_seen_enough_ends_it_quietly(self):
        with FakeDaemon() as daemon, Beside(daemon, "watch") as watch:
            self.assertIn("following", watch.error_line())
            daemon.emit("joined")
            watch.lines(1)
            watch.process.stdout.close()
            daemon.emit("leave")
            self.assertEqual(watch.process.wait(30), -signal.SIGPIPE)
            self.assertEqual(watch.process.stderr.read(), "")
            watch.process.stdout = None

    def test_a_name_cannot_send_escapes(self):
        with FakeDaemon() as daemon, Beside(daemon, "watch") as watch:
            daemon.wait_for_request("watch")
            daemon.emit("joined", "a\x1b[2J\nb", detail="\u009b2J")
            line = watch.lines(1)[0]
            self.assertFalse(set(line) & set("\x1b\u009b"), line)
            self.assertIn(r"a\x1b[2J\nb", line)


if __name__ == "__main__":
    unittest.main()
