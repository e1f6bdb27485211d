"""A client of the daemon as these tests need it: it speaks by hand, and waits with a bound."""

import json
import socket
import struct

from box import BOUND


class Peer:
    def __init__(self, name=None, port=14000):
        self._name = name
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=BOUND)

    def send(self, status="alive", **members):
        body = {"ip": "192.0.2.7", "status": status, **members}
        if self._name is not None:
            body["id"] = self._name
        self.send_body(json.dumps(body).encode())

    def send_body(self, body):
        self.send_raw(struct.pack("!i", len(body)) + body)

    def send_raw(self, data):
        self._socket.sendall(data)

    def frame(self):
        """The next frame of the daemon; None at the end of the stream."""
        prefix = self._read(4)
        return prefix and json.loads(self._read(struct.unpack("!i", prefix)[0]))

    def beat(self, status="alive"):
        """Sends a heartbeat and waits for its answer, which says what the daemon makes of it."""
        self.send(status, ack=True)
        answer = self.frame()
        assert answer["type"] == "ack", answer
        return answer["status"]

    def close(self):
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _read(self, size):
        data = b""
        while len(data) < size:
            more = self._socket.recv(size - len(data))
            if not more:
                return None
            data += more
        return data
