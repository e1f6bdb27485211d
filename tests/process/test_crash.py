#!/usr/bin/env python3
"""A daemon that is killed or crashes: the next process goes on with its clients, which are connected all the time."""
import collections
import json
import os
import signal
import tempfile
import unittest
import urllib.request

from harness import BOUND_S, Client, frame, heartbeat, millis, wait_until
from service_manager import ServiceManager
from test_restart import Beating

NO_SHIM = unittest.skipIf(os.environ.get("SANITIZED") == "1", "a sanitizer wants to be loaded before anything else")
SHIM = {"LD_PRELOAD": os.environ["CRASH_SHIM_LIBRARY"]}
POISON = "poisonous"


class CrashTest(unittest.TestCase):
    def setUp(self):
        self.manager = ServiceManager()
        self.addCleanup(self.manager.close)
        self.daemons = []

    def start(self, **flags):
        daemon = self.manager.start(**{"tick": "1s", **flags})
        self.daemons.append(daemon)
        self.addCleanup(daemon.kill)
        return daemon

    def crash(self, number=signal.SIGKILL, **flags):
        """Ends the daemon by a signal, once it handles nothing, and starts the next one."""
        self.daemons[-1].ask("status")
        self.daemons[-1].send_signal(number)
        return self.next(**flags)

    def next(self, **flags):
        self.daemons[-1].process.wait(BOUND_S)
        return self.start(**flags)

    def connect(self, daemon):
        client = Client(daemon.address)
        self.addCleanup(client.close)
        return client


