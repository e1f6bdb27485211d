#!/usr/bin/env python3
"""Kills the daemon of a fleet of C clients, starts it again, and judges how the fleet comes back.

    fleet.py FLEET HEARTBEATD [--clients 15000] [--outage 150000] [--base 1000] [--cap 60000] [--slice 1000]

The daemon runs by itself, without systemd, which would keep its connections: SIGKILL really ends each of them, and the
test demands a new `welcome` of every client.  Full jitter has two cases in which the wave is known:

- After an outage of several caps each client is somewhere in a pause of half a cap to a cap.  Three quarters are the mean,
  so the first moment of the return sees 4/3 of the fleet's mean over the cap.
- After a daemon that is back at once (--outage 0) the clients are spread evenly over the base.

Fails if the first slice of the return has more clients than twice the mean (over the cap, or over the base), or if a
client is not back after the cap and two seconds.  Clients without jitter all come in one slice.  Without options it takes
four minutes and 15 000 clients.
"""
import argparse
import os
import re
import resource
import signal
import subprocess
import tempfile
import threading
import time

BOUND_S = 120
LATE_S = 2


def start_daemon(binary, folder, port):
    kept_by = ("NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "FDSTORE")
    environment = {key: value for key, value in os.environ.items() if key not in kept_by}
    daemon = subprocess.Popen([binary, "--listen", f"127.0.0.1:{port}", "--log-target", "stderr", "--log-level", "info",
                               "--control", f"{folder}/control.sock", "--backlog", "4096"], stderr=subprocess.PIPE,
                              text=True, env=environment)
    found = None
    while not found:
        line = daemon.stderr.readline()
        assert line, f"the daemon ended with {daemon.wait()}"
        found = re.search(r"listening on 127\.0\.0\.1:(\d+)", line)
    threading.Thread(target=lambda: all(daemon.stderr), daemon=True).start()
    return daemon, int(found.group(1))


def collect(lines, welcomes):
    """The first welcome of each client since `welcomes` was last cleared."""
    for line in lines:
        client, instant = map(int, line.split())
        welcomes.setdefault(client, instant)


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
    parser.add_argument("--outage", type=int, default=150_000, help="milliseconds; 0: the daemon is back at once")
    parser.add_argument("--base", type=int, default=1000, help="milliseconds")
    parser.add_argument("--cap", type=int, default=60_000, help="milliseconds")
    parser.add_argument("--slice", type=int, default=1000, help="milliseconds")
    options = parser.parse_args()
    assert options.outage == 0 or options.outage >= 2 * options.cap, "neither of the two cases that are judged"
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    welcomes = {}
    with tempfile.TemporaryDirectory() as folder:
        daemon, port = start_daemon(options.heartbeatd, folder, 0)
        fleet = subprocess.Popen([options.fleet, str(options.clients), str(port), str(options.base), str(options.cap)],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        threading.Thread(target=collect, args=(fleet.stdout, welcomes), daemon=True).start()
        try:
            wait_for(welcomes, options.clients, BOUND_S)
            daemon.send_signal(signal.SIGKILL)
            daemon.wait()
            welcomes.clear()
            time.sleep(options.outage / 1000)
            daemon, _ = start_daemon(options.heartbeatd, folder, port)
            returned = time.monotonic() * 1000
            wait_for(welcomes, options.clients, options.cap / 1000 + BOUND_S)
        finally:
            fleet.kill()
            daemon.kill()
            fleet.wait()
            daemon.wait()
    first, last = min(welcomes.values()), max(welcomes.values())
    in_slice = sum(each - first < options.slice for each in welcomes.values())
    twice = 2 * options.clients * options.slice / (options.cap if options.outage else options.base)
    print(f"{options.clients} clients, {options.outage} ms without a daemon: {in_slice} back in the first {options.slice} ms, "
          f"all after {last - returned:.0f} ms; twice the mean is {twice:.0f}")
    assert in_slice <= twice, "the fleet comes back as a wave"
    assert last - returned <= options.cap + LATE_S * 1000, "a client comes back late"


main()
