"""The event journal of a real daemon: nothing of a storm is lost, a crash costs a torn line at most, and no disk can
move a verdict."""
import json
import mmap
import os
import resource
import struct
import subprocess
import tempfile
import time
import unittest
import urllib.request

from harness import Client, DaemonTest, frame, heartbeat, wait_until

WORKS, FULL, BROKEN, HANGS = range(4)
SHIM = os.environ.get("JOURNAL_SHIM_LIBRARY", "")
SANITIZED = os.environ.get("SANITIZED") == "1"


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


class Disk:
    """What the daemon's writes to the journal meet."""

    def __init__(self, folder):
        self._path = os.path.join(folder, "disk")
        with open(self._path, "wb") as file:
            file.write(struct.pack("q", WORKS))
        with open(self._path, "r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 8)

    def environment(self):
        return {"LD_PRELOAD": SHIM, "JOURNAL_SHIM": self._path}

    def set(self, order):
        self._memory[:] = struct.pack("q", order)


class JournalTest(DaemonTest):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="heartbeat-journal-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.directory = os.path.join(folder.name, "events")

    def start(self, **arguments):
        return super().start(events_directory=self.directory, **arguments)

    def segments(self):
        return sorted(name for name in os.listdir(self.directory) if name.endswith(".jsonl"))

    def lines(self):
        """All lines of the journal, each checked to be JSON."""
        lines = []
        for name in self.segments():
            with open(os.path.join(self.directory, name), encoding="utf-8") as file:
                lines += [json.loads(line) for line in file if line.endswith("\n")]
        return lines

    def events(self, kind=None):
        return [line for line in self.lines() if line["type"] == "event" and kind in (None, line["event"])]

    def assert_complete(self):
        """Every number from the first to the last is there once, in order, and nothing is said to be lost."""
        lines = self.lines()
        self.assertEqual([line for line in lines if line["type"] == "lost"], [])
        numbers = [line["seq"] for line in lines if line["type"] == "event"]
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))


