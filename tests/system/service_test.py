#!/usr/bin/env python3
"""The installed service under a real systemd: usage: service_test.py DIRECTORY [unittest arguments]"""

import contextlib
import json
import os
import re
import signal
import struct
import sys
import time
import unittest

from box import Box, package_or_skip, wait_until
from peer import Peer

PACKAGE = None
OPERATING = os.path.join(os.path.dirname(__file__), "../../docs/operating.md")
EXPOSURE_MAX = 1.2


def setUpModule():
    box = Box()
    unittest.addModuleCleanup(box.stop)
    box.copy_in(PACKAGE, "/tmp/heartbeatd.deb")
    box.run("dpkg", "--install", "/tmp/heartbeatd.deb")
    box.enter_network()
    ServiceTest.box = box


class ServiceTest(unittest.TestCase):
    """Each test begins with the service running as it was installed."""

    box = None

    def setUp(self):
        self.began = time.time()
        self.box.run("sh", "-c", "systemctl stop 'heartbeatd*' && rm -rf /etc/systemd/system/heartbeatd*.d"
                                 " && systemctl daemon-reload && systemctl reset-failed")
        self.box.run("sh", "-c", "cd /etc/heartbeatd && rm -f *.toml && cp /usr/share/doc/heartbeatd/examples/*.toml .")
        self.box.run("systemctl", "start", "heartbeatd.service")
        self.pid = self.main_pid()

    def main_pid(self, unit="heartbeatd.service"):
        return int(self.box.show(unit, "MainPID"))

    def records_with(self, text):
        """Of a daemon that ended at once: the journal may find its process gone, and then names no unit."""
        return [record for record in self.box.journal(f"--since=@{self.began}") if text in record["MESSAGE"]]

    def ask(self, *command):
        return self.box.run("heartbeatctl", *command).stdout

    def drop_in(self, text, unit="heartbeatd.service"):
        self.box.write(f"/etc/systemd/system/{unit}.d/test.conf", text)
        self.box.run("systemctl", "daemon-reload")

    def configure(self, instance="heartbeatd", **settings):
        # What JSON writes of strings, numbers and lists of them is TOML, too.
        text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items())
        self.box.write(f"/etc/heartbeatd/{instance}.toml", text)

    def restart(self):
        self.box.run("systemctl", "restart", "heartbeatd.service")
        self.pid = self.main_pid()

    def reload(self, fails=False):
        """Returns what the daemon says came of it: `done` or `failed`. Where it fails, systemctl says so, too."""
        def outcomes():
            messages = [record["MESSAGE"] for record in self.box.journal(f"_PID={self.main_pid()}")]
            return [message.split()[1].rstrip(":") for message in messages
                    if message.startswith(("reload done", "reload failed: nothing"))]
        before = len(outcomes())
        done = self.box.run("systemctl", "reload", "heartbeatd.service", check=False)
        self.assertEqual(done.returncode != 0, fails, done.stderr)
        return wait_until("the reload to have an end", lambda: outcomes()[before:])[0]

    def wait_for_another_process(self):
        def another():
            pid = self.main_pid()
            return pid if pid not in (0, self.pid) and self.box.show("heartbeatd.service", "SubState") == "running" \
                else None
        return wait_until("another process of the service", another)

    def records(self, name):
        return self.box.journal(f"HEARTBEAT_CLIENT={name}")

    def wait_for_status(self, text):
        def status():
            return self.box.show("heartbeatd.service", "StatusText")
        wait_until(f"the status line '{text}'", lambda: status() == text, status)


