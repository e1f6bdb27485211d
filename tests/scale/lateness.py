#!/usr/bin/env python3
"""How late verdicts come with 15 000 clients under load, as the daemon itself measured it.  Not one of the ordinary
tests: it takes about a minute and a half, and its figures are of the machine that it runs on.

    HEARTBEATD=build/release/bin/heartbeatd HEARTBEAT_SIM=build/release/bin/heartbeat-sim tests/scale/lateness.py

Red where the simulator saw a broken promise, where a beating client was moved, or where a verdict was given twice or
not at all; the lateness is printed, not judged.
"""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "control"))
import asker  # noqa: E402  pylint: disable=wrong-import-position
import harness  # noqa: E402  pylint: disable=wrong-import-position

CLIENTS = int(os.environ.get("CLIENTS", "15000"))
SECONDS = int(os.environ.get("SECONDS", "90"))


def main():
    with tempfile.TemporaryDirectory(prefix="heartbeat-") as directory:
        path = os.path.join(directory, "control.sock")
        daemon = harness.Daemon(control=path, tick="2s", leave_timeout="16s", max_clients=CLIENTS + 1000, log_rate=10)
        host, port = daemon.address
        # Two in ten fall silent, come back, lose beats: each gives verdicts, and the rest gives the load.
        sim = subprocess.run([os.environ["HEARTBEAT_SIM"], "--server", f"{host}:{port}", "--clients", str(CLIENTS),
                              "--add-every", "1ms", "--duration", f"{SECONDS}s", "--no-progress", "--seed", "5",
                              "--mix", "steady=8,silent=1,late=1"], check=False)
        talker = asker.Asker(path)
        status = talker.ask("status")[0]
        talker.close()
        daemon.end()
    print("verdicts", status["verdict_lateness_ms"], "loop", status["loop_lateness_ms"])
    print("totals", status["totals"], "closes", status["closes"], "stalls", status["stalls"])
    verdicts = sum(status["totals"][kind] for kind in ("strikes", "leaves", "returns")) + status["closes"]["silent"]
    if status["verdict_lateness_ms"]["count"] != verdicts:
        sys.exit(f"{verdicts} verdicts were told, and the lateness is of {status['verdict_lateness_ms']['count']}")
    sys.exit(sim.returncode)


if __name__ == "__main__":
    main()
