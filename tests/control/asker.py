"""A caller that asks a real daemon on its control socket; the daemon and its clients are those of
tests/process/harness.py."""
import json
import os
import shutil
import socket
import stat
import struct
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "process"))
import harness  # noqa: E402  pylint: disable=wrong-import-position

from harness import BOUND_S, wait_until  # noqa: E402,F401  pylint: disable=wrong-import-position

FRAME_MAX = 65536


class Asker:
    """One connection to the control socket."""

    def __init__(self, path, receive_buffer=None):
        self.socket = socket.socket(socket.AF_UNIX)
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(BOUND_S)
        try:
            self.socket.connect(path)
        except OSError:
            self.socket.close()
            raise
        self._received = bytearray()

    def send(self, command, **members):
        self.send_body(json.dumps({"command": command, **members}))

    def send_body(self, body):
        self.socket.sendall(harness.frame(body))

    def read(self):
        """The next object, or None at the end."""
        while (length := self._length()) is None or len(self._received) < 4 + length:
            try:
                got = self.socket.recv(1 << 16)
            except ConnectionResetError:
                got = b""
            if not got:
                if self._received:
                    raise AssertionError(f"the stream ends inside a frame: {bytes(self._received[:100])!r}")
                return None
            self._received += got
        if length > FRAME_MAX:
            raise AssertionError(f"a frame of {length} bytes")
        body = bytes(self._received[4:4 + length])
        del self._received[:4 + length]
        return json.loads(body)

    def read_answer(self):
        """All objects up to the last one, which is `done` or `error`."""
        answer = []
        while (got := self.read()) is not None:
            answer.append(got)
            if got["type"] in ("done", "error"):
                return answer
        raise AssertionError(f"the connection ended inside an answer, after {answer[-3:]}")

    def ask(self, command, **members):
        self.send(command, **members)
        return self.read_answer()

    def read_until(self, **members):
        """The first object with these members."""
        while (got := self.read()) is not None:
            if all(got.get(key) == value for key, value in members.items()):
                return got
        raise AssertionError(f"the connection ended before {members}")

    def has_ended(self):
        return self.read() is None

    def close(self):
        self.socket.close()

    def _length(self):
        return struct.unpack("!i", self._received[:4])[0] if len(self._received) >= 4 else None


class ControlTest(harness.DaemonTest):
    """A test with daemons whose control sockets are in a directory of its own."""

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="heartbeat-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.path = os.path.join(self.directory, "control.sock")

    def start(self, **arguments):
        arguments.setdefault("control", self.path)
        return super().start(**arguments)

    def asker(self, path=None, **arguments):
        asker = Asker(path or self.path, **arguments)
        self.addCleanup(asker.close)
        return asker

    def ask(self, command, **members):
        """One question on a connection of its own."""
        asker = Asker(self.path)
        try:
            return asker.ask(command, **members)
        finally:
            asker.close()

    def join(self, daemon, name, **members):
        """A client that has been heard."""
        client = self.connect(daemon)
        client.sync(id=name, **members)
        return client

    @staticmethod
    def is_socket(path):
        return os.path.exists(path) and stat.S_ISSOCK(os.stat(path).st_mode)
