"""heartbeat-notify as a process, a journal that the test writes, and a receiver that fails as it is told."""
import base64
import http.server
import json
import os
import signal
import socketserver
import subprocess
import tempfile
import threading
import time
import unittest

NOTIFY = os.environ["NOTIFY"]
BOUND_S = float(os.environ.get("BOUND_S", "60"))

_TABLE = []
for _byte in range(256):
    for _ in range(8):
        _byte = (_byte >> 1) ^ (0x82f63b78 if _byte & 1 else 0)
    _TABLE.append(_byte)


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc = (crc >> 8) ^ _TABLE[(crc ^ byte) & 0xff]
    return crc ^ 0xffffffff


def wait_until(condition, what):
    end = time.monotonic() + BOUND_S
    while not (result := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"did not come within {BOUND_S:.0f} s: {what}")
        time.sleep(0.01)
    return result


def now():
    at = time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at * 1000) % 1000:03}Z"


class Journal:
    """An event journal, written as the daemon writes it."""

    def __init__(self, folder, boot="b1"):
        self.directory = os.path.join(folder, "events")
        os.mkdir(self.directory)
        self.boot = boot
        self.seq = 0
        self._file = open(os.path.join(self.directory, "0000000001.jsonl"), "ab", buffering=0)
        self._write([{"type": "segment", "format": 1, "serial": 1, "seq": 0}, {"type": "start", "boot": boot, "seq": 0}])

    def close(self):
        self._file.close()

    def _write(self, objects):
        lines = b""
        for each in objects:
            body = json.dumps(each, separators=(",", ":")).encode()[:-1]
            lines += body + b',"crc":"%08x"}\n' % crc32c(body)
        self._file.write(lines)

    def add(self, *clients, event="leave", at=None, **members):
        events = []
        for client in clients:
            self.seq += 1
            events.append({"type": "event", "cursor": f"{self.boot}:{self.seq}", "boot": self.boot, "seq": self.seq,
                           "at": at or now(), "event": event, "client": client, **members})
        self._write(events)

    def lose(self, count):
        self.seq += count
        self._write([{"type": "lost", "boot": self.boot, "seq": self.seq, "count": count,
                      "from_seq": self.seq - count + 1}])


class Receiver:
    """Takes requests, and answers what `answer` says: a status, or a function of the handler that answers itself."""

    def __init__(self, port=0):
        self.requests = []  # (path, headers, body), whether answered or not
        self.answer = 200
        self.headers = {}
        self._read = 0
        self._ids = set()
        self._events = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.requests.append((self.path, dict(self.headers), body))
                answer = receiver.answer
                if callable(answer):
                    return answer(self)
                self.send_response(answer)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

            def do_GET(self):
                receiver.requests.append((self.path, dict(self.headers), b""))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, *_):
                pass  # a peer that was killed
            allow_reuse_address = True

        self._server = Server(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/hook"

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def events(self):
        """What was in the requests, in order, each webhook-id once."""
        while self._read < len(self.requests):
            _, headers, body = self.requests[self._read]
            self._read += 1
            if headers["webhook-id"] not in self._ids:
                self._ids.add(headers["webhook-id"])
                self._events += [event["data"] for event in json.loads(body)]
        return self._events

    def numbers(self):
        return [event["seq"] for event in self.events() if event["type"] == "event"]


class Notifier:
    def __init__(self, folder, config, *arguments, secrets=None, environment=None):
        self.state = os.path.join(folder, "state")
        os.makedirs(self.state, exist_ok=True)
        path = os.path.join(folder, "notify.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(config)
        environment = {**os.environ, **(environment or {})}
        if secrets:
            directory = os.path.join(folder, "credentials")
            os.makedirs(directory, exist_ok=True)
            for name, secret in secrets.items():
                with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
                    file.write(secret)
            environment["CREDENTIALS_DIRECTORY"] = directory
        self.log_file = tempfile.TemporaryFile(mode="w+")
        self.process = subprocess.Popen([NOTIFY, "--config", path, "--state", self.state, *arguments],
                                        stdout=self.log_file, stderr=self.log_file, env=environment)

    def log(self):
        # Not by seek(): the notifier writes at the offset of this very file, which it has inherited.
        return os.pread(self.log_file.fileno(), 1 << 24, 0).decode()

    def wait_log(self, text):
        wait_until(lambda: text in self.log() or self.process.poll() is not None, text)
        assert text in self.log(), self.log()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(BOUND_S)
        assert code == 0, f"exit code {code}:\n{self.log()}"


class NotifyTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="heartbeat-notify-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.journal = Journal(self.folder)
        self.addCleanup(self.journal.close)
        self.receiver = Receiver()
        self.addCleanup(self.receiver.close)

    def config(self, **settings):
        settings = {"name": "ops", "url": self.receiver.url, "wait": "0s", "timeout": "5s", **settings}
        lines = [f'journal = "{self.journal.directory}"', 'control = "/nonexistent/control.sock"', "[[hook]]"]
        return "\n".join(lines + [f"{name} = {json.dumps(value)}" for name, value in settings.items()]) + "\n"

    def start(self, *arguments, secrets=None, begun=True, environment=None, **settings):
        notifier = Notifier(self.folder, self.config(**settings), *arguments, secrets=secrets, environment=environment)

        def stop():
            if notifier.process.poll() is None:
                notifier.kill()
            notifier.log_file.close()
        self.addCleanup(stop)
        if begun:
            notifier.wait_log(" delivers to 1 hooks")
        return notifier


def state_of(notifier, hook="ops"):
    """What the hook keeps on disk."""
    with open(os.path.join(notifier.state, hook + ".cursor"), encoding="utf-8") as file:
        return json.load(file)


def write_state(notifier, state, hook="ops"):
    body = json.dumps({name: value for name, value in state.items() if name != "crc"}, separators=(",", ":")).encode()
    with open(os.path.join(notifier.state, hook + ".cursor"), "wb") as file:
        file.write(body[:-1] + b',"crc":"%08x"}\n' % crc32c(body[:-1]))


def secret_of(key):
    return "whsec_" + base64.b64encode(key).decode()