class Life(ServiceTest):
    def test_once_started_it_listens(self):
        # The very first connection after `systemctl start` returned: no second try.
        with Peer("first") as peer:
            self.assertEqual(peer.beat(), "alive")
        self.assertEqual(self.box.show("heartbeatd.service", "Type"), "notify")
        self.assertEqual(self.box.show("heartbeatd.service", "ActiveState"), "active")

    def test_status_line_follows_the_clients(self):
        self.wait_for_status("0 alive, 0 leave; listening on 127.0.0.1:14000")
        with contextlib.ExitStack() as stack:
            peers = [stack.enter_context(Peer(f"status-{n}")) for n in range(3)]
            for peer in peers:
                peer.beat()
            peers[0].beat("leave")
            self.wait_for_status("2 alive, 1 leave; listening on 127.0.0.1:14000")
            self.assertIn('Status: "2 alive, 1 leave; listening on 127.0.0.1:14000"',
                          self.box.run("systemctl", "status", "heartbeatd.service").stdout)
        self.wait_for_status("0 alive, 0 leave; listening on 127.0.0.1:14000")

    def test_stop_tells_the_clients_and_is_in_time(self):
        with contextlib.ExitStack() as stack:
            peers = [stack.enter_context(Peer(f"stop-{n}")) for n in range(50)]
            for peer in peers:
                peer.send(notify=True)
                self.assertEqual(peer.frame()["type"], "welcome")
            self.box.run("systemctl", "stop", "heartbeatd.service")
            for peer in peers:
                self.assertEqual(peer.frame(), {"type": "status", "status": "close", "reason": "shutdown"})
                self.assertIsNone(peer.frame())
        self.assertEqual(self.box.show("heartbeatd.service", "Result"), "success")
        self.assertEqual(self.box.show("heartbeatd.service", "ExecMainStatus"), "0")

    def test_a_crash_keeps_every_client(self):
        with Peer("pump-7") as client, Peer("pump-8") as other:
            client.beat()
            other.beat("leave")
            boot = json.loads(self.ask("status", "--json"))["boot"]
            for number, how in enumerate((signal.SIGKILL, signal.SIGSEGV, signal.SIGKILL), 1):
                client.send_raw(b"\0\0")  # the first half of a frame's length
                self.ask("status")  # it is heard before this
                if number == 2:
                    self.box.run("systemctl", "daemon-reload")
                if number == 3:
                    self.box.run("systemctl", "daemon-reexec")
                self.box.kill(self.pid, how)
                self.pid = self.wait_for_another_process()
                body = json.dumps({"ip": "192.0.2.7", "status": "alive", "id": "pump-7", "ack": True, "seq": number}).encode()
                client.send_raw(struct.pack("!H", len(body)) + body)
                answer = client.frame()
                self.assertEqual((answer["type"], answer["seq"]), ("ack", number))
            self.assertEqual(other.beat("leave"), "leave")
            status = json.loads(self.ask("status", "--json"))
            self.assertEqual((status["restarts"]["count"], status["restarts"]["crashes"]), (3, 3))
            self.assertEqual(status["boot"], boot)
            self.assertEqual(status["clients"]["alive"] + status["clients"]["leave"], 2)
            restarted = self.box.journal("HEARTBEAT_EVENT=restarted", f"_PID={self.pid}")
            self.assertEqual((restarted[-1]["PRIORITY"], restarted[-1]["HEARTBEAT_REASON"]), ("4", "crash"))
            # What the processes before left is gone: a state, a listening socket, the control socket, a bag.
            self.assertEqual(self.box.show("heartbeatd.service", "NFileDescriptorStore"), "4")

    def test_a_stuck_process_is_killed_and_started_again(self):
        self.drop_in("[Service]\nWatchdogSec=1s\n")
        self.restart()
        client = Peer("pump-7")
        self.addCleanup(client.close)
        client.beat()
        self.box.kill(self.pid, signal.SIGSTOP)  # as stuck as can be
        self.wait_for_another_process()
        client.beat()
        messages = [record["MESSAGE"] for record in self.box.journal("UNIT=heartbeatd.service")]
        self.assertTrue(any(message.startswith("heartbeatd.service: Watchdog timeout") for message in messages))
        with Peer("after-watchdog") as peer:
            self.assertEqual(peer.beat(), "alive")

    def test_a_healthy_process_feeds_its_watchdog(self):
        self.drop_in("[Service]\nWatchdogSec=1s\n")
        self.restart()
        # Each feed moves the time. This many take more than two intervals.
        fed = set()
        wait_until("six feeds of the watchdog", lambda: fed.add(
            self.box.show("heartbeatd.service", "WatchdogTimestampMonotonic")) or len(fed) >= 6)
        self.assertEqual(self.main_pid(), self.pid)
        self.assertEqual(self.box.show("heartbeatd.service", "NRestarts"), "0")

    def assert_keeps_every_client(self, *restarts, stored=4):
        """Over each of them a client is in the middle of a frame, and another one in leave.  What is stored then is a
        state, a listening socket, the control socket and a bag."""
        with Peer("pump-7") as client, Peer("pump-8") as other:
            client.beat()
            other.beat("leave")
            boot = json.loads(self.ask("status", "--json"))["boot"]
            for number, restart in enumerate(restarts, 1):
                before = self.pid
                client.send_raw(b"\0\0")  # the first half of a frame's length
                restart()
                self.pid = self.main_pid()
                self.assertNotEqual(self.pid, before)
                body = json.dumps({"ip": "192.0.2.7", "status": "alive", "id": "pump-7", "ack": True, "seq": number}).encode()
                client.send_raw(struct.pack("!H", len(body)) + body)
                answer = client.frame()
                self.assertEqual((answer["type"], answer["seq"]), ("ack", number))
            self.assertEqual(other.beat("leave"), "leave")
            status = json.loads(self.ask("status", "--json"))
            self.assertEqual((status["restarts"]["count"], status["restarts"]["crashes"]), (len(restarts), 0))
            self.assertEqual(status["boot"], boot)
            self.assertEqual(status["clients"]["alive"] + status["clients"]["leave"], 2)
            self.assertEqual(self.box.show("heartbeatd.service", "NFileDescriptorStore"), str(stored))

    def after(self, order):
        def restart():
            self.box.run("systemctl", order)
            self.restart()
        return restart

    def test_a_restart_keeps_every_client(self):
        self.assert_keeps_every_client(self.restart, self.after("daemon-reload"), self.after("daemon-reexec"))
        restarted = self.box.journal("HEARTBEAT_EVENT=restarted")
        self.assertIn("HEARTBEAT_RESTARTED_MS", restarted[-1])

    def test_a_restart_keeps_every_client_also_where_a_crash_would_not(self):
        self.configure(keep_over_crash="no")
        self.box.run("systemctl", "stop", "heartbeatd.service")  # a restart would go on with the settings of before
        self.box.run("systemctl", "start", "heartbeatd.service")
        self.pid = self.main_pid()
        self.assert_keeps_every_client(self.restart, self.restart, stored=0)

    def test_a_restart_without_a_client_goes_on_as_well(self):
        boot = json.loads(self.ask("status", "--json"))["boot"]
        self.restart()
        status = json.loads(self.ask("status", "--json"))
        self.assertEqual((status["boot"], status["restarts"]["count"]), (boot, 1))

    def test_a_restart_in_the_same_process_keeps_every_client(self):
        with Peer("pump-7") as client:
            client.beat()
            self.assertRegex(self.ask("restart"), "^version .*, 1 clients kept")
            self.assertEqual(self.main_pid(), self.pid)
            client.beat()
            self.assertEqual(self.box.show("heartbeatd.service", "ActiveState"), "active")

    def test_an_upgrade_and_a_downgrade_keep_every_client(self):
        def install(package):
            return lambda: self.box.run("dpkg", "--install", package)
        self.assert_keeps_every_client(install(self.box.later_version("/tmp/heartbeatd.deb")),
                                       install("/tmp/heartbeatd.deb"))

    def test_a_program_that_was_replaced_is_executed_in_the_same_process(self):
        with Peer("pump-7") as client:
            client.beat()
            program = self.box.run("readlink", "--canonicalize", "/usr/sbin/heartbeatd").stdout.strip()
            self.box.run("sh", "-c", 'cp --preserve "$1" "$1.new" && mv "$1.new" "$1"', "sh", program)  # as dpkg does it
            self.assertRegex(self.ask("restart"), "^version .*, 1 clients kept")
            self.assertEqual(self.main_pid(), self.pid)
            client.beat()
            running = self.box.run("readlink", f"/proc/{self.pid}/exe").stdout
            self.assertNotIn("(deleted)", running)

    def test_a_broken_configuration_fails_with_its_reason_and_is_not_tried_again(self):
        self.configure(tick="soon")
        self.box.run("systemctl", "restart", "heartbeatd.service", check=False)
        # Were it to be tried again, it would be activating (auto-restart).
        self.assertEqual(self.box.show("heartbeatd.service", "ActiveState"), "failed")
        self.assertEqual(self.box.show("heartbeatd.service", "NRestarts"), "0")
        reasons = self.records_with("soon")
        self.assertEqual([record["PRIORITY"] for record in reasons], ["3"])
        self.assertRegex(reasons[0]["MESSAGE"], r"heartbeatd\.toml:1:.*tick")
        self.assertEqual(self.box.show("heartbeatd.service", "ExecMainStatus"), "78")


