"""Programs under test as child processes: a daemon on a port of its own, and waiting with a bound."""
import re
import subprocess
import tempfile
import time

WAIT_S = 60  # generous: a machine that is busy is not a failure


class Daemon:
    """heartbeatd on a free port; ends with the `with` block, and must then have exited with 0."""

    def __init__(self, folder, *flags, port=0):
        self.log = tempfile.NamedTemporaryFile()
        # The daemon appends: reading moves only the reader's own place in the file.
        with open(self.log.name, "ab") as log:
            self.process = subprocess.Popen(
                [f"{folder}/heartbeatd", "--listen", f"127.0.0.1:{port}", *flags], stderr=log)
        self.address = self.wait_for_log(r"listening on (\S+)").group(1)

    def wait_for_log(self, pattern):
        return wait_until(lambda: re.search(pattern, self.read_log()), f"the daemon to log '{pattern}'", self.process)

    def read_log(self):
        with open(self.log.name, encoding="utf-8") as log:
            return log.read()

    def stop(self):
        self.process.terminate()
        code = self.process.wait(WAIT_S)
        assert code == 0, f"heartbeatd exited with {code}:\n{self.read_log()}"

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.stop()
        else:
            self.process.kill()
            self.process.wait()
            print(self.read_log())


def wait_until(condition, what, process=None):
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        assert process is None or process.poll() is None, f"ended with {process.returncode}, waiting for {what}"
        time.sleep(0.02)
    raise AssertionError(f"waited {WAIT_S} s for {what}")


def run(*command):
    """Runs to the end; the result has returncode, stdout and stderr."""
    return subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False)


def run_tests(tests):
    """Runs each function, says its name, and ends the process with 1 when one of them failed."""
    failed = 0
    for test in tests:
        print(test.__doc__ or test.__name__, flush=True)
        try:
            test()
        except AssertionError as error:
            failed += 1
            print(f"  FAILED: {error}", flush=True)
    raise SystemExit(1 if failed else 0)
