#!/usr/bin/env python3
"""heartbeat-client against the real daemon, and against peers that are none.  Usage: test_client.py BIN_FOLDER"""
import contextlib
import json
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

from process import Daemon, WAIT_S, run, run_tests, wait_until

FOLDER = sys.argv[1]
CLIENT = f"{FOLDER}/heartbeat-client"


def frame(body):
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return struct.pack("!i", len(text)) + text


def serve(conversation):
    """Answers one connection after the other with conversation(connection, number); returns the address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept():
        number = 0
        while True:
            connection, _ = listener.accept()
            number += 1
            with connection:
                conversation(connection, number)

    threading.Thread(target=accept, daemon=True).start()
    return "127.0.0.1:%d" % listener.getsockname()[1]


def closes_with(reason):
    """The result of a client that is closed for this reason at each connection."""
    def conversation(connection, _):
        connection.recv(4096)
        connection.sendall(frame({"type": "status", "status": "close", "reason": reason}))
        connection.recv(4096)
    return run(CLIENT, "--server", serve(conversation), "--notify", "--interval", "1h", "--retries", "0")


def check(result, code, stderr=""):
    assert result.returncode == code, f"exit code {result.returncode}, not {code}: {result.stderr}{result.stdout}"
    assert stderr in result.stderr, f"'{stderr}' is not in: {result.stderr}"
    assert result.stderr.count("\n") <= 2, f"not one line: {result.stderr}"


def test_count():
    """A client beats as often as it was asked to, in the article's manner, and is answered each time."""
    with Daemon(FOLDER) as daemon:
        result = run(CLIENT, "--server", daemon.address, "--count", "3", "--interval", "50ms", "--ack", "--notify")
        check(result, 0)
        beats = [line for line in result.stdout.splitlines() if line.startswith("{")]
        assert len(beats) == 3, result.stdout
        for line in beats:
            assert re.fullmatch(r'\{"time": "\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "fd": \d+, "status": "alive"\}', line)
        assert "daemon: welcome tick=10s" in result.stdout
        for number in (1, 2, 3):
            assert f"daemon: ack seq={number} status=alive" in result.stdout
        daemon.wait_for_log(r"close client=\S+ .*reason=peer_closed .*heartbeats=3")


def test_interval_is_declared():
    """Where the daemon grants it, the interval is the client's tick."""
    with Daemon(FOLDER, "--interval-max", "30min", "--interval-min", "50ms") as daemon:
        for asked, granted in (("20ms", "50ms"), ("70ms", "70ms")):
            result = run(CLIENT, "--server", daemon.address, "--count", "1", "--interval", asked, "--notify")
            check(result, 0)
            assert f"daemon: welcome tick={granted}" in result.stdout, result.stdout


def test_claims():
    """It claims its own pid and the address of its own end, or what its options say."""
    with Daemon(FOLDER) as daemon:
        client = subprocess.Popen([CLIENT, "--server", daemon.address, "--count", "1", "--quiet"])
        assert client.wait(WAIT_S) == 0
        daemon.wait_for_log(rf"joined client=\S+ peer=\S+ ip=127.0.0.1 pid={client.pid}\n")
        run(CLIENT, "--server", daemon.address, "--count", "1", "--id", "pump-7", "--ip", "10.1.2.3", "--pid", "99")
        daemon.wait_for_log(r"joined client=pump-7 peer=\S+ ip=10.1.2.3 pid=99\n")


def test_goodbye():
    """A declared close is a goodbye, and ends the client."""
    with Daemon(FOLDER) as daemon:
        check(run(CLIENT, "--server", daemon.address, "--status", "close"), 0)
        daemon.wait_for_log(r"reason=goodbye")


def test_away():
    """A declared leave runs its course: the client is closed as away, and content with that."""
    with Daemon(FOLDER, "--tick", "50ms", "--leave-timeout", "200ms") as daemon:
        check(run(CLIENT, "--server", daemon.address, "--status", "leave", "--notify", "--interval", "50ms"), 0)
        daemon.wait_for_log(r"reason=away")


def test_signal():
    """A signal ends it with 0 and a goodbye: an operator's order is an orderly end."""
    with Daemon(FOLDER) as daemon:
        for number in (signal.SIGTERM, signal.SIGINT):
            client = subprocess.Popen([CLIENT, "--server", daemon.address, "--id", f"signal-{number}"],
                                      stdout=subprocess.DEVNULL)
            daemon.wait_for_log(f"joined client=signal-{number} ")
            client.send_signal(number)
            assert client.wait(WAIT_S) == 0
            daemon.wait_for_log(f"close client=signal-{number} .*reason=goodbye ")


def test_superseded():
    """A client whose id is taken over does not fight for it."""
    with Daemon(FOLDER) as daemon:
        command = [CLIENT, "--server", daemon.address, "--id", "pump-7", "--quiet"]
        first = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        daemon.wait_for_log("joined client=pump-7 ")
        second = subprocess.Popen(command)
        _, stderr = first.communicate(timeout=WAIT_S)
        assert first.returncode == 3, first.returncode
        assert "superseded" in stderr, stderr
        second.terminate()
        assert second.wait(WAIT_S) == 0


