"""A real systemd with a journal, in a throwaway box over this machine's own root, whatever runs as PID 1 here.

The box has process ids, mounts, cgroups and a network of its own. What is written in it is gone when it stops,
packages that are installed in it are unknown outside. Takes root, and half a second.
"""

import ctypes
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SKIPPED = 77  # the exit code that means so to ctest
BOUND = 30.0  # seconds that anything may take; a machine under load is slow, not wrong
_CAP_SYS_ADMIN = 21
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def why_not():
    """Why no box can run here, as a sentence; None where one can."""
    if os.geteuid() != 0:
        return "needs root, to boot a systemd in a box of its own"
    with open("/proc/self/status", encoding="ascii") as status:
        capabilities = next(int(line.split()[1], 16) for line in status if line.startswith("CapEff:"))
    if not capabilities >> _CAP_SYS_ADMIN & 1:
        return "needs CAP_SYS_ADMIN, to boot a systemd in a box of its own"
    wanted = ["/lib/systemd/systemd", "unshare", "nsenter", "dbus-daemon", "dpkg", "journalctl"]
    missing = [program for program in wanted if shutil.which(program) is None]
    if missing:
        return f"needs {', '.join(missing)} (Debian packages: systemd dbus util-linux)"
    probe = subprocess.run(["unshare", "--mount", "--cgroup", "mount", "-t", "cgroup2", "cgroup2", "/mnt"],
                           capture_output=True, text=True, check=False)
    if probe.returncode != 0:
        return f"cannot mount a cgroup2 here: {probe.stderr.strip()}"
    return None


def package_or_skip():
    """The package in the directory that a test program was given first; ends the program where no box can run."""
    reason = why_not()
    if reason is not None:
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)
    return only_package_in(sys.argv.pop(1))


def only_package_in(directory):
    (package,) = glob.glob(f"{directory}/*.deb")
    return package


def wait_until(what, condition, instead=lambda: "nothing"):
    """Waits until condition() is true, and returns what it returned. In vain, it says what there is instead()."""
    deadline = time.monotonic() + BOUND
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {BOUND:.0f} s in vain for {what}: there is {instead()}")
        time.sleep(0.02)


class Box:
    def __init__(self):
        self._directory = tempfile.mkdtemp(prefix="heartbeatd-box-")
        self._name = os.path.basename(self._directory)
        self._launcher = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "--", f"{HERE}/box-init", "root", self._directory,
             self._name],
            stdin=subprocess.DEVNULL, preexec_fn=_die_with_parent)
        self._pid1 = None
        try:
            self._pid1 = wait_until("a systemd as PID 1 of the box", self._find_pid1)
            wait_until("the box to be up", lambda: self._state() in ("running", "degraded"))
            if self._state() != "running":
                raise AssertionError("the box is degraded: " + self.run("systemctl", "--failed").stdout)
        except BaseException:
            self.stop()
            raise

    def stop(self):
        """Kills everything in the box; nothing of it is left."""
        if self._pid1 is not None:
            _kill(self._pid1)
        _kill(self._launcher.pid)
        self._launcher.wait(BOUND)
        # The cgroup is empty now, but a hierarchy of services is still below it.
        clean = 'mount -t cgroup2 cgroup2 "$1" && find "$1" -path "$1*/$2*" -depth -type d -exec rmdir {} +'
        wait_until("the box's cgroup to go", lambda: subprocess.run(
            ["unshare", "--mount", "sh", "-c", clean, "sh", self._directory, self._name],
            stderr=subprocess.DEVNULL, check=False).returncode == 0)
        os.rmdir(self._directory)

    def run(self, *command, check=True, input=None):
        """Runs a command in the box."""
        done = subprocess.run(
            ["nsenter", "--target", str(self._pid1), "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup",
             "--root", "--", "env", "-i", "-C", "/", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8",
             "container=box", "DEBIAN_FRONTEND=noninteractive", *command],
            input=input, capture_output=True, text=True, timeout=2 * BOUND, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def write(self, path, text):
        """Writes a file of the box, and the directories above it."""
        self.run("sh", "-c", 'mkdir -p "${1%/*}" && cat >"$1"', "sh", path, input=text)

    def copy_in(self, path, to):
        """Copies a file of this machine into the box."""
        shutil.copyfile(path, f"/proc/{self._pid1}/root{to}")

    def later_version(self, package, change="true"):
        """Makes a later version of a package in the box, after a change in the directory of its files."""
        self.run("sh", "-c", 'cd /tmp && rm -rf next && dpkg-deb --raw-extract "$1" next'
                             " && sed -i 's/^Version:.*/Version: 99.0-1/' next/DEBIAN/control"
                             " && (cd next && eval \"$2\") && dpkg-deb --build next next.deb", "sh", package, change)
        return "/tmp/next.deb"

    def exists(self, path):
        return self.run("test", "-e", path, check=False).returncode == 0

    def additions(self):
        """What is in the box and not on this machine, below all but what is mounted in the box."""
        changes = f"/proc/{self._launcher.pid}/root{self._directory}/changes"
        written = {os.path.join(top, name)[len(changes):] for top, directories, files in os.walk(changes)
                   for name in directories + files}
        return {path for path in written if not os.path.lexists(path)}

    def show(self, unit, what):
        """A property of a unit, as systemctl shows it."""
        return self.run("systemctl", "show", "--property", what, "--value", unit).stdout.rstrip("\n")

    def journal(self, *matches):
        """The records that match, oldest first."""
        self.run("journalctl", "--sync")
        lines = self.run("journalctl", "--output=json", "--all", "--no-pager", *matches).stdout
        return [json.loads(line) for line in lines.splitlines()]

    def enter_network(self):
        """From here on, sockets of this thread are in the box's network."""
        with open(f"/proc/{self._pid1}/ns/net", encoding="ascii") as namespace:
            if _libc.setns(namespace.fileno(), 0) != 0:
                raise OSError(ctypes.get_errno(), "setns")

    def kill(self, pid_in_box, number):
        self.run("kill", f"-{signal.Signals(number).name[3:]}", str(pid_in_box))

    def _find_pid1(self):
        launcher = self._launcher.pid
        if self._launcher.poll() is not None:
            raise AssertionError(f"the box did not come up: exit code {self._launcher.returncode}")
        with open(f"/proc/{launcher}/task/{launcher}/children", encoding="ascii") as children:
            pids = children.read().split()
        for pid in pids:
            try:
                with open(f"/proc/{pid}/comm", encoding="ascii") as comm:
                    if comm.read().strip() == "systemd":
                        return int(pid)
            except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
                pass
        return None

    def _state(self):
        return self.run("systemctl", "is-system-running", check=False).stdout.strip()


def _die_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
