#!/usr/bin/env python3
"""A restart by `heartbeatctl restart` or SIGUSR2: another program in the same process, every client connected."""
import json
import os
import shutil
import signal
import socket
import struct
import tempfile
import threading
import time
import unittest

from harness import BOUND_S, Client, Daemon, frame, heartbeat, wait_until


class Beating:
    """A client that beats with growing numbers from a thread of its own, and wants each acknowledged in order."""

    def __init__(self, address, name, pause_s=0.01):
        self.client = Client(address)
        self.name = name
        self.sent = self.acknowledged = 0
        self.wrong = []
        self.longest_s = 0.0
        self._pause_s = pause_s
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        try:
            while not self._end.is_set():
                self.sent += 1
                body = frame(heartbeat(id=self.name, ack=True, seq=self.sent))
                begun = time.monotonic()
                half = len(body) // 2 if self.sent % 3 == 0 else 0  # a frame in two halves may lie in the gap
                self.client.send(body[:half])
                if half:
                    time.sleep(self._pause_s)
                self.client.send(body[half:])
                got = self.client.read_frame()
                self.longest_s = max(self.longest_s, time.monotonic() - begun)
                if got is None or got.get("type") != "ack" or got.get("seq") != self.sent:
                    self.wrong.append((self.sent, got, self.client.ended_by))
                    return
                self.acknowledged = self.sent
                time.sleep(self._pause_s)
        except OSError as error:
            self.wrong.append((self.sent, repr(error)))

    def end(self):
        self._end.set()
        self._thread.join(BOUND_S)
        self.client.close()


class Restart(unittest.TestCase):
    def setUp(self):
        self.daemon = Daemon(tick="1s")
        self.addCleanup(self.daemon.end)

    def restart(self, count):
        done = self.daemon.ask("restart")
        self.assertEqual(done["type"], "done", done)
        self.daemon.wait("restarted", count=count)
        return done

    def test_clients_under_load_keep_their_connections_over_ten_restarts(self):
        clients = [Beating(self.daemon.address, f"pump-{number}") for number in range(20)]
        pid = self.daemon.process.pid
        for number in range(1, 11):
            before = [client.acknowledged for client in clients]
            done = self.restart(number)
            self.assertEqual(done["clients"], 20)
            wait_until(lambda: all(client.wrong or client.acknowledged > so_far + 1
                                   for client, so_far in zip(clients, before)), "every client is acknowledged again")
        for client in clients:
            client.end()
        self.assertEqual([client.wrong for client in clients], [[]] * 20)
        self.assertEqual(self.daemon.process.pid, pid)
        self.assertEqual(len(self.daemon.lines("restarted")), 10)
        self.assertEqual(self.daemon.lines("takeover") + self.daemon.lines("strike"), [])

    def test_a_signal_restarts_as_well(self):
        client = Client(self.daemon.address)
        client.sync(id="pump-7")
        self.daemon.send_signal(signal.SIGUSR2)
        event = self.daemon.wait("restarted")
        self.assertEqual(event.level, "info")
        self.assertEqual(event["from_version"], event["to_version"])
        client.sync()
        client.close()

    def test_what_is_known_of_a_client_goes_on(self):
        client = Client(self.daemon.address)
        client.sync(id="pump-7")
        client.beat(status="leave")
        client.sync(status="leave")
        before = self.daemon.ask("status")
        client.send(frame(heartbeat())[:30])
        self.restart(1)
        story = self.daemon.ask("why", client="pump-7")
        self.assertEqual(story["client"]["status"], "leave")
        self.assertEqual(story["client"]["heartbeats"], 3)
        self.assertIn("restarted_ms", story["stalls"][0])
        client.send(frame(heartbeat())[30:])
        client.sync()
        self.assertEqual(self.daemon.ask("why", client="pump-7")["client"]["heartbeats"], 5)
        after = self.daemon.ask("status")
        self.assertEqual(after["boot"], before["boot"])
        self.assertEqual(after["started"], before["started"])
        self.assertEqual(after["totals"]["connected"], before["totals"]["connected"])
        self.assertEqual(after["restarts"]["count"], 1)
        self.assertEqual(after["feed"]["next"], before["feed"]["next"] + 1)
        client.close()

    def test_a_follower_goes_on_with_the_next_number(self):
        client = Client(self.daemon.address)
        client.sync(id="pump-7")
        with socket.socket(socket.AF_UNIX) as follower:
            follower.settimeout(BOUND_S)
            follower.connect(self.daemon.control)
            follower.sendall(frame(json.dumps({"command": "watch", "since": self.daemon.ask("status")["boot"] + ":0"})))
            with follower.makefile("rb") as stream:
                def read():
                    head = stream.read(4)
                    return json.loads(stream.read(struct.unpack("!i", head)[0])) if head else None
                first = read()
                while first["event"] != "joined":
                    first = read()
                self.restart(1)
                last = read()
                self.assertEqual(last, {"type": "restarting"})
                self.assertIsNone(read())
        with socket.socket(socket.AF_UNIX) as follower:
            follower.settimeout(BOUND_S)
            follower.connect(self.daemon.control)
            follower.sendall(frame(json.dumps({"command": "watch", "since": first["cursor"]})))
            with follower.makefile("rb") as stream:
                event = json.loads(stream.read(struct.unpack("!i", stream.read(4))[0]))
        self.assertEqual((event["type"], event.get("event"), event.get("seq")), ("event", "restarted", first["seq"] + 1))
        client.close()

    def test_signals_that_storm_over_a_restart_do_not_kill(self):
        client = Client(self.daemon.address)
        client.sync(id="pump-7")
        over = threading.Event()

        def storm():
            while not over.is_set():
                self.daemon.send_signal(signal.SIGHUP)
                self.daemon.send_signal(signal.SIGUSR2)
                time.sleep(0.002)
        thread = threading.Thread(target=storm)
        thread.start()
        try:
            self.daemon.wait("restarted", count=5)
        finally:
            over.set()
            thread.join()
        client.sync()
        self.assertIsNone(self.daemon.process.poll())
        client.close()

    def test_signals_that_end_it_and_storm_over_a_restart_end_it_in_order(self):
        """Each of them may come at any instant of the restart; none may find the process without its handler."""
        directory = tempfile.TemporaryDirectory(prefix="heartbeat-")  # a journal is written on a thread of its own
        self.addCleanup(directory.cleanup)
        for delay_ms in range(0, 100, 10):
            daemon = Daemon(events_directory=directory.name)
            self.addCleanup(daemon.end)
            client = Client(daemon.address)
            client.sync(id="pump-7", notify=True)
            daemon.send_signal(signal.SIGUSR2)
            time.sleep(delay_ms / 1000)  # so that the storm begins at another place each time
            while daemon.process.poll() is None:
                for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR2, signal.SIGINT):
                    daemon.send_signal(number)
                time.sleep(0.001)
            self.assertEqual(daemon.process.returncode, 0)
            self.assertEqual(client.read_to_end()[-1]["reason"], "shutdown")
            client.close()
            daemon.end()

    def test_what_an_operator_has_set_and_seen_goes_on(self):
        Client(self.daemon.address).close()
        self.daemon.ask("log_level", level="warn")
        self.daemon.ask("reload")
        self.daemon.ask("log_level", level="debug")
        before = self.daemon.ask("status")
        self.restart(1)
        after = self.daemon.ask("status")
        self.assertEqual(after["reloads"], before["reloads"])
        self.assertEqual(self.daemon.ask("log_level", level="info")["from"], "debug")

    def test_a_restart_keeps_the_addresses(self):
        self.restart(1)
        Client(self.daemon.address).close()
        self.assertEqual(self.daemon.ask("status")["listening"],
                         [f"{self.daemon.address[0]}:{self.daemon.address[1]}"])


