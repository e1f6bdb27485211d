"""The daemon as a real process, and raw clients that talk to it over real sockets.

Knows the wire and the log line, not the rule: what should happen is in the tests.  Nothing here sleeps to
let something happen; every wait is for a condition, with one generous bound.  A test that starts a daemon here
gets these checks at its end for free: exit code 0, every line on standard error a well-formed log line (so
that no peer forged one and no sanitizer spoke), and no leaked handle.
"""
import json
import os
import re
import signal
import socket
import struct
import subprocess
import tempfile
import sys
import threading
import time
import unittest

# A wait that lasts longer than this means that what it waits for will not come, however slow the machine.
# Shorter for an engineer who breaks the daemon to see a test fail.
BOUND_S = float(os.environ.get("BOUND_S", "30"))

FRAME_MAX = 4096

DAEMON = os.environ.get("HEARTBEATD", "")
if not os.access(DAEMON, os.X_OK):
    sys.exit("HEARTBEATD must name the daemon's binary, like HEARTBEATD=build/release/bin/heartbeatd")


def frame(body):
    """One frame with this body, text or bytes."""
    if isinstance(body, str):
        body = body.encode()
    return struct.pack("!i", len(body)) + body


def heartbeat(**members):
    """The body of a heartbeat; `ip` and `status` are filled in."""
    return json.dumps({"ip": "10.0.0.1", "status": "alive", **members})


def millis(logged):
    """`1.250s`, as durations stand in the log, in whole milliseconds."""
    seconds, thousandths = re.fullmatch(r"(\d+)\.(\d{3})s", logged).groups()
    return int(seconds) * 1000 + int(thousandths)


def wait_until(condition, what):
    """Polls for what cannot be waited for otherwise."""
    end = time.monotonic() + BOUND_S
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"did not come within {BOUND_S:.0f} s: {what}")
        time.sleep(0.005)


class LogLine:
    """One line of the log: `TIME LEVEL WORD key=value key="quoted value" …: detail`."""

    _SHAPE = re.compile(r"(?P<time>\d\d\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d|\d\d:\d\d:\d\d\.\d{3}) "
                        r"(?P<level>trace|debug|info|warning|error|critical) +(?P<text>\S.*)")
    _PAIR = re.compile(r' (?P<key>[a-z_]+)=(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^ "=\\]+?))(?=: | |$)')

    def __init__(self, raw):
        self.raw = raw
        shape = self._SHAPE.fullmatch(raw)
        self.well_formed = shape is not None and raw.isprintable()
        self.time, self.level, self.text = shape.group("time", "level", "text") if shape else ("", "", raw)
        self.word = self.text.split(" ", 1)[0]
        self.pairs = {}
        at = len(self.word)
        while pair := self._PAIR.match(self.text, at):
            plain, quoted = pair.group("plain", "quoted")
            self.pairs[pair["key"]] = plain if plain is not None else _unescaped(quoted)
            at = pair.end()
        self.detail = self.text[at:].removeprefix(": ")

    def __getitem__(self, key):
        return self.pairs[key]

    def matches(self, word, pairs):
        return self.word == word and all(self.pairs.get(key) == str(value) for key, value in pairs.items())

    def __repr__(self):
        return self.raw


def _unescaped(text):
    raw = re.sub(rb'\\(n|x..|.)', lambda found: b"\n" if found[1] == b"n" else
                 bytes([int(found[1][1:], 16)]) if found[1][:1] == b"x" and len(found[1]) == 3 else found[1],
                 text.encode())
    return raw.decode()


