#!/usr/bin/env python3
"""The Debian package, installed, upgraded and purged: usage: package_test.py DIRECTORY [unittest arguments]"""

import re
import unittest

from box import Box, package_or_skip
from peer import Peer

PACKAGE = None

# What dpkg and systemd write down of every package, and caches of others.
NOT_OURS = re.compile(r"^/var/(lib/dpkg|log|cache)/|^/var/lib/systemd/catalog/")


class Package(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.box = Box()
        self.addCleanup(self.box.stop)
        self.box.copy_in(PACKAGE, "/tmp/heartbeatd.deb")

    def install(self, path="/tmp/heartbeatd.deb"):
        # As apt does it without an operator: the default of a question about a conffile is to keep it.
        return self.box.run("dpkg", "--install", "--force-confold", path)

    def upgraded(self):
        """The same package of a later version, with another default configuration."""
        return self.box.later_version("/tmp/heartbeatd.deb", "echo '# a new default' >>etc/heartbeatd/heartbeatd.toml")

    def state(self, unit="heartbeatd.service"):
        return self.box.run("systemctl", "is-active", unit, check=False).stdout.strip()

    def files(self):
        in_memory = self.box.run("find", "/run", "/tmp", "-name", "*heartbeatd*", "-not", "-name", "*.deb").stdout
        return {path for path in self.box.additions() if not NOT_OURS.match(path)} | set(in_memory.splitlines())

    def accounts(self):
        return self.box.run("sh", "-c", "getent passwd; getent group; cat /etc/shadow").stdout

    def test_install_enables_and_starts_the_service_and_no_socket(self):
        self.install()
        self.assertEqual(self.state(), "active")
        enabled = self.box.run("systemctl", "is-enabled", "heartbeatd.service", "heartbeatd.socket",
                               "heartbeatd-control.socket", check=False).stdout.split()
        self.assertEqual(enabled, ["enabled", "disabled", "disabled"])
        self.assertIn("heartbeatd: ", self.box.run("journalctl", "--list-catalog").stdout)
        self.assertTrue(self.box.run("man", "--where", "heartbeatd").stdout)

    def test_install_starts_nothing_where_policy_forbids_it(self):
        self.box.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n")
        self.box.run("chmod", "755", "/usr/sbin/policy-rc.d")
        self.install()
        self.assertEqual(self.state(), "inactive")

    def test_units_are_valid(self):
        self.install()
        for unit in ("heartbeatd.service", "heartbeatd@any.service", "heartbeatd.socket", "heartbeatd-control.socket"):
            done = self.box.run("systemd-analyze", "verify", unit, check=False)
            self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""), unit)

    def test_purge_leaves_nothing_behind(self):
        files, accounts = self.files(), self.accounts()
        self.install()
        self.assertIn("/usr/sbin/heartbeatd", self.files() - files)
        self.assertNotEqual(self.accounts(), accounts)
        self.box.run("sh", "-c", "cd /etc/heartbeatd && sed 's/^#listen.*/listen = [\"127.0.0.1:15001\"]/'"
                                 " heartbeatd.toml >north.toml")
        self.box.run("systemctl", "enable", "heartbeatd@north.service", "heartbeatd.socket")
        self.box.run("dpkg", "--purge", "heartbeatd")
        self.assertEqual(sorted(self.files() ^ files), [])
        self.assertEqual(self.accounts(), accounts)
        self.assertEqual(self.state(), "inactive")
        self.assertNotIn("heartbeatd", self.box.run("journalctl", "--list-catalog", check=False).stdout)

    def test_remove_stops_it_and_keeps_the_configuration(self):
        self.install()
        self.box.run("sh", "-c", "echo '# mine' >>/etc/heartbeatd/heartbeatd.toml")
        self.box.run("dpkg", "--remove", "heartbeatd")
        self.assertEqual(self.state(), "inactive")
        self.assertFalse(self.box.exists("/usr/sbin/heartbeatd"))
        self.assertIn("# mine", self.box.run("cat", "/etc/heartbeatd/heartbeatd.toml").stdout)
        self.install()
        self.assertIn("# mine", self.box.run("cat", "/etc/heartbeatd/heartbeatd.toml").stdout)
        self.assertEqual(self.state(), "active")

    def test_upgrade_restarts_it_and_keeps_the_configuration(self):
        self.install()
        pid = self.box.show("heartbeatd.service", "MainPID")
        self.box.run("sh", "-c", "echo '# mine' >>/etc/heartbeatd/heartbeatd.toml")
        self.box.write("/etc/heartbeatd/north.toml", "# of an instance\n")
        self.install(self.upgraded())
        self.assertEqual(self.state(), "active")
        self.assertNotEqual(self.box.show("heartbeatd.service", "MainPID"), pid)
        configuration = self.box.run("cat", "/etc/heartbeatd/heartbeatd.toml").stdout
        self.assertIn("# mine", configuration)
        self.assertNotIn("# a new default", configuration)
        self.assertTrue(self.box.exists("/etc/heartbeatd/north.toml"))

    def test_upgrade_leaves_alone_what_an_administrator_switched_off(self):
        self.install()
        self.box.run("systemctl", "disable", "--now", "heartbeatd.service")
        self.install(self.upgraded())
        self.assertEqual(self.state(), "inactive")
        self.assertEqual(self.box.run("systemctl", "is-enabled", "heartbeatd.service", check=False).stdout.strip(),
                         "disabled")

    def test_upgrade_refuses_no_client_where_the_socket_is_systemds(self):
        self.install()
        self.box.run("systemctl", "disable", "--now", "heartbeatd.service")
        self.box.run("systemctl", "enable", "--now", "heartbeatd.socket")
        self.box.enter_network()
        with Peer("before") as peer:
            peer.beat()
            pid = self.box.show("heartbeatd.service", "MainPID")
            self.install(self.upgraded())
        self.assertNotEqual(self.box.show("heartbeatd.service", "MainPID"), pid)
        with Peer("after") as peer:
            self.assertEqual(peer.beat(), "alive")


if __name__ == "__main__":
    PACKAGE = package_or_skip()
    unittest.main(verbosity=2)
