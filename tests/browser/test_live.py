"""The page follows a client's whole life without being loaded again."""
from browser import PageTest, unittest

# A silent client is in leave after 6 ticks.
RULE = {"tick": "200ms", "threshold": 3, "cursor": 2, "recover": 3, "leave_timeout": "1h"}


class Live(PageTest):
    def test_a_client_joins_goes_to_leave_returns_and_is_kicked(self):
        daemon = self.start_with_page(**RULE)
        page = self.open(daemon)
        page.wait(lambda: page.text("tile-alive") == "0", "no client is there yet")

        client = self.run_client(daemon, "pump-7")
        page.wait_row("pump-7", status="alive", standing="clean")
        page.wait_transition("joined", client="pump-7")
        page.wait(lambda: page.text("tile-alive") == "1", "one is alive")

        client.pause()
        page.wait_row("pump-7", status="leave")
        page.wait_transition("leave", client="pump-7")
        self.assertTrue(any(line["kind"] == "leave" and "silent for" in line["text"] for line in page.transitions()))
        page.wait(lambda: (page.text("tile-alive"), page.text("tile-leave")) == ("0", "1"), "one is in leave")
        page.wait(lambda: "pump-7" in page.text("say-quiet"), "the headline names the quiet client")
        self.assertIn("closes in", page.row("pump-7")["standing"])
        # No client of the fleet of one is alive.
        page.wait(lambda: page.js("return document.title") == "(0 of 1) heartbeatd", "the tab says how many are alive")

        client.go_on()
        page.wait_row("pump-7", status="alive")
        page.wait_transition("return", client="pump-7")
        page.wait(lambda: page.text("tile-leave") == "0", "no client is in leave")

        self.ctl(daemon, "kick", "pump-7")
        page.wait(lambda: page.row("pump-7") is None, "the row goes")
        page.wait_transition("close", client="pump-7")
        self.assertTrue(any("kicked by an operator" in line["text"] for line in page.transitions()))
        page.wait(lambda: page.text("tile-alive") == "0", "no client is alive")
        self.assertNotEqual(client.wait(), 0)

        self.assert_not_reloaded(page)
        self.assert_quiet_console(page)

    def test_what_happened_before_the_page_was_opened_is_shown(self):
        daemon = self.start_with_page(**RULE)
        client = self.connect(daemon)
        client.sync(id="valve-1")
        client.close()
        daemon.wait("close", client="valve-1")
        page = self.open(daemon)
        page.wait_transition("joined", client="valve-1")
        page.wait_transition("close", client="valve-1")
        self.assert_quiet_console(page)

    def test_who_is_nearer_to_leave_stands_higher(self):
        daemon = self.start_with_page(tick="1s", threshold=5, cursor=3, recover=5, leave_timeout="1h")
        page = self.open(daemon)
        # One is silent from the start, one declares leave, one beats.
        silent = self.connect(daemon)
        silent.sync(id="b-silent")
        declared = self.connect(daemon)
        declared.sync(id="c-declared")
        declared.beat(id="c-declared", status="leave")
        self.run_client(daemon, "a-steady", interval="300ms")
        page.wait(lambda: [row["name"] for row in page.rows()] == ["c-declared", "b-silent", "a-steady"],
                  "in leave first, then the silent, then the steady")
        page.wait(lambda: "b-silent" in page.text("say-near"), "the headline names the client that is near")
        page.wait(lambda: page.js("return document.title") == "(1) heartbeatd", "the tab counts the clients in leave")
        page.wait(lambda: page.text("tile-near") == "1", "one has a strike")
        self.assert_quiet_console(page)

    def test_the_daemons_own_stall_is_shown_as_its_own(self):
        daemon = self.start_with_page(tick="1s", leave_timeout="1h")
        self.run_client(daemon, "pump-7", interval="300ms")
        page = self.open(daemon)
        page.wait_row("pump-7", status="alive")
        page.wait(lambda: "listened without a break since its start" in page.text("say-daemon"),
                  "the headline reports the daemon, too")
        daemon.stop_running()
        page.wait(lambda: page.state() == "stale", "the page says that it is stale")
        # What it shows as the time of the last data is that time, and stands still while the age grows.
        ages = set()
        instants = set()

        def two_ages():
            last, age = page.text("link-age").split(" UTC, ")
            instants.add(last)
            ages.add(age)
            return len(ages) > 1
        page.wait(two_ages, "the age of the data grows")
        self.assertEqual(len(instants), 1, instants)
        self.assertIn("has not said anything", page.text("notice-text"))
        daemon.go_on()
        page.wait_live()
        # It was stale for 4 s; a busy machine may have made it stall before, but not for as long.
        page.wait(lambda: page.js("return Math.max(0, ...samples.stalls().map((stall) => stall.ms))") >= 2000,
                  "the chart marks the stall")
        page.wait(lambda: page.text("tile-stall").startswith("absent"), "the tile tells of it")
        page.wait(lambda: "itself was absent" in page.text("say-daemon"), "and so does the headline")
        page.wait_transition("stall")
        self.assertTrue(page.js("return document.getElementById('notice').hidden"))
        self.assertEqual(page.row("pump-7")["status"], "alive")
        self.assert_not_reloaded(page)
        self.assert_quiet_console(page)

    def test_the_brake_on_mass_closing_is_told_while_it_holds(self):
        # The pause is as long as the leave: time enough to be seen, also on a busy machine.
        daemon = self.start_with_page(tick="100ms", threshold=2, cursor=2, leave_timeout="20s", brake_clients=3,
                                      brake_pause="20s")
        page = self.open(daemon)
        for number in range(5):
            self.connect(daemon).beat(id=f"pump-{number}")
        page.wait(lambda: page.text("tile-leave") == "5", "all are in leave")
        self.assertTrue(page.js("return document.getElementById('brake').hidden"))
        page.wait(lambda: "5 of 5 clients" in page.text("brake"), "the page tells of the brake")
        self.assertFalse(page.js("return document.getElementById('brake').hidden"))
        self.assertIn("addresses in 127.0.0.1", page.text("brake"))
        page.wait_transition("brake")
        page.wait(lambda: "held" in page.row("pump-0")["standing"], "the row of a client that waits says so")
        self.ctl(daemon, "brake", "confirm")
        page.wait(lambda: page.js("return document.getElementById('brake').hidden"), "it holds no more")
        page.wait_transition("brake end")
        page.wait_transition("close", client="pump-0")
        self.assert_quiet_console(page)


if __name__ == "__main__":
    unittest.main(verbosity=2)