class Reload(ServiceTest):
    def setUp(self):
        super().setUp()
        self.peers = [Peer(f"reload-{n}") for n in range(20)]
        for peer in self.peers:
            self.addCleanup(peer.close)
            self.assertEqual(peer.beat(), "alive")

    def everybody_is_still_there(self):
        for peer in self.peers:
            self.assertEqual(peer.beat(), "alive")
        self.assertEqual(self.main_pid(), self.pid)
        self.wait_for_status("20 alive, 0 leave; listening on 127.0.0.1:14000")

    def test_a_reload_takes_the_new_settings_and_drops_nobody(self):
        self.configure(tick="7s")
        self.assertEqual(self.reload(), "done")
        self.everybody_is_still_there()
        with Peer("after-reload") as peer:
            peer.send(notify=True)
            self.assertEqual(peer.frame()["tick_ms"], 7000)

    def test_a_reload_of_a_broken_configuration_changes_nothing_and_says_why(self):
        self.configure(tick="soon")
        self.assertEqual(self.reload(fails=True), "failed")
        self.everybody_is_still_there()
        reasons = self.records_with("soon")
        # The daemon's error, the condition that begins with it, and the error of the check that fails the reload.
        self.assertEqual(sorted(record["PRIORITY"] for record in reasons), ["3", "3", "4"])
        self.assertEqual([record["HEARTBEAT_EVENT"] for record in reasons if record["PRIORITY"] == "4"], ["reload_refused"])
        self.assertIn('"last_refused":true', self.ask("--json", "status"))
        self.assertEqual(self.box.show("heartbeatd.service", "ActiveState"), "active")

    def test_addresses_change_with_a_reload_and_the_status_line_says_so(self):
        self.configure(listen=["127.0.0.1:14000", "127.0.0.1:14001"])
        self.assertEqual(self.reload(), "done")
        with Peer("on-the-new-one", 14001) as peer:
            self.assertEqual(peer.beat(), "alive")
            self.wait_for_status("21 alive, 0 leave; listening on 127.0.0.1:14000, 127.0.0.1:14001")


