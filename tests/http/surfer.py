"""A caller that asks a real daemon by HTTP; the daemon and its clients are those of tests/process/harness.py."""
import http.client
import json
import os
import socket
import sys
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "process"))
import harness  # noqa: E402  pylint: disable=wrong-import-position

from harness import BOUND_S, wait_until  # noqa: E402,F401  pylint: disable=wrong-import-position


class Answer:
    """What came back: `status`, `headers` by lower-case name, `body` and, where it is JSON, `json`."""

    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read().decode()

    @property
    def json(self):
        return json.loads(self.body)


class Events:
    """A follower of /api/events."""

    def __init__(self, address, query="", last_event_id=None, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(BOUND_S)
        self.socket.connect(address)
        resume = f"Last-Event-ID: {last_event_id}\r\n" if last_event_id else ""
        self.socket.sendall(f"GET /api/events{query} HTTP/1.1\r\nHost: localhost\r\n{resume}\r\n".encode())
        self.response = http.client.HTTPResponse(self.socket)
        self.response.begin()
        self.last_id = None

    def read(self):
        """The next message, as (event, data)."""
        fields = {}
        while line := self.response.readline().decode().rstrip("\n"):
            name, _, value = line.partition(": ")
            fields[name] = value
        if not fields:
            raise AssertionError("the stream ended")
        self.last_id = fields.get("id", self.last_id)
        return fields["event"], json.loads(fields["data"])

    def read_until(self, *events):
        """The data of the next message of one of these kinds."""
        while True:
            event, data = self.read()
            if event in events:
                return data

    def close(self):
        self.response.close()
        self.socket.close()


class HttpTest(harness.DaemonTest):
    """A test with daemons that serve HTTP."""

    def start(self, **arguments):
        arguments.setdefault("http_listen", "127.0.0.1:0")
        return super().start(**arguments)

    @staticmethod
    def address_of(daemon):
        where = urllib.parse.urlsplit(daemon.http)
        return where.hostname, where.port

    def get(self, daemon, path, method="GET", headers=None, body=None):
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection(*self.address_of(daemon), timeout=BOUND_S)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def metric(self, daemon, name):
        """The value of one series, as it is written with its labels; 0 where there is none."""
        for line in self.get(daemon, "/metrics").body.splitlines():
            series, _, value = line.rpartition(" ")
            if series == name:
                return float(value)
        return 0.0

    def events(self, daemon, query="", **arguments):
        events = Events(self.address_of(daemon), query, **arguments)
        self.addCleanup(events.close)
        return events

    def join(self, daemon, name, **members):
        """A client that has been heard."""
        client = self.connect(daemon)
        client.sync(id=name, **members)
        return client