class WhatEnds(unittest.TestCase):
    """At a restart: what is no client of the daemon, or not yet."""

    def test_a_connection_without_its_header_and_http_end_and_a_client_behind_a_proxy_goes_on(self):
        daemon = Daemon(proxy_from="127.0.0.1", http_listen="127.0.0.1:0")
        self.addCleanup(daemon.end)
        header = b"PROXY TCP4 10.0.0.7 192.0.2.1 51000 14000\r\n"
        client, greeting = Client(daemon.address), Client(daemon.address)
        client.send(header)
        client.sync(id="pump-7")
        greeting.send(header[:20])
        host, port = daemon.http.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), BOUND_S) as reader:
            reader.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertIn(b"200", reader.recv(4096))  # the connection is open for the next request
            wait_until(lambda: daemon.ask("status")["accepting"]["waiting"] == 1, "the half header is there")
            self.assertEqual(daemon.ask("restart")["clients"], 1)
            self.assertEqual(reader.recv(4096), b"")
        self.assertEqual(greeting.read_to_end(), [])
        client.sync()
        self.assertEqual(daemon.ask("why", client="pump-7")["client"]["peer"], "10.0.0.7:51000")
        with socket.create_connection((host, int(port)), BOUND_S) as reader:
            reader.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertIn(b"200", reader.recv(4096))
        client.close()
        greeting.close()


