"""A server whose every byte is the test's own: it accepts when asked to, and sends what it is given.

It knows frames and nothing of heartbeats' rules.  All waiting has a bound, and all times are of time.monotonic().
"""
import json
import select
import socket
import ssl
import struct
import time

FRAME_MAX = 4096


class Missing(AssertionError):
    """Something that the client had to do did not happen within its bound."""


def frame(body):
    """One frame; `body` is an object to encode, or bytes."""
    text = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
    return struct.pack("!i", len(text)) + text


def close_frame(reason, **members):
    return frame({"type": "status", "status": "close", "reason": reason, **members})


class Peer:
    """One accepted connection."""

    def __init__(self, connection, accepted_at):
        self.connection = connection
        self.accepted_at = accepted_at
        self.frames = 0
        self._bytes = b""

    def heartbeat(self, within):
        """The next heartbeat as an object.  Missing if the stream ends first or `within` seconds pass."""
        heartbeat = self.heartbeat_or_end(within)
        if heartbeat is None:
            raise Missing("the client ended the connection where a heartbeat was due")
        return heartbeat

    def heartbeat_or_end(self, within):
        """The next heartbeat, or None at the orderly end of the client's half.  A reset raises ConnectionError."""
        end = time.monotonic() + within
        while True:
            body = self._cut()
            if body is not None:
                self.frames += 1
                return _checked(body)
            more = self._receive(end - time.monotonic())
            if more is None:
                raise Missing(f"no heartbeat came within {within:.1f} s")
            if not more:
                if self._bytes:
                    raise AssertionError(f"the stream ends inside a frame, after {self._bytes!r}")
                return None
            self._bytes += more

    def heartbeats_for(self, seconds):
        """All heartbeats that come in this time."""
        end = time.monotonic() + seconds
        heartbeats = []
        while (left := end - time.monotonic()) > 0:
            try:
                heartbeats.append(self.heartbeat(left))
            except Missing:
                break
        return heartbeats

    def wait_for_end(self, within):
        """Reads on until the client has closed its half, or has reset the connection."""
        end = time.monotonic() + within
        try:
            while self.heartbeat_or_end(end - time.monotonic()) is not None:
                pass
        except ConnectionError:
            pass

    def send(self, data):
        self.connection.sendall(data)

    def widen(self):
        """Ends what Server.narrow() did: what waits at the client comes at once."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)

    def half_close(self):
        self.connection.shutdown(socket.SHUT_WR)

    def close(self):
        """Closes in order: what was sent arrives, and the client sees the end of the stream."""
        try:
            self.connection.shutdown(socket.SHUT_WR)
            self.wait_for_end(1)
        except (OSError, AssertionError):
            pass
        self.connection.close()

    def reset(self):
        """Ends the connection as a machine does that has forgotten it."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def _cut(self):
        if len(self._bytes) < 4:
            return None
        (length,) = struct.unpack("!i", self._bytes[:4])
        assert 1 <= length <= FRAME_MAX, f"a frame of {length} bytes was announced"
        if len(self._bytes) < 4 + length:
            return None
        body, self._bytes = self._bytes[4:4 + length], self._bytes[4 + length:]
        return body

    def _receive(self, within):
        """Bytes, b"" at the end of the stream, or None if nothing comes in time."""
        pending = isinstance(self.connection, ssl.SSLSocket) and self.connection.pending()
        if not pending and not select.select([self.connection], [], [], max(within, 0))[0]:
            return None
        return self.connection.recv(65536)


class Server:
    """Listens on 127.0.0.1, on a port of the kernel's choice that it keeps while it refuses."""

    def __init__(self, context=None):
        self._context = context
        # Bound and never listening, it keeps the port from every other program while the listener is closed.
        self._reservation = socket.socket()
        self._reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._reservation.bind(("127.0.0.1", 0))
        self.port = self._reservation.getsockname()[1]
        self.listen_again()

    def accept(self, within):
        """The next connection.  Missing if none comes within this many seconds."""
        peer = self.accept_or_none(within)
        if peer is None:
            raise Missing(f"the client did not connect within {within:.1f} s")
        return peer

    def accept_or_none(self, within):
        if not select.select([self._listener], [], [], max(within, 0))[0]:
            return None
        connection, _ = self._listener.accept()
        accepted_at = time.monotonic()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._context is not None:
            connection.settimeout(10)
            connection = self._context.wrap_socket(connection, server_side=True)
            connection.settimeout(None)
        return Peer(connection, accepted_at)

    def refuse(self):
        """From now on the kernel refuses each attempt, as for a daemon that is not running."""
        self._listener.close()

    def listen_again(self):
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=64, reuse_port=True)

    def narrow(self):
        """Lets as little as possible lie in the kernel between the client and this server.

        The least receive buffer, and segments so short that the client's send buffer does not grow.  To be called
        before the client connects.
        """
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 88)

    def kernel_room(self, size):
        """How many writes of `size` bytes the kernel takes from a client that is not read."""
        with socket.create_connection(("127.0.0.1", self.port)) as client:
            peer, _ = self._listener.accept()
            client.setblocking(False)
            writes, quiet_since = 0, time.monotonic()
            while time.monotonic() - quiet_since < 0.2:
                try:
                    client.send(b"x" * size)
                    writes, quiet_since = writes + 1, time.monotonic()
                except BlockingIOError:
                    time.sleep(0.01)
            peer.close()
        return writes

    def close(self):
        self._listener.close()
        self._reservation.close()


def _checked(body):
    """The heartbeat of this body, which heartbeatd must accept."""
    heartbeat = json.loads(body.decode("utf-8"))
    assert isinstance(heartbeat, dict), f"no object: {body!r}"
    ip = heartbeat.get("ip")
    assert isinstance(ip, str) and 1 <= len(ip.encode()) <= 64, f"ip is not a text of 1 to 64 bytes: {body!r}"
    assert heartbeat.get("status") in ("alive", "live", "leave", "close"), f"no status: {body!r}"
    pid = heartbeat.get("pid", 0)
    assert isinstance(pid, int) and 0 <= pid <= 4294967295, f"pid out of range: {body!r}"
    return heartbeat