class Kept(CrashTest):
    def test_clients_under_load_keep_their_connections(self):
        clients = []
        daemon = self.start()
        for number in range(20):
            clients.append(Beating(daemon.address, f"pump-{number}"))
        # Those accepted in the same turn of the loop are no part of the promise.
        wait_until(lambda: all(client.acknowledged > 1 for client in clients), "every client is acknowledged")
        for number in range(1, 11):
            before = [client.acknowledged for client in clients]
            daemon.send_signal(signal.SIGSEGV if number % 2 else signal.SIGKILL)
            daemon = self.next()
            wait_until(lambda: all(client.wrong or client.acknowledged > so_far + 1
                                   for client, so_far in zip(clients, before)), "every client is acknowledged again")
        for client in clients:
            client.end()
        # A signal may come while the bytes of a client are handled, and that client is lost; no other is.
        lost = [client.name for client in clients if client.wrong]
        closed = daemon.ask_all("closed", reason="crash")[:-1]
        self.assertEqual(sorted(each["name"] for each in closed), sorted(lost))
        self.assertLessEqual(len(lost), 10)
        self.assertEqual([client.wrong[0][2] for client in clients if client.wrong], ["eof"] * len(lost))
        self.assertEqual(daemon.ask("status")["restarts"]["crashes"], 10)
        for daemon in self.daemons:
            self.assertEqual(daemon.lines("takeover") + daemon.lines("strike"), [])

    def test_with_nobody_connected_the_next_process_takes_the_next_client_at_the_same_address(self):
        address = self.start().address
        daemon = self.crash()
        self.assertEqual(daemon.address, address)
        self.assertEqual(len(daemon.lines("restarted", reason="crash")), 1)
        self.assertEqual([line.text for line in daemon.lines() if line.level == "error"], [])
        self.connect(daemon).sync(id="pump-7")
        self.assertEqual(self.crash().ask("status")["clients"]["alive"], 1)

    def test_what_is_known_of_clients_goes_on(self):
        daemon = self.start()
        left, half, gone = (self.connect(daemon) for _ in range(3))
        left.sync(id="pump-7")
        left.sync(status="leave", note="holiday")
        gone.sync(id="pump-9")
        gone.beat(status="close")
        self.assertEqual(gone.read_to_end(), [])
        half.sync(id="pump-8")
        half.send(frame(heartbeat(id="pump-8"))[:30])
        daemon.ask("log_level", level="debug")  # the half is heard before this
        before = daemon.ask("status")
        daemon = self.crash()
        restarted = daemon.wait("restarted")
        self.assertEqual((restarted.level, restarted["reason"]), ("warning", "crash"))
        half.send(frame(heartbeat(id="pump-8"))[30:])
        half.sync()
        after = daemon.ask("status")
        self.assertEqual(after["boot"], before["boot"])
        self.assertEqual(after["started"], before["started"])
        self.assertEqual(after["clients"], before["clients"])
        self.assertEqual(after["totals"]["connected"], before["totals"]["connected"])
        self.assertEqual(after["feed"]["next"], before["feed"]["next"] + 1)
        self.assertEqual(after["listening"], before["listening"])
        story = daemon.ask("why", client="pump-7")
        self.assertEqual((story["client"]["status"], story["client"]["heartbeats"]), ("leave", 2))
        self.assertIn("crashed_ms", story["stalls"][0])
        self.assertEqual(daemon.ask("why", client="pump-9")["close"]["reason"], "goodbye")
        self.assertEqual(daemon.ask("log_level", level="info")["from"], "debug")
        left.sync(status="leave")

    def test_verdicts_come_when_they_would_have_come(self):
        daemon = self.start(tick="500ms", threshold=4, cursor=1)
        client = self.connect(daemon)
        client.sync(id="pump-7")
        daemon = self.crash(tick="500ms", threshold=4, cursor=1)
        unread = daemon.ask("status")["restarts"]["last_ms"]
        silent = millis(daemon.wait("leave", client="pump-7")["silent"])
        # Four ticks, and what the daemon was away for beyond the half tick that counts at once.
        self.assertGreaterEqual(silent, 2000)
        self.assertLess(silent, 2600 + unread)

    def test_the_event_journal_neither_loses_nor_doubles_an_event(self):
        with tempfile.TemporaryDirectory(prefix="heartbeat-") as directory:
            flags = {"events_directory": directory}
            daemon = self.start(**flags)
            for number in range(3):
                for _ in range(30):
                    self.connect(daemon).sync()
                daemon = self.crash(**flags)
            daemon.end()
            events = []
            for name in sorted(os.listdir(directory)):
                if name.endswith(".jsonl"):
                    with open(os.path.join(directory, name), encoding="ascii") as file:
                        events += [line for line in map(json.loads, file) if line["type"] == "event"]
        self.assertEqual([event["seq"] for event in events], list(range(1, len(events) + 1)))
        self.assertEqual(len([event for event in events if event["event"] == "connected"]), 90)
        self.assertEqual([event["reason"] for event in events if event["event"] == "restarted"], ["crash"] * 3)

    def test_a_planned_restart_of_the_unit_leaves_the_same(self):
        daemon = self.start()
        client = self.connect(daemon)
        client.sync(id="pump-7")
        daemon.ask("restart")
        wait_until(lambda: daemon.ask("status")["restarts"]["count"] == 1, "restarted")
        client.sync()
        daemon = self.crash()
        client.sync()
        self.assertEqual(daemon.ask("status")["restarts"]["count"], 2)

    def test_a_change_of_the_settings_is_known_to_the_next_process(self):
        with tempfile.TemporaryDirectory(prefix="heartbeat-") as directory:
            path = os.path.join(directory, "heartbeatd.toml")
            with open(path, "w", encoding="ascii") as file:
                file.write("threshold = 5\n")
            daemon = self.start(config=path)
            client = self.connect(daemon)
            client.sync(id="pump-7")
            with open(path, "w", encoding="ascii") as file:
                file.write("threshold = 7\n")
            self.assertEqual(daemon.ask("reload")["type"], "done")
            client.sync()
            daemon = self.crash(config=path)
            client.sync()
            self.assertEqual(daemon.ask("status")["rule"]["threshold"], 7)
            self.assertEqual(daemon.ask("status")["reloads"]["done"], 1)

    def states(self):
        return [name for name in self.manager.names() if name.startswith("kept-state-")]

    def fill_log(self, client, is_enough):
        """Beats until then.  Returns how many heartbeats that were."""
        body = frame(heartbeat(id="pump-7", note="n" * 200)) * 16
        sent = 0
        while not is_enough():
            client.send(body)
            client.sync()
            sent += 17
            self.assertLess(sent, 100_000, "a log of 4 MiB")
        return sent

    def test_the_state_is_written_anew_before_the_log_of_calls_is_full(self):
        daemon = self.start(log_rate=1, max_rate=0)
        client = self.connect(daemon)
        first = self.states()
        sent = self.fill_log(client, lambda: not set(first) & set(self.states()))
        self.assertEqual(len(self.states()), 1)
        daemon = self.crash()
        client.sync()
        self.assertEqual(daemon.ask("why", client="pump-7")["client"]["heartbeats"], sent + 1)

    @NO_SHIM
    def test_a_crash_while_the_state_is_written_anew_goes_on_from_the_one_before(self):
        daemon = self.start(log_rate=1, max_rate=0, environment={**SHIM, "FORK_HANGS": "1"})
        client = self.connect(daemon)
        sent = self.fill_log(client, lambda: len(self.states()) == 2)
        client.sync()
        client.send(frame(heartbeat())[:20])
        daemon.ask("status")
        daemon = self.crash()
        client.send(frame(heartbeat())[20:])
        client.sync()
        self.assertEqual(daemon.ask("why", client="pump-7")["client"]["heartbeats"], sent + 3)
        self.manager.settle()
        self.assertEqual(len(self.states()), 1)


