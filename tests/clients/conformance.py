#!/usr/bin/env python3
"""Holds a client of heartbeatd against the rules of docs/clients.md, and prints which it keeps.

    conformance.py [OPTION]... -- COMMAND...

COMMAND starts one client.  In each of its words these are replaced, the numbers being milliseconds:

    {host} {port}        the server
    {id}                 the client's id
    {interval}           between two heartbeats
    {base} {cap}         the bounds of the pause before connecting again
    {gate}               longest silence of the work, 0 for no gate
    {group}              the group to declare
    {ca} {token}         with --tls: a file with the certificate to trust, and the token
    {token_file}         a file that holds the token

The client runs until it is ended.  SIGTERM is its orderly end.  It obeys orders on its standard input, one a line:

    touch                the work goes on
    leave NOTE           declare leave from now on, with this note
    alive                take that back
    crash                fail as the language fails: an exception, a panic, abort()
    ping                 answer with the line `pong` on standard output, from the caller's own loop

A client that cannot answer `ping` shows that its loop is not blocked by obeying SIGTERM.  After `superseded`, `kicked`,
`bad_frame`, `bad_heartbeat` and `goodbye` a client may also end by itself: a program that ends fights with no other.
The exit status is 0 if no rule failed, 1 if one did.
"""
import argparse
import concurrent.futures
import contextlib
import os
import select
import signal
import ssl
import subprocess
import sys
import tempfile
import time

from scripted_server import Missing, Server, close_frame, frame

# What a client may be late for no reason but a busy machine.  Each rule is written so that breaking it shows by more.
SLACK = 1.5
# The group that each client is told to declare.
GROUP = "conformance"
# How often declared_leave declares.
DECLARATIONS = 200
# A client that has not started after this long will not start.
START = 90

# Every reason that heartbeatd gives for a close (docs/protocol.md), by what the client then does.
BARRED = ["superseded", "kicked", "unauthorized", "crash"]
ORDINARY = ["silent", "away", "goodbye", "bad_frame", "bad_heartbeat", "never_spoke", "frame_timeout", "limit",
            "drained", "shutdown", "given_up"]
# Logged by the daemon only: the connection has ended, so no client can read them.
UNHEARD = ["peer_closed", "reset", "timed_out", "absent"]
MAY_END_AFTER = ["superseded", "kicked", "goodbye", "bad_frame", "bad_heartbeat"]


class Skipped(Exception):
    """The rule cannot be tried; the text says why."""


class Ended(Exception):
    """The client has ended by itself, where it may."""


