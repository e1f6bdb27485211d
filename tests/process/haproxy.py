"""A real HAProxy in front of the daemon."""
import os
import shutil
import socket
import subprocess

from harness import BOUND_S, wait_until

PROGRAM = shutil.which("haproxy", path=os.environ.get("PATH", "") + ":/usr/sbin")


def start(test, directory, configuration_at):
    """Starts HAProxy in the directory, with the configuration for a free port, until the test ends; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = free.getsockname()
    with open(os.path.join(directory, "haproxy.cfg"), "w", encoding="ascii") as file:
        file.write(configuration_at(address[1]))
    process = subprocess.Popen([PROGRAM, "-db", "-f", "haproxy.cfg"], cwd=directory, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    test.addCleanup(process.wait, BOUND_S)
    test.addCleanup(process.kill)

    def is_up():
        test.assertIsNone(process.poll(), "HAProxy ended")
        with socket.socket() as probe:
            return probe.connect_ex(address) == 0

    wait_until(is_up, "HAProxy listens")
    return address
