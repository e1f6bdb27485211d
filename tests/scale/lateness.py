#!/usr/bin/env python3
"""Judges how late verdicts come, by the daemon's own histogram.  Not one of the ordinary tests: the promise is in
milliseconds, so it needs a machine with nothing else to do, and a release build.

    HEARTBEATD=build/release/bin/heartbeatd HEARTBEAT_SIM=build/release/bin/heartbeat-sim tests/scale/lateness.py

Three cases, of about five minutes together; name some of them to run only those:

    dense     1000 clients, tick 1 s, threshold 1: all fall silent 1 ms apart, and nothing else happens on the loop
    defaults  10 000 clients at the default rule fall silent 1 ms apart: their first strikes
    load      15 000 clients under load (7500 heartbeats a second), a fifth of which fall silent

Each is red where p99 is above 5 ms or the worst verdict above 50 ms.  `load` is also red where the simulator saw a
broken promise, where a beating client was moved, and where a verdict was given twice or not at all.
"""
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "control"))
import asker  # noqa: E402  pylint: disable=wrong-import-position
import harness  # noqa: E402  pylint: disable=wrong-import-position

P99_MAX_MS = 5
WORST_MAX_MS = 50

LOAD_CLIENTS = int(os.environ.get("CLIENTS", "15000"))
LOAD_SECONDS = int(os.environ.get("SECONDS", "90"))


class Red(Exception):
    """A promise that was not kept, as a sentence."""


def judge(status):
    """Prints the lateness that the daemon measured; Red where it is above the promise."""
    verdicts = status["verdict_lateness_ms"]
    print("  verdicts", verdicts, "loop", status["loop_lateness_ms"], "stalls", status["stalls"], flush=True)
    if verdicts["p99"] > P99_MAX_MS or verdicts["max"] > WORST_MAX_MS:
        raise Red(f"verdicts came {verdicts['p99']} ms late at p99 and {verdicts['max']} ms at worst; "
                  f"promised are {P99_MAX_MS} and {WORST_MAX_MS}")


def silent_fleet(count, verdicts, **rule):
    """`count` clients that beat once, 1 ms apart, and then never again; judged when `verdicts` must have been given."""
    daemon = harness.Daemon(brake_share=rule.pop("brake_share", 50), hello_timeout="0s", max_clients=count + 1,
                            log_rate=1, **rule)
    clients = []
    try:
        begin = time.monotonic()
        for number in range(count):
            time.sleep(max(0.0, begin + number * 0.001 - time.monotonic()))
            clients.append(harness.Client(daemon.address))
            clients[-1].beat()
        # One question, when all is over: each would wake the loop.
        time.sleep(verdicts["after_s"])
        status = daemon.ask("status")
    finally:
        for client in clients:
            client.close()
        daemon.end()
    if status["verdict_lateness_ms"]["count"] < verdicts["count"]:
        raise Red(f"{status['verdict_lateness_ms']['count']} verdicts were given, and not {verdicts['count']}")
    judge(status)


def dense():
    silent_fleet(1000, {"count": 4000, "after_s": 4.5}, tick="1s", threshold=1, cursor=3, brake_share=0)


def defaults():
    silent_fleet(10_000, {"count": 10_000, "after_s": 61})


def load():
    with tempfile.TemporaryDirectory(prefix="heartbeat-") as directory:
        path = os.path.join(directory, "control.sock")
        daemon = harness.Daemon(control=path, tick="2s", leave_timeout="16s", max_clients=LOAD_CLIENTS + 1000,
                                log_rate=10)
        host, port = daemon.address
        # Two in ten fall silent, come back, lose beats: each gives verdicts, and the rest gives the load.
        sim = subprocess.run([os.environ["HEARTBEAT_SIM"], "--server", f"{host}:{port}", "--clients",
                              str(LOAD_CLIENTS), "--add-every", "1ms", "--duration", f"{LOAD_SECONDS}s",
                              "--no-progress", "--seed", "5", "--mix", "steady=8,silent=1,late=1"], check=False)
        talker = asker.Asker(path)
        status = talker.ask("status")[0]
        talker.close()
        daemon.end()
    totals = status["totals"]
    verdicts = sum(totals[kind] for kind in ("strikes", "leaves", "returns")) + status["closes"]["silent"]
    if sim.returncode != 0:
        raise Red("the simulator saw a broken promise")
    if status["verdict_lateness_ms"]["count"] != verdicts:
        raise Red(f"{verdicts} verdicts were reported, and the lateness is of "
                  f"{status['verdict_lateness_ms']['count']}")
    judge(status)


CASES = {"dense": dense, "defaults": defaults, "load": load}


def main():
    red = 0
    for name in sys.argv[1:] or CASES:
        print(name, flush=True)
        try:
            CASES[name]()
        except Red as why:
            red += 1
            print(f"  RED: {why}", flush=True)
    sys.exit(1 if red else 0)


if __name__ == "__main__":
    main()
