"""The notifier beside a real daemon: from the files, and from the control socket where there are none."""
import os
import signal
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "process"))
from harness import DaemonTest  # noqa: E402
from notifier import Notifier, Receiver, wait_until  # noqa: E402
import tempfile  # noqa: E402


class BesideTheDaemon(DaemonTest):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="heartbeat-notify-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.receiver = Receiver()
        self.addCleanup(self.receiver.close)

    def notifier(self, daemon, more=""):
        events = os.path.join(self.folder, "events")
        notifier = Notifier(self.folder, f'{more}journal = "{events}"\ncontrol = "{daemon.control}"\n[[hook]]\nname = "ops"\n'
                                         f'url = "{self.receiver.url}"\nwait = "0s"\n')
        self.addCleanup(notifier.log_file.close)
        self.addCleanup(lambda: notifier.process.poll() is None and notifier.kill())
        notifier.wait_log(" delivers to 1 hooks")
        return notifier

    def kinds(self):
        return [event["event"] for event in self.receiver.events()]

    def assert_delivered(self, daemon):
        notifier = self.notifier(daemon)
        client = self.connect(daemon)
        client.sync(id="pump-7")
        client.close()
        wait_until(lambda: self.kinds() == ["connected", "joined", "close"], "all events")
        notifier.end()
        daemon.end()

    def test_from_the_files(self):
        daemon = self.start(events_directory=os.path.join(self.folder, "events"))
        self.assert_delivered(daemon)

    def test_from_the_control_socket_where_there_is_no_journal(self):
        daemon = self.start()
        self.assert_delivered(daemon)

    def test_a_notifier_that_is_stopped_moves_no_verdict(self):
        daemon = self.start(events_directory=os.path.join(self.folder, "events"))
        notifier = self.notifier(daemon)
        notifier.process.send_signal(signal.SIGSTOP)
        for number in range(50):
            client = self.connect(daemon)
            client.sync(id=f"pump-{number}")
            client.close()
        daemon.wait("close", count=50)
        self.assertEqual(daemon.lines("stall"), [])
        notifier.process.send_signal(signal.SIGCONT)
        wait_until(lambda: self.kinds().count("close") == 50, "all events, late")
        notifier.end()
        daemon.end()

    def test_the_daemon_is_a_client_of_another_one_and_its_silence_and_its_brake_are_leaves(self):
        other = self.start(tick="1s", recover=1)
        watched = self.start(events_directory=os.path.join(self.folder, "events"), tick="100ms", threshold=3, cursor=1,
                             recover=2, leave_timeout="3s", brake_pause="5s")
        address = "127.0.0.1:" + str(other.address[1])
        notifier = self.notifier(watched, f'upstream = "{address}"\nupstream_id = "heartbeatd@box"\nupstream_every = "300ms"\n')
        other.wait("joined", client="heartbeatd@box")
        time.sleep(2)  # more than twice the gate
        self.assertEqual(other.lines("leave"), [])

        watched.stop_running()
        other.wait("leave", client="heartbeatd@box", reason="declared")
        self.assertRegex(str(other.ask("why", client="heartbeatd@box")), r"no sign of work for \d+ s")
        watched.go_on()
        other.wait("return", client="heartbeatd@box")

        silent = [self.connect(watched) for _ in range(20)]
        for number, client in enumerate(silent):
            client.sync(id=f"pump-{number}")
        watched.wait("brake")
        other.wait("leave", 2, client="heartbeatd@box", reason="declared")
        self.assertIn("the brake on mass closing holds", str(other.ask("why", client="heartbeatd@box")))
        notifier.end()
        other.wait("close", client="heartbeatd@box", reason="goodbye")


if __name__ == "__main__":
    unittest.main()
