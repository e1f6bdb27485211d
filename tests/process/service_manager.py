"""A stand-in for systemd as far as the daemon needs it over a crash: it keeps descriptors, and hands them on.

As systemd does, it knows a descriptor again (kcmp), and does not store it a second time under another name.
"""
import array
import ctypes
import fcntl
import os
import socket
import tempfile
import threading

from harness import BOUND_S, DAEMON, Daemon, wait_until

FIRST = 3  # where a process finds descriptors that it is handed
_KCMP = 312  # on x86_64
_libc = ctypes.CDLL(None, use_errno=True)


def _is_same(one, other):
    pid = os.getpid()
    return _libc.syscall(_KCMP, pid, pid, 0, one, other) == 0


class ManagedDaemon(Daemon):
    def __init__(self, control, **arguments):
        self._control = control
        super().__init__(control=control, **arguments)

    @property
    def control(self):
        return self._control


class ServiceManager:
    def __init__(self, program=DAEMON):
        self._directory = tempfile.TemporaryDirectory(prefix="heartbeat-")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(os.path.join(self._directory.name, "notify"))
        self._lock = threading.Lock()
        self.store = []  # pairs of name and descriptor
        self._program = os.path.join(self._directory.name, "start")
        with open(self._program, "w", encoding="ascii") as script:
            script.write(f'#!/bin/sh\nexec env LISTEN_PID=$$ {program} "$@"\n')
        os.chmod(self._program, 0o755)
        threading.Thread(target=self._listen, daemon=True).start()

    def names(self):
        self.settle()
        with self._lock:
            return [name for name, _ in self.store]

    def start(self, environment=None, **flags):
        """A process of the service, which gets what is in the store."""
        self.settle()
        with self._lock:
            held = [(name, fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 1000)) for name, number in self.store]
        given = {"NOTIFY_SOCKET": self._socket.getsockname(), **(environment or {})}
        if held:
            given |= {"LISTEN_FDS": str(len(held)), "LISTEN_FDNAMES": ":".join(name for name, _ in held)}

        def put():
            for place, (_, number) in enumerate(held, FIRST):
                os.dup2(number, place, inheritable=True)
        try:
            return ManagedDaemon(control=os.path.join(self._directory.name, "control.sock"), program=self._program,
                                 environment=given, before=put, pass_fds=range(FIRST, FIRST + len(held)), **flags)
        finally:
            for _, number in held:
                os.close(number)

    def settle(self):
        """Everything that was sent has been dealt with."""
        done = threading.Event()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            self._settled = done
            sender.sendto(b"SETTLE=1", self._socket.getsockname())
            if not done.wait(BOUND_S):
                raise AssertionError("the stand-in for the service manager does not answer")

    def close(self):
        with self._lock:
            while self.store:
                os.close(self.store.pop()[1])

    def _listen(self):
        while True:
            data, control, _, _ = self._socket.recvmsg(4096, socket.CMSG_SPACE(4 * 253), socket.MSG_CMSG_CLOEXEC)
            got = array.array("i")
            for level, kind, content in control:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    got.frombytes(content[:len(content) - len(content) % 4])
            lines = dict(line.partition("=")[::2] for line in data.decode().splitlines())
            with self._lock:
                self._take(lines, list(got))
            if "SETTLE" in lines:
                self._settled.set()

    def _take(self, lines, descriptors):
        if "FDSTORE" in lines:
            for number in descriptors:
                if any(_is_same(number, stored) for _, stored in self.store):
                    os.close(number)
                else:
                    self.store.append((lines["FDNAME"], number))
            return
        for number in descriptors:  # of a barrier, which is down when it is closed
            os.close(number)
        if "FDSTOREREMOVE" in lines:
            gone = [pair for pair in self.store if pair[0] == lines["FDNAME"]]
            self.store = [pair for pair in self.store if pair[0] != lines["FDNAME"]]
            for _, number in gone:
                os.close(number)


__all__ = ["ServiceManager", "wait_until"]
