#!/usr/bin/env python3
"""Every program with standard input, output or error closed by its parent.  Usage: test_closed_descriptors.py BIN_FOLDER"""
import itertools
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time

from process import WAIT_S, run_tests

FOLDER = sys.argv[1]
PROGRAMS = ("heartbeatd", "heartbeatctl", "heartbeat-client", "heartbeat-sim", "heartbeat-bench")
CLOSED = [closed for size in (1, 2, 3) for closed in itertools.combinations((0, 1, 2), size)]


def start(command, closed):
    def close_them():
        for number in closed:
            os.close(number)
    return subprocess.Popen(command, preexec_fn=close_them, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def connect(port, process):
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        assert process.poll() is None, f"it ended with {process.returncode}"
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=WAIT_S)
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise AssertionError("nothing listens")


def test_each_program_answers_its_version():
    for program in PROGRAMS:
        for closed in CLOSED:
            process = start([f"{FOLDER}/{program}", "--version"], closed)
            assert process.wait(WAIT_S) == 0, f"{program} without {closed} ended with {process.returncode}"


def test_the_daemon_serves_a_client_and_its_log_goes_into_no_socket():
    for closed in ((0,), (2,), (0, 1, 2)):
        port = free_port()
        with tempfile.TemporaryDirectory() as folder:
            process = start([f"{FOLDER}/heartbeatd", "--listen", f"127.0.0.1:{port}", "--control", f"{folder}/c",
                             "--debug"], closed)
            with connect(port, process) as client:
                body = b'{"ip":"a","status":"alive","ack":true}'
                client.sendall(struct.pack("!i", len(body)) + body)
                length = struct.unpack("!i", client.recv(4, socket.MSG_WAITALL))[0]
                assert client.recv(length, socket.MSG_WAITALL).startswith(b'{"type":"ack"'), "a frame and nothing else"
            for number in closed:
                assert os.readlink(f"/proc/{process.pid}/fd/{number}") == "/dev/null"
            process.terminate()
            assert process.wait(WAIT_S) == 0, f"without {closed} it ended with {process.returncode}"


if __name__ == "__main__":
    run_tests([test for name, test in list(globals().items()) if name.startswith("test_")])
