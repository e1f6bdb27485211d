"""The notifier beside a real daemon: from the files, and from the control socket where there are none."""
import os
import signal
import sys
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

    def notifier(self, daemon):
        events = os.path.join(self.folder, "events")
        notifier = Notifier(self.folder, f'journal = "{events}"\ncontrol = "{daemon.control}"\n[[hook]]\nname = "ops"\n'
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


if __name__ == "__main__":
    unittest.main()
