"""The recipes of docs/fleet.md, run as they stand there: only addresses, ports, files, names and digests are put in."""
import hashlib
import os
import re
import signal
import subprocess
import tempfile
import unittest

from fleet import FLEET, Connection, FleetTest, RedisError, free_port, rows, wait_until

from certificates import OPENSSL, Authority  # of tests/process

DOCUMENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "fleet.md")


def blocks(heading):
    """The indented blocks under this heading, in order."""
    with open(DOCUMENT, encoding="utf-8") as file:
        section = file.read().split(f"## {heading}\n")[1].split("\n## ")[0]
    return [re.sub(r"(?m)^    ", "", block) for block in re.findall(r"(?m)(?:^    .*\n)+", section)]


class Recipes(FleetTest):
    def put(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="heartbeat-recipe-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def run_server(self, program, path, port):
        process = subprocess.Popen([program, path], stdout=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process, port

    def relay_settings(self, block, **changes):
        settings = {}
        for name, value in re.findall(r"(?m)^(\w+) = (.*)$", block):
            settings[name] = (value == "true" if value in ("true", "false") else
                              re.findall(r'"([^"]*)"', value) if value.startswith("[") else value.strip('"'))
        for name, value in changes.items():
            assert name in settings, f"the recipe has no {name}"
            settings[name] = value
        return settings

    @unittest.skipIf(OPENSSL is None, "openssl is not installed (tools/setup check)")
    def test_rights_and_tls(self):
        acl, redis_conf, relay_toml = blocks("Redis with rights and TLS")
        authority = Authority(self)
        authority.issue("redis", alternative="IP:127.0.0.1")
        authority.issue("relay")
        digest = hashlib.sha256(b"secret").hexdigest()
        users = self.put("users.acl", acl.replace("FLEET", FLEET).replace("DIGEST", digest))
        port, plain = free_port(), free_port()
        conf = redis_conf.replace("tls-port 6379", f"tls-port {port}").replace("port 0", f"port {plain}", 1)
        conf = conf.replace("/etc/redis/users.acl", users)
        for name in ("redis.pem", "redis.key", "ca.pem"):
            conf = conf.replace(f"/etc/redis/{name}", authority.path(name))
        self.assertNotIn("/etc", conf)
        server, _ = self.run_server("redis-server", self.put("redis.conf", conf + f"dir {self.folder}\nsave \"\"\n"), plain)

        def operator():
            try:
                connection = Connection(plain)
                self.addCleanup(connection.close)
                connection("AUTH", "operator", "secret")
                return connection
            except OSError:
                return None

        ask = wait_until(operator, "Redis answers")
        password = self.put("password", "secret\n")
        settings = self.relay_settings(relay_toml, redis=f"127.0.0.1:{port}", password_file=password,
                                       tls_ca=authority.path("ca.pem"), tls_certificate=authority.path("relay.pem"),
                                       tls_key=authority.path("relay.key"))

        class Server:
            port = plain

        daemons = [self.start() for _ in range(2)]
        relays = [self.relay(daemon, Server, f"n{at + 1}", **settings) for at, daemon in enumerate(daemons)]
        for relay in relays:
            relay.wait_log("publishing ")
        self.held = [self.clients(daemon, 3, prefix=f"p{at}") for at, daemon in enumerate(daemons)]
        self.assert_view(ask, ("n1", daemons[0]), ("n2", daemons[1]))
        # The operator's line is enough for each view and order.
        config = self.put("operator.toml", open(os.path.join(relays[0].folder.name, "relay.toml"), encoding="utf-8").read()
                          .replace('"heartbeat-relay"', '"operator"'))
        for words in ((), ("clients",), ("where", "p0-1"), ("why", "p0-1"), ("kick", "p0-1"), ("drain", "n2", "--rate", "9"),
                      ("drain", "n2", "--stop"), ("check",)):
            done = subprocess.run([os.environ["HEARTBEATCTL"], "fleet", *words, "--relay-config", config],
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, (words, done.stdout, done.stderr))
        relays[1].kill()
        wait_until(lambda: subprocess.run([os.environ["HEARTBEATCTL"], "fleet", "forget", "n2", "--relay-config", config],
                                          capture_output=True, check=False).returncode == 0, "n2 is forgotten")
        # Nobody comes in without a name, and the operator can do no more.
        with self.assertRaises(RedisError):
            Connection(plain)("GET", f"hb:{FLEET}:nodes")
        for words in (("FLUSHALL",), ("GET", "other"), ("CONFIG", "GET", "*")):
            with self.assertRaises(RedisError):
                ask(*words)
        # A renewed password file is read by a reload.
        relays[0].process.send_signal(signal.SIGHUP)
        relays[0].wait_log("publishing ", count=2)
        relays[0].end()
        self.assertIsNone(server.poll())

    def test_sentinels(self):
        redis_conf, sentinel_conf, relay_toml = blocks("Redis with Sentinels")
        ports = [free_port(), free_port()]
        own = [line for line in redis_conf.splitlines() if not line.startswith("replicaof")]
        replica = [line.replace("10.0.0.9 6379", f"127.0.0.1 {ports[0]}") for line in redis_conf.splitlines()]
        servers = []
        for number, lines in enumerate((own, replica)):
            text = "\n".join(lines) + f"\nport {ports[number]}\nbind 127.0.0.1\ndir {self.folder}\nsave \"\"\n"
            servers.append(self.run_server("redis-server", self.put(f"redis{number}.conf", text), ports[number]))

        def asked(port):
            def ask(*words):
                connection = Connection(port)
                try:
                    return connection(*words)
                finally:
                    connection.close()
            return ask

        def answers(port):
            try:
                return asked(port)("PING") == "PONG" and "link_status:down" not in asked(port)("INFO", "replication")
            except (OSError, RedisError):
                return False

        wait_until(lambda: all(answers(port) for port in ports), "both answer")
        sentinels = []
        for number in range(3):
            sentinels.append(free_port())
            text = sentinel_conf.replace("10.0.0.9 6379", f"127.0.0.1 {ports[0]}").replace("26379", str(sentinels[-1]))
            os.mkdir(os.path.join(self.folder, f"s{number}"))
            self.run_server("redis-sentinel", self.put(f"s{number}/sentinel.conf", text + "bind 127.0.0.1\n"), sentinels[-1])

        def knows(port):
            try:
                state = asked(port)("SENTINEL", "MASTER", "fleet")
                facts = dict(zip(state[::2], state[1::2]))
                return facts["num-other-sentinels"] == "2" and facts["num-slaves"] == "1"
            except (OSError, RedisError):
                return False

        wait_until(lambda: all(knows(port) for port in sentinels), "the Sentinels know one another")
        settings = self.relay_settings(relay_toml, sentinels=[f"127.0.0.1:{port}" for port in sentinels])

        class Server:
            port = 0

        daemon = self.start()
        relay = self.relay(daemon, Server, "n1", redis=None, **settings)
        relay.wait_log("publishing ")
        self.held = self.clients(daemon, 3)
        self.assert_view(asked(ports[0]), ("n1", daemon))
        wait_until(lambda: len(rows(asked(ports[1]), "n1")) == 3, "the replica has it")
        servers[0][0].kill()
        wait_until(lambda: "role:master" in asked(ports[1])("INFO", "replication"), "the replica takes its place")
        # Alone it refuses writes, as the recipe wants, until an operator says otherwise or a replica comes.
        relay.wait_log("NOREPLICAS")
        asked(ports[1])("CONFIG", "SET", "min-replicas-to-write", "0")
        self.clients(daemon, 1, prefix="late")
        self.assert_view(asked(ports[1]), ("n1", daemon))
        relay.end()


if __name__ == "__main__":
    unittest.main()
