#!/usr/bin/env python3
"""Restarts a daemon under load and judges what its clients notice.  Not one of the ordinary tests: the promise has a
length in it, so it needs a machine with nothing else to do, and a release build.

    HEARTBEATD=build/release/bin/heartbeatd tests/scale/restarts.py [CASE ...]
    HEARTBEATD=build/release/bin/heartbeatd tests/scale/restarts.py box build/release/package

Each client sends heartbeats with growing numbers, wants each acknowledged in order, and sends each seventh in two
halves.  The cases:

    exec    10 times `heartbeatctl restart`: another program in the same process
    store   10 times SIGKILL under a stand-in for systemd, which keeps sockets and state for the next process
    box     10 times `systemctl restart` of the installed package under a real systemd in a box (tests/system/box.py);
            needs root, and the directory of the package
    cost    no restart: processor time of a heartbeat and memory of the daemon, without and with what is kept for a
            crash, in turns

Each is red where a connection ended, an acknowledgement is missing or out of order, or a restart left the clients
unread for more than 150 ms.  After SIGKILL the client whose bytes were being handled may be lost: one for each.
CLIENTS (15 000; `box` has as many as its limit of descriptors allows), INTERVAL in seconds (2) and RESTARTS (10)
change the run.
"""
import heapq
import itertools
import json
import os
import re
import select
import signal
import socket
import struct
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "process"), os.path.join(HERE, "..", "system")]

UNREAD_MAX_MS = 150
CLIENTS = int(os.environ.get("CLIENTS", "15000"))
INTERVAL_S = float(os.environ.get("INTERVAL", "2"))
RESTARTS = int(os.environ.get("RESTARTS", "10"))
BETWEEN_S = 3  # restarts
HALF_AFTER_S = 0.005
BOUND_S = 60
ACK = re.compile(rb'"seq":(\d+)')


class Red(Exception):
    """A promise that was not kept, as a sentence."""


