"""What peers call themselves is text, whatever it looks like, and the page loads nothing from elsewhere."""
from browser import PageTest, unittest

NAMES = ["<img src=x onerror=alert(1)>", "</script><script>alert(2)</script>", "\"'><b>bold</b>", "javascript:alert(3)",
         "%2e%2e%2f&lt;#?", "${alert(4)}"]


class Hostile(PageTest):
    def setUp(self):
        self.daemon = self.start_with_page(tick="10s", leave_timeout="1h")
        self.page = self.open(self.daemon)
        self.page.js("window.alerts = []; window.alert = (what) => alerts.push(what)")

    def test_a_name_that_is_markup_is_shown_as_text(self):
        page = self.page
        before = page.js("return document.querySelectorAll('img, script, b').length")
        for name in NAMES:
            client = self.connect(self.daemon)
            client.sync(id=name)
            client.sync(status="leave")  # so that the headline has it, too
            page.wait_row(name, status="leave")
            page.wait_transition("leave", client=name)
            page.click_row(name)
            page.wait(lambda: "declared" in page.text("story-verdict"), "the story")
            self.assertEqual(page.text("story-name"), name)
            page.find("story-close").click()
            client.close()
            page.wait_transition("close", client=name)
        # Bars are drawn of <b>, too, with the rows: nothing else may have come.
        self.assertEqual(page.js("return document.querySelectorAll('img, script').length + "
                                 "document.querySelectorAll('b').length - document.querySelectorAll('.bar b').length"),
                         before - 0)
        self.assertEqual(page.js("return alerts"), [])
        self.assert_quiet_console(page)

    def test_a_claimed_address_that_is_markup_is_text_as_well(self):
        client = self.connect(self.daemon)
        client.sync(id="pump-7", ip="<i>1</i>")
        self.page.wait_row("pump-7", status="alive")
        self.assertEqual(self.page.js("return document.querySelector('#rows .claim').textContent"), "claims <i>1</i>")
        self.assert_quiet_console(self.page)

    def test_the_policy_lets_no_other_script_run(self):
        page = self.page
        page.js("const script = document.createElement('script'); script.textContent = 'window.broken = true';"
                "document.head.append(script)")
        self.assertIsNone(page.js("return window.broken ?? null"))
        self.assertTrue(any("Content Security Policy" in text for text in page.complaints()))

    def test_the_page_asks_nobody_but_its_daemon(self):
        page = self.page
        client = self.connect(self.daemon)
        client.sync(id="pump-7")
        page.wait_row("pump-7", status="alive")
        asked = page.js("return performance.getEntriesByType('resource').map((entry) => entry.name)")
        self.assertTrue(asked)
        self.assertEqual([url for url in asked if not url.startswith((self.daemon.url + "api/", "data:"))], [])
        self.assert_quiet_console(page)


if __name__ == "__main__":
    unittest.main(verbosity=2)
