#!/usr/bin/env python3
"""Kills the daemon of a fleet of C clients, starts it again, and reports how the fleet comes back.

    fleet.py FLEET HEARTBEATD [--clients 15000] [--outage 150] [--base 1000] [--cap 60000]

Fails if a client is not back within the cap after the daemon's return, with 5 s to spare.
The share of the first second is printed and judges nothing: after an outage of more than two caps it is twice the mean in
theory; after a shorter one it is more, because the pauses are still short.  Not part of the ordinary tests at this size.
"""
import argparse
import re
import resource
import signal
import subprocess
import tempfile
import threading
import time

BOUND_S = 120


def start_daemon(binary, folder, port):
    daemon = subprocess.Popen([binary, "--listen", f"127.0.0.1:{port}", "--log-target", "stderr", "--log-level", "info",
                               "--control", f"{folder}/control.sock", "--backlog", "4096"], stderr=subprocess.PIPE,
                              text=True)
    found = None
    while not found:
        found = re.search(r"listening on 127\.0\.0\.1:(\d+)", daemon.stderr.readline())
    threading.Thread(target=lambda: all(daemon.stderr), daemon=True).start()
    return daemon, int(found.group(1))


def wait_for(welcomes, count, seconds):
    end = time.monotonic() + seconds
    while len(welcomes) < count and time.monotonic() < end:
        time.sleep(0.05)
    assert len(welcomes) == count, f"{len(welcomes)} of {count} clients came within {seconds:.0f} s"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fleet")
    parser.add_argument("heartbeatd")
    parser.add_argument("--clients", type=int, default=15000)
    parser.add_argument("--outage", type=float, default=150, help="seconds")
    parser.add_argument("--base", type=int, default=1000, help="milliseconds")
    parser.add_argument("--cap", type=int, default=60000, help="milliseconds")
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    welcomes = []
    with tempfile.TemporaryDirectory() as folder:
        daemon, port = start_daemon(options.heartbeatd, folder, 0)
        fleet = subprocess.Popen([options.fleet, str(options.clients), str(port), str(options.base), str(options.cap)],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        threading.Thread(target=lambda: welcomes.extend(map(int, fleet.stdout)), daemon=True).start()
        try:
            wait_for(welcomes, options.clients, BOUND_S)
            daemon.send_signal(signal.SIGKILL)
            daemon.wait()
            welcomes.clear()
            time.sleep(options.outage)
            daemon, _ = start_daemon(options.heartbeatd, folder, port)
            returned = time.monotonic() * 1000
            # An attempt that the kernel turned away as the daemon returned costs one more pause.
            wait_for(welcomes, options.clients, 2 * options.cap / 1000 + 30)
        finally:
            fleet.kill()
            daemon.kill()
            fleet.wait()
            daemon.wait()
    back = sorted((each - returned) / 1000 for each in welcomes)
    first, last = sum(each < 1 for each in back), max(back[-1], 1)
    mean = options.clients / last
    print(f"{options.clients} clients, {options.outage:.0f} s without a daemon: {first} back in the first second, all after "
          f"{last:.1f} s; the mean is {mean:.0f} a second, the first second {first / mean:.2f} times that")
    assert last <= options.cap / 1000 + 5, f"the last client came back after {last:.1f} s"


main()
