"""Webhooks and commands: at least once, in order, duplicates only with the same id, whatever the receiver does."""
import base64
import hashlib
import hmac
import json
import os
import stat
import time
import unittest

from notifier import NotifyTest, Receiver, secret_of, state_of, wait_until, write_state


class InOrder(NotifyTest):
    def test_events_arrive_as_cloudevents_in_order_from_the_start_of_the_notifier_on(self):
        self.journal.add("before")
        notifier = self.start()
        self.journal.add("pump-1", "pump-2")
        self.journal.add("pump-1", event="return")
        wait_until(lambda: len(self.receiver.events()) == 3, "three events")
        self.assertEqual([(event["seq"], event["client"], event["event"]) for event in self.receiver.events()],
                         [(2, "pump-1", "leave"), (3, "pump-2", "leave"), (4, "pump-1", "return")])
        path, headers, body = self.receiver.requests[0]
        self.assertEqual((path, headers["Content-Type"], headers["webhook-id"]),
                         ("/hook", "application/cloudevents-batch+json", "ops-b1-2"))
        self.assertEqual(json.loads(body)[0]["type"], "io.heartbeatd.client.leave")
        notifier.end()

    def test_15_000_leaves_at_one_moment_are_split_and_none_is_missing(self):
        notifier = self.start()
        self.journal.add(*(f"pump-{number}" for number in range(15_000)))
        wait_until(lambda: len(self.receiver.numbers()) == 15_000, "all leaves")
        notifier.end()
        self.assertEqual(self.receiver.numbers(), list(range(1, 15_001)))
        self.assertLessEqual(len(self.receiver.requests), 250)
        for _, _, body in self.receiver.requests:
            self.assertLessEqual(len(json.loads(body)), 64)

    def test_only_the_events_and_clients_that_are_wanted_are_sent_and_a_restart_goes_on_behind_the_others(self):
        notifier = self.start(events=["leave"], match="pump-*")
        self.journal.add("pump-1", "fan-1")
        self.journal.add("pump-1", event="return")
        self.journal.add("pump-2")
        wait_until(lambda: len(self.receiver.events()) == 2, "two leaves")
        notifier.end()
        self.journal.add("pump-3")
        again = self.start(events=["leave"], match="pump-*")
        wait_until(lambda: len(self.receiver.events()) == 3, "what came while no notifier ran")
        again.end()
        self.assertEqual([event["client"] for event in self.receiver.events()], ["pump-1", "pump-2", "pump-3"])

    def test_one_request_is_under_way_at_a_time_and_each_batch_is_sent_once(self):
        under_way, together = [0], [0]

        def slow(handler):
            under_way[0] += 1
            together[0] = max(together[0], under_way[0])
            self.journal.add("meanwhile")  # wakes the notifier
            time.sleep(0.2)
            under_way[0] -= 1
            handler.send_response(200)
            handler.send_header("content-length", "0")
            handler.end_headers()
        self.receiver.answer = slow
        notifier = self.start()
        self.journal.add("pump-1")
        wait_until(lambda: len(self.receiver.requests) >= 5, "five requests")
        notifier.end()
        ids = [headers["webhook-id"] for _, headers, _ in self.receiver.requests]
        self.assertEqual((together[0], len(ids)), (1, len(set(ids))))

    def test_what_the_journal_lost_is_a_record_in_its_place(self):
        notifier = self.start()
        self.journal.add("pump-1")
        self.journal.lose(3)
        self.journal.add("pump-2")
        wait_until(lambda: len(self.receiver.events()) == 3, "two events and a loss")
        notifier.end()
        self.assertEqual([(event["type"], event.get("count")) for event in self.receiver.events()],
                         [("event", None), ("lost", 3), ("event", None)])