class Lost(CrashTest):
    @NO_SHIM
    def test_the_client_whose_bytes_crash_the_daemon_is_the_only_one_that_is_lost(self):
        environment = {**SHIM, "CRASH_IN": "read", "CRASH_AT": POISON}
        daemon = self.start(environment=environment)
        clients = [self.connect(daemon) for _ in range(20)]
        for number, client in enumerate(clients):
            client.sync(id=f"pump-{number}")
        for round in range(3):
            poisonous = clients.pop()
            poisonous.beat(note=POISON)
            daemon = self.next(environment=environment)
            self.assertEqual(poisonous.read_to_end(), [])
            self.assertEqual(poisonous.ended_by, "eof")
            closed = daemon.wait("close", reason="crash")
            self.assertEqual(closed["client"], f"pump-{19 - round}")
            for client in clients:
                client.sync()
        self.assertEqual(daemon.ask("status")["clients"]["alive"], 17)
        self.assertEqual(daemon.ask("why", client="pump-19")["close"]["reason"], "crash")

    @NO_SHIM
    def test_a_state_that_crashes_each_process_is_given_up_and_no_client_is_dropped(self):
        daemon = self.start()
        client = self.connect(daemon)
        client.sync(id=POISON)
        daemon.ask("status")
        daemon.send_signal(signal.SIGKILL)
        daemon.process.wait(BOUND_S)
        environment = {**SHIM, "CRASH_IN": "pread", "CRASH_AT": POISON}
        for _ in range(3):
            with self.assertRaisesRegex(AssertionError, "the daemon ended first"):
                self.manager.start(environment=environment)
        daemon = self.start()
        errors = [line.text for line in daemon.lines() if line.level == "error"]
        self.assertEqual(len(errors), 1, errors)
        self.assertRegex(errors[0], "crashed, 3 in a row.*its clients stay connected")
        client.sync(id=POISON)
        self.assertEqual(daemon.ask("status")["clients"]["alive"], 1)
        self.assertEqual(daemon.ask("status")["listening"], ["%s:%s" % client.socket.getpeername()])

    def crash_while_taking_over(self, daemon, clients, environments):
        """Returns the first process that lives, after one that died in each of the environments."""
        for number, client in enumerate(clients):
            client.sync(id=f"{POISON}-{number}")
        clients[0].send(frame(heartbeat())[:20])
        boot = daemon.ask("status")["boot"]
        daemon.send_signal(signal.SIGKILL)
        daemon.process.wait(BOUND_S)
        for environment in environments:
            with self.assertRaisesRegex(AssertionError, "the daemon ended first"):
                self.manager.start(environment={**SHIM, **environment})
        daemon = self.start()
        self.assertEqual([line.text for line in daemon.lines() if line.level == "error"], [])
        clients[0].send(frame(heartbeat())[20:])
        for client in clients:
            client.sync()
        status = daemon.ask("status")
        self.assertEqual((status["boot"], status["clients"]["alive"]), (boot, len(clients)))
        self.assertEqual(daemon.ask("why", client=f"{POISON}-0")["client"]["heartbeats"], 3)
        return daemon

    @NO_SHIM
    def test_a_crash_in_the_middle_of_adopting_loses_no_client(self):
        daemon = self.start()
        clients = [self.connect(daemon) for _ in range(20)]
        self.crash_while_taking_over(daemon, clients, [{"CRASH_AT_OPEN": "10"}, {"CRASH_AT_OPEN": "20"}])

    @NO_SHIM
    def test_a_crash_while_the_adopted_clients_are_put_away_for_the_next_process_loses_none(self):
        daemon = self.start()
        clients = [self.connect(daemon) for _ in range(20)]
        self.crash_while_taking_over(daemon, clients, [{"CRASH_IN": "pwrite", "CRASH_AT": POISON}] * 2)
        # Of the files and bags that were begun, nothing is left.
        self.assertEqual(sorted(name.rpartition("-")[0] for name in self.manager.names()),
                         ["kept-bag", "kept-socket", "kept-socket", "kept-state"])

    @NO_SHIM
    def test_a_client_that_was_not_sent_all_of_an_answer_is_lost(self):
        daemon = self.start(environment={**SHIM, "REFUSE_AT": "7654321"})
        deaf, other = self.connect(daemon), self.connect(daemon)
        deaf.sync(id="deaf")
        deaf.beat(id="deaf", ack=True, seq=7654321)
        other.sync(id="pump-7")
        daemon = self.crash()
        self.assertEqual(daemon.wait("close", reason="crash")["client"], "deaf")
        self.assertEqual(deaf.read_to_end(), [])
        other.sync()

    def test_where_it_is_turned_off_a_crash_ends_every_connection(self):
        daemon = self.start(keep_over_crash="no")
        client = self.connect(daemon)
        client.sync(id="pump-7")
        self.assertEqual(self.manager.names(), [])
        daemon = self.crash(keep_over_crash="no")
        self.assertIsNone(client.read_frame())
        self.assertEqual(daemon.ask("status")["restarts"]["count"], 0)