class Complete(JournalTest):
    def test_each_line_is_the_event_of_the_feed_with_its_checksum(self):
        daemon = self.start()
        client = self.connect(daemon)
        client.sync(id="pump-7")
        client.close()
        daemon.wait("close")
        daemon.end()
        self.assertEqual([event["event"] for event in self.events()], ["connected", "joined", "close"])
        self.assertEqual([line["type"] for line in self.lines()],
                         ["segment", "start", "event", "event", "event", "end"])
        self.assert_complete()
        with open(os.path.join(self.directory, self.segments()[0]), "rb") as file:
            for line in file.read().splitlines():
                before, _, seal = line.rpartition(b',"crc":"')
                self.assertEqual(seal, b'%08x"}' % crc32c(before))
        close = self.events("close")[0]
        self.assertEqual((close["client"], close["from"], close["reason"], close["cursor"]),
                         ("pump-7", "alive", "peer_closed", f"{close['boot']}:{close['seq']}"))

    def test_15_000_connections_that_end_at_one_moment_are_all_there(self):
        count = 1500 if SANITIZED else 15_000
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        daemon = self.start(max_clients=count, accept_rate=0, log_rate=5)
        clients = [Client(daemon.address) for _ in range(count)]
        for number, client in enumerate(clients):
            client.send(frame(heartbeat(id=f"pump-{number}")))
        for client in clients[::100]:
            client.sync()
        wait_until(lambda: daemon.ask("status")["totals"]["joins"] == count, "all have joined")
        for client in clients:
            client.close()
        wait_until(lambda: daemon.ask("status")["clients"]["alive"] == 0, "all are gone")
        wait_until(lambda: len(self.events("close")) == count, "all closes are in the journal")
        # Killed: what was handed to the system is in the files.
        daemon.kill()
        self.assert_complete()
        self.assertEqual({event["client"] for event in self.events("close")},
                         {f"pump-{number}" for number in range(count)})

    def test_after_a_kill_in_the_middle_of_a_storm_the_numbers_go_on(self):
        daemon = self.start(max_clients=2000, accept_rate=0, log_rate=5)
        first = self.events()[-1:]
        self.assertEqual(first, [])
        clients = [self.connect(daemon) for _ in range(500)]
        for client in clients:
            client.beat()
        wait_until(self.events, "the first events are in the journal")
        daemon.kill()
        last = max((event["seq"] for event in self.events()), default=0)
        again = self.start()
        self.connect(again).sync(id="after")
        again.end()
        self.assert_complete()
        start = [line for line in self.lines() if line["type"] == "start"]
        self.assertEqual([line["seq"] for line in start], [0, last])
        self.assertNotEqual(start[0]["boot"], start[1]["boot"])

    def test_a_torn_line_is_cut_off_and_the_loss_is_logged(self):
        daemon = self.start()
        self.connect(daemon).sync(id="pump-7")
        daemon.end()
        path = os.path.join(self.directory, self.segments()[0])
        with open(path, "ab") as file:
            file.write(b'{"type":"event","seq":99,"at')
        again = self.start()
        self.assertEqual(again.wait("journal_cut")["bytes"], "28")
        again.end()
        self.assert_complete()

    def test_over_a_restart_in_the_same_process_nothing_is_lost_or_doubled(self):
        daemon = self.start()
        client = self.connect(daemon)
        client.sync(id="pump-7")
        daemon.ask("restart")
        wait_until(lambda: daemon.ask("status")["restarts"]["count"] == 1, "restarted")
        client.sync(id="pump-7")
        client.close()
        daemon.wait("close")
        daemon.end()
        self.assert_complete()
        self.assertEqual([event["event"] for event in self.events()],
                         ["connected", "joined", "restarted", "close"])
        self.assertEqual(len({event["boot"] for event in self.events()}), 1)

    def test_its_files_are_counted_among_the_descriptors(self):
        for run in ("a new journal", "the journal of before"):
            with self.subTest(run):
                daemon = self.start()
                self.connect(daemon).sync(id="pump-7")
                wait_until(lambda: self.events("joined"), "the first segment")
                used = daemon.ask("status")["descriptors"]["used"] - 1  # without the session that asks
                wait_until(lambda: len(os.listdir(f"/proc/{daemon.process.pid}/fd")) == used,
                           f"{used} descriptors are open")
                daemon.end()

    def test_orders_and_reloads_are_lines_before_what_comes_of_them(self):
        daemon = self.start()
        client = self.connect(daemon)
        client.sync(id="pump-7")
        daemon.ask("kick", clients=["pump-7"])
        daemon.ask("log_level", level="debug")
        daemon.ask("reload")
        daemon.wait("close")
        daemon.end()
        lines = [(line.get("command") or line.get("event") or line["type"], line.get("client"), line.get("level"),
                  line.get("accepted")) for line in self.lines()[-5:]]
        self.assertEqual(lines, [("kick", "pump-7", None, None), ("close", "pump-7", None, None),
                                 ("log_level", None, "debug", None), ("reload", None, None, True),
                                 ("end", None, None, None)])
        self.assert_complete()

    def test_without_a_directory_there_is_no_journal(self):
        daemon = DaemonTest.start(self, environment={"STATE_DIRECTORY": ""})
        self.assertEqual(daemon.ask("status")["journal"]["state"], "off")

    def test_the_state_directory_of_the_service_manager_is_the_default(self):
        daemon = DaemonTest.start(self, environment={"STATE_DIRECTORY": self.folder})
        self.assertEqual(daemon.ask("status")["journal"]["directory"], self.directory)


class FullDisk(JournalTest):
    """A file system of 256 KiB, which fills up by itself."""

    def setUp(self):
        super().setUp()
        os.mkdir(self.directory)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", self.directory],
                                 capture_output=True, text=True, check=False)
        if mounted.returncode != 0:
            self.skipTest(f"no tmpfs can be mounted here: {mounted.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", self.directory], check=False)

    def test_a_disk_that_fills_up_loses_no_event_when_there_is_room_again(self):
        ballast = os.path.join(self.directory, "ballast")
        with open(ballast, "wb") as file:
            file.write(bytes(128 * 1024))
        daemon = self.start()
        count = 0
        while not daemon.lines("journal_paused:"):
            self.assertLess(count, 900)
            count += 1
            self.connect(daemon).sync(id=f"pump-{count}")
        self.assertIn("No space left on device", daemon.lines("journal_paused:")[0].text)
        for more in range(20):  # judged and answered as before
            self.connect(daemon).sync(id=f"fan-{more}")
        os.unlink(ballast)
        daemon.wait("journal_resumed:")
        daemon.end()
        self.assert_complete()
        self.assertEqual(len(self.events("joined")), count + 20)


