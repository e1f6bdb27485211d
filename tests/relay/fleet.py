"""A Redis of its own, heartbeat-relay beside each daemon, and the view that a reader of Redis has of them."""
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "process"))
from harness import DaemonTest  # noqa: E402

RELAY = os.environ["RELAY"]
ACL_FILE = os.environ["ACL_FILE"]
BOUND_S = float(os.environ.get("BOUND_S", "60"))
FLEET = "plant"
LEASE_S = 1.5


def wait_until(condition, what):
    end = time.monotonic() + BOUND_S
    while not (result := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"did not come within {BOUND_S:.0f} s: {what}")
        time.sleep(0.02)
    return result


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class RedisError(Exception):
    pass


class Connection:
    """Speaks Redis' protocol."""

    def __init__(self, port, password=None):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._file = self._socket.makefile("rb")
        if password:
            self("AUTH", password)

    def close(self):
        self._file.close()
        self._socket.close()

    def __call__(self, *words):
        words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        self._socket.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        return self._read()

    def _read(self):
        line = self._file.readline()
        if not line:
            raise ConnectionError("Redis closed the connection")
        kind, rest = line[:1], line[1:-2].decode()
        if kind == b"-":
            raise RedisError(rest)
        if kind == b"+":
            return rest
        if kind == b":":
            return int(rest)
        if rest == "-1":
            return None
        if kind == b"$":
            return self._file.read(int(rest) + 2)[:-2].decode()
        items = []
        failure = None
        for _ in range(int(rest)):
            try:
                items.append(self._read())
            except RedisError as error:
                failure = failure or error
        if failure:
            raise failure
        return items


