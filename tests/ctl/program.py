"""Runs heartbeatctl: to its end, beside the test, or on a terminal of its own."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

PROGRAM = os.environ["HEARTBEATCTL"]
BOUND_S = 30  # for whatever is waited for; never a figure of merit

ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[()][0-9A-Za-z]|\x1b[=>78]")


def environment(**more):
    """The same for every run, whatever the terminal and the place of the person who tests."""
    kept = {name: value for name, value in os.environ.items()
            if name not in ("COLUMNS", "LINES", "NO_COLOR", "XDG_RUNTIME_DIR", "RUNTIME_DIRECTORY")}
    return {**kept, "TZ": "UTC0", "LC_ALL": "C.UTF-8", "TERM": "vt220", **more}


def run(daemon, *arguments, **more_environment):
    """Runs a command to its end; `daemon` is a FakeDaemon, a path, or None for no --control."""
    path = getattr(daemon, "path", daemon)
    control = [] if path is None else ["--control", path]
    return subprocess.run([PROGRAM, *control, *arguments], capture_output=True, text=True, timeout=BOUND_S,
                          env=environment(**more_environment), stdin=subprocess.DEVNULL, check=False)


class Beside:
    """A run whose output is read while it goes on."""

    def __init__(self, daemon, *arguments):
        self.process = subprocess.Popen([PROGRAM, "--control", daemon.path, *arguments], text=True,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env=environment())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def lines(self, count, stream=None):
        """The next so many lines, from standard output if nothing else is said."""
        stream = stream or self.process.stdout
        got = []
        while len(got) < count:
            # One line a write, flushed: there is never a second one in the buffer that select() cannot see.
            line = read_line(stream)
            got.append(line)
        return got

    def error_line(self):
        return self.lines(1, self.process.stderr)[0]

    def end(self, number):
        """Sends the signal; the exit code, what was still printed, and what went to standard error."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=BOUND_S)
        return self.process.returncode, out, err


def read_line(stream):
    descriptor = stream.fileno()
    line = b""
    until = time.monotonic() + BOUND_S
    while not line.endswith(b"\n"):
        left = until - time.monotonic()
        if left <= 0 or not select.select([descriptor], [], [], left)[0]:
            raise AssertionError(f"no whole line within {BOUND_S} s, only {line!r}")
        byte = os.read(descriptor, 1)
        if not byte:
            raise AssertionError(f"the end instead of a line, after {line!r}")
        line += byte
    return line.decode().rstrip("\n")


class Terminal:
    """A run on a pseudo-terminal: what a person would see, and keys."""

    def __init__(self, daemon, *arguments, rows=24, columns=100, **more_environment):
        self.screen = b""  # everything that was sent
        self.master, self.slave = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(self.slave)

        def lead_a_session():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            [PROGRAM, "--control", daemon.path, *arguments], stdin=self.slave, stdout=self.slave,
            stderr=subprocess.PIPE, preexec_fn=lead_a_session, env=environment(**more_environment))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        os.close(self.master)
        os.close(self.slave)

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def press(self, keys):
        os.write(self.master, keys)

    def read(self, wait):
        """Takes what has come, waiting for it at most so long; whether anything has."""
        if not select.select([self.master], [], [], wait)[0]:
            return False
        self.screen += os.read(self.master, 65536)
        return True

    def redrawn(self):
        """The text of the whole screen, sent anew."""
        self.screen = b""
        self.press(b"\x0c")
        self.wait_for(b"quit")
        while self.read(0.1):
            pass
        return self.text()

    def text(self):
        return ESCAPES.sub(b" ", self.screen).decode(errors="replace")

    def wait_for(self, *words):
        until = time.monotonic() + BOUND_S
        while not all(word in ESCAPES.sub(b" ", self.screen) for word in words):
            if time.monotonic() > until:
                raise AssertionError(f"not all of {words} within {BOUND_S} s, only {self.text()!r}")
            self.read(1)

    def wait_until(self, condition):
        """Redraws until the text of the screen fulfils the condition; that text."""
        until = time.monotonic() + BOUND_S
        while not condition(text := self.redrawn()):
            if time.monotonic() > until:
                raise AssertionError(f"not within {BOUND_S} s, only {text!r}")
        return text

    def end(self, number=None):
        """Waits for the end, after the signal if there is one; the exit code and what went to standard error."""
        if number is not None:
            os.kill(self.process.pid, number)
        until = time.monotonic() + BOUND_S
        while self.process.poll() is None and time.monotonic() < until:
            self.read(0.05)
        while self.read(0.05):
            pass
        _, err = self.process.communicate(timeout=1)
        return self.process.returncode, err.decode()

    def is_as_before(self):
        return termios.tcgetattr(self.slave) == self.before