class Damaged(CrashTest):
    """What a process has left cannot be read: its clients stay, and so do the addresses that it listened at."""

    def state_file(self):
        (file,) = (number for name, number in self.manager.store if name.startswith("kept-state-"))
        return file

    def damage_head(self):
        os.pwrite(self.state_file(), b"damaged", 0)

    def damage_handover(self):
        file = self.state_file()
        at = os.pread(file, os.fstat(file).st_size, 0).index(b"HBho")
        os.pwrite(file, b"damaged", at + 100)

    def test_a_damaged_state_costs_neither_a_client_nor_an_address(self):
        for damage in (self.damage_head, self.damage_handover):
            with self.subTest(damage.__name__):
                daemon = self.start(http_listen="127.0.0.1:0")
                flags = {"listen": ("%s:%d" % daemon.address,), "http_listen": daemon.http.removeprefix("http://")}
                client = self.connect(daemon)
                client.sync(id="pump-7")
                daemon.ask("status")
                daemon.send_signal(signal.SIGKILL)
                daemon.process.wait(BOUND_S)
                damage()
                waits = self.connect(daemon)  # where the manager keeps listening
                daemon = self.start(**flags)
                errors = [line.text for line in daemon.lines() if line.level == "error"]
                self.assertEqual(len(errors), 1, errors)
                self.assertRegex(errors[0], "cannot be read.*its clients stay connected")
                self.assert_serves(daemon, flags, client, waits)
                # Nothing of it is left to be in the way of the next process.
                daemon = self.crash(**flags)
                self.assertEqual([line.text for line in daemon.lines() if line.level == "error"], [])
                self.assert_serves(daemon, flags, client, waits)
                daemon.end()
                client.close()
                waits.close()

    def assert_serves(self, daemon, flags, *clients):
        for number, client in enumerate(clients):
            client.sync(id=f"pump-{7 + number}")
        status = daemon.ask("status")
        self.assertEqual(status["clients"]["alive"], len(clients))
        self.assertEqual(status["listening"], list(flags["listen"]))
        with urllib.request.urlopen(f"http://{flags['http_listen']}/readyz", timeout=BOUND_S) as answer:
            self.assertEqual(answer.status, 200)
        # A state, a bag, and the sockets to listen at: for clients, for operators and for HTTP.
        kinds = collections.Counter(name.rpartition("-")[0] for name in self.manager.names())
        self.assertEqual(kinds, {"kept-state": 1, "kept-bag": 1, "kept-socket": 3})


