#!/usr/bin/env python3
"""Lists of clients, and the story of one."""
import unittest

import asker


class Clients(asker.ControlTest):
    def names(self, **members):
        *clients, done = self.ask("clients", **members)
        self.assertEqual(done["type"], "done")
        self.assertEqual(done["count"], len(clients))
        return [client["name"] for client in clients]

    def test_a_client_is_listed_with_what_is_known_of_it(self):
        daemon = self.start()
        client = self.connect(daemon)
        client.sync(id="pump-7", ip="192.168.1.105", pid=26464)
        listed, done = self.ask("clients")
        self.assertEqual(done, {"type": "done", "count": 1})
        self.assertEqual(listed["type"], "client")
        self.assertEqual(listed["name"], "pump-7")
        self.assertEqual(listed["id"], "pump-7")
        self.assertEqual(listed["peer"], client.name)
        self.assertEqual(listed["ip"], "192.168.1.105")
        self.assertEqual(listed["pid"], 26464)
        self.assertEqual(listed["status"], "alive")
        self.assertEqual(listed["margin"], 1)
        self.assertEqual(listed["heartbeats"], 1)
        self.assertRegex(listed["connected"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")

    def test_filters_order_and_pages(self):
        daemon = self.start()
        for name in ["pump-2", "pump-1", "fan-1"]:
            self.join(daemon, name)
        self.join(daemon, "pump-3", status="leave")
        self.assertEqual(sorted(self.names()), ["fan-1", "pump-1", "pump-2", "pump-3"])
        self.assertEqual(self.names(sort="name"), ["fan-1", "pump-1", "pump-2", "pump-3"])
        self.assertEqual(self.names(sort="connected", limit=2), ["pump-2", "pump-1"])
        self.assertEqual(self.names(sort="margin", limit=1), ["pump-3"])
        self.assertEqual(self.names(status="leave"), ["pump-3"])
        self.assertEqual(sorted(self.names(match="pump-[12]")), ["pump-1", "pump-2"])

        paged, members = [], {}
        while True:
            *clients, done = self.ask("clients", limit=3, **members)
            paged += [client["name"] for client in clients]
            if "next" not in done:
                break
            members["cursor"] = done["next"]
        self.assertEqual(sorted(paged), sorted(self.names()))

    def test_the_whole_story_of_a_client_that_was_kicked_for_its_silence(self):
        daemon = self.start(tick="50ms", leave_timeout="200ms")
        client = self.join(daemon, "pump-7", notify=True)
        client.read_to_end()
        story, done = self.ask("why", client="pump-7")
        self.assertEqual(done, {"type": "done"})
        self.assertFalse(story["connected_now"])
        self.assertRegex(story["verdict"], r"^kicked at \d\d:\d\d:\d\d UTC: in leave for 200 ms after 1\d silent "
                                           r"ticks; the daemon itself was stalled ")
        what = [moment["what"] for moment in story["moments"]]
        self.assertEqual(what, ["connected", "strike", "strike", "strike", "leave"])
        self.assertEqual(story["close"]["reason"], "silent")
        self.assertEqual(story["close"]["by"], "daemon")
        self.assertEqual(story["client"]["status"], "close")
        self.assertEqual(story["client"]["margin_least"], 0)

    def test_the_story_of_a_client_that_is_connected(self):
        daemon = self.start()
        client = self.connect(daemon)
        client.sync()
        story = self.ask("why", client=client.name)[0]
        self.assertTrue(story["connected_now"])
        self.assertTrue(story["verdict"].startswith("alive with a clean record: heard "), story["verdict"])
        self.assertEqual(story["client"]["name"], client.name)

    def test_of_a_client_that_never_was_there_is_no_story(self):
        self.start()
        self.assertEqual(self.ask("why", client="pump-8")[-1]["code"], "no_such_client")


if __name__ == "__main__":
    unittest.main()
