"""heartbeatctl fleet: what an operator sees of a fleet, also while a daemon is dead and when Redis is gone."""
import json
import os
import subprocess
import time
import unittest

from fleet import FleetTest, wait_until, rows

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
        return next((each for each in self.fleet(code=None) if each["node"] == name), {})

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
