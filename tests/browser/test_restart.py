"""The daemon goes and comes back; the page says what happened and goes on, and needs no reload."""
from browser import PageTest, unittest

RULE = {"tick": "1s", "leave_timeout": "1h"}
# The browser itself notes each request without an answer, as a page without its daemon must have.
UNANSWERED = ("net::ERR_CONNECTION_REFUSED", "net::ERR_INCOMPLETE_CHUNKED_ENCODING", "net::ERR_EMPTY_RESPONSE",
              "net::ERR_CONNECTION_RESET", "net::ERR_SOCKET_NOT_CONNECTED")


class Restart(PageTest):
    def test_the_page_survives_a_restart_of_the_daemon(self):
        first = self.start_with_page(**RULE)
        address = first.url.removeprefix("http://").rstrip("/")
        for name in ["pump-7", "pump-8", "pump-9", "pump-10"]:
            self.run_client(first, name, interval="300ms")
        page = self.open(first)
        page.wait_row("pump-7", status="alive")
        page.wait(lambda: page.js("return samples.latest()?.alive") == 4, "four are alive")
        page.wait(lambda: page.js("return samples.samples.length") >= 2, "the chart has begun")
        before = page.js("return link.boot")

        first.end()
        page.wait(lambda: page.state() == "lost", "the page says that there is no daemon")
        self.assertIn("No connection to the daemon", page.text("notice-text"))
        self.assertIn("old", page.text("notice-text"))
        self.assertFalse(page.js("return document.getElementById('notice').hidden"))
        page.wait(lambda: page.js("return document.title") == "stale: heartbeatd", "the tab says it, too")

        second = self.start_with_page(http=address, **RULE)
        page.wait_live()
        self.assertNotEqual(page.js("return link.boot"), before)
        page.wait_transition("restart")
        page.wait(lambda: "No client is connected now; before the restart 4 were alive" in page.text("notice-text"),
                  "the page says in words what happened")
        self.assertRegex(page.text("notice-text"), r"restarted at \d\d:\d\d:\d\d, and this page had no answer from it for ")
        page.wait(lambda: "No client is alive: 4 were" in page.text("say-fleet"), "no client is back, and that is red")
        self.assertIn("restart of the daemon", page.text("say-fleet"))
        page.wait(lambda: page.row("pump-7") is None, "a client of the earlier run is shown no more")
        self.assertEqual(page.js("return samples.restarts.length"), 1)
        self.assertGreaterEqual(page.js("return samples.samples.length"), 2)

        self.run_client(second, "valve-2", interval="300ms")
        page.wait_row("valve-2", status="alive")
        page.wait_transition("joined", client="valve-2")
        page.wait(lambda: "1 of 4 clients are alive" in page.text("say-fleet"), "one of four is back")
        page.find("notice-action").click()
        self.assertTrue(page.js("return document.getElementById('notice').hidden"))
        for name in ["valve-3", "valve-4"]:
            self.run_client(second, name, interval="300ms")
        page.wait(lambda: page.js("return document.getElementById('say-fleet').hidden"), "nearly as many as before are alive")
        self.assert_not_reloaded(page)
        self.assert_quiet_console(page, *UNANSWERED)

    def test_a_stream_that_breaks_is_resumed_where_it_ended(self):
        daemon = self.start_with_page(**RULE)
        page = self.open(daemon)
        clients = []

        def join(name):
            clients.append(self.connect(daemon))
            clients[-1].sync(id=name)

        join("a")
        page.wait_transition("joined", client="a")
        # The page's own end of it, as when a proxy cuts it; what happens meanwhile is shown afterwards, once.
        page.js("link.retryNow = () => {}; link.fail(); clearTimeout(link.retryTimer)")
        page.wait(lambda: page.state() == "lost", "the stream is gone")
        join("b")
        join("c")
        page.js("link.connect()")
        page.wait_live()
        page.wait_transition("joined", client="c")
        joined = [line["client"] for line in page.transitions() if line["kind"] == "joined"]
        self.assertEqual(joined, ["c", "b", "a"])
        self.assertFalse(any(line["kind"] in ("restart", "missed") for line in page.transitions()))
        self.assert_quiet_console(page)

    def test_over_a_restart_that_keeps_the_clients_the_page_goes_on_with_the_next_event(self):
        daemon = self.start_with_page(**RULE)
        page = self.open(daemon)
        clients = []

        def join(name):
            clients.append(self.connect(daemon))
            clients[-1].sync(id=name)

        join("a")
        page.wait_transition("joined", client="a")
        before = page.js("return link.boot")
        self.assertEqual(daemon.ask("restart")["type"], "done")
        join("b")
        page.wait_transition("joined", client="b")
        page.wait_live()
        self.assertEqual(page.js("return link.boot"), before)
        clients[0].sync()
        page.wait_row("a", status="alive")
        lines = page.transitions()
        self.assertEqual([line["client"] for line in lines if line["kind"] == "joined"], ["b", "a"])
        self.assertEqual([line["kind"] for line in lines].count("restarted"), 1)
        self.assertFalse(any(line["kind"] in ("restart", "missed") for line in lines))
        self.assert_not_reloaded(page)
        self.assert_quiet_console(page, *UNANSWERED)

    def test_a_daemon_that_answers_but_streams_nothing_is_told_apart(self):
        daemon = self.start_with_page(**RULE)
        page = self.open(daemon)
        # As a daemon at its bound of followers, or a proxy that knows no event streams.
        page.js("window.EventSource = class extends EventTarget { constructor() { super();"
                "setTimeout(() => this.onerror()); } close() {} }; link.fail()")
        page.wait(lambda: "too many pages" in page.text("notice-text"), "the page says what it knows")
        self.assert_quiet_console(page)


if __name__ == "__main__":
    unittest.main(verbosity=2)