class Daemon:
    """heartbeatd on 127.0.0.1:0, or where `listen` says.  Other arguments are flags: leave_timeout="1s".  `before`
    is done in its process before it becomes the daemon.  `program`: another one than DAEMON; `pass_fds`: descriptors
    that it inherits."""

    def __init__(self, listen=("127.0.0.1:0",), debug=False, environment=None, before=None,
                 program=DAEMON, pass_fds=(), **flags):
        flags.setdefault("max_clients", 1000)
        flags.setdefault("log_rate", 0)  # every event is logged
        arguments = [program, "--log-target", "stderr"]
        for address in listen:
            arguments += ["--listen", address]
        for name, value in flags.items():
            arguments += ["--" + name.replace("_", "-"), str(value)]
        if debug:
            arguments.append("--debug")
        self._lines = []
        self._changed = threading.Condition()
        self._ended = False
        self._checked = False
        # Its control socket, where no flag names another: the default path is shared by all daemons of this user.
        self._runtime_directory = tempfile.TemporaryDirectory(prefix="heartbeat-")
        environment = {"XDG_RUNTIME_DIR": self._runtime_directory.name, **(environment or {})}
        self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, env={**os.environ, **environment}, preexec_fn=before,
                                        pass_fds=pass_fds)
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        try:
            self.wait_for(lambda: any(" is ready: " in line.text for line in self._lines), "ready")
        except AssertionError:
            self.kill()
            raise
        listening = [line.text.removeprefix("listening on ") for line in self.lines("listening")]
        self.addresses = [(text.rpartition(":")[0].strip("[]"), int(text.rpartition(":")[2]))
                          for text in listening]

    @property
    def address(self):
        return self.addresses[0]

    @property
    def http(self):
        """Where its status page is, `http://127.0.0.1:40123`; for a daemon with the flag http_listen."""
        return self.wait("status").text.removeprefix("status page on ").removesuffix("/")

    @property
    def control(self):
        """The path of its control socket, where no flag names another."""
        return os.path.join(self._runtime_directory.name, "heartbeatd", "control.sock")

    # --- the log ---

    def lines(self, word=None, **pairs):
        """The lines so far, or those of one event with these values.  Complete only after end()."""
        with self._changed:
            lines = list(self._lines)
        return lines if word is None else [line for line in lines if line.matches(word, pairs)]

    def wait(self, word, count=1, **pairs):
        """The first line of this event with these values, or the count-th."""
        def found():
            return len([line for line in self._lines if line.matches(word, pairs)]) >= count
        self.wait_for(found, f"{count} x '{word}' with {pairs}")
        return self.lines(word, **pairs)[count - 1]

    def wait_for_stall(self, longer_than_ms):
        """The first stall of more than that: a busy machine makes short ones of its own."""
        def long_ones():
            return [line for line in self._lines if line.matches("stall", {}) and millis(line["stalled"]) > longer_than_ms]
        self.wait_for(long_ones, f"a stall of more than {longer_than_ms} ms")
        return long_ones()[0]

    def wait_for(self, condition, what):
        with self._changed:
            end = time.monotonic() + BOUND_S
            while not condition():
                left = end - time.monotonic()
                if left <= 0 or self._ended:
                    why = "the daemon ended first" if self._ended else f"not within {BOUND_S:.0f} s"
                    raise AssertionError(f"not in the log, {why}: {what}\n{self._tail()}")
                self._changed.wait(left)

    def _read_log(self):
        for raw in self.process.stderr:
            with self._changed:
                self._lines.append(LogLine(raw.decode(errors="replace").removesuffix("\n")))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _tail(self):
        return "\n".join(["the daemon's log ends:"] + [f"  {line.raw}" for line in self._lines[-40:]])

    # --- the process ---

    def ask(self, command, **members):
        """The first object that the control socket answers."""
        return self._ask(command, members, lambda answer: True)[0]

    def ask_all(self, command, **members):
        """All objects of an answer, up to `done` or `error`."""
        return self._ask(command, members, lambda answer: answer[-1]["type"] in ("done", "error"))

    def _ask(self, command, members, is_enough):
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(BOUND_S)
            control.connect(self.control)
            control.sendall(frame(json.dumps({"command": command, **members})))
            with control.makefile("rb") as stream:
                answer = []
                while not answer or not is_enough(answer):
                    (length,) = struct.unpack("!i", stream.read(4))
                    answer.append(json.loads(stream.read(length)))
                return answer

    def send_signal(self, number):
        os.kill(self.process.pid, number)

    def stop_running(self):
        """SIGSTOP, and not before the process has really stopped."""
        self.send_signal(signal.SIGSTOP)
        wait_until(lambda: self._proc("stat").rpartition(")")[2].split()[0] == "T", "the process stopped")

    def go_on(self):
        self.send_signal(signal.SIGCONT)

    def resident_kib(self):
        return int(re.search(r"VmRSS:\s+(\d+) kB", self._proc("status"))[1])

    def processor_s(self):
        """What it has used of the processor since its start."""
        fields = self._proc("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def _proc(self, name):
        with open(f"/proc/{self.process.pid}/{name}", encoding="ascii") as file:
            return file.read()

    def end(self, number=signal.SIGTERM):
        """Ends the daemon and checks how it ended; the log is complete then.  Does nothing the second time."""
        if self._checked:
            return
        self._checked = True
        if self.process.poll() is None:
            self.send_signal(number)
        try:
            code = self.process.wait(BOUND_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"did not end within {BOUND_S:.0f} s of its signal\n{self._tail()}") from None
        self._reader.join(BOUND_S)
        self.process.stderr.close()
        stray = [line.raw for line in self._lines if not line.well_formed]
        if stray:
            raise AssertionError("not lines of the log:\n" + "\n".join(stray))
        leaked = [line.raw for line in self._lines if "leaked handle" in line.raw]
        if leaked:
            raise AssertionError("\n".join(leaked))
        if code != 0:
            raise AssertionError(f"exit code {code}\n{self._tail()}")

    def kill(self):
        self._checked = True
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._reader.join(BOUND_S)
        self.process.stderr.close()


class Client:
    """A raw socket to the daemon.  `name` is how the daemon calls it until it gives an id."""

    def __init__(self, address, receive_buffer=None, source=None):
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(BOUND_S)
        try:
            if source is not None:
                self.socket.bind((source, 0))
            self.socket.connect(address)
        except OSError:
            self.socket.close()
            raise
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        host, port = self.socket.getsockname()[:2]
        self.name = f"[{host}]:{port}" if family == socket.AF_INET6 else f"{host}:{port}"
        self.frames = []  # all that were read
        self.ended_by = None  # "eof" or "reset", once read
        self._received = b""
        self._seq = 1000000

    def send(self, data):
        self.socket.sendall(data)

    def beat(self, **members):
        self.send(frame(heartbeat(**members)))

    def sync(self, **members):
        """A heartbeat with an answer: all that was sent before has been dealt with.  Returns the answer."""
        self._seq += 1
        self.beat(ack=True, seq=self._seq, **members)
        return self.read_until(type="ack", seq=self._seq)

    def read_frame(self):
        """The next frame from the daemon, or None at the end."""
        while len(self._received) < 4 or len(self._received) < 4 + self._length():
            if not self._read_more():
                if self._received:
                    raise AssertionError(f"the stream ends inside a frame: {self._received!r}")
                return None
        length = self._length()
        got = json.loads(self._received[4:4 + length])
        self._received = self._received[4 + length:]
        self.frames.append(got)
        return got

    def read_until(self, **members):
        """Reads up to the first frame with these members, and returns it."""
        while (got := self.read_frame()) is not None:
            if all(got.get(key) == value for key, value in members.items()):
                return got
        raise AssertionError(f"the connection ended ({self.ended_by}) before {members}, after {self.frames}")

    def read_to_end(self):
        """All frames until the connection ends."""
        before = len(self.frames)
        while self.read_frame() is not None:
            pass
        return self.frames[before:]

    def has_bytes(self):
        """Whether anything at all lies unread here."""
        self.socket.setblocking(False)
        try:
            return bool(self._received or self.socket.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return False
        finally:
            self.socket.settimeout(BOUND_S)

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def close(self):
        self.socket.close()

    def reset(self):
        """Ends the connection the hard way, as a machine that lost its state does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def _length(self):
        return struct.unpack("!i", self._received[:4])[0]

    def _read_more(self):
        try:
            got = self.socket.recv(65536)
        except TimeoutError:
            raise AssertionError(f"nothing came within {BOUND_S:.0f} s, after {self.frames}") from None
        except ConnectionResetError:
            self.ended_by = "reset"
            return False
        if not got:
            self.ended_by = "eof"
        self._received += got
        return bool(got)


class Beating:
    """A thread that sends a heartbeat to each of the clients at every interval, whatever else goes on."""

    def __init__(self, clients, interval_s):
        self._clients = clients
        self._interval_s = interval_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(BOUND_S)

    def _run(self):
        while not self._stop.is_set():
            for client in self._clients:
                try:
                    client.beat()
                except OSError:
                    pass  # a client that was closed is the test's to notice
            self._stop.wait(self._interval_s)


class DaemonTest(unittest.TestCase):
    """A test that starts daemons and clients, which end with it."""

    def start(self, **arguments):
        daemon = Daemon(**arguments)
        self.addCleanup(daemon.end)
        return daemon

    def connect(self, daemon, **arguments):
        client = Client(daemon.address, **arguments)
        self.addCleanup(client.close)
        return client

    def assert_ended_unsaid(self, client):
        """The connection ended, and not a byte was sent to it."""
        self.assertEqual(client.read_to_end(), [])
