#!/usr/bin/env python3
"""heartbeat-bench: that it counts, tells and lets go of everything.  No figure of it is judged: the machine is busy.

    test_bench.py BIN_FOLDER

Also started by heartbeat-bench itself, as a daemon that counts one heartbeat too many.
"""
import json
import os
import resource
import selectors
import socket
import struct
import subprocess
import sys
import tempfile

from process import run_tests

LIMIT_S = 500  # a run takes half a minute where it has the machine to itself
ROWS = ["rate", "rate_sum", "batch", "slow", "slow_sum", "churn_cpu", "churn_rate", "accept", "memory_rss", "memory_pss", "memory_back", "idle"]


def bench(*flags, descriptors=None):
    """Runs it in a folder of its own, which must be empty afterwards; the result has `json`, where asked for."""
    def lower():
        if descriptors:
            resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as out:
        target = os.path.join(out, "figures.json")
        result = subprocess.run([f"{FOLDER}/heartbeat-bench", "--json", target, *flags], capture_output=True, text=True,
                                timeout=LIMIT_S, check=False, env={**os.environ, "TMPDIR": folder}, preexec_fn=lower)
        assert os.listdir(folder) == [], f"left behind: {os.listdir(folder)}"
        if os.path.exists(target):
            with open(target, encoding="utf-8") as file:
                result.json = json.load(file)
    return result


def check(result, code):
    assert result.returncode == code, f"exit code {result.returncode}, not {code}:\n{result.stdout}{result.stderr}"


def test_every_row():
    """A quick run counts everything that it sent, and has a figure for each row and server."""
    result = bench("--quick")
    check(result, 0)
    metrics = result.json["metrics"]
    for row in ROWS:
        for server in ("raw", "raw-paused", "libuv", "heartbeatd"):
            assert metrics[row]["servers"][server]["count"] == 1, f"{row}: {metrics[row]}"
        assert metrics[row]["title"] in result.stdout, row
    for row in ("lateness", "lateness_listing"):
        assert list(metrics[row]["servers"]) == ["heartbeatd"], metrics[row]
    assert metrics["core/10000"]["servers"]["M/s shuffled"]["median"] > 0
    assert any(name.startswith("by_rate/") for name in metrics) and any(name.startswith("by_clients/") for name in metrics)
    assert metrics["rate"]["to_reference"]["raw-paused"]["median"] == 1
    assert all(metrics["rate_sum"]["servers"][name]["median"] > metrics["rate"]["servers"][name]["median"]
               for name in metrics["rate"]["servers"]), "the sender's writes cost nothing"
    assert "libuv 1." in result.stdout and "Linux" in result.stdout, result.stdout
    assert "--quick: " in result.stdout, "quick figures pass for real ones"
    assert "round 1 of 1: heartbeatd, " in result.stderr, result.stderr


def test_rows_and_servers():
    """What is named alone is measured alone."""
    result = bench("--quick", "--rows", "accept", "--servers", "libuv,heartbeatd")
    check(result, 0)
    assert list(result.json["metrics"]) == ["accept"], result.json
    assert list(result.json["metrics"]["accept"]["servers"]) == ["libuv", "heartbeatd"], result.json


def test_few_descriptors():
    """Where descriptors are few there are fewer clients, and that is said."""
    result = bench("--quick", "--rows", "accept,memory", "--servers", "raw,heartbeatd", descriptors=328)
    check(result, 0)
    assert "300 clients lowered to 200" in result.stderr, result.stderr
    assert "300 clients lowered to 200" in result.stdout, result.stdout


def test_a_daemon_that_counts_wrong():
    """A daemon that says it has handled more than was sent is no measurement."""
    with tempfile.TemporaryDirectory() as folder:
        daemon = os.path.join(folder, "daemon")
        with open(daemon, "w", encoding="utf-8") as script:
            script.write(f'#!/bin/sh\nexec "{sys.executable}" "{os.path.abspath(__file__)}" serve "$4"\n')
        os.chmod(daemon, 0o755)
        result = bench("--quick", "--rows", "rate", "--servers", "heartbeatd", "--daemon", daemon)
        check(result, 69)
        assert "heartbeats where" in result.stderr, result.stderr
        assert "ended early" in result.stdout, result.stdout


def test_trouble():
    """A daemon that does not start is one line and 69, with what it said; a bad command line is 64."""
    result = bench("--quick", "--rows", "accept", "--servers", "heartbeatd", "--daemon-flags", "--tick 7")
    check(result, 69)
    assert "the daemon did not start" in result.stderr and "--tick" in result.stderr, result.stderr
    for flags in (("--rows", "rat"), ("--servers", "netty"), ("--seconds", "4"), ("--repeat", "0")):
        result = bench(*flags)
        check(result, 64)
        assert result.stderr.count("\n") == 1, result.stderr
    result = bench("--quick", "--rows", "core", "--json", "/nowhere/figures.json")
    check(result, 73)


def serve(control):
    """A daemon that is one heartbeat ahead of what it was sent, from the second time it is asked."""
    frames = {"asked": 0, "bytes": 0, "connected": 0}
    clients = socket.create_server(("127.0.0.1", 0), backlog=4096)
    orders = socket.socket(socket.AF_UNIX)
    orders.bind(control)
    orders.listen()
    selector = selectors.DefaultSelector()
    selector.register(clients, selectors.EVENT_READ)
    selector.register(orders, selectors.EVENT_READ)
    size = 0
    while True:
        for key, _ in selector.select():
            if key.fileobj is clients:
                selector.register(clients.accept()[0], selectors.EVENT_READ)
                frames["connected"] += 1
            elif key.fileobj is orders:
                asker = orders.accept()[0]
                asker.recv(4096)
                frames["asked"] += 1
                total = frames["bytes"] // size + frames["asked"] if size else 0
                for answer in ({"type": "status", "listening": ["127.0.0.1:%d" % clients.getsockname()[1]],
                                "totals": {"connected": frames["connected"]}, "closes": {},
                                "heartbeats": {"total": total}}, {"type": "done"}):
                    body = json.dumps(answer).encode()
                    asker.sendall(struct.pack("!i", len(body)) + body)
                asker.close()
            else:
                data = key.fileobj.recv(65536)
                if not size and data:
                    size = 4 + struct.unpack("!i", data[:4])[0]
                frames["bytes"] += len(data)


if sys.argv[1] == "serve":
    serve(sys.argv[2])
FOLDER = sys.argv[1]
run_tests([test_every_row, test_rows_and_servers, test_few_descriptors, test_a_daemon_that_counts_wrong, test_trouble])