class Refused(unittest.TestCase):
    """The daemon goes on as if nothing had been asked, and says why."""

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="heartbeat-")
        self.addCleanup(self.directory.cleanup)
        self.program = os.path.join(self.directory.name, "heartbeatd")
        shutil.copyfile(os.environ["HEARTBEATD"], self.program)
        os.chmod(self.program, 0o755)

    def run_program(self, **flags):
        daemon = Daemon(program=self.program, **flags)
        self.addCleanup(daemon.end)
        return daemon

    def replace_program(self, text):
        """As dpkg does: another file of the same name."""
        with open(self.program + ".new", "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(self.program + ".new", 0o755)
        os.rename(self.program + ".new", self.program)

    def assert_refused(self, daemon, why):
        client = Client(daemon.address)
        client.sync(id="pump-7")
        answer = daemon.ask("restart")
        self.assertEqual((answer["type"], answer["code"]), ("error", "restart_refused"))
        self.assertRegex(answer["message"], why)
        daemon.wait_for(lambda: any(line.text.startswith("restart refused: ") for line in daemon.lines()), "the reason")
        client.sync()
        self.assertEqual(daemon.lines("restarted"), [])
        client.close()

    def test_a_program_that_refuses(self):
        daemon = self.run_program()
        self.replace_program("#!/bin/sh\necho cannot do that >&2\nexit 3\n")
        self.assert_refused(daemon, r"refuses \(exit code 3\): cannot do that")

    def test_a_program_that_does_not_know_the_question(self):
        daemon = self.run_program()
        self.replace_program("#!/bin/sh\necho heartbeatd: --can-restore: there is no such flag >&2\nexit 64\n")
        self.assert_refused(daemon, "no such flag")

    def test_a_program_that_is_ended_by_a_signal(self):
        daemon = self.run_program()
        self.replace_program("#!/bin/sh\nkill -9 $$\n")
        self.assert_refused(daemon, "was ended by signal 9")

    def test_a_program_that_is_not_there(self):
        daemon = self.run_program()
        os.unlink(self.program)
        self.assert_refused(daemon, "cannot be run: no such file or directory")

    def test_a_program_that_agrees_and_cannot_be_run_then(self):
        daemon = self.run_program()
        self.replace_program('#!/bin/sh\nrm "$0"\nexit 0\n')
        self.assert_refused(daemon, "cannot be run: No such file or directory")
        # The next try finds the program again.
        shutil.copyfile(os.environ["HEARTBEATD"], self.program)
        os.chmod(self.program, 0o755)
        self.assertEqual(daemon.ask("restart")["type"], "done")

    def test_a_configuration_with_a_mistake(self):
        path = os.path.join(self.directory.name, "heartbeatd.toml")
        with open(path, "w", encoding="ascii") as file:
            file.write('tick = "2s"\n')
        daemon = self.run_program(config=path)
        with open(path, "w", encoding="ascii") as file:
            file.write("tick = 0\n")
        self.assert_refused(daemon, r"exit code 78.*tick")
        with open(path, "w", encoding="ascii") as file:
            file.write('tick = "3s"\n')
        self.assertEqual(daemon.ask("restart")["type"], "done")
        wait_until(lambda: daemon.ask("status")["rule"]["tick_ms"] == 3000, "the new rule is in force")


    def test_a_signal_that_ends_the_daemon_wins_over_a_restart_that_is_due(self):
        daemon = self.run_program()
        client = Client(daemon.address)
        client.sync(id="pump-7", notify=True)
        self.replace_program('#!/bin/sh\ncase "$*" in *--can-restore*) kill -TERM $PPID ;; *) : >"$0.ran" ;; esac\n')
        daemon.send_signal(signal.SIGUSR2)
        self.assertEqual(client.read_to_end()[-1]["reason"], "shutdown")
        client.close()
        self.assertEqual(daemon.process.wait(BOUND_S), 0)
        self.assertFalse(os.path.exists(self.program + ".ran"), "the new program took the place of a daemon that had ended")


class Unreadable(unittest.TestCase):
    """A state that cannot be read: the test plays the daemon before."""

    def started_with(self, state):
        listener = socket.create_server(("127.0.0.1", 0))
        outside = socket.create_connection(listener.getsockname())
        outside.settimeout(BOUND_S)
        inside, _ = listener.accept()
        file = os.memfd_create("state", 0)
        os.write(file, state)
        daemon = Daemon(listen=("%s:%d" % listener.getsockname(),), environment={"HEARTBEATD_STATE": str(file)},
                        pass_fds=(listener.fileno(), inside.fileno(), file))
        for each in (listener, inside):
            each.close()
        os.close(file)
        self.addCleanup(daemon.end)
        return daemon, outside

    def test_bytes_that_are_no_state_drop_no_client(self):
        for state in (b"", b"HBho", b"x" * 5000):
            daemon, client = self.started_with(state)
            errors = [line for line in daemon.lines() if line.level == "error"]
            self.assertEqual(len(errors), 1, errors)
            self.assertIn("its clients stay connected", errors[0].text)
            client.sendall(frame(heartbeat(id="pump-7", ack=True, seq=5)))
            self.assertIn(b'"seq":5', client.recv(4096))
            self.assertEqual(daemon.ask("status")["clients"]["alive"], 1)
            Client(daemon.address).close()
            client.close()
            daemon.end()


if __name__ == "__main__":
    unittest.main()
