"""The relay with the real servers that a fleet may have behind its address: Sentinels, TLS, a Cluster of three masters, a
replica, and a machine that never answers; after each, what a reader sees is what the daemons list."""
import os
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from fleet import Connection, FleetTest, RedisError, free_port, key, rows, stream, wait_until

from certificates import OPENSSL, Authority  # of tests/process


def says(server, fact):
    """Whether the server says so of its replication; a Sentinel that makes it the master closes its connections."""
    try:
        return fact in server("INFO", "replication")
    except OSError:
        return False


class Sentinel:
    """Three Sentinels that watch one master; two must agree that it is down."""

    def __init__(self, test, master):
        self.ports = []
        for _ in range(3):
            port = free_port()
            folder = tempfile.TemporaryDirectory(prefix="heartbeat-sentinel-")
            test.addCleanup(folder.cleanup)
            path = os.path.join(folder.name, "sentinel.conf")
            with open(path, "w", encoding="ascii") as file:
                file.write(f"port {port}\nbind 127.0.0.1\ndir {folder.name}\n"
                           f"sentinel monitor plant 127.0.0.1 {master.port} 2\n"
                           "sentinel down-after-milliseconds plant 500\nsentinel failover-timeout plant 3000\n")
            process = subprocess.Popen(["redis-sentinel", path], stdout=subprocess.DEVNULL)
            test.addCleanup(process.wait)
            test.addCleanup(process.kill)
            self.ports.append(port)
        wait_until(lambda: all(self._knows(port) for port in self.ports), "each Sentinel knows the others and the replica")

    def _knows(self, port):
        try:
            ask = Connection(port)
            state = ask("SENTINEL", "MASTER", "plant")
            ask.close()
        except (OSError, RedisError):
            return False
        facts = dict(zip(state[::2], state[1::2]))
        return facts["num-other-sentinels"] == "2" and int(facts["num-slaves"]) >= 1

    def addresses(self):
        return [f"127.0.0.1:{port}" for port in self.ports]


class Sentinels(FleetTest):
    def fleet(self):
        master = self.redis()
        replica = self.redis("--replicaof", "127.0.0.1", str(master.port))
        wait_until(lambda: says(replica, "master_link_status:up"), "the replica follows")
        sentinels = Sentinel(self, master)
        daemon = self.start()
        relay = self.relay(daemon, master, "n1", redis=None, sentinels=sentinels.addresses(), master="plant")
        relay.wait_log("publishing ")
        self.held = self.clients(daemon, 10)
        self.assert_view(master, ("n1", daemon))
        wait_until(lambda: len(rows(replica, "n1")) == 10, "the replica has the rows")
        return master, replica, daemon, relay

    def test_a_failover_with_the_replica_cut_off_before(self):
        master, replica, daemon, relay = self.fleet()
        replica("REPLICAOF", "127.0.0.1", "1")
        self.clients(daemon, 5, prefix="late")
        self.held.pop().close()
        self.assert_view(master, ("n1", daemon))
        self.assertEqual(len(rows(replica, "n1")), 10)  # accepted by the master, and lost with it
        master.kill()
        relay.wait_log("redis_away")
        wait_until(lambda: says(replica, "role:master"), "the replica is the master")
        self.assert_view(replica, ("n1", daemon))
        words = [fields["e"] for _, _, fields in stream(replica, "n1")]
        self.assertEqual((words.count("begin"), words.count("gap"), words.count("joined")), (1, 0, 15))
        self.assertEqual(daemon.lines("stall"), [])
        relay.end()

    def test_a_sentinel_that_is_gone_and_a_name_that_none_knows(self):
        master, _, daemon, relay = self.fleet()
        relay.write(sentinels=[f"127.0.0.1:{free_port()}", *relay.settings["sentinels"]])
        relay.process.send_signal(signal.SIGHUP)
        relay.wait_log("publishing ", count=2)
        relay.write(master="depot")
        relay.process.send_signal(signal.SIGHUP)
        relay.wait_log("no master depot")
        relay.write(master="plant")
        relay.process.send_signal(signal.SIGHUP)
        relay.wait_log("publishing ", count=3)
        self.assert_view(master, ("n1", daemon))
        relay.end()


