"""heartbeatctl fleet: what an operator sees of a fleet, also while a daemon is dead and when Redis is gone."""
import json
import os
import select
import signal
import struct
import subprocess
import tempfile
import time
import unittest

from fleet import FleetTest, key, rows, wait_until

CTL = os.environ["HEARTBEATCTL"]


class View(FleetTest):
    def setUp(self):
        self.server = self.redis()
        self.daemons = [self.start() for _ in range(2)]
        self.relays = [self.relay(daemon, self.server, f"n{at + 1}") for at, daemon in enumerate(self.daemons)]
        for relay in self.relays:
            relay.wait_log("publishing ")
        self.held = [self.clients(daemon, 3, prefix=f"p{at}") for at, daemon in enumerate(self.daemons)]
        self.assert_view(self.server, ("n1", self.daemons[0]), ("n2", self.daemons[1]))
        for node in ("n1", "n2"):
            wait_until(lambda node=node: self.node(node).get("alive") == 3, f"the lease of {node} counts three")

    def fleet(self, *words, code=0):
        config = os.path.join(self.relays[0].folder.name, "relay.toml")
        done = subprocess.run([CTL, "--json", "--timeout", "2s", "fleet", *words, "--relay-config", config],
                              capture_output=True, text=True, check=False)
        if code is not None:
            self.assertEqual(done.returncode, code, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def node(self, name):
        return next((each for each in self.fleet(code=None) if each["type"] == "node" and each["node"] == name), {})

    def test_a_fleet_that_is_well(self):
        self.assertEqual([(each["node"], each["state"], each["unknown"]) for each in self.fleet()],
                         [("n1", "current", 0), ("n2", "current", 0)])
        self.assertEqual(len(self.fleet("clients")), 6)
        self.assertEqual([each["node"] for each in self.fleet("clients", "--match", "p1-2")], ["n2"])
        self.assertEqual([each["node"] for each in self.fleet("where", "p0-1")], ["n1"])
        story = [each.get("event") for each in self.fleet("why", "p0-1")]
        self.assertIn("joined", story)
        self.fleet("where", "nobody", code=1)
        self.fleet("check")

    def test_a_dead_daemon_makes_its_clients_unknown_and_never_closed(self):
        self.daemons[0].kill()
        wait_until(lambda: self.node("n1").get("state") == "unknown", "n1 is unknown")
        self.assertEqual(self.node("n1")["unknown"], 3)
        self.assertEqual({each["status"] for each in self.fleet("clients", "--node", "n1")}, {"unknown"})
        self.fleet(code=1)
        # One comes to the other node, and is no longer unknown.
        self.connect(self.daemons[1]).sync(id="p0-0")
        wait_until(lambda: "p0-0" in rows(self.server, "n2"), "its row")
        wait_until(lambda: self.node("n1")["unknown"] == 2, "two are left")
        self.assertEqual([each["node"] for each in self.fleet("clients", "--match", "p0-0")], ["n2"])
        self.fleet("check")
        self.fleet("forget", "n2", code=1)  # it lives
        self.fleet("forget", "n1")
        self.assertEqual([each["node"] for each in self.fleet()], ["n2"])

    def test_a_kick_goes_to_the_node_that_has_the_client(self):
        self.assertEqual([each["node"] for each in self.fleet("kick", "p1-0")], ["n2"])
        self.assertEqual(self.daemons[1].wait("close", client="p1-0")["reason"], "kicked")
        self.fleet("kick", "nobody", code=1)

    def test_a_drain_of_a_node_is_ordered_shown_and_ended(self):
        self.assertEqual(self.fleet("drain", "n1", "--rate", "20"), [{"type": "ordered", "node": "n1", "rate": 20}])
        self.daemons[0].wait("drain_complete:")
        self.assertEqual([each["reason"] for each in self.daemons[0].lines("close")], ["drained"] * 3)
        wait_until(lambda: self.node("n1")["draining"] and self.node("n1")["alive"] == 0, "the lease says so")
        self.assertEqual(self.node("n1")["state"], "current")
        self.assertFalse(self.node("n2")["draining"])
        self.assertRegex(self.text(), r"(?m)^n1 +draining +0 ")
        self.fleet("drain", "n1", "--stop")
        wait_until(lambda: not self.node("n1")["draining"], "the end")
        self.connect(self.daemons[0]).sync(id="back")
        for wrong in (("drain",), ("drain", "n1", "--rate", "10001"), ("drain", "n1", "--stop", "--rate", "5"),
                      ("clients", "--rate", "5"), ("--stop",)):
            with self.subTest(wrong=wrong):
                self.fleet(*wrong, code=2)
        self.fleet("drain", "n9", code=1)
        self.daemons[1].kill()
        wait_until(lambda: self.node("n2").get("state") == "unknown", "n2 is unknown")
        self.fleet("drain", "n2", code=1)  # nobody would obey

    def text(self, *words):
        config = os.path.join(self.relays[0].folder.name, "relay.toml")
        return subprocess.run([CTL, "fleet", *words, "--relay-config", config], capture_output=True, text=True,
                              check=False).stdout

    def watch(self, *words):
        config = os.path.join(self.relays[0].folder.name, "relay.toml")
        process = subprocess.Popen([CTL, "--json", "fleet", "watch", *words, "--relay-config", config],
                                   stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.kill)
        return process

    @staticmethod
    def read_until(process, **members):
        """The records up to the first with these members; without any, the next one."""
        records = []
        for line in process.stdout:
            records.append(json.loads(line))
            if all(records[-1].get(name) == value for name, value in members.items()):
                return records
        raise AssertionError(f"the feed ended before {members}, after {records}")

    def test_a_feed_goes_on_where_another_stopped_without_a_record_twice_or_missing(self):
        first = self.watch()
        # It follows from its start on: what it prints first shows that it has begun.
        made = []
        wait_until(lambda: made.append(self.connect(self.daemons[0]).sync(id=f"early-{len(made)}")) or self.has_line(first),
                   "it has begun")
        wait_until(lambda: f"early-{len(made) - 1}" in rows(self.server, "n1"), "the last of these")
        records = self.read_until(first, client=f"early-{len(made) - 1}")
        self.held[1][0].close()
        records += self.read_until(first, event="close", client="p1-0")
        first.kill()
        places = {each["node"]: each["position"] for each in records}
        self.assertEqual(set(places), {"n1", "n2"})
        self.connect(self.daemons[0]).sync(id="between")
        self.connect(self.daemons[1]).sync(id="between-2")
        second = self.watch("--since", ",".join(f"{node}={at}" for node, at in places.items()))
        seen = self.read_until(second) + self.read_until(second)
        self.assertEqual({(each["node"], each["event"], each["client"]) for each in seen},
                         {("n1", "joined", "between"), ("n2", "joined", "between-2")})
        only = self.watch("--node", "n2", "--since", "n2=0-0", "--match", "p1-*")
        self.assertEqual([each["event"] for each in self.read_until(only, event="close")],
                         ["begin", "joined", "joined", "joined", "close"])
        for wrong in ("n1", "n1=5", "n1=5-x", "N1=5-0"):
            self.fleet("watch", "--since", wrong, code=2)
        self.fleet("clients", "--since", "n1=5-0", code=2)

    @staticmethod
    def has_line(process):
        return bool(select.select([process.stdout], [], [], 0.3)[0])

    def test_a_trim_below_a_reader_is_told(self):
        top = self.server("XREVRANGE", key("n1", "events"), "+", "-", "COUNT", 1)[0][0]
        for number in range(5):
            self.connect(self.daemons[0]).sync(id=f"trim-{number}")
        wait_until(lambda: "trim-4" in rows(self.server, "n1"), "the records")
        self.server("XTRIM", key("n1", "events"), "MAXLEN", 2)
        feed = self.watch("--node", "n1", "--since", f"n1={top}")
        records = self.read_until(feed, client="trim-4")
        self.assertEqual([(each["type"], each.get("client")) for each in records],
                         [("lost", None), ("record", "trim-3"), ("record", "trim-4")])
        self.assertEqual((records[0]["behind"], records[0]["count"]), (top, 3))
        # A reader that is told of nothing missing where nothing is.
        again = self.watch("--node", "n1", "--since", f"n1={records[1]['position']}")
        self.assertEqual(self.read_until(again, client="trim-4")[0]["type"], "record")

    def test_a_node_that_comes_while_it_is_watched_is_followed(self):
        feed = self.watch()
        daemon = self.start()
        time.sleep(1)
        self.relay(daemon, self.server, "n3").wait_log("publishing ")
        self.connect(daemon).sync(id="new")
        records = [each for each in self.read_until(feed, node="n3", client="new") if each["node"] == "n3"]
        self.assertEqual([each["event"] for each in records], ["begin", "joined"])

    def test_why_says_where_the_whole_story_is(self):
        self.relays[0].write(page="http://127.0.0.1:1/")
        self.relays[0].process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.node("n1").get("page"), "the lease has the page")
        self.assertEqual(self.fleet("why", "p0-1")[-1], {"type": "story", "node": "n1", "page": "http://127.0.0.1:1/"})
        self.assertIn("the whole story is at n1, http://127.0.0.1:1/: heartbeatctl why p0-1", self.text("why", "p0-1"))
        self.assertEqual(self.fleet("why", "p1-1")[-1], {"type": "story", "node": "n2"})

    def test_two_programs_with_one_id_at_two_nodes_are_a_fight(self):
        for turn in range(6):
            daemon = self.daemons[turn % 2]
            self.connect(daemon).sync(id="twin")
            wait_until(lambda turn=turn: "twin" in rows(self.server, f"n{turn % 2 + 1}"), "its row")
            wait_until(lambda turn=turn: "twin" not in rows(self.server, f"n{2 - turn % 2}"), "the other's is gone")
        self.relays[0].wait_log("fight state=began client=twin nodes=n1,n2")
        wait_until(lambda: self.relays[0].metric("heartbeatd_fleet_fights") == 1, "the metric")
        wait_until(lambda: any(each["type"] == "fight" for each in self.fleet()), "the lease names it")
        (fight,) = [each for each in self.fleet() if each["type"] == "fight"]
        self.assertEqual((fight["client"], fight["node"], fight["other"], fight["count"]), ("twin", "n1", "n2", 3))
        self.assertIn("fight of twin between n1 and n2: closed at n1 3 times since", self.text())
        # A client that moved once is none.
        self.connect(self.daemons[1]).sync(id="p0-1")
        self.daemons[0].wait("close", client="p0-1")
        wait_until(lambda: "p0-1" not in rows(self.server, "n1"), "its row")
        self.assertNotIn("client=p0-1 nodes", self.relays[0].log())

    def test_a_clock_that_is_an_hour_off_shows_as_skew_and_orders_nothing(self):
        with open(self.relays[0].program[0], "rb") as program:
            if b"__asan_init" in program.read():
                self.skipTest("a sanitizer wants to be loaded before anything else")
        offsets = tempfile.NamedTemporaryFile()
        self.addCleanup(offsets.close)
        offsets.write(struct.pack("qq", 3_600_000, 0))
        offsets.flush()
        self.relays[0].kill()
        self.relays[0].environment = {"LD_PRELOAD": os.environ["CLOCK_SHIM_LIBRARY"], "CLOCK_SHIM": offsets.name}
        self.relays[0].start()
        self.relays[0].wait_log("publishing ", count=2)
        wait_until(lambda: abs(self.node("n1").get("skew_ms", 0) - 3_600_000) < 60_000, "the skew shows")
        self.assertLess(abs(self.node("n2")["skew_ms"]), 60_000)
        # The later claim wins, whatever the clocks say: from the fast one to the right one, and back.
        self.connect(self.daemons[1]).sync(id="p0-1")
        self.assertEqual(self.daemons[0].wait("close", client="p0-1")["reason"], "superseded")
        self.connect(self.daemons[0]).sync(id="p0-1")
        self.assertEqual(self.daemons[1].wait("close", client="p0-1")["reason"], "superseded")
        self.assert_view(self.server, ("n1", self.daemons[0]), ("n2", self.daemons[1]))
        self.fleet("check")

    def test_redis_that_is_gone_is_an_exit_code_of_its_own(self):
        self.server.kill()
        self.fleet(code=69)

    def test_a_hole_is_found(self):
        # As a writer that is not a relay would leave it.
        time.sleep(0.1)
        copy = self.server("HGET", "hb:plant:nodes", "n1")
        self.server("HSET", "hb:plant:{n1}:rows:" + copy, "p1-0", "1 a 0 elsewhere")
        self.fleet("check", code=1)


if __name__ == "__main__":
    unittest.main()