class Journal(ServiceTest):
    def test_the_story_of_a_client_in_fields(self):
        with Peer("pump-7") as peer:
            peer.send(pid=26464)
            peer.beat("leave")
            peer.beat("close")
        joined, left, closed = wait_until("three records", lambda: self.records("pump-7")[2:] and self.records("pump-7"))

        self.assertEqual(joined["HEARTBEAT_EVENT"], "joined")
        self.assertEqual(joined["PRIORITY"], "6")
        self.assertEqual(joined["HEARTBEAT_IP"], "192.0.2.7")
        self.assertEqual(joined["HEARTBEAT_PID"], "26464")
        self.assertRegex(joined["HEARTBEAT_PEER"], r"^127\.0\.0\.1:[0-9]+$")
        self.assertEqual(joined["HEARTBEAT_ADDRESS"], "127.0.0.1")

        self.assertEqual(left["PRIORITY"], "4")
        self.assertEqual(left["HEARTBEAT_EVENT"], "leave")
        self.assertEqual([left[f"HEARTBEAT_{name}"] for name in ("FROM", "TO", "REASON", "STRIKES")],
                         ["alive", "leave", "declared", "0"])
        self.assertRegex(left["HEARTBEAT_SILENT_MS"], r"^[0-9]+$")
        self.assertRegex(left["MESSAGE"], r"^leave client=pump-7 from=alive to=leave reason=declared ")

        self.assertEqual(closed["PRIORITY"], "6")
        self.assertEqual(closed["HEARTBEAT_REASON"], "goodbye")
        self.assertEqual(closed["HEARTBEAT_BY"], "client")
        self.assertRegex(closed["HEARTBEAT_CONNECTED_MS"], r"^[0-9]+$")

        for record in (joined, left, closed):
            self.assertEqual(record["_SYSTEMD_UNIT"], "heartbeatd.service")
            self.assertEqual(record["SYSLOG_IDENTIFIER"], "heartbeatd")
            self.assertEqual(record["_TRANSPORT"], "journal")
        self.assertEqual(len({record["MESSAGE_ID"] for record in (joined, left, closed)}), 3)
        self.assertEqual(self.box.journal(f"MESSAGE_ID={left['MESSAGE_ID']}", "HEARTBEAT_CLIENT=pump-7"), [left])

    def test_the_brake_on_mass_closing_and_its_end_in_fields(self):
        self.configure(tick="100ms", threshold=3, cursor=1, recover=2, leave_timeout="3s", brake_pause="1s")
        self.restart()

        def record(event):
            records = self.box.journal(f"HEARTBEAT_EVENT={event}", f"_PID={self.pid}")
            return records[0] if records else None
        with contextlib.ExitStack() as stack:
            for peer in [stack.enter_context(Peer(f"brake-{n}")) for n in range(20)]:
                peer.beat()
            brake = wait_until("the brake", lambda: record("brake"))
            end = wait_until("its end", lambda: record("brake_end"))
            wait_until("the closes", lambda: len(self.box.journal("HEARTBEAT_REASON=silent", "HEARTBEAT_EVENT=close",
                                                                  f"_PID={self.pid}")) == 20)
        self.assertEqual(brake["PRIORITY"], "4")
        self.assertEqual({name: brake[f"HEARTBEAT_{name}"] for name in ("CONCERNED", "CLIENTS", "PAUSE_MS", "SUBNET",
                                                                        "LISTENER")},
                         {"CONCERNED": "20", "CLIENTS": "20", "PAUSE_MS": "1000", "SUBNET": "127.0.0.1",
                          "LISTENER": "127.0.0.1:14000"})
        self.assertEqual({name: end[f"HEARTBEAT_{name}"] for name in ("ENDED", "HELD", "AFTER_MS")},
                         {"ENDED": "ran_out", "HELD": "20", "AFTER_MS": "1000"})
        self.assertNotEqual(brake["MESSAGE_ID"], end["MESSAGE_ID"])
        text = self.box.run("journalctl", "--catalog", f"MESSAGE_ID={brake['MESSAGE_ID']}").stdout
        self.assertIn(" Subject: 20 of 20 clients would be closed for silence: closing pauses\n", text)

    def test_bad_input_is_a_warning_that_says_what_was_wrong(self):
        with Peer() as peer:
            peer.send_body(b"what\nis this")
            self.assertIsNone(peer.frame())
        record = wait_until("its record", lambda: self.box.journal("HEARTBEAT_BAD_INPUT=not_json"))[-1]
        self.assertEqual(record["PRIORITY"], "4")
        self.assertEqual(record["HEARTBEAT_REASON"], "bad_heartbeat")
        self.assertIn(r"what\nis this", record["HEARTBEAT_DETAIL"])

    def test_the_catalog_explains_an_event(self):
        with Peer("explained") as peer:
            peer.beat("leave")
            wait_until("its record", lambda: len(self.records("explained")) >= 2)
            text = self.box.run("journalctl", "--catalog", "HEARTBEAT_CLIENT=explained").stdout
        self.assertIn(" Subject: Client explained went into leave: declared\n", text)
        self.assertIn(" Documentation: man:heartbeatd(8)\n", text)
        self.assertRegex(text, r" The client at 127\.0\.0\.1:[0-9]+ is no longer counted as alive\.")

    def test_other_lines_are_records_with_a_priority(self):
        invocation = self.box.show("heartbeatd.service", "InvocationID")
        records = self.box.journal(f"_SYSTEMD_INVOCATION_ID={invocation}")
        listening = [record for record in records if record["MESSAGE"] == "listening on 127.0.0.1:14000"]
        self.assertEqual([(record["PRIORITY"], record["_TRANSPORT"]) for record in listening], [("6", "journal")])

    def test_of_a_flood_nothing_is_lost_unseen(self):
        self.configure(log_rate=200)
        self.restart()
        clients = 1500
        with contextlib.ExitStack() as stack:
            peers = [stack.enter_context(Peer(f"flood-{n}")) for n in range(clients)]
            for peer in peers:
                peer.send("leave")
            for peer in peers:
                peer.beat()

        def counted(event):
            records = self.box.journal(f"HEARTBEAT_EVENT={event}", f"_PID={self.pid}")
            return sum(int(record.get("HEARTBEAT_COUNT", 1)) for record in records), len(records)

        for event in ("joined", "leave", "close"):
            wait_until(f"{clients} events {event}, logged or summed up",
                       lambda event=event: counted(event)[0] == clients, lambda event=event: counted(event))
            self.assertLess(counted(event)[1], clients)
        # Three times the rate, and more than the box's journal lets through by itself.
        self.assertGreaterEqual(sum(counted(event)[1] for event in ("joined", "leave", "close")), 600)


