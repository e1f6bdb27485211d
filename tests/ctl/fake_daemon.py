"""A daemon that speaks docs/control.md with made-up answers, for tests of heartbeatctl.

It answers each command from `answers` (a list of objects, or of bytes that are sent as they are, or a function
of the request), keeps what it was asked in `requests`, and holds a feed that `watch` follows and resumes.
"""

import json
import os
import shutil
import socket
import struct
import tempfile
import threading

BOOT = "0123456789abcdef0123456789abcdef"


def frame(value):
    body = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    return struct.pack("!i", len(body)) + body


def status(**more):
    answer = {
        "type": "status", "version": "0.1.0", "boot": BOOT, "pid": 4242,
        "now": "2026-11-22T09:55:14.570Z", "started": "2026-11-22T06:43:00.000Z", "uptime_ms": 11534570,
        "listening": ["127.0.0.1:14000", "[::1]:14000"],
        "clients": {"alive": 3, "leave": 1, "max": 1000000}, "remembered": 2,
        "heartbeats": {"total": 98765, "per_second": {"1": 4, "10": 3.9, "60": 3.955}},
        "totals": {"connected": 12, "refused": 0, "joins": 11, "strikes": 4, "leaves": 2, "returns": 1, "takeovers": 0},
        "closes": {"silent": 1, "goodbye": 7}, "bad_input": {"not_json": 1},
        "refused": {"max_clients_per_ip": 2},
        "accepting": {"paused": False, "pauses": 3, "paused_ms": 150, "rate": 10000},
        "stalls": {"count": 2, "total_ms": 4100, "worst_ms": 3200, "last": "2026-11-22T09:50:00.000Z", "last_ms": 900},
        "suspensions": {"count": 1, "total_ms": 28800000, "last": "2026-11-22T09:40:00.000Z", "last_ms": 28800000},
        "brake": {"state": "ready", "count": 0},
        "loop_lateness_ms": {"count": 5000, "p50": 0, "p99": 1, "max": 12},
        "verdict_lateness_ms": {"count": 9, "p50": 0, "p99": 2, "max": 2},
        "memory_bytes": 36175872, "descriptors": {"used": 17, "limit": 1048576},
        "feed": {"next": 1, "oldest": 1},
        "rule": {"tick_ms": 10000, "threshold": 5, "cursor": 3, "recover": 5, "leave_timeout_ms": 1800000},
    }
    answer.update(more)
    return answer


def client(name, **more):
    answer = {
        "type": "client", "name": name, "id": name, "peer": "127.0.0.1:40001", "ip": "192.168.1.105", "pid": 26464,
        "status": "alive", "silence": 0, "strikes": 0, "steady": 3, "margin": 1, "margin_least": 0.8,
        "interval_ms": 10003, "last_heard": "2026-11-22T09:55:12.000Z", "silent_ms": 2570,
        "connected": "2026-11-22T08:55:14.570Z", "connected_ms": 3600000, "heartbeats": 360,
    }
    answer.update(more)
    return answer


def event(seq, kind, name="pump-7", boot=BOOT, **more):
    answer = {"type": "event", "cursor": f"{boot}:{seq}", "boot": boot, "seq": seq,
              "at": f"2026-11-22T09:55:{seq % 60:02}.{seq % 1000:03}Z", "event": kind, "client": name}
    answer.update(more)
    return answer


def done(**more):
    return {"type": "done", **more}


class FakeDaemon:
    """Listens while it is entered; may be stopped and started again at the same path."""

    def __init__(self, answers=None):
        self.folder = tempfile.mkdtemp(prefix="heartbeatctl-")
        self.path = os.path.join(self.folder, "control.sock")
        self.answers = {"status": [status()], **(answers or {})}
        self.requests = []
        self.events = []  # the feed, each as event() makes it
        self.boot = BOOT
        self.snapshot = []
        self.changed = threading.Condition()
        self.connections = []
        self.listener = None
        self.stopping = False

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder)

    def start(self):
        self.stopping = False
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.path)
        self.listener.listen(16)
        self.acceptor = threading.Thread(target=self._accept, daemon=True)
        self.acceptor.start()

    def stop(self):
        """Goes away: the socket is closed, and each connection ends."""
        with self.changed:
            self.stopping = True
            self.changed.notify_all()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.acceptor.join()
        self.listener.close()
        os.unlink(self.path)
        self.drop()

    def drop(self):
        """Ends each connection; new ones are welcome."""
        with self.changed:
            for connection, _ in self.connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            threads = [thread for _, thread in self.connections]
            self.connections.clear()
            self.changed.notify_all()
        for thread in threads:
            thread.join()

    def emit(self, kind, name="pump-7", **more):
        """Adds an event to the feed."""
        with self.changed:
            self.events.append(event(len(self.events) + 1, kind, name, self.boot, **more))
            self.changed.notify_all()

    def wait_for_request(self, command, count=1, bound=20):
        """The requests with that command, once there are so many."""
        def seen():
            return [request for request in self.requests if request.get("command") == command]
        with self.changed:
            if not self.changed.wait_for(lambda: len(seen()) >= count, bound):
                raise AssertionError(f"no {count} requests '{command}' within {bound} s, only {self.requests}")
            return seen()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            with self.changed:
                self.connections.append((connection, thread))
            thread.start()

    def _serve(self, connection):
        with connection, connection.makefile("rb") as stream:
            try:
                while len(prefix := stream.read(4)) == 4:
                    request = json.loads(stream.read(struct.unpack("!i", prefix)[0]))
                    with self.changed:
                        self.requests.append(request)
                        self.changed.notify_all()
                    if request["command"] == "watch" and "watch" not in self.answers:
                        self._watch(connection, request)
                    else:
                        self._answer(connection, request)
            except OSError:
                pass

    def _answer(self, connection, request):
        answers = self.answers.get(request["command"])
        if answers is None:
            answers = [{"type": "error", "code": "bad_request", "message": "unknown command"}]
        if callable(answers):
            answers = answers(request)
        last = None
        for answer in answers:
            last = answer
            connection.sendall(answer if isinstance(answer, bytes) else frame(answer))
        if not isinstance(last, bytes) and (last is None or last["type"] not in ("done", "error")):
            connection.sendall(frame(done(count=len(answers))))

    def _watch(self, connection, request):
        boot, _, seq = request.get("since", ":0").partition(":")
        if request.get("snapshot"):
            for each in self.snapshot:
                connection.sendall(frame(each))
            connection.sendall(frame({"type": "snapshot_end", "count": len(self.snapshot)}))
        sent = int(seq)
        if boot != self.boot:
            connection.sendall(frame({"type": "lost"}))
            sent = 0
        while True:
            with self.changed:
                def ended():
                    return self.stopping or all(connection is not other for other, _ in self.connections)
                self.changed.wait_for(lambda: ended() or len(self.events) > sent)
                if ended():
                    return
                due = self.events[sent:]
            for each in due:
                connection.sendall(frame(each))
            sent += len(due)