@unittest.skipIf(SANITIZED, "the shim would come before the sanitizer's allocator")
class Disks(JournalTest):
    def start_on(self, disk, **arguments):
        return self.start(environment=disk.environment(), **arguments)

    def journal_of(self, daemon):
        return daemon.ask("status")["journal"]

    def test_a_disk_that_is_full_or_broken_is_reported_once_and_costs_nothing_when_it_works_again(self):
        for order, words in ((FULL, "No space left on device"), (BROKEN, "Input/output error")):
            with self.subTest(words):
                self.setUp()
                disk = Disk(self.folder)
                daemon = self.start_on(disk, http_listen="127.0.0.1:0")
                self.connect(daemon).sync(id="before")
                wait_until(lambda: len(self.events("joined")) == 1, "the first event")
                disk.set(order)
                self.connect(daemon).sync(id="during")
                daemon.wait("journal_paused:")
                self.assertEqual((self.journal_of(daemon)["state"], self.journal_of(daemon)["error"]),
                                 ("paused", words))
                with urllib.request.urlopen(daemon.http + "/readyz") as answer:
                    self.assertIn(words, answer.read().decode())
                wait_until(lambda: self.journal_of(daemon)["failures"] >= 2, "it is tried again")
                self.connect(daemon).sync(id="later")
                disk.set(WORKS)
                daemon.wait("journal_resumed:")
                wait_until(lambda: len(self.events("joined")) == 3, "all events")
                self.assertEqual(self.journal_of(daemon)["state"], "writing")
                daemon.end()
                self.assertEqual(len(daemon.lines("journal_paused:")), 1)
                self.assert_complete()

    def test_a_disk_that_hangs_costs_no_verdict_and_no_event(self):
        disk = Disk(self.folder)
        daemon = self.start_on(disk, tick="200ms", threshold=1, cursor=2, leave_timeout="1s")
        beating = self.connect(daemon)
        beating.sync(id="beating")
        disk.set(HANGS)
        silent = self.connect(daemon)
        silent.sync(id="silent")
        began = time.monotonic()
        # Five seconds in which each heartbeat is answered, and the silent client is judged and closed.
        while time.monotonic() < began + 5:
            beating.sync()
        closed = daemon.lines("close", client="silent", reason="silent")
        self.assertEqual(len(closed), 1)
        self.assertEqual(daemon.lines("leave", client="beating"), [])
        self.assertLess(daemon.ask("status")["verdict_lateness_ms"]["p99"], 200)
        self.assertEqual(daemon.lines("stall"), [])
        # A client that was slow to send its first heartbeat, as this machine was, may have been in leave before.
        self.assertEqual([event for event in self.events("leave") if event["client"] == "silent"], [])
        disk.set(WORKS)
        wait_until(lambda: len(self.events("close")) == 1, "what happened meanwhile is written")
        self.assertEqual(len([event for event in self.events("leave") if event["client"] == "silent"]), 1)
        daemon.end()
        self.assertEqual([line for line in self.lines() if line["type"] == "lost"], [])

    def test_a_disk_that_never_answers_does_not_keep_the_daemon_from_ending(self):
        disk = Disk(self.folder)
        daemon = self.start_on(disk)
        self.connect(daemon).sync(id="before")
        wait_until(lambda: len(self.events("joined")) == 1, "the first event")
        disk.set(HANGS)
        self.connect(daemon).sync(id="during")
        daemon.end()
        self.assertEqual(len(daemon.lines("journal_unfinished:")), 1)


if __name__ == "__main__":
    unittest.main()