@unittest.skipIf(OPENSSL is None, "openssl is not installed (tools/setup check)")
class Tls(FleetTest):
    def server(self):
        self.authority = Authority(self)
        self.authority.issue("redis", alternative="IP:127.0.0.1")
        self.authority.issue("relay")
        port = free_port()
        server = self.redis("--tls-port", str(port), "--tls-cert-file", self.authority.path("redis.pem"), "--tls-key-file",
                            self.authority.path("redis.key"), "--tls-ca-cert-file", self.authority.path("ca.pem"))
        return server, f"127.0.0.1:{port}"

    def test_both_sides_have_certificates(self):
        server, address = self.server()
        daemon = self.start()
        relay = self.relay(daemon, server, "n1", redis=address, tls=True, tls_ca=self.authority.path("ca.pem"),
                           tls_certificate=self.authority.path("relay.pem"), tls_key=self.authority.path("relay.key"))
        relay.wait_log("publishing ")
        # More bytes than one record of TLS holds.
        self.held = self.clients(daemon, 300)
        self.assert_view(server, ("n1", daemon))
        ctl = subprocess.run([os.environ["HEARTBEATCTL"], "--json", "fleet", "clients", "--relay-config",
                              os.path.join(relay.folder.name, "relay.toml")], capture_output=True, text=True, check=False)
        self.assertEqual((ctl.returncode, len(ctl.stdout.splitlines())), (0, 300), ctl.stderr)
        relay.end()

    def test_no_certificate_and_an_authority_that_did_not_issue_it(self):
        server, address = self.server()
        other = Authority(self, "another authority")
        daemon = self.start()
        relay = self.relay(daemon, server, "n1", redis=address, tls=True, tls_ca=other.path("ca.pem"))
        relay.wait_log("redis_refused")
        self.assertIn("TLS: ", relay.log())
        relay.write(tls_ca=self.authority.path("ca.pem"))
        relay.process.send_signal(signal.SIGHUP)
        relay.wait_log("redis_", count=2)  # Redis wants a certificate, too
        self.assertNotIn("publishing ", relay.log())
        relay.end()

    def test_a_plain_relay_at_a_port_of_tls(self):
        server, address = self.server()
        relay = self.relay(self.start(), server, "n1", redis=address)
        relay.wait_log("redis_")
        self.assertNotIn("publishing ", relay.log())
        relay.end()


class Places(FleetTest):
    def test_a_replica_refuses_until_it_is_the_master(self):
        server = self.redis()
        daemon = self.start()
        relay = self.relay(daemon, server, "n1")
        relay.wait_log("publishing ")
        self.held = self.clients(daemon, 3)
        self.assert_view(server, ("n1", daemon))
        server("REPLICAOF", "127.0.0.1", "1")
        self.clients(daemon, 2, prefix="late")
        relay.wait_log("READONLY")
        wait_until(lambda: relay.metric("heartbeatd_fleet_connected") == 0, "the metric")
        server("REPLICAOF", "NO", "ONE")
        self.assert_view(server, ("n1", daemon))
        relay.end()

    def test_a_connection_that_nobody_answers(self):
        # A full accept queue: the kernel drops what comes beyond it.
        with socket.socket() as mute:
            mute.bind(("127.0.0.1", 0))
            mute.listen(0)
            held = []
            for _ in range(4):
                held.append(socket.socket())
                held[-1].setblocking(False)
                held[-1].connect_ex(mute.getsockname())
            server = self.redis()
            daemon = self.start()
            began = time.monotonic()
            relay = self.relay(daemon, server, "n1", redis=f"127.0.0.1:{mute.getsockname()[1]}")
            relay.wait_log("no connection within 2 s")
            self.assertGreaterEqual(time.monotonic() - began, 2)
            for each in held:
                each.close()
        self.clients(daemon, 1)
        self.assertEqual(daemon.lines("stall"), [])
        relay.write(redis=f"127.0.0.1:{server.port}")
        relay.process.send_signal(signal.SIGHUP)
        self.assert_view(server, ("n1", daemon))
        relay.end()