def test_reconnect():
    """A client outlives its daemon: it connects again, and beats at once."""
    daemon = Daemon(FOLDER)
    with subprocess.Popen([CLIENT, "--server", daemon.address, "--id", "pump-7", "--interval", "1h"],
                          stdout=subprocess.PIPE, text=True, stderr=subprocess.PIPE) as client:
        daemon.wait_for_log("joined client=pump-7 ")
        daemon.stop()
        with Daemon(FOLDER, port=int(daemon.address.split(":")[1])) as again:
            again.wait_for_log("joined client=pump-7 ")
            client.terminate()
            stdout, stderr = client.communicate(timeout=WAIT_S)
        assert client.returncode == 0, client.returncode
        assert "daemon: status=close reason=shutdown" in stdout, stdout
        assert "closed by the daemon as shutdown; connecting again in" in stderr, stderr


def test_outcomes():
    """What the daemon says at a close decides: try again, or end with a code of its own."""
    for reason, code in (("kicked", 4), ("superseded", 3), ("bad_frame", 65), ("bad_heartbeat", 65)):
        check(closes_with(reason), code, f"closed by the daemon as {reason}")
    check(closes_with("goodbye"), 0)
    for reason in ("silent", "away", "shutdown", "limit", "eclipse"):
        check(closes_with(reason), 69, "given up after 1 failures in a row")


def test_strange_frames():
    """What it does not know it names and ignores, whatever bytes there are in it."""
    def conversation(connection, _):
        connection.recv(4096)
        for body in ({"type": "eclipse\x1b[2J", "more": [1]}, b"not json\x07", b"[]", {"no": "type"}):
            for byte in frame(body):
                connection.sendall(bytes([byte]))
        connection.sendall(frame({"type": "status", "status": "close", "reason": "kicked"}))
        connection.recv(4096)
    result = run(CLIENT, "--server", serve(conversation), "--notify")
    check(result, 4)
    assert 'type="eclipse\\x1b[2J" (not known' in result.stdout, result.stdout
    assert result.stdout.count("a frame that cannot be read is ignored") == 3, result.stdout
    assert "\x1b" not in result.stdout and "\x07" not in result.stdout


def test_forgery():
    """No text of the daemon forges a line or moves the terminal, whichever member it is in."""
    poison = "a\x1b]0;owned\x07\x1b[2J\u009b2J\u202eb\u2028\r\nFORGED\x00\x7f"
    frames = [{"type": poison}, {"type": "ack", "seq": 1, "status": poison},
              {"type": "status", "status": poison, "reason": poison, "detail": poison},
              {"type": "status", "status": "close", "reason": poison, "detail": poison}]

    def conversation(connection, _):
        connection.recv(4096)
        connection.sendall(b"".join(frame(each) for each in frames))
        connection.recv(4096)
    result = run(CLIENT, "--server", serve(conversation), "--notify", "--interval", "1h", "--retries", "0")
    assert result.stdout.count("owned") >= 3 and "owned" in result.stderr, result.stdout + result.stderr
    for line in (result.stdout + result.stderr).split("\n"):
        assert line.isprintable() and not line.startswith("FORGED"), repr(line)


def test_not_a_daemon():
    """A server that speaks another protocol is recognised."""
    address = serve(lambda connection, _: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    check(run(CLIENT, "--server", address), 76, "does not speak heartbeat frames")


def test_unreachable():
    """A daemon that is not there is given up after as many retries as were allowed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = "127.0.0.1:%d" % listener.getsockname()[1]
    result = run(CLIENT, "--server", address, "--retries", "1")
    check(result, 69, "given up after 2 failures in a row")


def test_no_answer():
    """A host that says nothing to an attempt to connect is given up after ten seconds, and not before."""
    with socket.socket() as listener, contextlib.ExitStack() as waiting:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        # No program accepts them, and where so many wait the kernel drops the next connection, as a dead host would.
        for _ in range(2):
            peer = waiting.enter_context(socket.socket())
            peer.setblocking(False)
            peer.connect_ex(listener.getsockname())
        begun = time.monotonic()
        result = run(CLIENT, "--server", "127.0.0.1:%d" % listener.getsockname()[1], "--retries", "0")
        waited = time.monotonic() - begun
    check(result, 69, "given up after 1 failure")
    assert "no answer in 10s" in result.stdout + result.stderr, result.stdout + result.stderr
    assert waited >= 10, waited


def test_usage():
    """A bad command line is one line, and 64."""
    check(run(CLIENT, "--interval", "10"), 64, "heartbeat-client: --interval: '10' has no unit")
    check(run(CLIENT, "--bogus"), 64, "--bogus")
    for wrong in ["--bo\x1b[31mgus", "\x1b[31mred"]:  # what is repeated moves no terminal
        ended = run(CLIENT, wrong)
        check(ended, 64, "\\x1b[31m")
        assert "\x1b" not in ended.stderr, f"an escape character is repeated: {ended.stderr!r}"


def test_output_gone():
    """A client whose output is no longer read ends."""
    with Daemon(FOLDER) as daemon:
        client = subprocess.Popen([CLIENT, "--server", daemon.address, "--interval", "20ms"],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        client.stdout.close()
        wait_until(lambda: client.poll() is not None, "the client to end")
        assert client.returncode == 74, client.returncode


run_tests([test_count, test_claims, test_goodbye, test_away, test_signal, test_superseded, test_reconnect,
           test_outcomes, test_strange_frames, test_forgery, test_not_a_daemon, test_unreachable, test_no_answer, test_usage, test_output_gone])