class Sockets(ServiceTest):
    def setUp(self):
        super().setUp()
        self.box.run("systemctl", "stop", "heartbeatd.service")
        self.box.run("systemctl", "start", "heartbeatd.socket")

    def test_the_first_client_starts_the_daemon_and_is_answered(self):
        self.assertEqual(self.box.show("heartbeatd.service", "ActiveState"), "inactive")
        with Peer("activating") as peer:
            self.assertEqual(peer.beat(), "alive")
        self.assertEqual(self.box.show("heartbeatd.service", "ActiveState"), "active")
        self.wait_for_status("0 alive, 0 leave; listening on 127.0.0.1:14000")

    def test_a_reload_keeps_the_sockets_that_were_handed_over(self):
        with Peer("before-reload") as before:
            before.beat()
            self.configure(listen=["127.0.0.1:14001"], tick="7s")
            self.assertEqual(self.reload(), "done")
            self.assertEqual(before.beat(), "alive")
            with Peer("after-reload") as after:
                self.assertEqual(after.beat(), "alive")
            with self.assertRaises(ConnectionRefusedError):
                Peer("elsewhere", 14001)

    def test_whoever_connects_between_two_daemons_is_answered_by_the_next(self):
        with Peer("starter") as peer:
            peer.beat()
        self.pid = self.main_pid()
        self.drop_in("[Service]\nRestartSec=3s\n")
        self.box.kill(self.pid, signal.SIGKILL)
        wait_until("the daemon to be gone", lambda: self.main_pid() == 0)
        peers = [Peer(f"between-{n}") for n in range(20)]  # no client is refused
        for peer in peers:
            self.assertEqual(peer.beat(), "alive")
            peer.close()
        self.assertNotIn(self.main_pid(), (0, self.pid))

    def test_an_operator_starts_the_daemon_by_asking_it_and_is_answered(self):
        self.box.run("systemctl", "stop", "heartbeatd.socket")
        self.box.run("systemctl", "start", "heartbeatd-control.socket")
        self.assertEqual(self.box.show("heartbeatd.service", "ActiveState"), "inactive")
        self.assertIn("0 alive, 0 in leave", self.ask("status"))
        self.assertEqual(self.box.show("heartbeatd.service", "ActiveState"), "active")
        self.assertEqual(self.box.run("stat", "-c", "%U:%G %a", "/run/heartbeatd/control.sock").stdout.strip(),
                         "heartbeatd:heartbeatd 660")
        with Peer("asked-for") as peer:
            peer.beat()
            self.assertIn("asked-for", self.ask("clients"))
        # Systemd's socket is not the daemon's to remove: the next one is reached by it, too.
        self.box.run("systemctl", "stop", "heartbeatd.service")
        self.assertIn("0 alive, 0 in leave", self.ask("status"))

    def test_a_socket_that_is_not_what_its_name_says_is_refused(self):
        self.drop_in("[Socket]\nFileDescriptorName=control\n", "heartbeatd.socket")
        self.box.run("systemctl", "restart", "heartbeatd.socket")
        self.box.run("systemctl", "start", "heartbeatd.service", check=False)
        self.assertEqual(self.box.show("heartbeatd.service", "ExecMainStatus"), "78")
        why = "heartbeatd: the service manager handed over a socket named control that is not a Unix socket"
        self.assertEqual({record["MESSAGE"] for record in self.records_with("handed over")}, {why})


