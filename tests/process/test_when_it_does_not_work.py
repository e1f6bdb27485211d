"""Every line of the table "When it does not work" in docs/protocol.md, as the daemon prints it for that mistake."""
import gzip
import os
import re
import struct
import unittest

from harness import DaemonTest, frame

GOOD = '{"ip":"10.0.0.1","status":"alive","pid":26464}'
LENGTH = len(GOOD)
BODY = GOOD.encode()
ACCENTED = '{"ip":"café","status":"alive"}'

# By the first column of the table: what a client with that mistake sends.
MISTAKES = {
    "HTTP, a health check for example": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a WebSocket client": b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
    "TLS to a plain listener": bytes.fromhex("1603010200010001fc0303"),
    "SSH": b"SSH-2.0-OpenSSH_9.2p1\r\n",
    "MQTT": bytes.fromhex("100c00044d5154540402003c0000"),
    "a Redis client": b"*1\r\n$4\r\nPING\r\n",
    "a balancer's PROXY header": b"PROXY TCP4 192.0.2.1 192.0.2.2 51000 14000\r\n",
    "lines of text": b"alive\n",
    "no length": BODY,
    "the length in little-endian": struct.pack("<i", LENGTH) + BODY,
    "the length in 2 bytes": struct.pack("!H", LENGTH) + BODY,
    "the length in 8 bytes": struct.pack("!q", LENGTH) + BODY,
    "the length as decimal text": str(LENGTH).encode() + b"\n" + BODY,
    "the length as hexadecimal text": f"{LENGTH:08x}".encode() + BODY,
    "a byte before the length": b"\x01" + frame(BODY),
    "a type or another header after the length": frame(b"HBT1" + BODY),
    "a length that is one too small": 2 * (struct.pack("!i", LENGTH - 1) + BODY),
    "a length that counts its own 4 bytes": 2 * (struct.pack("!i", LENGTH + 4) + BODY),
    "the same, and then the connection is closed": struct.pack("!i", LENGTH + 4) + BODY,
    "a frame that is cut short, and then the connection is closed": frame(BODY)[:24],
    "the length in characters, not bytes": struct.pack("!i", len(ACCENTED)) + ACCENTED.encode(),
    "a NUL byte at the end": frame(BODY + b"\0"),
    "a byte order mark": frame(b"\xef\xbb\xbf" + BODY),
    "UTF-16": frame(GOOD.encode("utf-16-le")),
    "MessagePack": frame(b"\x82\xa2ip\xa8" b"10.0.0.1\xa6status\xa5alive"),
    "a compressed body": frame(gzip.compress(BODY, mtime=0)),
    "single quotes": frame(GOOD.replace('"', "'")),
    "a comma too many": frame(GOOD.replace("}", ",}")),
    "Latin-1": frame(ACCENTED.encode("latin-1")),
    "a status in capitals": frame('{"ip":"10.0.0.1","status":"ALIVE"}'),
    "another name for a member": frame('{"address":"10.0.0.1","status":"alive"}'),
    "its members inside another one": frame('{"type":"heartbeat","data":' + GOOD + "}"),
    "a number as text": frame('{"ip":"10.0.0.1","status":"alive","pid":"26464"}'),
}

ROW = re.compile(r"^\| (.+?) \| `(.+)` \|$", re.M)


def rows():
    with open(os.path.join(os.path.dirname(__file__), "../../docs/protocol.md"), encoding="utf-8") as file:
        section = file.read().split("## When it does not work", 1)[1].split("\n## ", 1)[0]
    return ROW.findall(section)


class WhenItDoesNotWork(DaemonTest):
    def test_the_table_has_each_mistake_once(self):
        self.assertEqual([mistake for mistake, _ in rows()], list(MISTAKES))

    def test_each_mistake_leads_to_the_line_of_the_table(self):
        daemon = self.start()
        said = []
        for mistake, sent in MISTAKES.items():
            client = self.connect(daemon)
            client.send(sent)
            if "closed" in mistake:
                client.half_close()
            said.append((mistake, daemon.wait("close", client=client.name).detail))
            client.close()
        self.maxDiff = None
        self.assertEqual(rows(), said, "\n".join(f"| {mistake} | `{detail}` |" for mistake, detail in said))


if __name__ == "__main__":
    unittest.main()
