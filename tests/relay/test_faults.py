"""The relay beside real daemons and a real Redis, through the faults that a fleet meets; after each, what a reader
sees is what the daemons list, no id stands twice, and no record is missing or there twice."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from fleet import LEASE_S, FleetTest, Relay, key, own_list, rows, stream, wait_until


def lease(redis, node):
    """The leases of the node that live."""
    return redis("KEYS", key(node, "lease:*"))


class Faults(FleetTest):
    def fleet_of_two(self, redis, clients=20, **settings):
        daemons = [self.start() for _ in range(2)]
        relays = [self.relay(daemon, redis, f"n{number + 1}", **settings) for number, daemon in enumerate(daemons)]
        for relay in relays:
            relay.wait_log("publishing ")
        self.held = [self.clients(daemon, clients, prefix=f"p{number}") for number, daemon in enumerate(daemons)]
        self.assert_view(redis, ("n1", daemons[0]), ("n2", daemons[1]))
        return daemons, relays

    def test_what_the_stream_says(self):
        redis = self.redis()
        daemon = self.start(tick="200ms", threshold=2, cursor=2, leave_timeout="1s")
        relay = self.relay(daemon, redis, "n1")
        relay.wait_log("publishing ")
        client = self.connect(daemon)
        client.sync(id="pump-7")
        nameless = self.connect(daemon)
        nameless.sync()
        wait_until(lambda: [fields["e"] for _, _, fields in stream(redis, "n1")].count("close") == 2,
                   "both are closed for silence")
        self.assertEqual(rows(redis, "n1"), {})
        words = [fields["e"] for _, _, fields in stream(redis, "n1") if fields.get("c") == "pump-7"]
        self.assertEqual(words, ["joined", "leave", "close"])
        self.assertEqual(stream(redis, "n1")[-1][2]["r"], "silent")
        self.assertEqual(redis("GET", "hb:plant:id:pump-7").split()[0], "n1")
        self.assertEqual(redis("KEYS", "hb:plant:id:127*"), [])  # an address is no identity
        relay.end()

    def test_daemon_killed(self):
        redis = self.redis()
        daemons, relays = self.fleet_of_two(redis)
        daemons[0].kill()
        killed = time.monotonic()
        relays[0].wait_log("daemon_away")
        wait_until(lambda: not lease(redis, "n1"), "the lease runs out")
        self.assertLess(time.monotonic() - killed, 10 * LEASE_S)
        # No daemon closed its clients: the rows stay for a reader, which calls them unknown.
        self.assertEqual(len(rows(redis, "n1")), 20)
        self.assertNotIn("close", [fields["e"] for _, _, fields in stream(redis, "n1")])
        wait_until(lambda: lease(redis, "n2"), "the other's lease lives")

    def test_daemon_started_anew(self):
        redis = self.redis()
        with_control = os.path.join(self.folder(), "control.sock")
        daemon = self.start(control=with_control)
        relay = self.relay(daemon, redis, "n1", control=with_control)
        relay.wait_log("publishing ")
        self.clients(daemon, 3)
        wait_until(lambda: len(rows(redis, "n1")) == 3, "three rows")
        daemon.kill()
        anew = self.start(control=with_control)
        relay.wait_log("publishing ", count=2)
        self.assertEqual(rows(redis, "n1"), {})
        self.assertEqual([fields["e"] for _, _, fields in stream(redis, "n1")].count("begin"), 2)
        relay.end()

    def folder(self):
        folder = tempfile.TemporaryDirectory(prefix="heartbeat-fleet-")
        self.addCleanup(folder.cleanup)
        return folder.name

    def test_relay_killed(self):
        redis = self.redis()
        daemons, relays = self.fleet_of_two(redis)
        relays[0].kill()
        self.held[0].pop().close()
        self.clients(daemons[0], 3, prefix="late")
        relays[0].start()
        self.assert_view(redis, ("n1", daemons[0]), ("n2", daemons[1]))
        self.assertEqual(daemons[0].lines("stall"), [])

    def test_relay_stopped_with_a_storm_meanwhile(self):
        redis = self.redis()
        daemons, relays = self.fleet_of_two(redis)
        relays[0].process.send_signal(signal.SIGSTOP)
        for client in self.held[0]:
            client.close()
        self.clients(daemons[0], 5, prefix="late")
        wait_until(lambda: not lease(redis, "n1"), "the lease runs out")
        relays[0].process.send_signal(signal.SIGCONT)
        self.assert_view(redis, ("n1", daemons[0]), ("n2", daemons[1]))
        wait_until(lambda: lease(redis, "n1"), "the lease is back")

    def test_redis_killed_and_empty(self):
        redis = self.redis()
        daemons, relays = self.fleet_of_two(redis)
        redis.kill()
        relays[0].wait_log("redis_away")
        self.held[0].pop().close()
        redis.start()
        self.assert_view(redis, ("n1", daemons[0]), ("n2", daemons[1]))
        wait_until(lambda: redis("GET", "hb:plant:id:p0-0"), "the owners are back")
        self.assertEqual(daemons[0].lines("stall"), [])

    def test_redis_back_from_an_old_dump(self):
        redis = self.redis()
        daemons, _ = self.fleet_of_two(redis)
        redis("SAVE")
        self.held[0].pop().close()
        self.clients(daemons[0], 5, prefix="late")
        self.assert_view(redis, ("n1", daemons[0]), ("n2", daemons[1]))
        redis.kill()
        redis.start()
        self.assert_view(redis, ("n1", daemons[0]), ("n2", daemons[1]))
        words = [fields["e"] for _, _, fields in stream(redis, "n1")]
        self.assertEqual((words.count("begin"), words.count("gap")), (1, 0))

    def test_redis_stopped(self):
        redis = self.redis()
        daemons, relays = self.fleet_of_two(redis)
        redis.process.send_signal(signal.SIGSTOP)
        self.held[0].pop().close()
        relays[0].wait_log("no reply for 3 s")
        self.clients(daemons[0], 3, prefix="late")
        redis.process.send_signal(signal.SIGCONT)
        self.assert_view(redis, ("n1", daemons[0]), ("n2", daemons[1]))
        self.assertEqual(daemons[0].lines("stall"), [])

    def test_redis_out_of_memory(self):
        redis = self.redis()
        daemons, relays = self.fleet_of_two(redis)
        redis("CONFIG", "SET", "maxmemory", "1")
        self.clients(daemons[0], 3, prefix="late")
        relays[0].wait_log("OOM")
        wait_until(lambda: not lease(redis, "n1"), "a node that cannot publish has no lease")
        before = wait_until(lambda: relays[0].metric("heartbeatd_fleet_connections_total"), "the metrics")
        time.sleep(2)
        # The pause between two tries grows, although each try connects.
        self.assertLess(relays[0].metric("heartbeatd_fleet_connections_total") - before, 10)
        redis("CONFIG", "SET", "maxmemory", "0")
        self.assert_view(redis, ("n1", daemons[0]), ("n2", daemons[1]))

    def test_the_ring_runs_over(self):
        redis = self.redis()
        daemons, relays = self.fleet_of_two(redis, records_max=100)
        redis.process.send_signal(signal.SIGSTOP)
        relays[0].wait_log("no reply for 3 s")
        for turn in range(40):
            for client in self.clients(daemons[0], 2, prefix=f"turn{turn}"):
                client.close()
        redis.process.send_signal(signal.SIGCONT)
        wait_until(lambda: "gap" in [fields["e"] for _, _, fields in stream(redis, "n1")], "the gap")
        self.assert_view(redis, ("n1", daemons[0]), ("n2", daemons[1]))
        self.assertEqual(len(redis("KEYS", key("n1", "rows:*"))), 1)  # the old copy is gone

    def test_a_namesake(self):
        redis = self.redis()
        daemons, relays = self.fleet_of_two(redis)
        namesake = Relay(daemons[1], redis, "n1")
        self.addCleanup(namesake.kill)
        relays[0].wait_log("fenced node=n1")
        wait_until(lambda: relays[0].metric("heartbeatd_fleet_fenced") == 1, "the metric")
        self.assertEqual(len(own_list(daemons[0])), 20)  # no client is kicked for it
        self.held[0][0].close()
        time.sleep(1)
        self.assertIsNone(relays[0].process.poll())
        namesake.wait_log("publishing ")
        self.assertEqual(set(rows(redis, "n1")), set(own_list(daemons[1])))

    def test_a_machine_sleeps_while_a_namesake_begins(self):
        redis = self.redis()
        daemons, relays = self.fleet_of_two(redis)
        daemons[0].send_signal(signal.SIGSTOP)
        relays[0].process.send_signal(signal.SIGSTOP)
        wait_until(lambda: not lease(redis, "n1"), "the lease runs out")
        third = self.start()
        namesake = self.relay(third, redis, "n1")
        namesake.wait_log("publishing ")
        self.clients(third, 2, prefix="third")
        relays[0].process.send_signal(signal.SIGCONT)
        daemons[0].send_signal(signal.SIGCONT)
        relays[0].wait_log("fenced node=n1")
        # What the sleeper had is not mixed into the other's copy, and none of its clients is closed.
        self.assert_view(redis, ("n1", third), ("n2", daemons[1]))
        self.assertEqual(len(own_list(daemons[0])), 20)
        namesake.end()

    def test_an_order_is_lost_with_the_inbox(self):
        redis = self.redis()
        daemons, relays = self.fleet_of_two(redis, clients=3)
        relays[0].process.send_signal(signal.SIGSTOP)
        self.connect(daemons[1]).sync(id="p0-1")
        wait_until(lambda: redis("XLEN", key("n1", "inbox")) == 1, "the order")
        redis("DEL", key("n1", "inbox"))
        relays[0].process.send_signal(signal.SIGCONT)
        # The sweep over the owners finds that another node has the client.
        self.assertEqual(daemons[0].wait("close", client="p0-1")["reason"], "superseded")
        self.assert_view(redis, ("n1", daemons[0]), ("n2", daemons[1]))

    def test_a_drain_moves_the_clients_of_a_node(self):
        redis = self.redis()
        daemons, relays = self.fleet_of_two(redis, clients=2)
        listening = [self.connect(daemons[0]) for _ in range(10)]
        for number, client in enumerate(listening):
            client.sync(id=f"moves-{number}", notify=True)
        self.assert_view(redis, ("n1", daemons[0]), ("n2", daemons[1]))
        redis("XADD", key("n1", "inbox"), "*", "o", "drain", "rate", "50", "by", "test")
        for number, client in enumerate(listening):
            notice = client.read_until(status="close")
            self.assertEqual(notice["reason"], "drained")
            self.assertTrue(10_000 <= notice["retry_after_ms"] < 20_000, notice)
            self.connect(daemons[1]).sync(id=f"moves-{number}", notify=True)
        daemons[0].wait("drain_complete:")
        self.assert_view(redis, ("n1", daemons[0]), ("n2", daemons[1]))
        self.assertEqual(own_list(daemons[0]), {})
        self.assertEqual(len(own_list(daemons[1])), 12)
        closes = [fields["r"] for _, _, fields in stream(redis, "n1") if fields["e"] == "close"]
        self.assertEqual(closes, ["drained"] * 12)
        self.assertEqual(daemons[1].lines("close"), [])
        relays[0].wait_log("order kind=drain rate=50 by=test")
        # A second order ends it, and one more is refused by the daemon.
        for _ in range(2):
            redis("XADD", key("n1", "inbox"), "*", "o", "drain", "rate", "0", "by", "test")
        daemons[0].wait("drain", state="ended")
        relays[0].wait_log("order_refused kind=drain")
        self.connect(daemons[0]).sync(id="stays")
        self.assert_view(redis, ("n1", daemons[0]), ("n2", daemons[1]))

    def test_a_configuration_that_is_refused_changes_nothing(self):
        redis = self.redis()
        daemons, relays = self.fleet_of_two(redis, clients=2)
        relays[0].write(lease="soon")
        relays[0].process.send_signal(signal.SIGHUP)
        relays[0].wait_log("reload_refused")
        self.assertIn("lease", relays[0].log().split("reload_refused")[1])
        self.clients(daemons[0], 2, prefix="late")
        self.assert_view(redis, ("n1", daemons[0]), ("n2", daemons[1]))
        self.assertEqual(relays[0].log().count("publishing "), 1)
        # A renewal later than that reload it still has its lease.
        time.sleep(LEASE_S)
        self.assertTrue(lease(redis, "n1"))
        relays[0].end()

    def test_an_id_comes_to_another_node(self):
        redis = self.redis()
        daemons, _ = self.fleet_of_two(redis, clients=3)
        moved = self.connect(daemons[1])
        moved.sync(id="p0-1", notify=True)
        closed = daemons[0].wait("close", client="p0-1")
        self.assertEqual(closed["reason"], "superseded")
        story = daemons[0].ask("why", client="p0-1")
        self.assertEqual(story["close"]["detail"], "the client has come to the daemon of n2")
        self.assert_view(redis, ("n1", daemons[0]), ("n2", daemons[1]))
        self.assertEqual(len(own_list(daemons[1])), 4)

    def test_a_client_in_leave_on_a_node_that_died_starts_in_leave(self):
        redis = self.redis()
        daemons, _ = self.fleet_of_two(redis, clients=2)
        client = self.held[0][0]
        client.beat(id="p0-0", status="leave")
        wait_until(lambda: rows(redis, "n1")["p0-0"][1] == "l", "its row says leave")
        daemons[0].kill()
        moved = self.connect(daemons[1])
        moved.sync(id="p0-0")
        self.assertEqual(daemons[1].wait("leave", client="p0-0")["reason"], "remembered")
        wait_until(lambda: rows(redis, "n2")["p0-0"][1] == "l", "its row there says leave, too")


class Refusals(FleetTest):
    def one(self, server, **settings):
        daemon = self.start()
        return daemon, self.relay(daemon, server, "n1", **settings)

    def secret(self, text):
        file = tempfile.NamedTemporaryFile("w", suffix=".password")
        self.addCleanup(file.close)
        file.write(text + "\n")
        file.flush()
        return file

    def test_a_wrong_password_and_then_the_right_one(self):
        redis = self.redis()
        redis("ACL", "SETUSER", "relay", "on", ">right", "+@all", "~*")
        file = self.secret("wrong")
        daemon, relay = self.one(redis, user="relay", password_file=file.name)
        relay.wait_log("WRONGPASS")
        self.assertIn("redis_refused", relay.log())
        time.sleep(1)
        self.assertEqual(relay.log().count("WRONGPASS"), 1)
        file.seek(0)
        file.write("right\n")
        file.flush()
        relay.process.send_signal(signal.SIGHUP)
        relay.wait_log("publishing ")
        relay.end()

    def test_the_shipped_rights_are_enough_and_no_more(self):
        redis = self.redis()
        with open(os.environ["ACL_FILE"], encoding="utf-8") as file:
            rule = next(line for line in file if line.startswith("user ")).split()
        rule = [word.replace("FLEET", "plant") for word in rule if not word.startswith("#")]
        self.assertEqual(len([word for word in rule if word.startswith("+")]), 14)
        redis("ACL", "SETUSER", rule[1], *rule[2:], ">right")
        file = self.secret("right")
        daemons = [self.start() for _ in range(2)]
        relays = [self.relay(daemon, redis, f"n{at + 1}", user=rule[1], password_file=file.name)
                  for at, daemon in enumerate(daemons)]
        for relay in relays:
            relay.wait_log("publishing ")
        self.clients(daemons[0], 2, prefix="pump")
        wait_until(lambda: len(rows(redis, "n1")) == 2, "rows")
        self.clients(daemons[1], 1, prefix="pump")
        wait_until(lambda: set(rows(redis, "n1")) == {"pump-1"}, "the order came, and the row went")
        self.assertNotIn("NOPERM", relays[0].log() + relays[1].log())
        denied = [each for each in redis("ACL", "LOG") if rule[1] in each]
        self.assertEqual(denied, [])
        redis("ACL", "SETUSER", rule[1], "-xadd")
        self.clients(daemons[0], 1, prefix="late")
        relays[0].wait_log("NOPERM")

    def test_no_way_there(self):
        redis = self.redis()
        for where, words in ((f"127.0.0.1:{1}", "connection refused"), ("no-such-host.invalid", "does not resolve")):
            with self.subTest(where=where):
                _, relay = self.one(redis, redis=where)
                relay.wait_log(words)
                relay.end()

    def test_a_port_that_speaks_something_else(self):
        redis = self.redis()
        daemon = self.start()
        host, port = daemon.address
        relay = self.relay(daemon, redis, "n1", redis=f"{host}:{port}")
        relay.wait_log("redis_")
        relay.end()

    def test_under_systemd_each_line_is_a_record_with_the_id_of_its_kind(self):
        """A journal of the test's own, in a mount namespace where the real one would be."""
        folder = tempfile.TemporaryDirectory(prefix="heartbeat-journal-")
        self.addCleanup(folder.cleanup)
        namespace = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec",
                     f"mount -t tmpfs none /run; mkdir -p /run/systemd/journal; mount --bind {folder.name} /run/systemd/journal; "
                     'exec "$@"', "sh"]
        if shutil.which("unshare") is None or subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode:
            self.skipTest("no mount namespace can be made here (unshare --user --mount)")
        journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(journal.close)
        journal.bind(os.path.join(folder.name, "socket"))
        journal.settimeout(60)
        redis = self.redis()
        daemon = self.start()
        relay = self.relay(daemon, redis, "n1")
        relay.wait_log("publishing ")
        relay.kill()
        status = os.stat(relay.log_path)
        relay.program = [*namespace, *relay.program]
        relay.environment = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
        before = relay.log()
        relay.start()
        records = []
        while not records or not records[-1]["MESSAGE"].startswith("publishing "):
            text = journal.recv(65536).decode()
            records.append(dict(line.split("=", 1) for line in text.splitlines()))
        self.assertEqual(len(records[-1]["MESSAGE_ID"]), 32)
        self.assertEqual((records[-1]["PRIORITY"], records[-1]["SYSLOG_IDENTIFIER"]), ("6", "heartbeat-relay"))
        self.assertNotIn("MESSAGE_ID", records[0])  # the line of the start has none
        # A journal that is gone loses no line.
        journal.close()
        os.unlink(os.path.join(folder.name, "socket"))
        daemon.kill()
        relay.wait_log("daemon_away")
        self.assertTrue(relay.log().startswith(before))

    def test_too_many_clients_of_redis(self):
        redis = self.redis()
        redis("CONFIG", "SET", "maxclients", "1")
        _, relay = self.one(redis)
        relay.wait_log("redis_away")
        redis("CONFIG", "SET", "maxclients", "100")
        relay.wait_log("publishing ")
        relay.end()

    def test_two_fleets_in_one_redis(self):
        redis = self.redis()
        daemons = [self.start() for _ in range(2)]
        for daemon, fleet in zip(daemons, ("plant", "depot")):
            self.relay(daemon, redis, "n1", fleet=fleet).wait_log("publishing ")
            self.clients(daemon, 1)
        wait_until(lambda: len(rows(redis, "n1")) == 1, "the row")
        time.sleep(1)
        self.assertEqual([len(own_list(daemon)) for daemon in daemons], [1, 1])


if __name__ == "__main__":
    unittest.main()