class Operator(ServiceTest):
    def test_heartbeatctl_finds_the_service_and_steers_it(self):
        with Peer("steered") as peer:
            peer.beat()
            self.assertIn("steered", self.ask("clients"))
            self.ask("kick", "steered")
        self.assertIn("kicked by an operator", self.ask("why", "steered"))
        self.configure(tick="7s")
        self.assertIn("tick", self.ask("reload"))
        self.assertIn("7s", self.ask("settings"))
        record = wait_until("the operator's record", lambda: [
            record for record in self.box.journal("_SYSTEMD_UNIT=heartbeatd.service")
            if record["MESSAGE"].startswith("operator command=kick uid=0 ")])[0]
        self.assertEqual(record["PRIORITY"], "6")


class Template(ServiceTest):
    def test_two_instances_each_with_its_own_configuration(self):
        for instance, port in (("north", 15001), ("south", 15002)):
            self.configure(instance, listen=[f"127.0.0.1:{port}"])
            self.box.run("systemctl", "start", f"heartbeatd@{instance}.service")
        for instance, port in (("north", 15001), ("south", 15002)):
            with Peer(f"of-{instance}", port) as peer:
                self.assertEqual(peer.beat(), "alive")
            unit = f"heartbeatd@{instance}.service"
            record = wait_until("its record", lambda: self.records(f"of-{instance}"))[0]
            self.assertEqual(record["_SYSTEMD_UNIT"], unit)
            self.assertTrue(self.box.exists(f"/var/lib/heartbeatd-{instance}"))
        self.box.run("systemctl", "stop", "heartbeatd@north.service")
        with Peer("still-there", 15002) as peer:
            self.assertEqual(peer.beat(), "alive")