class Cluster(FleetTest):
    """Three masters without a replica, each with a third of the slots."""

    def setUp(self):
        self.masters = [self.redis("--cluster-enabled", "yes", "--cluster-port", str(free_port()), "--cluster-node-timeout",
                                   "2000") for _ in range(3)]
        for number, master in enumerate(self.masters):
            master("CLUSTER", "ADDSLOTSRANGE", number * 5461, 16383 if number == 2 else (number + 1) * 5461 - 1)
        for number, master in enumerate(self.masters):
            master("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for master in self.masters[1:]:
            bus = master.options[master.options.index("--cluster-port") + 1]
            self.masters[0]("CLUSTER", "MEET", "127.0.0.1", master.port, bus)
        wait_until(lambda: all("cluster_state:ok" in master("CLUSTER", "INFO") for master in self.masters), "the cluster is whole")

    def owner_of(self, name):
        slot = self.masters[0]("CLUSTER", "KEYSLOT", name)
        return slot, slot // 5461 if slot < 16383 else 2

    def asking(self):
        """What a reader of the Cluster asks: follows MOVED."""
        def ask(*words):
            try:
                return self.masters[0](*words)
            except RedisError as error:
                if not str(error).startswith(("MOVED", "ASK")):
                    raise
                port = int(str(error).rsplit(":", 1)[1])
                master = next(each for each in self.masters if each.port == port)
                if str(error).startswith("ASK"):
                    master("ASKING")
                return master(*words)
        return ask

    def test_two_nodes_whose_keys_are_on_different_masters(self):
        ask = self.asking()
        daemons = [self.start() for _ in range(2)]
        places = {}
        for number in range(20):
            places.setdefault(self.owner_of(key(f"n{number}", "events"))[1], f"n{number}")
        names = [places[0], places[1]]
        # Each relay is told of a master that has not its keys.
        relays = [self.relay(daemon, self.masters[2], name) for daemon, name in zip(daemons, names)]
        for relay in relays:
            relay.wait_log("publishing ")
        self.held = [self.clients(daemon, 10, prefix=f"p{at}") for at, daemon in enumerate(daemons)]
        self.assert_view(ask, *zip(names, daemons))
        for name, daemon in zip(names, daemons):
            for client in rows(ask, name):
                wait_until(lambda client=client: ask("GET", f"hb:plant:id:{client}"), f"{client} has an owner")
        # A claim of an id whose owner is at the other node, whose inbox is on another master.
        moved = self.connect(daemons[1])
        moved.sync(id="p0-3")
        self.assertEqual(daemons[0].wait("close", client="p0-3")["reason"], "superseded")
        self.assert_view(ask, *zip(names, daemons))
        ctl = subprocess.run([os.environ["HEARTBEATCTL"], "--json", "fleet", "check", "--relay-config",
                              os.path.join(relays[0].folder.name, "relay.toml")], capture_output=True, text=True, check=False)
        self.assertEqual(ctl.returncode, 0, ctl.stderr)
        for relay in relays:
            self.assertEqual(relay.log().count("publishing "), 1)
            relay.end()

    def test_a_slot_is_moved_while_it_is_written(self):
        ask = self.asking()
        daemon = self.start()
        slot, holder = self.owner_of(key("n1", "events"))
        source, target = self.masters[holder], self.masters[(holder + 1) % 3]
        relay = self.relay(daemon, source, "n1")
        relay.wait_log("publishing ")
        self.held = self.clients(daemon, 10)
        target("CLUSTER", "SETSLOT", slot, "IMPORTING", source("CLUSTER", "MYID"))
        source("CLUSTER", "SETSLOT", slot, "MIGRATING", target("CLUSTER", "MYID"))
        self.clients(daemon, 5, prefix="during")
        while keys := source("CLUSTER", "GETKEYSINSLOT", slot, 100):
            source("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)
            self.clients(daemon, 1, prefix="between")
        for master in (target, source, *self.masters):
            master("CLUSTER", "SETSLOT", slot, "NODE", target("CLUSTER", "MYID"))
        self.clients(daemon, 5, prefix="after")
        self.assert_view(ask, ("n1", daemon))
        wait_until(lambda: ask("KEYS", key("n1", "lease:*")) or target("KEYS", key("n1", "lease:*")), "its lease is where its slot is")
        relay.end()


if __name__ == "__main__":
    unittest.main()