class Failing(NotifyTest):
    def test_a_receiver_that_is_dead_for_long_gets_everything_in_order_over_kills_of_the_notifier(self):
        port = self.receiver.port
        self.receiver.close()
        notifier = self.start()
        self.journal.add(*(f"pump-{number}" for number in range(300)))
        notifier.wait_log("hook_failing")
        notifier.kill()
        self.journal.add(*(f"fan-{number}" for number in range(300)))
        self.receiver = Receiver(port)
        self.addCleanup(self.receiver.close)
        # Killed again and again in the middle.
        for _ in range(5):
            before = len(self.receiver.requests)
            notifier = self.start()
            wait_until(lambda: len(self.receiver.requests) > before or notifier.process.poll() is not None, "a request")
            notifier.kill()
        notifier = self.start()
        wait_until(lambda: len(set(self.receiver.numbers())) == 600, "all events")
        notifier.end()
        # events() takes each webhook-id once: what is left is exact.
        self.assertEqual(self.receiver.numbers(), list(range(1, 601)))

    def test_a_batch_that_was_sent_and_not_acknowledged_comes_again_with_the_same_id_and_the_same_events(self):
        self.receiver.answer = 500
        notifier = self.start(wait="200ms")
        self.journal.add("pump-1", "pump-2")
        wait_until(lambda: self.receiver.requests, "the first attempt")
        notifier.kill()
        # More has come meanwhile, and may not be in the batch that the receiver may have taken.
        self.journal.add("pump-3")
        self.receiver.answer = 200
        again = self.start(wait="200ms")
        wait_until(lambda: len(self.receiver.numbers()) == 3, "all events")
        again.end()
        bodies = [(headers["webhook-id"], body) for _, headers, body in self.receiver.requests]
        firsts = {body for name, body in bodies if name == "ops-b1-1"}
        self.assertEqual(len(firsts), 1)
        self.assertEqual(self.receiver.numbers(), [1, 2, 3])

    def test_every_answer_but_2xx_is_a_failure_and_a_redirect_is_not_followed(self):
        for status in (302, 400, 404, 500, 503):
            with self.subTest(status=status):
                self.setUp()
                elsewhere = Receiver()
                self.addCleanup(elsewhere.close)
                self.receiver.answer = status
                self.receiver.headers = {"location": elsewhere.url}
                notifier = self.start()
                self.journal.add("pump-1")
                wait_until(lambda: len(self.receiver.requests) >= 2, "another attempt")
                self.receiver.answer = 200
                answered = len(self.receiver.requests)
                wait_until(lambda: len(self.receiver.requests) > answered, "the delivery")
                notifier.wait_log("delivers again")
                notifier.end()
                self.assertEqual(elsewhere.requests, [])
                self.assertEqual({headers["webhook-id"] for _, headers, _ in self.receiver.requests}, {"ops-b1-1"})

    def pause_after(self, status, retry_after=None):
        """Seconds between an attempt that is answered so, and the next."""
        times = []

        def later(handler):
            times.append(time.monotonic())
            handler.send_response(status if len(times) == 1 else 200)
            if retry_after is not None:
                handler.send_header("retry-after", retry_after)
            handler.send_header("content-length", "0")
            handler.end_headers()
        self.receiver.answer = later
        notifier = self.start()
        self.journal.add("pump-1")
        wait_until(lambda: len(times) == 2, "the second attempt")
        notifier.end()
        return times[1] - times[0]

    def test_retry_after_is_obeyed(self):
        # The pause without Retry-After is at most a second.
        self.assertGreaterEqual(self.pause_after(503, "3"), 2.9)

    def test_a_receiver_that_has_too_much_is_left_alone_for_longer(self):
        self.assertGreaterEqual(self.pause_after(429), 4.9)

    def test_a_proxy_of_the_environment_is_not_asked(self):
        proxy = Receiver()
        self.addCleanup(proxy.close)
        there = {name: f"http://127.0.0.1:{proxy.port}" for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")}
        notifier = self.start(environment={**there, "no_proxy": "", "NO_PROXY": ""})
        self.journal.add("pump-1")
        wait_until(lambda: self.receiver.requests or proxy.requests, "the delivery")
        notifier.end()
        self.assertEqual(proxy.requests, [])

    def test_410_switches_the_hook_off_until_a_restart(self):
        self.receiver.answer = 410
        notifier = self.start()
        self.journal.add("pump-1")
        notifier.wait_log("hook_off hook=ops")
        self.journal.add("pump-2")
        time.sleep(1.5)
        self.assertEqual(len(self.receiver.requests), 1)
        notifier.end()
        self.receiver.answer = 200
        again = self.start()
        wait_until(lambda: len(self.receiver.numbers()) == 2, "both events")
        again.end()

    def test_no_answer_and_a_body_without_end_are_failures_that_end(self):
        held = []

        def silent(handler):
            held.append(handler.connection)
            time.sleep(2)

        def endless(handler):
            handler.send_response(200)
            handler.end_headers()
            try:
                for _ in range(100_000):
                    handler.wfile.write(b"x" * 4096)
            except OSError:
                pass
        self.receiver.answer = silent
        notifier = self.start(timeout="300ms")
        self.journal.add("pump-1")
        notifier.wait_log("hook_failing")
        self.receiver.answer = endless  # its status is 200, and of its body a kilobyte is read
        notifier.wait_log("delivers again")
        self.receiver.answer = 200
        self.journal.add("pump-2")
        wait_until(lambda: len(self.receiver.numbers()) == 2, "the next event")
        notifier.end()

    def test_what_is_given_up_is_counted_in_the_next_delivery(self):
        self.receiver.answer = 500
        # What comes after it is younger than this for as long as a busy machine may take.
        notifier = self.start(give_up="5s")
        self.journal.add("pump-1", "pump-2", "pump-3")
        notifier.wait_log("hook_gave_up hook=ops")
        self.receiver.answer = 200
        known = len(self.receiver.requests)
        self.journal.add("pump-4")
        wait_until(lambda: len(self.receiver.requests) > known, "the next delivery")
        notifier.end()
        last = [event["data"] for event in json.loads(self.receiver.requests[-1][2])]
        self.assertEqual((last[0]["type"], last[0]["count"], last[0]["from"], last[0]["to"]),
                         ("lost", 3, "b1:1", "b1:3"))
        self.assertEqual(last[1]["client"], "pump-4")


class Lasting(NotifyTest):
    def test_a_leave_that_does_not_last_is_told_of_with_no_word(self):
        notifier = self.start(after="2s")
        self.journal.add("short", "long")
        self.journal.add("short", event="return")
        begun = time.monotonic()
        wait_until(lambda: self.receiver.events(), "the leave that lasts")
        self.assertGreaterEqual(time.monotonic() - begun, 1.5)
        self.journal.add("long", event="return")
        wait_until(lambda: len(self.receiver.events()) == 2, "its return")
        notifier.end()
        self.assertEqual([(event["client"], event["event"]) for event in self.receiver.events()],
                         [("long", "leave"), ("long", "return")])

    def test_a_kill_in_the_middle_of_the_wait_changes_nothing(self):
        notifier = self.start(after="3s")
        self.journal.add("short", "long")
        time.sleep(1)
        notifier.kill()
        self.journal.add("short", event="return")
        self.start(after="3s")
        wait_until(lambda: self.receiver.events(), "the leave that lasts")
        time.sleep(1)
        self.assertEqual([event["client"] for event in self.receiver.events()], ["long"])

    def test_a_client_on_hold_is_told_of_only_when_it_is_gone_after_the_hold(self):
        notifier = self.start()
        self.journal.add("pump-7", "pump-8", on_hold="new pump")
        wait_until(lambda: state_of(notifier).get("held") == ["pump-7", "pump-8"], "the losses that are left out")
        notifier.kill()
        self.journal.add("pump-7", event="return")
        again = self.start()
        self.journal.add("pump-8", event="close", reason="silent", by="daemon")
        self.journal.add("pump-8", event="joined")
        wait_until(lambda: len(self.receiver.events()) >= 2, "what is told of")
        again.end()
        self.assertEqual([(event["client"], event["event"]) for event in self.receiver.events()],
                         [("pump-8", "close"), ("pump-8", "joined")])
        self.assertEqual(state_of(again).get("held", []), [])

    def test_a_hook_can_ask_for_clients_on_hold(self):
        notifier = self.start(held=True)
        self.journal.add("pump-7", on_hold="new pump")
        wait_until(lambda: self.receiver.events(), "the event of the client on hold")
        notifier.end()

    def test_a_hook_is_told_of_its_groups_alone(self):
        notifier = self.start(group=["pumps", "default"])
        self.journal.add("pump-7", group="pumps")
        self.journal.add("fan-1", group="fans")
        self.journal.add("lamp-1")
        wait_until(lambda: any(event["client"] == "lamp-1" for event in self.receiver.events()), "the last one")
        notifier.end()
        self.assertEqual([event["client"] for event in self.receiver.events()], ["pump-7", "lamp-1"])

    def test_a_client_that_flaps_is_one_notice_and_another_when_it_is_calm(self):
        notifier = self.start(flap=3)
        for _ in range(10):
            self.journal.add("pump-7")
            self.journal.add("pump-7", event="return")
        self.journal.add("fan-1")
        wait_until(lambda: any(event["client"] == "fan-1" for event in self.receiver.events()), "the other client")
        self.assertEqual([(event["type"], event["client"]) for event in self.receiver.events()],
                         [("event", "pump-7")] * 3 + [("flapping", "pump-7"), ("event", "fan-1")])
        notifier.end()
        # Ten minutes pass.
        state = state_of(notifier)
        self.assertEqual(state["flapping"][0]["changes"], 20)
        state["flapping"][0]["last_at_ms"] -= 600_000
        write_state(notifier, state)
        again = self.start(flap=3)
        wait_until(lambda: len(self.receiver.events()) == 6, "the notice that it is calm")
        self.assertEqual([self.receiver.events()[-1][name] for name in ("type", "client", "changes", "last")],
                         ["calm", "pump-7", 20, "return"])
        self.journal.add("pump-7")
        wait_until(lambda: len(self.receiver.events()) == 7, "a change after it")
        again.end()
        self.assertEqual(state_of(again).get("flapping", []), [])

    def test_a_batch_that_may_have_been_sent_is_the_same_bytes_under_another_configuration(self):
        self.receiver.answer = 500
        notifier = self.start()
        self.journal.add("pump-1", "pump-2")
        wait_until(lambda: self.receiver.requests, "the first attempt")
        notifier.kill()
        self.receiver.answer = 200
        known = len(self.receiver.requests)
        again = self.start(match="pump-2", format="events", after="1s")
        wait_until(lambda: len(self.receiver.requests) > known, "the delivery")
        again.end()
        self.assertEqual(len({body for _, _, body in self.receiver.requests}), 1)


class Form(NotifyTest):
    KEY = bytes(range(32))

    def test_requests_are_signed_as_standard_webhooks_says(self):
        notifier = self.start(secret="ops", secrets={"ops": secret_of(self.KEY)})
        self.journal.add("pump-1")
        wait_until(lambda: self.receiver.requests, "a request")
        notifier.end()
        _, headers, body = self.receiver.requests[0]
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        self.assertEqual(headers["webhook-signature"], self.signature(self.KEY, signed))
        self.assertLess(abs(int(headers["webhook-timestamp"]) - time.time()), 120)
        self.assertNotIn(secret_of(self.KEY), notifier.log())

    @staticmethod
    def signature(key, signed):
        return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()

    def test_while_a_secret_is_exchanged_each_of_the_two_signs(self):
        old = bytes(range(32, 64))
        notifier = self.start(secret=["new", "old"], secrets={"new": secret_of(self.KEY), "old": secret_of(old)})
        self.journal.add("pump-1")
        wait_until(lambda: self.receiver.requests, "a request")
        notifier.end()
        _, headers, body = self.receiver.requests[0]
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        self.assertEqual(headers["webhook-signature"], f"{self.signature(self.KEY, signed)} {self.signature(old, signed)}")

    def test_a_secret_that_is_none_is_refused_at_the_start(self):
        notifier = self.start(begun=False, secret="ops", secrets={"ops": "hunter2"})
        self.assertEqual(notifier.process.wait(30), 78)
        self.assertIn("must be whsec_", notifier.log())
        self.assertNotIn("hunter2", notifier.log())

    def test_what_a_client_says_is_never_in_the_url_or_a_header(self):
        notifier = self.start()
        hostile = 'x\r\nX-Evil: 1\u2028{{7*7}}"\\`$(touch /tmp/x)../../'
        self.journal.add(hostile)
        wait_until(lambda: self.receiver.requests, "a request")
        notifier.end()
        path, headers, _ = self.receiver.requests[0]
        self.assertEqual(path, "/hook")
        self.assertNotIn("X-Evil", headers)
        self.assertEqual(set(headers), {"Host", "User-Agent", "Accept", "Content-Type", "Content-Length", "webhook-id",
                                        "webhook-timestamp"})
        self.assertEqual(self.receiver.events()[0]["client"], hostile)

    def test_a_storm_is_one_digest(self):
        notifier = self.start(digest="2s")
        self.journal.add(*(f"pump-{number}" for number in range(2000)), reason="silent", peer="10.0.0.5:4000")
        wait_until(lambda: self.receiver.requests, "the digest")
        notifier.end()
        (digest,) = self.receiver.events()
        self.assertEqual((digest["type"], digest["count"], len(digest["clients"])), ("digest", 2000, 20))
        self.assertIn("2000 of 2000 came from 10.0.0.0/24", digest["text"])

    def test_a_test_event_is_marked_and_moves_no_cursor(self):
        notifier = self.start("--test", "ops", begun=False)
        self.assertEqual(notifier.process.wait(30), 0)
        self.assertIn("delivered: 200", notifier.log())
        self.assertEqual([event["event"] for event in self.receiver.events()], ["test"])
        self.assertEqual(os.listdir(notifier.state), [])
        self.receiver.answer = 503
        self.assertEqual(self.start("--test", "ops", begun=False).process.wait(30), 1)

    def test_the_check_of_a_file_names_the_line(self):
        notifier = self.start("--check-config", begun=False, events=["nothing"])
        self.assertEqual(notifier.process.wait(30), 78)
        self.assertRegex(notifier.log(), r"notify\.toml:\d+: events: there is no event nothing")

    def test_while_all_is_well_another_service_is_asked(self):
        watcher = Receiver()
        self.addCleanup(watcher.close)
        config = f'ping = "http://127.0.0.1:{watcher.port}/alive"\nping_every = "1s"\n'
        original = self.config
        self.config = lambda **settings: config + original(**settings)
        notifier = self.start()
        wait_until(lambda: len(watcher.requests) >= 2, "two pings")
        self.receiver.answer = 500
        self.journal.add("pump-1")
        notifier.wait_log("hook_failing")
        known = len(watcher.requests)
        time.sleep(4)
        self.assertLessEqual(len(watcher.requests), known + 1)  # one may have been under way
        notifier.end()


class Commands(NotifyTest):
    def script(self, text):
        path = os.path.join(self.folder, "hook.sh")
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n" + text)
        os.chmod(path, stat.S_IRWXU)
        return path

    def config(self, **settings):
        return "\n".join(line for line in super().config(**settings).splitlines() if not line.startswith("url")) + "\n"

    def output(self):
        path = os.path.join(self.folder, "out")
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as file:
            # The command may be in the middle of a line.
            return [json.loads(line) for line in file if line.endswith("\n")]

    def test_a_command_gets_lines_on_standard_input_one_run_at_a_time_and_again_after_a_failure(self):
        path = self.script(f'[ -e {self.folder}/failed ] || {{ touch {self.folder}/failed; echo "not yet"; exit 3; }}\n'
                           f'mkdir {self.folder}/lock || exit 9\nenv | sort >{self.folder}/env\ncat >>{self.folder}/out\n'
                           f'rmdir {self.folder}/lock\n')
        notifier = self.start(command=[path])
        self.journal.add(*(f"pump-{number};touch x" for number in range(200)))
        wait_until(lambda: len(self.output()) >= 200, "all events")
        notifier.end()
        self.assertEqual([event["seq"] for event in self.output()], list(range(1, 201)))
        self.assertIn("exit code 3: not yet", notifier.log())
        with open(os.path.join(self.folder, "env"), encoding="utf-8") as file:
            names = {line.partition("=")[0] for line in file}
        self.assertEqual(names - {"PWD", "_", "SHLVL", "OLDPWD"}, {"PATH", "HEARTBEAT_HOOK", "HEARTBEAT_COUNT"})

    def test_a_single_event_is_in_the_environment_too(self):
        path = self.script(f'cat >/dev/null\nenv >{self.folder}/env.new\nmv {self.folder}/env.new {self.folder}/env\n')
        notifier = self.start(command=[path])
        self.journal.add("pump-7;touch x", reason="silent", peer="10.0.0.5:4000")
        wait_until(lambda: os.path.exists(os.path.join(self.folder, "env")), "the command's environment")
        notifier.end()
        with open(os.path.join(self.folder, "env"), encoding="utf-8") as file:
            variables = dict(line.rstrip("\n").split("=", 1) for line in file)
        self.assertEqual({name: variables.get(f"HEARTBEAT_{name}") for name in ("COUNT", "EVENT", "CLIENT", "REASON", "PEER")},
                         {"COUNT": "1", "EVENT": "leave", "CLIENT": "pump-7;touch x", "REASON": "silent",
                          "PEER": "10.0.0.5:4000"})

    def test_a_command_that_hangs_is_ended_with_all_that_it_started(self):
        path = self.script(f'sleep 600 &\necho $! >{self.folder}/child\nwait\n')
        notifier = self.start(command=[path], timeout="500ms")
        self.journal.add("pump-1")
        notifier.wait_log("it took too long")

        def written():
            path = os.path.join(self.folder, "child")
            if not os.path.exists(path):
                return ""  # ended before it came so far; the next attempt may
            with open(path, encoding="utf-8") as file:
                text = file.read()
            return text if text.endswith("\n") else ""
        child = int(wait_until(written, "the command's child"))

        def is_gone():
            try:
                with open(f"/proc/{child}/stat", encoding="utf-8") as file:
                    return file.read().rpartition(")")[2].split()[0] == "Z"
            except FileNotFoundError:
                return True
        wait_until(is_gone, "the command's child has ended")
        notifier.end()

    def test_of_what_a_command_prints_the_first_kilobyte_is_logged(self):
        path = self.script("cat >/dev/null\nprintf %01000000d 0\nexit 1\n")
        notifier = self.start(command=[path])
        self.journal.add("pump-1")
        notifier.wait_log("hook_failing")
        notifier.end()
        self.assertTrue("0" * 1000 in notifier.log())
        self.assertFalse("0" * 1025 in notifier.log())

    def test_a_program_that_is_not_there_is_a_failure_that_says_so(self):
        notifier = self.start(command=["/nonexistent/program"])
        self.journal.add("pump-1")
        notifier.wait_log("no such file or directory")
        notifier.end()


if __name__ == "__main__":
    unittest.main()