class Operating(ServiceTest):
    """docs/operating.md, whose commands are for copying: what it shows is what they do."""

    def test_each_query_of_the_journal_finds_what_it_is_for(self):
        self.happen()
        queries = self.queries()
        self.assertGreaterEqual(len(queries), 10)
        for query in queries:
            done = self.box.run("sh", "-c", query)
            self.assertEqual(done.stderr, "", query)
            self.assertNotIn(done.stdout.strip(), ("", "-- No entries --"), query)

    def test_the_recipe_for_a_second_instance_works_as_it_is_written(self):
        self.run_recipe("### Several on one machine")
        with Peer("of-north", 14001) as peer:
            self.assertEqual(peer.beat(), "alive")
        with Peer("of-the-first") as peer:
            self.assertEqual(peer.beat(), "alive")

    def test_the_recipe_for_who_may_connect_leaves_the_status_page_reachable(self):
        with open(OPERATING, encoding="utf-8") as document:
            text = document.read()
        recipe = re.search(r"^      \[Service\]\n(      IPAddress.*\n)+", text, re.M).group()
        self.box.write("/etc/heartbeatd/heartbeatd.toml", '[http]\nlisten = "127.0.0.1:14080"\n')
        self.drop_in(re.sub(r"^      ", "", recipe, flags=re.M))
        self.restart()
        self.assertIn("127.0.0.0/8", self.box.show("heartbeatd.service", "IPAddressAllow"))
        self.assertIn("ok", self.box.run("bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/14080; printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n'"
                                                     " >&3; timeout 20 cat <&3").stdout)

    def run_recipe(self, heading):
        with open(OPERATING, encoding="utf-8") as document:
            section = document.read().split(heading + "\n")[1].split("\n#")[0]
        for line in re.findall(r"^    (\S.*)$", section, re.M):
            self.box.run("sh", "-c", line)

    def queries(self):
        with open(OPERATING, encoding="utf-8") as document:
            lines = document.read().split("## What the journal knows")[1].splitlines()
        return [line.removeprefix("    $ ") for line in lines if line.startswith("    $ ")]

    def happen(self):
        """Everything that the document tells of: silence, floods, bad input, a stall."""
        self.configure(tick="100ms", leave_timeout="1s", log_rate=5)
        self.restart()
        pump = Peer("pump-7")
        pump.beat()
        wait_until("its leave, before the flood", lambda: self.box.journal(
            "HEARTBEAT_CLIENT=pump-7", "HEARTBEAT_EVENT=leave", f"_PID={self.pid}"))
        peers = [pump] + [Peer(f"valve-{n}") for n in range(12)]
        for peer in peers[1:]:
            peer.send()
        with Peer() as peer:
            peer.send_body(b"GET / HTTP/1.1")
            self.assertIsNone(peer.frame())
        with Peer() as peer:
            peer.send_raw(b"GET / HTTP/1.1\r\n")
            self.assertIsNone(peer.frame())
        self.box.kill(self.pid, signal.SIGSTOP)
        time.sleep(2)  # the stall
        self.box.kill(self.pid, signal.SIGCONT)
        for peer in peers:
            self.assertIsNone(peer.frame())
            peer.close()
        for event in ("leave", "close"):
            wait_until("a sum", lambda event=event: any(
                "HEARTBEAT_COUNT" in record for record in self.box.journal(f"HEARTBEAT_EVENT={event}")))


