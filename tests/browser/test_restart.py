"""The daemon goes and comes back; the page, which nobody touches, says so and goes on."""
from browser import PageTest, unittest

RULE = {"tick": "1s", "leave_timeout": "1h"}
# The browser itself notes each request that nobody answered.  Of a page without its daemon that is what happens.
UNANSWERED = ("net::ERR_CONNECTION_REFUSED", "net::ERR_INCOMPLETE_CHUNKED_ENCODING", "net::ERR_EMPTY_RESPONSE",
              "net::ERR_CONNECTION_RESET", "net::ERR_SOCKET_NOT_CONNECTED")


class Restart(PageTest):
    def test_the_page_survives_a_restart_of_the_daemon(self):
        first = self.start_with_page(**RULE)
        address = first.url.removeprefix("http://").rstrip("/")
        self.run_client(first, "pump-7", interval="300ms")
        page = self.open(first)
        page.wait_row("pump-7", status="alive")
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
        self.assertIn("started anew", page.text("notice-text"))
        page.wait(lambda: page.row("pump-7") is None, "who was connected before is not shown any more")
        self.assertEqual(page.js("return samples.restarts.length"), 1)
        self.assertGreaterEqual(page.js("return samples.samples.length"), 2)

        self.run_client(second, "valve-2", interval="300ms")
        page.wait_row("valve-2", status="alive")
        page.wait_transition("joined", client="valve-2")
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
        # The page's own end of it, as when a proxy cuts it; what happens meanwhile is told afterwards, once.
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