class Redis:
    """A redis-server on a port of 127.0.0.1 that keeps its place over kill() and start()."""

    def __init__(self, *options):
        self.port = free_port()
        self.folder = tempfile.TemporaryDirectory(prefix="heartbeat-redis-")
        self.options = options
        self.process = None
        self._connection = None
        self.start()

    def start(self, *more):
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder.name, "--save", "",
             "--appendonly", "no", *self.options, *more], stdout=subprocess.DEVNULL)
        wait_until(self._answers, "Redis answers")

    def _answers(self):
        try:
            self._connection = Connection(self.port)
            return self._connection("PING") == "PONG"
        except (OSError, RedisError):
            self._connection = None
            return False

    def __call__(self, *words):
        try:
            self._connection = self._connection or Connection(self.port)
            return self._connection(*words)
        except OSError:
            self._connection = None
            raise

    def kill(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()
        if self._connection:
            self._connection.close()
        self._connection = None

    def close(self):
        self.kill()
        self.folder.cleanup()


class Relay:
    def __init__(self, daemon, server, node, journal=None, **settings):
        self.node = node
        self.folder = tempfile.TemporaryDirectory(prefix="heartbeat-relay-")
        self.metrics_file = os.path.join(self.folder.name, "relay.prom")
        self.settings = {"fleet": FLEET, "node": node, "control": daemon.control,
                         "journal": journal or os.path.join(self.folder.name, "none"), "lease": f"{LEASE_S * 1000:.0f}ms",
                         "metrics": self.metrics_file, "redis": f"127.0.0.1:{server.port}", **settings}
        self.environment = {}
        self.program = [RELAY]
        self.write()
        self.log_path = os.path.join(self.folder.name, "log")
        self.start()

    def write(self, **changes):
        self.settings.update(changes)
        with open(os.path.join(self.folder.name, "relay.toml"), "w", encoding="utf-8") as file:
            for name, value in self.settings.items():
                if value is None:
                    continue
                text = str(value).lower() if isinstance(value, bool) else value if isinstance(value, int) else (
                    "[" + ", ".join(f'"{each}"' for each in value) + "]" if isinstance(value, list) else f'"{value}"')
                file.write(f"{name} = {text}\n")

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([*self.program, "--config", os.path.join(self.folder.name, "relay.toml")], stderr=log,
                                            env={**os.environ, **self.environment})

    def log(self):
        with open(self.log_path, encoding="utf-8") as file:
            return file.read()

    def wait_log(self, text, count=1):
        wait_until(lambda: self.log().count(text) >= count, f"{text!r} in the log of {self.node}: {self.log()[-2000:]}")

    def metric(self, name):
        try:
            with open(self.metrics_file, encoding="utf-8") as file:
                for line in file:
                    if line.startswith(name + " "):
                        return float(line.split()[1])
        except FileNotFoundError:
            pass
        return None

    def kill(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait()

    def close(self):
        self.kill()
        self.folder.cleanup()

    def end(self):
        """Ends it in order; a handle that leaks is an exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
        code = self.process.wait(timeout=BOUND_S)
        if code:
            raise AssertionError(f"heartbeat-relay ended with {code}: {self.log()[-2000:]}")


def key(node, what):
    return f"hb:{FLEET}:{{{node}}}:{what}"


def stream(redis, node):
    """[(incarnation, sequence, fields)], in order."""
    entries = redis("XRANGE", key(node, "events"), "-", "+")
    return [(int(name.split("-")[0]), int(name.split("-")[1]), dict(zip(fields[::2], fields[1::2])))
            for name, fields in entries]


def rows(redis, node):
    """client -> (sequence, status, since, peer), of the copy that counts."""
    copy = redis("HGET", f"hb:{FLEET}:nodes", node)
    if copy is None:
        return {}
    flat = redis("HGETALL", key(node, "rows:" + copy))
    return {name: tuple(value.split(" ", 3)) for name, value in zip(flat[::2], flat[1::2])}


def own_list(daemon):
    """client -> (status, peer), of the daemon itself."""
    return {each["name"]: (each["status"][0], each["peer"])
            for each in daemon.ask_all("clients") if each["type"] == "client" and each["heartbeats"] > 0}


def broken_promise(redis, node, daemon):
    """What a reader could see that is not so; nothing where all is well."""
    seen = {name: (row[1], row[3]) for name, row in rows(redis, node).items()}
    if seen != own_list(daemon):
        return f"the rows of {node} are {seen}, and its list is {own_list(daemon)}"
    last = None
    events = {}
    for incarnation, sequence, fields in stream(redis, node):
        if fields["e"] in ("begin", "gap"):
            last = (incarnation, sequence)
            continue
        if last is None or last[0] != incarnation:
            return f"{node} has {incarnation} without a begin"
        if sequence != last[1] + 1:
            return f"{node} has a gap between {last} and {sequence}"
        if events.setdefault((incarnation, fields["f"]), sequence) != sequence:
            return f"{node} has event {fields['f']} twice"
        last = (incarnation, sequence)
    return None


@unittest.skipIf(shutil.which("redis-server") is None, "redis-server is not installed (tools/setup check)")
class FleetTest(DaemonTest):
    def redis(self, *options):
        redis = Redis(*options)
        self.addCleanup(redis.close)
        return redis

    def relay(self, daemon, server, node, **settings):
        relay = Relay(daemon, server, node, **settings)
        self.addCleanup(relay.close)
        return relay

    def clients(self, daemon, count, prefix="pump"):
        made = []
        for number in range(count):
            client = self.connect(daemon)
            client.sync(id=f"{prefix}-{number}")
            made.append(client)
        return made

    def assert_view(self, redis, *pairs):
        for node, daemon in pairs:
            wait_until(lambda node=node, daemon=daemon: broken_promise(redis, node, daemon) is None or time.sleep(0.1),
                       Late(lambda node=node, daemon=daemon: broken_promise(redis, node, daemon)))
        ids = [name for node, _ in pairs for name in rows(redis, node)]
        self.assertEqual(len(ids), len(set(ids)), "an id stands twice")


class Late:
    """Words that are made when they are needed."""

    def __init__(self, make):
        self._make = make

    def __format__(self, _):
        return str(self._make())
