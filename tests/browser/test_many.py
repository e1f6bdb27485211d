"""5000 clients: the page is asked for little, and goes on answering."""
import os

from browser import PageTest, unittest

CLIENTS = int(os.environ.get("BROWSER_CLIENTS", "5000"))

# Counts frames, the longest time between two, and what the page asked for.
_WATCH = """window.watched = {frames: 0, longest: 0, lists: 0, began: performance.now()};
let last = performance.now();
(function frame() {
  const now = performance.now();
  watched.longest = Math.max(watched.longest, now - last);
  last = now;
  ++watched.frames;
  requestAnimationFrame(frame);
})();
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (entry.name.includes('/api/clients?')) ++watched.lists;
}).observe({type: 'resource'});"""


class Many(PageTest):
    def test_thousands_of_clients_do_not_freeze_the_page(self):
        daemon = self.start_with_page(tick="2s", leave_timeout="1h", max_clients=CLIENTS + 100, log_rate=100)
        page = self.open(daemon)
        page.js(_WATCH)
        host, port = daemon.address
        self.run_program("heartbeat-sim", "--server", f"{host}:{port}", "--clients", str(CLIENTS), "--add-every", "0ms",
                         "--mix", "steady=1", "--id-prefix", "sim", "--no-progress")
        # The page works while they come: a story is opened in the middle of it.
        page.wait(lambda: len(page.rows()) == 50, "a full page of rows")
        page.search("sim-7")
        page.wait(lambda: page.row("sim-7") is not None, "a client among thousands is found")
        page.click_row("sim-7")
        page.wait(lambda: "alive" in page.text("story-verdict"), "its story")
        page.find("story-close").click()
        page.search("")

        page.wait(lambda: int(page.text("tile-alive").replace(",", "")) >= CLIENTS, "all are counted")
        page.wait(lambda: page.text("range").startswith(f"1–50 of {CLIENTS:,}"), "the list knows how many there are")
        # The document holds a page of rows, however many clients there are.
        self.assertEqual(page.js("return document.querySelectorAll('#rows tr').length"), 50)
        self.assertLess(page.js("return document.querySelectorAll('*').length"), 5000)
        page.choose("sort", "")
        last_page = CLIENTS // 50
        for turned in range(1, min(4, last_page)):
            page.find("next").click()
            page.wait(lambda: page.text("range").startswith(f"{turned * 50 + 1}–"), "the next page")

        watched = page.js("return {...watched, now: performance.now()}")
        seconds = (watched["now"] - watched["began"]) / 1000
        print(f"{CLIENTS} clients came: {watched['frames']} frames in {seconds:.1f} s, the longest pause between two "
              f"{watched['longest']:.0f} ms; {watched['lists']} lists were asked for", flush=True)
        self.assertGreater(watched["frames"], 0)
        # At most three lists at a time, and not one for each of thousands of joins.
        self.assertLessEqual(watched["lists"], 3 * (2 * seconds + 20))
        self.assert_not_reloaded(page)
        self.assert_quiet_console(page)


if __name__ == "__main__":
    unittest.main(verbosity=2)