class Fleet:
    """Clients on one thread.  A client that fails is counted and left out from then on."""

    def __init__(self, address, count):
        self.address = address
        self.sockets = []
        self.names = {}
        self.sent = [0] * count
        self.acknowledged = [0] * count
        self.sent_at = [None] * count  # of the oldest that is not acknowledged
        self.received = [b""] * count
        self.lost = []
        self.wrong = []
        self.longest_s = 0.0  # from a heartbeat to its acknowledgement
        self._epoll = select.epoll()
        self._end = threading.Event()
        for number in range(count):
            each = socket.create_connection(address, timeout=BOUND_S)
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            each.setblocking(False)
            self.sockets.append(each)
            self.names[each.fileno()] = number
            self._epoll.register(each, select.EPOLLIN)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self):
        """Returns when every heartbeat is acknowledged, or was not in time."""
        self._end.set()
        self._thread.join()
        for each in self.sockets:
            each.close()

    def _run(self):
        begun = time.monotonic()
        gap = INTERVAL_S / len(self.sockets)
        halves = []
        for turn in itertools.count():
            due = begun + turn * gap
            while (now := time.monotonic()) < due or (halves and halves[0][0] <= now):
                while halves and halves[0][0] <= now:
                    _, number, rest = heapq.heappop(halves)
                    self._send(number, rest)
                self._read(max(0.0, min(due, halves[0][0] if halves else due) - time.monotonic()))
            if turn % 32 == 0:
                self._read(0)
            if self._end.is_set():
                break
            number = turn % len(self.sockets)
            if self.sockets[number].fileno() < 0:
                continue
            whole = self._heartbeat(number)
            if turn % 7 == 0:
                self._send(number, whole[:len(whole) // 2])
                heapq.heappush(halves, (now + HALF_AFTER_S, number, whole[len(whole) // 2:]))
            else:
                self._send(number, whole)
        for _, number, rest in sorted(halves):
            self._send(number, rest)
        end = time.monotonic() + BOUND_S
        while time.monotonic() < end and any(self._waits(number) for number in range(len(self.sockets))):
            self._read(0.1)

    def _waits(self, number):
        return self.sockets[number].fileno() >= 0 and self.acknowledged[number] < self.sent[number]

    def _heartbeat(self, number):
        self.sent[number] += 1
        if self.sent_at[number] is None:
            self.sent_at[number] = time.monotonic()
        body = b'{"ip":"192.0.2.7","status":"alive","id":"pump-%d","ack":true,"seq":%d}' % (number, self.sent[number])
        return struct.pack("!i", len(body)) + body

    def _send(self, number, data):
        if self.sockets[number].fileno() < 0:
            return
        try:
            if self.sockets[number].send(data) != len(data):
                self._lose(number, "its socket takes no more")
        except OSError as error:
            self._lose(number, str(error))

    def _read(self, timeout):
        for descriptor, _ in self._epoll.poll(timeout):
            number = self.names[descriptor]
            try:
                got = os.read(descriptor, 65536)
            except OSError as error:
                self._lose(number, str(error))
                continue
            if not got:
                self._lose(number, "the daemon ended it")
                continue
            self._take(number, self.received[number] + got)

    def _take(self, number, data):
        now = time.monotonic()
        while len(data) >= 4 and len(data) >= (size := 4 + int.from_bytes(data[:4], "big")):
            ack = ACK.search(data[:size])
            if ack is None or b'"ack"' not in data[:size] or int(ack[1]) != self.acknowledged[number] + 1:
                self.wrong.append((number, data[:size]))
            self.acknowledged[number] += 1
            self.longest_s = max(self.longest_s, now - (self.sent_at[number] or now))
            self.sent_at[number] = now if self.acknowledged[number] < self.sent[number] else None
            data = data[size:]
        self.received[number] = data

    def _lose(self, number, why):
        self._epoll.unregister(self.sockets[number])
        self.sockets[number].close()
        self.lost.append((number, why))


def judge(fleet, unread_ms, lost_allowed=0):
    """Prints the figures; Red where the promise was not kept."""
    missing = sum(sent - acknowledged for number, (sent, acknowledged) in enumerate(zip(fleet.sent, fleet.acknowledged))
                  if fleet.sockets[number].fileno() >= 0 or number not in dict(fleet.lost))
    print(f"  {len(fleet.sent)} clients, {sum(fleet.sent)} heartbeats, {len(unread_ms)} restarts: "
          f"{len(fleet.lost)} connections lost, {missing} heartbeats not acknowledged, {len(fleet.wrong)} frames wrong; "
          f"unread for {min(unread_ms)} to {max(unread_ms)} ms (median {sorted(unread_ms)[len(unread_ms) // 2]}); "
          f"longest until an acknowledgement {fleet.longest_s * 1000:.0f} ms", flush=True)
    if fleet.wrong or missing:
        raise Red(f"wrong or missing: {fleet.wrong[:3]}, {missing}")
    if len(fleet.lost) > lost_allowed:
        raise Red(f"lost: {fleet.lost[:3]}")
    if max(unread_ms) > UNREAD_MAX_MS:
        raise Red(f"the clients were unread for {max(unread_ms)} ms; promised are {UNREAD_MAX_MS}")


def run(fleet, status, restart):
    """The fleet beats while `restart()` is called again and again; how long each left the clients unread."""
    unread_ms = []
    try:
        for number in range(1, RESTARTS + 1):
            time.sleep(BETWEEN_S)
            restart()
            end = time.monotonic() + BOUND_S
            while (restarts := status()["restarts"])["count"] < number:
                if time.monotonic() > end:
                    raise Red(f"restart {number} did not come")
                time.sleep(0.05)
            unread_ms.append(restarts["last_ms"])
            print(f"  restart {number}: unread for {restarts['last_ms']} ms", flush=True)
        time.sleep(BETWEEN_S)
    finally:
        fleet.end()
    return unread_ms


def flags(count):
    return {"max_clients": count + 100, "max_clients_per_ip": 0, "accept_rate": 0, "log_rate": 10, "tick": "10s"}


def exec_case():
    import harness  # pylint: disable=import-outside-toplevel
    daemon = harness.Daemon(**flags(CLIENTS))
    fleet = Fleet(daemon.address, CLIENTS)
    unread_ms = run(fleet, lambda: daemon.ask("status"), lambda: daemon.ask("restart"))
    judge(fleet, unread_ms)
    daemon.end()


def store_case():
    import harness  # pylint: disable=import-outside-toplevel
    import service_manager  # pylint: disable=import-outside-toplevel
    manager = service_manager.ServiceManager()
    daemons = [manager.start(**flags(CLIENTS))]
    fleet = Fleet(daemons[0].address, CLIENTS)

    def restart():
        daemons[-1].send_signal(signal.SIGKILL)
        daemons[-1].process.wait(harness.BOUND_S)
        daemons.append(manager.start(**flags(CLIENTS)))
    unread_ms = run(fleet, lambda: daemons[-1].ask("status"), restart)
    crashed = daemons[-1].ask("status")["closes"].get("crash", 0)
    daemons[-1].end()
    manager.close()
    judge(fleet, unread_ms, crashed)


def box_case():
    from box import Box, only_package_in  # pylint: disable=import-outside-toplevel
    package = only_package_in(sys.argv[2])
    machine = Box()
    try:
        machine.copy_in(package, "/tmp/heartbeatd.deb")
        machine.run("dpkg", "--install", "/tmp/heartbeatd.deb")
        machine.enter_network()
        pid = machine.show("heartbeatd.service", "MainPID")
        limits = machine.run("cat", f"/proc/{pid}/limits").stdout
        # Two descriptors for each client, and three for a moment.
        count = min(CLIENTS, int(re.search(r"Max open files +(\d+)", limits)[1]) // 3 - 100)
        text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in flags(count).items())
        machine.write("/etc/heartbeatd/heartbeatd.toml", text)
        machine.write("/etc/systemd/system/heartbeatd.service.d/restarts.conf", "[Unit]\nStartLimitBurst=1000\n")
        machine.run("systemctl", "daemon-reload")
        machine.run("systemctl", "stop", "heartbeatd.service")
        machine.run("systemctl", "start", "heartbeatd.service")
        fleet = Fleet(("127.0.0.1", 14000), count)
        unread_ms = run(fleet, lambda: json.loads(machine.run("heartbeatctl", "--json", "status").stdout),
                        lambda: machine.run("systemctl", "restart", "heartbeatd.service"))
        judge(fleet, unread_ms)
    finally:
        machine.stop()


def usage(daemon):
    """Nanoseconds of processor time, heartbeats, and KiB of anonymous and of shared memory."""
    pid = daemon.process.pid
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
        processor_ns = int(file.read().split()[0])
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        memory = dict(re.findall(r"(Rss\w+):\s+(\d+) kB", file.read()))
    return processor_ns, daemon.ask("status")["heartbeats"]["total"], int(memory["RssAnon"]), int(memory["RssShmem"])


def cost_case():
    import service_manager  # pylint: disable=import-outside-toplevel
    for keeps in ("no", "yes") * 3:
        manager = service_manager.ServiceManager()
        daemon = manager.start(**flags(CLIENTS), keep_over_crash=keeps)
        fleet = Fleet(daemon.address, CLIENTS)
        time.sleep(2 * INTERVAL_S)
        before = usage(daemon)
        time.sleep(10 * INTERVAL_S)
        after = usage(daemon)
        fleet.end()
        daemon.end()
        manager.close()
        heartbeats = after[1] - before[1]
        print(f"  keep_over_crash = {keeps:3}: {(after[0] - before[0]) / heartbeats:.0f} ns of {heartbeats} heartbeats each, "
              f"{after[2]} KiB of its own and {after[3]} KiB shared for {CLIENTS} clients", flush=True)


CASES = {"exec": exec_case, "store": store_case, "box": box_case, "cost": cost_case}


def main():
    red = 0
    names = ["box"] if sys.argv[1:2] == ["box"] else sys.argv[1:] or ["exec", "store"]
    for name in names:
        print(name, flush=True)
        try:
            CASES[name]()
        except Red as why:
            red += 1
            print(f"  RED: {why}", flush=True)
    sys.exit(1 if red else 0)


if __name__ == "__main__":
    main()
