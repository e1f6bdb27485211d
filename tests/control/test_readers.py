#!/usr/bin/env python3
"""The group that may see by the control socket and change nothing (control_readers)."""
import grp
import json
import os
import socket
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "process"))
from harness import BOUND_S, DaemonTest  # noqa: E402

READS = ({"command": "status"}, {"command": "clients"}, {"command": "closed"}, {"command": "why", "client": "pump-7"},
         {"command": "watch", "snapshot": True})
CHANGES = ({"command": "kick", "clients": ["pump-7"]}, {"command": "reload"}, {"command": "restart"},
           {"command": "log_level", "level": "debug"}, {"command": "settings"}, {"command": "brake", "action": "release"},
           {"command": "hold", "match": "*", "for_ms": 1000, "why": "x"}, {"command": "release", "match": "*"},
           {"command": "forget", "match": "*"})


def a_group():
    """A group of this machine that is not root's."""
    return next(group for group in grp.getgrall() if group.gr_gid not in (0, 65534))


@unittest.skipUnless(os.geteuid() == 0, "another user is needed")
class Readers(DaemonTest):
    def setUp(self):
        self.group = a_group()
        self.daemon = self.start(control_readers=self.group.gr_name)
        for path in (os.path.dirname(self.daemon.control), os.path.dirname(os.path.dirname(self.daemon.control))):
            os.chmod(path, 0o755)
        self.client = self.connect(self.daemon)
        self.client.sync(id="pump-7")

    def read_unasked(self):
        """What the daemon sends to a connection that asks nothing."""
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(BOUND_S)
            control.connect(self.daemon.control)
            with control.makefile("rb") as stream:
                return json.loads(stream.read()[4:])

    def ask_as(self, requests, user=65534, group=65534, groups=()):
        """The first answer to each request, each on a connection of another user's; without a request, what that is sent."""
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.setgroups(list(groups))
                os.setgid(group)
                os.setuid(user)
                answers = [self.daemon.ask(**request) for request in requests] or self.read_unasked()
                os.write(writing, json.dumps(answers).encode())
            finally:
                os._exit(0)
        os.close(writing)
        with open(reading, encoding="utf-8") as pipe:
            text = pipe.read()
        os.waitpid(child, 0)
        return json.loads(text)

    def test_a_member_sees_everything_and_changes_nothing(self):
        for belongs in ({"group": self.group.gr_gid}, {"groups": (self.group.gr_gid,)}):
            for answer in self.ask_as(READS, **belongs):
                self.assertNotEqual(answer["type"], "error", answer)
            for request, answer in zip(CHANGES, self.ask_as(CHANGES, **belongs)):
                self.assertEqual((answer["type"], answer["code"]), ("error", "forbidden"))
                self.assertIn(f"'{request['command']}' is not for members of control_readers", answer["message"])
        self.client.sync()

    def test_a_stranger_is_turned_away_and_root_is_not(self):
        answer = self.ask_as(())
        self.assertEqual((answer["type"], answer["code"]), ("error", "forbidden"))
        self.assertEqual(self.daemon.ask("reload")["type"], "done")

    def test_without_the_setting_the_socket_is_its_groups_alone(self):
        plain = self.start()
        self.assertEqual(os.stat(plain.control).st_mode & 0o777, 0o660)
        self.assertEqual(os.stat(self.daemon.control).st_mode & 0o777, 0o666)


if __name__ == "__main__":
    unittest.main()
