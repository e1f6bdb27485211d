"""A fleet that shrinks, whatever the reason, is never shown in green; an empty one says how to connect."""
import shlex

from browser import PageTest, Program, unittest

FLEET = 12
# [clients alive at one time, alive now, whether the fleet has shrunk]: fewer than nine tenths, and three or all missing.
BOUNDS = [[30, 27, False], [30, 26, True], [20, 18, False], [20, 17, True], [4, 2, False], [4, 1, True], [3, 1, False],
          [3, 0, True], [1, 0, True], [1, 1, False], [0, 0, False]]
_SHRUNK = """const [most, alive, before] = arguments;
const list = new Samples();
if (before) { list.add({at: '2026-11-22T09:00:00.000Z', alive: most}); list.restarted(Date.parse('2026-11-22T10:00:00Z')); }
else list.add({at: '2026-11-22T10:00:00.000Z', alive: most});
list.add({at: '2026-11-22T10:00:01.000Z', alive});
const at = fleetOf(list).shrunk;
list.add({at: '2026-11-22T10:15:02.000Z', alive});
return [at, fleetOf(list).shrunk];"""
# What would say that all is well: a green mark, but for that of the daemon's own sentence.
_GREEN = """const green = getComputedStyle(document.documentElement).getPropertyValue('--alive').trim();
const probe = document.createElement('i'); probe.style.color = green; document.body.append(probe);
const rgb = getComputedStyle(probe).color; probe.remove();
return [...document.querySelectorAll('.headline li:not([hidden]):not(#say-daemon)')]
  .filter((line) => getComputedStyle(line, '::before').backgroundColor === rgb).map((line) => line.textContent)
  .concat([...document.querySelectorAll('#tile-fleet dd')].filter((value) => getComputedStyle(value).color === rgb)
  .map((value) => value.textContent));"""


class Fleet(PageTest):
    def join_all(self, page, daemon):
        clients = [self.connect(daemon) for _ in range(FLEET)]
        for number, client in enumerate(clients):
            client.beat(id=f"pump-{number}")
        page.wait(lambda: page.text("tile-alive") == str(FLEET), "the whole fleet is alive")
        page.wait(lambda: page.js("return document.getElementById('say-fleet').hidden"), "nothing is missing")
        self.assertEqual(page.js("return document.title"), "heartbeatd")
        self.assertNotEqual(page.js(_GREEN), [])
        return clients

    def assert_gone(self, page, reason):
        page.wait(lambda: f"No client is alive: {FLEET} were" in page.text("say-fleet"), "the page says that all are gone")
        page.wait(lambda: reason in page.text("say-fleet"), "and why")
        self.assertFalse(page.js("return document.getElementById('say-fleet').hidden"))
        self.assertEqual(page.js(_GREEN), [])
        self.assertEqual(page.text("tile-alive"), "0")
        self.assertIn(f"{FLEET} at ", page.text("tile-alive-note"))
        page.wait(lambda: page.js("return document.title") == f"(0 of {FLEET}) heartbeatd", "the tab says it")

    def test_a_fleet_that_is_gone_is_red_with_its_reason(self):
        daemon = self.start_with_page(tick="10s", leave_timeout="1h")
        page = self.open(daemon)
        for client in self.join_all(page, daemon):
            client.close()
        self.assert_gone(page, f"{FLEET} closed their connection")
        for client in self.join_all(page, daemon):
            client.reset()
        self.assert_gone(page, f"{FLEET} lost their connection")
        for client in self.join_all(page, daemon):
            client.beat(status="close")
        self.assert_gone(page, f"{FLEET} said goodbye")
        for client in self.join_all(page, daemon):
            client.beat(status="leave")
        self.assert_gone(page, f"{FLEET} declared leave")
        # A page that was opened afterwards shows the same.
        self.assert_gone(self.open(daemon), f"{FLEET} declared leave")
        self.assert_quiet_console(page)

    def test_what_counts_as_shrunk(self):
        page = self.open(self.start_with_page())
        for most, alive, shrunk in BOUNDS:
            # It has shrunk until the larger number is older than 15 minutes; a restart of the daemon an hour later
            # does not make it forgotten.
            for before_restart in [False, True]:
                self.assertEqual(page.js(_SHRUNK, most, alive, before_restart), [shrunk, False],
                                 f"{alive} of {most} are alive, before_restart={before_restart}")

    def test_an_empty_fleet_is_no_alarm_and_says_how_to_connect(self):
        daemon = self.start_with_page(tick="1s", leave_timeout="1h")
        page = self.open(daemon)
        page.wait(lambda: "No client has connected since" in page.text("say-fleet"), "the page says that it is empty")
        self.assertEqual(page.js("return document.getElementById('say-fleet').className"), "idle")
        self.assertEqual(page.js(_GREEN), [])
        self.assertEqual(page.js("return document.title"), "heartbeatd")
        self.assertFalse(page.js("return document.getElementById('tile-fleet').classList.contains('gone')"))
        page.driver.execute_cdp_cmd("Browser.grantPermissions", {
            "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"], "origin": daemon.url.rstrip("/")})
        page.find("connect-copy").click()
        page.wait(lambda: page.text("connect-copy") == "Copied", "the command is copied")
        command = page.driver.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
        self.assertEqual(command, page.text("connect-command"))
        # The command connects as it stands.
        program, *arguments = shlex.split(command)
        client = Program(program, *arguments)
        self.addCleanup(client.end)
        page.wait_row("first", status="alive")
        self.assertTrue(page.js("return document.getElementById('connect').hidden"))
        page.wait(lambda: page.js("return document.getElementById('say-fleet').hidden"), "it is empty no more")
        self.assertEqual(page.js("return ['0.0.0.0:14000', '[::]:14000', '[::1]:14000'].map(connectAddress)"),
                         ["127.0.0.1:14000", "127.0.0.1:14000", "[::1]:14000"])
        self.assert_quiet_console(page)


if __name__ == "__main__":
    unittest.main(verbosity=2)