class Bags(CrashTest):
    """The manager keeps each socket open."""

    def bags(self):
        return [name for name in self.manager.names() if name.startswith("kept-bag-")]

    def test_a_connection_that_the_daemon_closes_ends_all_the_same(self):
        daemon = self.start()
        polite, wrong, unanswered = (self.connect(daemon) for _ in range(3))
        polite.sync(id="pump-7", notify=True)
        wrong.sync(id="pump-8")
        unanswered.beat(id="pump-9")
        daemon.wait("joined", client="pump-9")
        wait_until(self.bags, "the turn has ended")
        polite.beat(status="close")
        self.assertEqual([got["type"] for got in polite.read_to_end()], ["status"])
        wrong.send(b"\xff" * 8)
        self.assertEqual(wrong.read_to_end(), [])
        unanswered.send(b"\xff" * 8)
        self.assertEqual(unanswered.read_to_end(), [])
        self.assertEqual((polite.ended_by, wrong.ended_by, unanswered.ended_by), ("eof", "eof", "eof"))

    def test_ended_connections_do_not_pile_up_with_the_manager(self):
        daemon = self.start(accept_rate=0, max_clients=4000, log_rate=1)
        stays = self.connect(daemon)
        stays.sync(id="stays")
        wait_until(self.bags, "the first turn has ended")
        bags = self.bags()
        for _ in range(12):
            clients = [Client(daemon.address) for _ in range(100)]
            for client in clients:
                client.sync()
                client.close()
        wait_until(lambda: not set(bags) & set(self.manager.names()), "the first bag is let go of")
        self.assertLess(len(self.manager.names()), 20)
        daemon = self.crash(max_clients=4000)
        stays.sync()
        wait_until(lambda: daemon.ask("status")["clients"]["alive"] == 1, "the others are gone")

    def test_a_full_bag_is_followed_by_another_and_the_clients_of_all_are_kept(self):
        daemon = self.start(accept_rate=0)
        clients = []
        while len(self.bags()) < 3:
            for _ in range(32):
                clients.append(self.connect(daemon))
                clients[-1].sync(id=f"pump-{len(clients)}")  # a turn of its own, and so a message
            self.assertLess(len(clients), 1000)
        daemon = self.crash()
        for client in clients:
            client.sync()
        self.assertEqual(daemon.ask("status")["clients"]["alive"], len(clients))

    def test_an_ordinary_end_leaves_nothing_with_the_manager(self):
        daemon = self.start()
        client = self.connect(daemon)
        client.sync(id="pump-7", notify=True)
        wait_until(self.bags, "the first turn has ended")
        daemon.end()
        self.assertEqual([got["reason"] for got in client.read_to_end()][-1], "shutdown")
        self.manager.settle()
        self.assertEqual(self.manager.names(), [])


if __name__ == "__main__":
    unittest.main()
