#!/usr/bin/env python3
"""heartbeat-sim against the real daemon, and against a daemon that breaks its promises.  Usage: test_sim.py BIN_FOLDER"""
import fcntl
import json
import os
import pty
import re
import selectors
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import urllib.request

from process import Daemon, WAIT_S, run, run_tests, wait_until

FOLDER = sys.argv[1]
SIM = f"{FOLDER}/heartbeat-sim"
EVERY_BEHAVIOUR = ["steady", "flaky", "glued", "dribble", "late", "silent", "declared", "goodbye", "illegal",
                   "takeover"]

# limits::kConnectingMax
CONNECTING_MAX = 100


class Liar:
    """Speaks the protocol, and keeps no promise: it sends a rule, and never moves or closes a client."""

    def __init__(self, tick_ms, meddle=False, poison=None):
        self.tick_ms = tick_ms
        self.meddle = meddle  # also: sends a status to each client that sends anything
        self.poison = poison  # also: says this in every text, to each client that sends anything
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        selector = selectors.DefaultSelector()
        selector.register(self.listener, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is self.listener:
                    selector.register(self.listener.accept()[0], selectors.EVENT_READ)
                elif not self.answer(key.fileobj):
                    selector.unregister(key.fileobj)
                    key.fileobj.close()

    def answer(self, client):
        try:
            data = client.recv(4096)
            if b'"notify":true' in data:
                send(client, {"type": "welcome", "tick_ms": self.tick_ms, "threshold": 5, "cursor": 3, "recover": 5,
                              "leave_timeout_ms": 1000, "max_frame": 4096})
            if self.poison:
                for kind, word in ((self.poison, ""), ("ack", ""), ("status", self.poison), ("status", "leave"),
                                   ("status", "alive")):
                    send(client, {"type": kind, "status": word or self.poison, "reason": self.poison,
                                  "detail": self.poison})
            if self.meddle:
                send(client, {"type": "status", "status": "leave", "reason": "silent"})
        except ConnectionError:
            return False
        return data and not (b'"status":"close"' in data and b'"id"' not in data)  # lets the scout go


def send(client, message):
    body = json.dumps(message).encode()
    client.sendall(struct.pack("!i", len(body)) + body)


def rows(result):
    """The table: behaviour to verdict."""
    lines = result.stdout.splitlines()[1:]
    return {line.split()[0]: line.split(maxsplit=7)[7] for line in lines}


def simulate(address, *flags):
    return run(SIM, "--server", address, "--seed", "1", *flags)


def check(result, code):
    assert result.returncode == code, f"exit code {result.returncode}, not {code}:\n{result.stdout}{result.stderr}"


def test_every_behaviour():
    """Each behaviour leads to what the rule promises, and is seen to."""
    with Daemon(FOLDER, "--tick", "200ms", "--leave-timeout", "2500ms") as daemon:
        result = simulate(daemon.address, "--clients", "46", "--add-every", "10ms", "--duration", "9s",
                          "--mix", "steady=6,flaky=2,glued=2,dribble=2,late=2,silent=2,declared=2,goodbye=2,"
                          "illegal=2,takeover=2")
        check(result, 0)
        verdicts = rows(result)
        assert list(verdicts) == EVERY_BEHAVIOUR, result.stdout
        for behaviour, verdict in verdicts.items():
            assert verdict == "ok" or "excused" in verdict, f"{behaviour}: {verdict}\n{result.stderr}"
        log = daemon.read_log()
        for reason in ("silent", "away", "goodbye", "bad_frame", "bad_heartbeat"):
            assert f"to=close reason={reason} " in log, reason
        assert "to=alive reason=steady" in log
        assert "takeover client=" in log


KINDS = '''[[group]]
name = "game"
by_name = "yes"
tick = "200ms"
threshold = 3
cursor = 2
recover = 2
leave_timeout = "2s"

[[group]]
name = "machine"
by_name = "yes"
tick = "3s"
threshold = 3
cursor = 2
recover = 2
leave_timeout = "3s"
interval_min = "100ms"
interval_max = "400ms"
'''


def test_kinds():
    """Clients of two kinds in one run: each is judged by the rule of its group, and by the tick that it declared."""
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as config:
        config.write(KINDS)
        config.flush()
        with Daemon(FOLDER, "--tick", "10s", "--config", config.name) as daemon:
            result = simulate(daemon.address, "--clients", "40", "--add-every", "10ms", "--duration", "12s", "--kinds",
                              "game=200ms,machine=400ms", "--mix", "steady=3,glued=1,late=2,silent=2,declared=1,takeover=1")
            check(result, 0)
            assert "the group game: tick=200ms threshold=3 cursor=2 recover=2 leave_timeout=2s" in result.stderr, result.stderr
            assert "the group machine: tick=400ms threshold=3 cursor=2 recover=2 leave_timeout=3s" in result.stderr
            for behaviour, verdict in rows(result).items():
                assert verdict == "ok" or "excused" in verdict, f"{behaviour}: {verdict}\n{result.stderr}"


def test_restarts():
    """Restarts while clients of every behaviour are connected: no client notices any of them."""
    with tempfile.TemporaryDirectory() as folder:
        control = f"{folder}/control.sock"
        with Daemon(FOLDER, "--tick", "200ms", "--leave-timeout", "2500ms", "--control", control) as daemon:
            result = simulate(daemon.address, "--clients", "23", "--add-every", "10ms", "--duration", "9s",
                              "--mix", "steady=3,flaky=1,glued=1,dribble=1,late=1,silent=1,declared=1,goodbye=1,"
                              "illegal=1,takeover=1", "--restart-every", "500ms", "--control", control)
            check(result, 0)
            told = re.search(r"the daemon was restarted (\d+) times, and the longest took \S+", result.stderr)
            assert told and int(told[1]) >= 3, result.stderr
            log = daemon.read_log()
            # The last one may have been under way when the run ended.
            assert len(re.findall(r"restarted from_version=", log)) in (int(told[1]), int(told[1]) + 1), log


def test_no_restart():
    """Where the daemon cannot be restarted, the run ends and says why."""
    with Daemon(FOLDER) as daemon:
        result = simulate(daemon.address, "--clients", "1", "--restart-every", "100ms", "--control", "/nowhere/socket")
        check(result, 69)
        assert "no restart: /nowhere/socket: No such file or directory" in result.stderr, result.stderr
    for flags, why in ((["--restart-every", "99ms"], "'99ms' is not from 100ms to 1d"),
                       (["--restart-every", "1s", "--virtual"], "restarts are drawn from the seed"),
                       (["--control", "/nowhere/socket"], "without --restart-every it is not used")):
        result = run(SIM, *flags)
        check(result, 64)
        assert why in result.stderr, result.stderr


def test_sources():
    """The clients are spread over as many source addresses as the option says."""
    with Daemon(FOLDER) as daemon:
        check(simulate(daemon.address, "--clients", "6", "--add-every", "0ms", "--duration", "1s", "--sources", "3",
                       "--mix", "steady=1"), 0)
        log = daemon.read_log()
        for address in ("127.0.0.1", "127.0.0.2", "127.0.0.3"):
            assert f"peer={address}:" in log, address


def test_waiting():
    """What has had no time to happen is waiting, and no failure; a signal ends a run that has no end."""
    with Daemon(FOLDER) as daemon:
        sim = subprocess.Popen([SIM, "--server", daemon.address, "--clients", "2", "--add-every", "0ms",
                                "--mix", "silent=1", "--id-prefix", "waits"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        daemon.wait_for_log("joined client=waits-1 ")
        sim.terminate()
        stdout, stderr = sim.communicate(timeout=WAIT_S)
        assert sim.returncode == 0, stderr
        assert "2 waiting: not yet led to leave" in stdout, stdout
        assert "\r" not in stderr, "a live line where there is no terminal"


def test_daemon_ends():
    """A daemon that ends is distinguished from a daemon that breaks a promise."""
    daemon = Daemon(FOLDER)
    sim = subprocess.Popen([SIM, "--server", daemon.address, "--clients", "2", "--add-every", "0ms",
                            "--mix", "glued=1", "--id-prefix", "ends"],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    daemon.wait_for_log("joined client=ends-1 ")
    daemon.stop()
    stdout, stderr = sim.communicate(timeout=WAIT_S)
    assert sim.returncode == 69, f"{sim.returncode}\n{stdout}{stderr}"
    assert "the daemon ended" in stderr, stderr


def test_ctrl_c_in_one_terminal():
    """One signal to the daemon and to the simulator at once, as from a terminal, breaks no promise."""
    for first in ("daemon", "simulator"):
        daemon = Daemon(FOLDER)
        sim = subprocess.Popen([SIM, "--server", daemon.address, "--clients", "20", "--add-every", "0ms",
                                "--mix", "steady=1", "--id-prefix", "ends"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        daemon.wait_for_log(r"joined client=ends-1[89] ")
        both = [daemon.process, sim]
        for process in both if first == "daemon" else reversed(both):
            process.send_signal(signal.SIGINT)
        stdout, stderr = sim.communicate(timeout=WAIT_S)
        assert daemon.process.wait(WAIT_S) == 0
        assert sim.returncode in (0, 69), f"{first} first: {sim.returncode}\n{stdout}{stderr}"


def test_virtual():
    """In virtual time every promise is kept, and a seed is the same run each time."""
    flags = ("--virtual", "--seed", "7", "--seeds", "12", "--clients", "40", "--duration", "2min")
    first = run(SIM, *flags)
    check(first, 0)
    table = dict(line.rsplit(maxsplit=1) for line in first.stdout.splitlines())
    assert table["seeds that broke a promise"] == "0", first.stdout
    for what in ("heartbeats", "strikes", "leaves", "returns", "closed as silent", "pauses of the daemon"):
        assert int(table[what]) > 0, f"{what}\n{first.stdout}"
    assert run(SIM, *flags).stdout == first.stdout
    assert run(SIM, *flags[:2], "8", *flags[3:]).stdout != first.stdout


def test_slow_beats():
    """Clients that beat slower than the tick are promised nothing, and that is said."""
    with Daemon(FOLDER, "--tick", "50ms", "--leave-timeout", "100ms") as daemon:
        result = simulate(daemon.address, "--clients", "2", "--add-every", "0ms", "--duration", "2s", "--interval", "1s",
                          "--mix", "steady=1")
        check(result, 0)
        assert rows(result)["steady"] == "2 without a promise: it beats slower than the daemon's tick", result.stdout


def test_a_daemon_that_does_nothing():
    """A daemon that never moves or closes a client has broken what it promised, behaviour by behaviour."""
    result = simulate(Liar(tick_ms=50).address, "--clients", "10", "--add-every", "0ms", "--duration", "8s",
                      "--mix", ",".join(f"{behaviour}=1" for behaviour in EVERY_BEHAVIOUR))
    check(result, 1)
    verdicts = rows(result)
    for behaviour in ("glued", "dribble", "late", "silent", "declared", "goodbye", "illegal", "takeover"):
        assert verdicts[behaviour] == "1 BROKEN", f"{behaviour}: {result.stdout}"
        assert f"broken: {behaviour} client " in result.stderr, result.stderr
    for behaviour in ("steady", "flaky"):
        assert verdicts[behaviour] == "ok", f"{behaviour}: {result.stdout}"


def test_a_daemon_that_meddles():
    """A daemon that sends a leave to steady clients, or any message to clients that never asked, has broken its promise."""
    result = simulate(Liar(tick_ms=10000, meddle=True).address, "--clients", "2", "--add-every", "0ms", "--duration", "1s",
                      "--mix", "steady=1")
    check(result, 1)
    assert "was led to leave (silent)" in result.stderr, result.stderr
    assert "bytes and had never asked" in result.stderr, result.stderr


def test_forgery():
    """No text of the daemon gets into what it prints, so that none can forge a line or move the terminal."""
    poison = "a\x1b]0;owned\x07\x1b[2J\u009b2J\u202eb\u2028\r\nFORGED\x00\x7f"
    result = simulate(Liar(tick_ms=50, poison=poison).address, "--clients", "10", "--add-every", "0ms", "--duration",
                      "3s", "--mix", ",".join(f"{behaviour}=1" for behaviour in EVERY_BEHAVIOUR))
    check(result, 1)
    assert "was led to leave" in result.stderr, result.stderr  # it was heard
    for line in (result.stdout + result.stderr).split("\n"):
        assert line.isprintable() and not line.startswith("FORGED"), repr(line)


def test_a_daemon_that_accepts_nobody():
    """As many clients as may wait for their accept at once do, and not one more: the others are added later."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()

        def waiting():
            """Connections to it that the kernel has not made, for there is no room for them: SYN_SENT."""
            there = "0100007F:%04X" % address[1]
            with open("/proc/net/tcp", encoding="ascii") as table:
                return sum(line.split()[2:4] == [there, "02"] for line in table)

        sim = subprocess.Popen([SIM, "--server", "%s:%d" % address, "--clients", "300", "--add-every", "1ms",
                                "--duration", "1h", "--mix", "steady=1"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
        try:
            scout, _ = listener.accept()
            with scout:
                scout.recv(4096)
                send(scout, {"type": "welcome", "tick_ms": 10000, "threshold": 5, "cursor": 3, "recover": 5,
                             "leave_timeout_ms": 1000, "max_frame": 4096})
                scout.recv(4096)
            wait_until(lambda: waiting() == CONNECTING_MAX, f"{CONNECTING_MAX} to wait, there are {waiting()}", sim)
            # 300 have been due long ago; each look would have seen one more.
            for _ in range(50):
                assert waiting() <= CONNECTING_MAX, waiting()
                time.sleep(0.02)
        finally:
            sim.kill()
            sim.wait()


def test_unreachable():
    """A daemon that is not there, and a server that is none, are one line and 69; a bad command line 64."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = "127.0.0.1:%d" % listener.getsockname()[1]
    result = simulate(address)
    check(result, 69)
    assert result.stderr == f"heartbeat-sim: cannot reach {address}: connection refused\n", result.stderr
    result = simulate(address, "--mix", "asleep=1")
    check(result, 64)
    assert result.stderr.count("\n") == 1, result.stderr


def test_demo():
    """The demonstration has a daemon, a page and a control socket of its own, and leaves nothing behind."""
    with tempfile.TemporaryDirectory() as folder:
        with subprocess.Popen([SIM, "--demo", "--duration", "8s"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, env={**os.environ, "TMPDIR": folder}) as sim:
            said = ""
            while "heartbeatctl --control" not in said:
                line = sim.stderr.readline()
                assert line, said
                said += line
            page = re.search(r"the status page: (http://127\.0\.0\.1:\d+/)$", said, re.M).group(1)
            control = re.search(r"heartbeatctl --control (\S+) top$", said, re.M).group(1)
            with urllib.request.urlopen(page + "api/status", timeout=WAIT_S) as answer:
                status = json.load(answer)
            assert status["rule"]["tick_ms"] == 1000, status
            clients = run(f"{FOLDER}/heartbeatctl", "--control", control, "clients")
            assert clients.returncode == 0, clients.stderr
            sim.communicate(timeout=WAIT_S)
            assert sim.returncode == 0, sim.returncode
        assert os.listdir(folder) == [], os.listdir(folder)
        try:
            os.kill(status["pid"], 0)
            assert False, "the daemon is still there"
        except ProcessLookupError:
            pass
    result = run(SIM, "--demo", "--server", "127.0.0.1:1")
    check(result, 64)


def test_live_line():
    """The line that is written over itself is never wider than the terminal."""
    with Daemon(FOLDER, "--tick", "1s") as daemon:
        main, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
        with subprocess.Popen([SIM, "--server", daemon.address, "--add-every", "0ms", "--duration", "3s"],
                              stdout=subprocess.DEVNULL, stderr=terminal) as sim:
            os.close(terminal)
            written = b""
            try:
                while chunk := os.read(main, 4096):
                    written += chunk
            except OSError:  # the other end is closed
                pass
            assert sim.wait(WAIT_S) == 0, sim.returncode
        os.close(main)
    lines = [line.split(b"\x1b")[0].split(b"\r\n")[0] for line in written.split(b"\r") if b"\x1b[K" in line]
    assert any(b"added" in line for line in lines), written
    assert max(map(len, lines)) == 39, lines


run_tests([test_kinds, test_restarts, test_no_restart, test_demo, test_live_line, test_every_behaviour, test_sources, test_waiting, test_daemon_ends, test_ctrl_c_in_one_terminal,
           test_virtual, test_slow_beats,
           test_a_daemon_that_accepts_nobody, test_a_daemon_that_does_nothing, test_a_daemon_that_meddles, test_forgery, test_unreachable])
