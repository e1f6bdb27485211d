"""What a client says and how long it waits.  Knows no socket, thread or loop; every instant is an argument, in seconds."""
import ipaddress
import json
import random
import re
import struct
from typing import Any, Dict, List, Optional

FRAME_MAX = 4096
ID_MAX = 128
GROUP_MAX = 64
NOTE_MAX = 128

# The reasons for a close after which the pause is from half the cap to the cap at once.
BARRED = frozenset(("superseded", "kicked", "unauthorized", "crash"))


def frame(body: bytes) -> bytes:
    return struct.pack("!i", len(body)) + body


class Frames:
    """Cuts frames off a stream of bytes."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> List[bytes]:
        """The bodies that are whole now.  ValueError for a length that no frame has."""
        self._bytes += data
        bodies = []
        while len(self._bytes) >= 4:
            (length,) = struct.unpack_from("!i", self._bytes)
            if not 1 <= length <= FRAME_MAX:
                raise ValueError(f"a frame of {length} bytes was announced")
            if len(self._bytes) < 4 + length:
                break
            bodies.append(bytes(self._bytes[4:4 + length]))
            del self._bytes[:4 + length]
        return bodies


class Pause:
    """How long to wait before connecting again: full jitter, doubled at each failure up to the cap, where it is from half
    the cap to the cap."""

    def __init__(self, base: float, cap: float) -> None:
        self._base = base
        self._cap = cap
        self._failures = 0
        self._random = random.SystemRandom()

    def after(self, connected_for: float, interval: float, close: Dict[str, Any]) -> float:
        """Seconds to wait, after a connection (or an attempt, of 0 s) that ended with the notice `close` or without."""
        if connected_for >= interval:
            self._failures = 0
        reason = close.get("reason")
        barred = isinstance(reason, str) and reason in BARRED
        longest = self._cap if barred else min(self._cap, self._base * 2 ** self._failures)
        # At the cap half of it is waited for in any case: two programs with one id take over at most once a cap each.
        least = self._cap / 2 if barred or (self._failures > 0 and longest == self._cap) else 0
        wait = self._random.uniform(least, longest)
        self._failures = 64 if barred else min(64, self._failures + 1)
        retry_after = close.get("retry_after_ms")
        if type(retry_after) is int and retry_after > 0:
            wait += min(retry_after, 24 * 60 * 60 * 1000) / 1000
        return wait


class Declaration:
    """What the heartbeats declare: what the caller said last, and leave while the gate is closed."""

    def __init__(self, gate: Optional[float], now: float) -> None:
        self.gate = gate
        self.touched = now
        self.status = "alive"
        self.note = ""

    def at(self, now: float) -> Dict[str, str]:
        if self.status == "alive" and self.gate and now - self.touched > self.gate:
            return {"status": "leave", "note": f"no sign of work for {now - self.touched:.0f} s"}
        return {"status": self.status, "note": self.note} if self.note else {"status": self.status}


def first_members(interval: float, group: Optional[str] = None, token: Optional[str] = None) -> Dict[str, Any]:
    """What the first heartbeat of a connection has beside the members of each: it asks for notices, too."""
    members: Dict[str, Any] = {} if group is None else {"group": group}
    members.update(interval_ms=max(1, round(interval * 1000)), notify=True)
    if token is not None:
        members["token"] = token
    return members


def heartbeat(ip: str, pid: int, id: Optional[str], declared: Dict[str, str],
              more: Optional[Dict[str, Any]] = None) -> bytes:
    """The frame of one heartbeat, with the members `more`."""
    members: Dict[str, Any] = {"ip": ip, "status": declared["status"], "pid": pid}
    if id is not None:
        members["id"] = id
    if "note" in declared:
        members["note"] = declared["note"]
    members.update(more or {})
    return frame(json.dumps(members, separators=(",", ":"), ensure_ascii=False).encode())


def parsed(body: bytes) -> Dict[str, Any]:
    """The frame of the server as an object, empty where it is none: a client ignores what it cannot read."""
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def is_close(read: Dict[str, Any]) -> bool:
    return read.get("type") == "status" and read.get("status") == "close"


def checked_id(text: str) -> str:
    """The id.  ValueError where heartbeatd would refuse it."""
    host = re.sub(r"^([^:]*):\d+$", r"\1", re.sub(r"^\[(.*)\](:\d+)?$", r"\1", text))
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return checked_text("id", text, ID_MAX)
    raise ValueError(f"id must not read as an address: {text!r}")


def checked_text(name: str, text: str, most: int) -> str:
    """The text.  ValueError where heartbeatd would refuse it."""
    if not 1 <= len(text.encode()) <= most or not text.isprintable():
        raise ValueError(f"{name} must be printable text of 1 to {most} bytes: {text!r}")
    return text