class Confinement(ServiceTest):
    def status_of_process(self):
        text = self.box.run("cat", f"/proc/{self.pid}/status").stdout
        return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)

    def try_to_write(self, path):
        """Makes a file there as the daemon sees it: file permissions aside, by the mounts alone."""
        return self.box.run("touch", f"/proc/{self.pid}/root{path}", check=False)

    def test_it_writes_its_own_directories_and_no_others(self):
        for path in ("/run/heartbeatd/file", "/var/lib/heartbeatd/file", "/tmp/file"):
            self.assertEqual(self.try_to_write(path).returncode, 0, path)
        for path in ("/usr/file", "/etc/file", "/etc/heartbeatd/file", "/var/file", "/var/lib/file", "/boot/file"):
            self.assertIn("Read-only file system", self.try_to_write(path).stderr, path)
        self.assertFalse(self.box.exists("/tmp/file"), "its /tmp is a private one")

    def test_it_is_a_user_of_its_own_without_capabilities(self):
        status = self.status_of_process()
        uid = self.box.run("id", "-u", "heartbeatd").stdout.strip()
        self.assertEqual(self.box.run("stat", "-c", "%u", f"/proc/{self.pid}").stdout.strip(), uid)
        self.assertNotEqual(uid, "0")
        for capabilities in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            self.assertEqual(int(status[capabilities], 16), 0, capabilities)
        self.assertEqual(status["NoNewPrivs"], "1")
        self.assertEqual(status["Seccomp"], "2")

    def test_it_runs_nothing_else(self):
        done = self.box.run("nsenter", "--target", str(self.pid), "--mount", "--", "/usr/bin/true", check=False)
        self.assertIn("Permission denied", done.stderr)

    def test_exposure(self):
        for unit in ("heartbeatd.service", "heartbeatd@any.service"):
            verdict = self.box.run("systemd-analyze", "security", "--no-pager", unit).stdout
            exposure = float(re.search(r"Overall exposure level for .*: ([0-9.]+)", verdict)[1])
            print(f"exposure of {unit}: {exposure}", file=sys.stderr)
            self.assertLessEqual(exposure, EXPOSURE_MAX)

    def test_it_may_have_as_many_descriptors_as_the_machine_allows(self):
        # Where the machine allows fewer (no CAP_SYS_RESOURCE in the box), systemd has lowered it to that.
        self.assertEqual(self.box.show("heartbeatd.service", "LimitNOFILE"), "1048576")


if __name__ == "__main__":
    PACKAGE = package_or_skip()
    unittest.main(verbosity=2)