class Client:
    """One run of the client under test."""

    def __init__(self, options, port, name, *, interval=100, base=50, cap=400, gate=0, host="127.0.0.1", tls=False,
                 environment=None, own_id=None):
        values = {"host": host, "port": port, "id": own_id or f"conformance-{name}", "interval": interval, "base": base,
                  "cap": cap, "gate": gate, "ca": options.ca, "token": options.token,
                  "token_file": options.token_file, "group": GROUP}
        command = list(options.command) + (options.tls.split() if tls else [])
        for key, value in values.items():
            command = [word.replace("{" + key + "}", str(value)) for word in command]
        self.base, self.cap, self.interval = base / 1000, cap / 1000, interval / 1000
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
                                        env={**os.environ, **(environment or {})})

    def order(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def answers_ping(self, within):
        """Whether the line `pong` comes in this time."""
        self.order("ping")
        end, text = time.monotonic() + within, b""
        while b"pong" not in text:
            if not select.select([self.process.stdout], [], [], max(end - time.monotonic(), 0))[0]:
                return False
            more = os.read(self.process.stdout.fileno(), 4096)
            if not more:
                return False
            text += more
        return True

    def end(self, within=5.0):
        """The exit status after SIGTERM."""
        self.process.send_signal(signal.SIGTERM)
        return self.exit_status(within)

    def exit_status(self, within):
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            raise Missing(f"it did not end within {within:.1f} s of SIGTERM") from None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def said(self):
        # Not by seek(): the client writes at the offset of this very file, which it has inherited.
        return os.pread(self.errors.fileno(), 1 << 20, 0).decode(errors="replace").strip()


class Run:
    """One rule tried on one client: the server, the client, and what was seen."""

    def __init__(self, options, name):
        self.options = options
        self.name = name
        self.seen = ""
        self._clients = []
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stack.close()

    def needs(self, what):
        if what == "tls" and not self.options.tls:
            raise Skipped("no --tls")
        if what in self.options.without:
            raise Skipped(f"--without {what}")

    def server(self, context=None):
        server = Server(context)
        self._stack.callback(server.close)
        return server

    def client(self, port, **settings):
        client = Client(self.options, port, settings.pop("name", self.name), **settings)
        self._clients.append(client)
        self._stack.callback(client.errors.close)
        self._stack.callback(client.process.stdout.close)
        self._stack.callback(_close_quietly, client.process.stdin)
        self._stack.callback(client.kill)
        return client

    def check_sanitizers(self):
        """Fails the rule where a sanitizer has reported anything, whatever the exit status was."""
        for client in self._clients:
            said = client.said()
            assert not any(word in said for word in ("Sanitizer", "runtime error:")), said[:2000]

    def start(self, **settings):
        """A server and a client that has sent its first heartbeat."""
        server = self.server()
        client = self.client(server.port, **settings)
        peer = server.accept(START)
        peer.heartbeat(SLACK)
        return server, client, peer


def _close_quietly(stream):
    with contextlib.suppress(OSError):
        stream.close()


def pause_after(server, client, drop):
    """Seconds from `drop` to the next connection, and that connection.  Ended if the client has ended by itself."""
    # Before the drop: the client cannot have noticed earlier, so its pause is never taken for a shorter one.
    dropped = time.monotonic()
    drop()
    longest = max(client.cap, client.base) + SLACK
    while True:
        peer = server.accept_or_none(0.05)
        if peer is not None:
            return peer.accepted_at - dropped, peer
        if client.process.poll() is not None:
            raise Ended(f"ends by itself with {client.process.returncode}")
        if time.monotonic() - dropped > longest:
            raise Missing(f"the client did not connect within {longest:.1f} s")


# --- the rules -------------------------------------------------------------------------------------------------------
# Each function plays one scene, and raises AssertionError where the client breaks the rule that its text states.

def pace(run):
    """connects and beats at once, then once an interval"""
    server, client, peer = run.start(interval=200)
    begun = time.monotonic()
    heartbeats = peer.heartbeats_for(1.6)
    spent = time.monotonic() - begun
    assert all(each["status"] in ("alive", "live") for each in heartbeats), heartbeats
    assert all(each.get("id") == f"conformance-{run.name}" for each in heartbeats), f"no id: {heartbeats}"
    # A busy machine delivers some late and together; a client that beats twice as fast sends eight more.
    assert len(heartbeats) <= spent / 0.2 + 3, f"{len(heartbeats)} in {spent:.2f} s at an interval of 200 ms"
    assert len(heartbeats) >= 3, f"only {len(heartbeats)} in {spent:.2f} s at an interval of 200 ms"
    run.seen = f"{len(heartbeats) + 1} heartbeats in {spent:.1f} s"


def kind(run):
    """the first heartbeat of each connection declares the interval and the group"""
    if not any("{group}" in word for word in run.options.command):
        raise Skipped("no {group} in the command")
    server = run.server()
    run.client(server.port, interval=200)
    for _ in range(2):
        peer = server.accept(START)
        first = peer.heartbeat(SLACK)
        assert first.get("interval_ms") == 200 and first.get("group") == GROUP, first
        peer.heartbeat(SLACK)
        peer.close()
    run.seen = "interval_ms and group, on both connections"


def jitter(run):
    """rule 1: the first pause is random, from 0 to the base"""
    server, client, peer = run.start(interval=40, base=1000, cap=4000)
    short = long = pauses = 0
    # Both thirds come up soon if the pause is drawn from all of 0 to base: 40 draws miss one in 10 million runs.
    while not (short and long):
        assert pauses < 40, f"{pauses} pauses, {short} of them in the lower third and {long} in the upper"
        peer.heartbeat(SLACK)  # the second heartbeat: a whole interval has passed, and the pause has fallen back
        peer.heartbeats_for(0.08)
        pause, peer = pause_after(server, client, peer.close)
        assert pause <= 1 + SLACK, f"{pause:.2f} s, and the base is 1 s"
        peer.heartbeat(SLACK)
        pauses += 1
        short += pause < 0.35
        long += pause > 0.68
    run.seen = f"both thirds within {pauses} pauses"


def grow_and_fall_back(run):
    """rules 1, 2: the pause doubles up to the cap, and falls back only after a whole interval"""
    server, client, peer = run.start(interval=300, base=200, cap=1600)
    long = 0
    for attempt in range(1, 20):
        pause, peer = pause_after(server, client, peer.close)
        peer.heartbeat(SLACK)
        long += pause > 0.6  # three times the base: the pause has doubled at least twice
        if long >= 2 and attempt >= 6:
            break
    assert long >= 2, f"of {attempt} pauses after connections shorter than an interval {long} were above 0.6 s"
    # From here each connection lasts longer than an interval.  A pause that has fallen back is below the base; one
    # that has not is above twice the base in three of four draws.
    score = 0
    while abs(score) < 5:
        peer.heartbeat(0.3 + SLACK)
        peer.heartbeats_for(0.05)
        pause, peer = pause_after(server, client, peer.close)
        peer.heartbeat(SLACK)
        score += 1 if pause <= 0.4 else -1
    assert score > 0, "after connections of more than an interval the pauses stay long"
    run.seen = f"grown after {attempt} attempts, then back at the base"


def cap(run):
    """rule 1: at the cap each pause is from half the cap to the cap"""
    server, client, peer = run.start(interval=5000, base=50, cap=500)
    # Four doublings reach the cap.  Eleven pauses drawn from 0 to the cap would pass in one run of two thousand.
    pauses = []
    for _ in range(4 + 11):
        pause, peer = pause_after(server, client, peer.close)
        peer.heartbeat(SLACK)
        pauses.append(pause)
    least = min(pauses[4:])
    assert least >= 0.249, f"{least:.3f} s at the cap, and half the cap is 0.25 s"
    run.seen = f"{least:.2f} to {max(pauses[4:]):.2f} s, with a cap of 0.5 s"


def _cap_at_once(run, reason):
    server, client, peer = run.start(base=50, cap=1200)
    peer.heartbeat(SLACK)
    peer.heartbeats_for(0.15)  # a long connection: only the reason can be what makes the pause long
    notice = close_frame(reason, detail='a sentence with \\"reason\\":\\"shutdown\\" in it')
    pause, peer = pause_after(server, client, lambda: (peer.send(notice), peer.close()))
    assert pause >= 0.599, f"back after {pause:.3f} s, and half the cap is 0.6 s"
    peer.heartbeat(SLACK)
    run.seen = f"{pause:.2f} s, with a cap of 1.2 s"


def superseded(run):
    """rule 3: after superseded, half the cap to the cap at once"""
    _cap_at_once(run, "superseded")


def kicked(run):
    """rule 3: after kicked, half the cap to the cap at once"""
    _cap_at_once(run, "kicked")


def unauthorized(run):
    """rule 3: after unauthorized, half the cap to the cap at once"""
    _cap_at_once(run, "unauthorized")


def daemon_crash(run):
    """rule 3: after crash, half the cap to the cap at once"""
    _cap_at_once(run, "crash")


def takeover(run):
    """rule 3: two clients with one id take over at most once a cap each"""
    server = run.server()
    clients = [run.client(server.port, name="one-id", base=30, cap=800) for _ in range(2)]
    holder, takeovers, begun = None, 0, None
    while begun is None or time.monotonic() - begun < 4:
        peer = server.accept_or_none(0.1 if begun else START)
        if holder is not None and peer is None:
            holder.heartbeats_for(0)
            if all(client.process.poll() is not None for client in clients):
                break
        if peer is None:
            if begun is None:
                raise Missing("the two clients did not both connect")
            continue
        peer.heartbeat(SLACK)
        if holder is not None:
            begun = begun or time.monotonic()
            takeovers += 1
            holder.send(close_frame("superseded"))
            holder.close()
        holder = peer
    most = 1 + 2 * (1 + 4 / 0.8)
    assert takeovers <= most, f"{takeovers} takeovers in 4 s with a cap of 0.8 s"
    run.seen = f"{takeovers} takeovers in 4 s, with a cap of 0.8 s"


def retry_after(run):
    """rule 4: retry_after_ms of a close is obeyed, once"""
    server, client, peer = run.start(base=50, cap=400)
    peer.heartbeats_for(0.25)
    notice = frame({"type": "status", "status": "close", "reason": "shutdown", "detail": "draining",
                    "retry_after_ms": 1500})
    client.cap = 2
    pause, peer = pause_after(server, client, lambda: (peer.send(notice), peer.close()))
    assert pause >= 1.499, f"back after {pause:.3f} s, and 1.5 s were asked for"
    peer.heartbeat(SLACK)
    peer.heartbeats_for(0.25)
    again, peer = pause_after(server, client, peer.close)
    assert again < 1.4, f"{again:.2f} s after the next end, too, which asked for nothing"
    run.seen = f"{pause:.2f} s for 1.5 s, then {again:.2f} s"


def drain(run):
    """rule 4: a daemon drains and ends, and the client comes back to the next one at the time that it was given"""
    server, client, peer = run.start(interval=100, base=50, cap=400)
    peer.send(frame({"type": "status", "status": "close", "reason": "shutdown", "detail": "draining",
                     "retry_after_ms": 1200}))
    drained = time.monotonic()
    peer.close()
    # A client that comes early finds the old daemon, and is seen; one that comes in time finds the new one.
    assert server.accept_or_none(1) is None, f"back after {time.monotonic() - drained:.2f} s, and 1.2 s were asked for"
    server.refuse()
    server.listen_again()
    peer = server.accept(0.2 + 2 * client.cap + SLACK)
    heartbeat = peer.heartbeat(SLACK)
    assert heartbeat.get("notify") is True, f"the next daemon is not asked for notices: {heartbeat}"
    run.seen = f"back after {peer.accepted_at - drained:.2f} s, and 1.2 s were asked for"


def absence(run):
    """rule 5: heartbeats that were due while there was no connection are not sent later"""
    server, client, peer = run.start(interval=150, base=100, cap=100)
    server.refuse()
    peer.reset()
    time.sleep(1.5)
    server.listen_again()
    peer = server.accept(client.cap + SLACK)
    peer.heartbeat(SLACK)
    peer.heartbeats_for(0.3)
    spent = time.monotonic() - peer.accepted_at
    # Some come late and together on a busy machine; the ten that were due meanwhile would be far more.
    assert peer.frames <= 1 + spent / 0.15 + 4, f"{peer.frames} heartbeats in the first {spent:.2f} s, after 1.5 s apart"
    run.seen = f"{peer.frames} in the first {spent:.1f} s, after 10 missed"


def stall(run):
    """rule 5: nor are heartbeats queued where the server does not read; frames stay whole"""
    server = run.server()
    server.narrow()
    # A long id makes long heartbeats, of which the kernel holds fewer.
    client = run.client(server.port, interval=2, name="stall" + 47 * "-")
    peer = server.accept(START)
    room = server.kernel_room(len(frame(peer.heartbeat(SLACK))))
    stalled = 7 * room * 0.002
    time.sleep(stalled)
    peer.widen()
    begun = time.monotonic()
    before = peer.frames
    peer.heartbeats_for(0.6)
    spent = time.monotonic() - begun
    got = peer.frames - before
    due = int(stalled / 0.002)
    most = 3 * room + spent / 0.002
    assert got <= most, f"{got} heartbeats after a stall of {due} intervals, and the kernel holds {room}"
    assert client.process.poll() is None, "it ended"
    run.seen = f"{got} after a stall of {due} intervals"


def goodbye(run):
    """rule 6: an orderly end says goodbye, also while answers lie unread"""
    server, client, peer = run.start(interval=3000)
    for number in range(20):
        peer.send(frame({"type": "ack", "seq": number, "status": "alive"}))
    client.process.send_signal(signal.SIGTERM)
    heartbeat = peer.heartbeat(SLACK)
    while heartbeat["status"] != "close":
        heartbeat = peer.heartbeat(SLACK)
    peer.send(close_frame("goodbye"))
    peer.half_close()
    assert peer.heartbeat_or_end(SLACK) is None, "something follows the goodbye"
    status = client.exit_status(5)
    assert status == 0, f"exit status {status}"
    run.seen = "close, end of stream, exit status 0"


def goodbye_apart(run):
    """rule 6: an orderly end does not wait for a connection that is not there"""
    server, client, peer = run.start(base=60000, cap=60000)
    peer.close()
    time.sleep(0.3)
    begun = time.monotonic()
    status = client.end()
    assert status == 0, f"exit status {status}"
    run.seen = f"ended after {time.monotonic() - begun:.2f} s"


def goodbye_deaf(run):
    """rule 6: nor for a server that does not answer the goodbye"""
    server, client, peer = run.start()
    client.end()
    run.seen = "ended"


def killed(run):
    """rule 6: a killed program says no goodbye"""
    _, client, peer = run.start(interval=50)
    client.process.send_signal(signal.SIGKILL)
    _no_goodbye(run, peer)


def crash(run):
    """rule 6: a program that fails says no goodbye either"""
    run.needs("crash")
    _, client, peer = run.start(interval=50)
    client.order("crash")
    _no_goodbye(run, peer)
    status = client.exit_status(5)
    assert status != 0, "the failure is swallowed: exit status 0"
    run.seen += f", exit status {status}"


def _no_goodbye(run, peer):
    try:
        while (heartbeat := peer.heartbeat_or_end(SLACK)) is not None:
            assert heartbeat["status"] != "close", "it said goodbye"
    except ConnectionError:
        pass
    run.seen = "the connection ends, no goodbye"


def names(run):
    """a name whose lookup takes long does not block the caller's loop"""
    if not run.options.slow_names:
        raise Skipped("no --slow-names")
    server = run.server()
    with tempfile.NamedTemporaryFile() as begun:
        client = run.client(server.port, host="slow.test", environment={
            "LD_PRELOAD": run.options.slow_names, "SLOW_NAMES_BEGUN": begun.name, "SLOW_NAMES_S": "6",
            "GODEBUG": "netdns=cgo"})
        end = time.monotonic() + START
        while not os.stat(begun.name).st_size:
            if time.monotonic() > end or client.process.poll() is not None:
                raise Missing("it looked up no name")
            time.sleep(0.02)
        if client.answers_ping(SLACK):
            run.seen = "answers ping during the lookup"
        else:
            client.end(SLACK + 1)
            run.seen = "ends during the lookup"
            return
        server.accept(6 + SLACK).heartbeat(SLACK)


def gate(run):
    """the gate: leave when the work is silent, alive when it goes on"""
    run.needs("touch")
    server, client, peer = run.start(interval=100, gate=1000)
    begun = time.monotonic()
    while time.monotonic() - begun < 1.5:
        touched = time.monotonic()
        client.order("touch")
        for heartbeat in peer.heartbeats_for(0.1):
            assert heartbeat["status"] != "leave", "leave while the work goes on"
    while peer.heartbeat(SLACK)["status"] != "leave":
        late = time.monotonic() - touched
        assert late < 1.1 + SLACK, f"no leave {late:.1f} s after the last touch, with a gate of 1 s"
    hung = time.monotonic() - touched
    assert hung >= 0.99, f"leave {hung:.2f} s after the last touch, with a gate of 1 s"
    for heartbeat in peer.heartbeats_for(0.5):
        assert heartbeat["status"] == "leave", "alive while the work hangs"
    client.order("touch")
    touched = time.monotonic()
    while peer.heartbeat(SLACK)["status"] == "leave":
        assert time.monotonic() - touched < 0.1 + SLACK, "still leave although the work goes on"
    run.seen = f"leave {hung:.2f} s after the last touch, with a gate of 1 s"


def declared_leave(run):
    """a declared leave goes out at once, with its note, and so does the alive that takes it back"""
    run.needs("leave")
    server, client, peer = run.start(interval=20000)
    # Many times, each as soon as the one before has come: the client may still be busy with having sent that one.
    for _ in range(DECLARATIONS):
        client.order("leave disk is being replaced")
        heartbeat = peer.heartbeat(SLACK)
        assert heartbeat["status"] == "leave" and heartbeat.get("note") == "disk is being replaced", heartbeat
        client.order("alive")
        heartbeat = peer.heartbeat(SLACK)
        assert heartbeat["status"] == "alive" and "note" not in heartbeat, heartbeat
    run.seen = f"leave with its note, then alive, {DECLARATIONS} times"


def frames(run):
    """every frame of the server, glued, split, unknown or unreadable: it beats on"""
    # A short base tells a drop from the kick that stands in a place where it does not count.
    server, client, peer = run.start(base=50, cap=60000)
    welcome = {"type": "welcome", "tick_ms": 10000, "threshold": 5, "cursor": 3, "recover": 5,
               "leave_timeout_ms": 1800000, "max_frame": 4096}
    bodies = [welcome, {"type": "ack", "seq": 18446744073709551615, "status": "alive"},
              {"type": "status", "status": "leave", "reason": "silent"},
              {"type": "status", "status": "alive", "reason": "steady"},
              {"type": "eclipse", "status": "close", "reason": "kicked", "deep": [[{"a": {}}], "\\\"}"]},
              {"type": "status", "status": "alive", "in": {"status": "close", "reason": "kicked"}},
              {"type": "status", "status": "alive", "reason": "steady", "detail": '","status":"close","reason":"kicked'},
              b"not json", b"[]", b'"text"', b"{", b'{"type":', b'{"type":"status","status":"close', b"\xff\xfe", b" ",
              b'{"type":7,"status":{},"reason":[]}', b'{"type":"ack"' + b" " * 4082 + b"}"]
    assert len(bodies[-1]) == 4096
    together = b"".join(frame(body) for body in bodies)
    peer.send(together)
    for byte in b"".join(frame(body) for body in bodies[:-1]):
        peer.send(bytes([byte]))
    for _ in range(3):
        peer.heartbeat(SLACK)
    pause, _ = pause_after(server, client, peer.close)
    assert pause < 0.05 + SLACK, f"{pause:.2f} s: a close was read in a frame that says none"
    run.seen = f"{2 * len(bodies) - 1} frames, all survived"


def bad_frames(run):
    """a length that no frame has ends the connection, and the pause follows"""
    for number, first in enumerate([struct_length(0), struct_length(-1), struct_length(4097), b"HTTP/1.1 400 No\r\n\r\n"]):
        with Run(run.options, f"{run.name}-{number}") as again:
            server, client, peer = again.start(interval=100)
            peer.send(first)
            with contextlib.suppress(Ended):
                pause_after(server, client, lambda: peer.wait_for_end(SLACK))
            peer.connection.close()
    run.seen = "4 lengths"


def struct_length(length):
    return length.to_bytes(4, "big", signed=True)


def refusals(run):
    """after each other reason for a close, known or not, it comes back by the pause, or ends"""
    ended = []
    reasons = ORDINARY + ["eclipse", ""]
    server = client = None
    for reason in reasons:
        if client is None:
            # A cap that is far beyond every wait here: a client that takes the cap does not come back in time.
            server, client, peer = run.start(interval=20, base=40, cap=60000)
            client.cap = client.base
        peer.heartbeat(SLACK)
        peer.heartbeats_for(0.06)  # more than an interval: the pause is at most the base
        peer.send(close_frame(reason, detail="a sentence"))
        try:
            _, peer = pause_after(server, client, peer.close)
            peer.heartbeat(SLACK)
        except Ended as end:
            assert reason in MAY_END_AFTER, f"after {reason} it {end}"
            ended.append(reason)
            client = None
    run.seen = f"{len(reasons)} reasons" + (f", ends after {', '.join(ended)}" if ended else "")


def ids(run):
    """an id that heartbeatd would refuse is refused by the client, and any other one is sent as it is"""
    refused = ["10.0.0.7", "10.0.0.7:80", "10.0.0.7:99999", "[10.0.0.7]:80", "::1", "fe80::1%eth0", "[::1]", "[::1]:80",
               "[fe80::1%eth0]:80", "02:42:ac:ff:fe:11:00:02", "x" * 129, "tab\tin it", "line\n"]
    sent = ["10.0.0.256", "10.0.7", "7", "[::1", "::1]", "::g", "10.0.0.7:", "10.0.0.7:a", "deadbeef", "02:42:ac:11:00:02",
            "pump-7", "a b", "Pumpe-ä", "x" * 128]
    server = run.server()
    for each in refused:
        client = run.client(server.port, own_id=each)
        end = time.monotonic() + START
        while client.process.poll() is None:
            assert server.accept_or_none(0.02) is None, f"it connects with the id {each!r}"
            assert time.monotonic() < end, f"it neither connects nor ends with the id {each!r}"
        assert client.process.returncode != 0, f"exit status 0 with the id {each!r}"
    for each in sent:
        client = run.client(server.port, own_id=each)
        peer = server.accept_or_none(START)
        assert peer is not None, f"it does not connect with the id {each!r}"
        heartbeat = peer.heartbeat(SLACK)
        assert heartbeat.get("id") == each, f"{heartbeat} with the id {each!r}"
        client.kill()
        peer.connection.close()
    run.seen = f"{len(refused)} refused, {len(sent)} sent"


def half_close(run):
    """a server that closes its half has ended the connection"""
    server, client, peer = run.start(interval=100)
    peer.half_close()
    peer.wait_for_end(SLACK)
    _, peer = pause_after(server, client, peer.connection.close)
    peer.heartbeat(SLACK)
    run.seen = "closes its own half, and comes back"


def restart(run):
    """a daemon that is gone and starts again: back, with a heartbeat at once"""
    server, client, peer = run.start(interval=4000, base=50, cap=300)
    server.refuse()
    peer.reset()
    time.sleep(1)
    server.listen_again()
    peer = server.accept(client.cap + SLACK)
    peer.heartbeat(SLACK)
    server.accept_or_none(0)
    run.seen = f"first heartbeat {time.monotonic() - peer.accepted_at:.2f} s after the connect"


def tls(run):
    """TLS: a server whose certificate is trusted gets the token, in the first heartbeat only"""
    run.needs("tls")
    server = run.server(run.options.context)
    run.client(server.port, tls=True)
    peer = server.accept(START)
    first = peer.heartbeat(SLACK)
    assert first.get("token") == run.options.token, f"no token: {first}"
    for _ in range(2):
        assert "token" not in peer.heartbeat(SLACK), "the token is repeated"
    run.seen = "token once"


def tls_stranger(run):
    """TLS: a server that the certificate does not name gets nothing"""
    run.needs("tls")
    server = run.server(run.options.context)
    run.client(server.port, host="localhost", tls=True)
    end = time.monotonic() + START
    while True:
        try:
            peer = server.accept(end - time.monotonic())
            heartbeat = peer.heartbeat_or_end(SLACK)
            assert heartbeat is None, f"it said {heartbeat}"
            run.seen = "ended before a byte of ours"
            return
        except (ssl.SSLError, ConnectionError) as error:
            run.seen = f"refused: {getattr(error, 'reason', error)}"
            return


RULES = [pace, kind, jitter, grow_and_fall_back, cap, superseded, kicked, unauthorized, daemon_crash, takeover,
         retry_after, drain, absence, stall, goodbye, goodbye_apart, goodbye_deaf, killed, crash, names, gate,
         declared_leave, ids, frames, bad_frames, refusals, half_close, restart, tls, tls_stranger]


def try_rule(options, rule):
    """One line of the table: the rule, `pass`, `FAIL` or `skip`, and what was seen."""
    with Run(options, rule.__name__) as run:
        try:
            try:
                rule(run)
            except Ended as end:
                run.seen = str(end)
            run.check_sanitizers()
            return rule, "pass", run.seen
        except Skipped as why:
            return rule, "skip", str(why)
        except (AssertionError, OSError, ValueError, subprocess.TimeoutExpired) as error:
            return rule, "FAIL", f"{error}" or type(error).__name__


def certificate(folder):
    """A server's TLS context, and the file of its certificate, which names 127.0.0.1 and nothing else."""
    cert, key = f"{folder}/certificate.pem", f"{folder}/key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-subj", "/CN=heartbeat test", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2",
                    "-keyout", key, "-out", cert], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context, cert


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", metavar="RULE", help="try this rule; may be repeated")
    parser.add_argument("--slow-names", metavar="LIBRARY", default="",
                        help="preloaded for the rule about names: a getaddrinfo() that takes long")
    parser.add_argument("--tls", metavar="WORDS", default="",
                        help="what is added to COMMAND for the rules about TLS, for example '{ca} {token}'")
    parser.add_argument("--without", action="append", metavar="ORDER", default=[],
                        help="an order that the client does not take; its rule is skipped")
    parser.add_argument("--jobs", type=int, default=10, help="rules tried at one time [10]")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    rules = [rule for rule in RULES if not options.only or rule.__name__ in options.only]
    options.ca, options.token, options.token_file, options.context = "", "", "", None
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(max_workers=options.jobs) as pool:
        if options.tls:
            options.token = "hb_0123456789abcdef"
            options.context, options.ca = certificate(folder)
            options.token_file = f"{folder}/token"
            with open(options.token_file, "w", encoding="ascii") as file:
                file.write(options.token + "\n")
            os.chmod(options.token_file, 0o600)
        results = list(pool.map(lambda rule: try_rule(options, rule), rules))
    for rule, result, seen in results:
        print(f"{rule.__name__:<19} {result}  {rule.__doc__}\n{'':<25}{seen}")
    failed = sum(result == "FAIL" for _, result, _ in results)
    skipped = sum(result == "skip" for _, result, _ in results)
    print(f"{len(results)} rules: {len(results) - failed - skipped} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())
