"""Search, filter, order, pages, story, and all of it by the keyboard."""
from browser import By, Keys, PageTest, unittest

RULE = {"tick": "10s", "leave_timeout": "1h"}


class Find(PageTest):
    def setUp(self):
        self.daemon = self.start_with_page(**RULE)
        self.clients = {}
        for name in [f"pump-{number:02}" for number in range(60)] + ["valve-1", "valve-2", "gate [x]"]:
            self.clients[name] = self.connect(self.daemon)
            self.clients[name].beat(id=name)
        for client in self.clients.values():
            client.sync()
        self.clients["valve-2"].sync(status="leave")
        self.page = self.open(self.daemon)
        self.page.wait_row("valve-2", status="leave")

    def names(self):
        return [row["name"] for row in self.page.rows()]

    def wait_names(self, names):
        self.page.wait(lambda: sorted(self.names()) == sorted(names), f"rows of {names}")

    def test_search_takes_a_part_of_a_name_or_a_pattern(self):
        page = self.page
        page.search("alve")
        self.wait_names(["valve-1", "valve-2"])
        page.search("pump-?3")
        self.wait_names([f"pump-{tens}3" for tens in range(6)])
        page.search("pump-0[1-3]")
        self.wait_names(["pump-01", "pump-02", "pump-03"])
        page.search("nobody")
        self.wait_names([])
        self.assertIn("No client matches", page.text("range"))
        # What is no pattern yet is said, and not asked for.
        page.search("pump-[")
        page.wait(lambda: "has no ]" in page.text("list-trouble"), "the page says what is wrong with the pattern")
        page.search("x]")
        self.wait_names(["gate [x]"])
        page.wait(lambda: page.text("list-trouble") == "", "nothing is wrong any more")
        page.keys(Keys.ESCAPE)
        page.wait(lambda: len(self.names()) == 50, "Escape empties the search")
        self.assert_quiet_console(page)

    def test_closed_clients_are_a_list_and_are_found_by_a_search(self):
        page = self.page
        for name in ["pump-07", "valve-1"]:
            self.clients[name].close()
            self.daemon.wait("close", client=name)
        page.choose_status("close")
        self.wait_names(["pump-07", "valve-1"])
        self.assertEqual([row["status"] for row in page.rows()], ["closed", "closed"])
        self.assertEqual(self.names()[0], "valve-1")  # closed last
        self.assertIn("it closed the connection", page.rows()[0]["standing"])
        self.assertEqual(page.text("range"), "1–2 of 2")
        page.search("pump")
        self.wait_names(["pump-07"])
        page.choose_status("")
        page.search("valve-1")
        self.wait_names(["valve-1"])
        page.search("valve")
        page.wait(lambda: self.names() == ["valve-2", "valve-1"], "the connected client stands before the closed one")
        page.click_row("valve-1")
        page.wait(lambda: "closed" in page.text("story-status"), "the story of the closed client")
        self.assert_quiet_console(page)

    def test_names_that_a_path_cannot_hold_have_a_story(self):
        for name in [".", "..", "pump "]:
            self.connect(self.daemon).sync(id=name)
        page = self.page
        for name in [".", ".."]:
            page.search("\\" + name)
            self.wait_names([name])
            page.click_row(name)
            page.wait(lambda: page.text("story-verdict") != "", "its story")
            page.keys(Keys.ESCAPE)
        page.search("*[ ]")  # white space at the end of what is typed is cut off
        self.wait_names(['"pump "'])
        self.assert_quiet_console(page)

    def test_filter_by_status_and_order(self):
        page = self.page
        page.choose_status("leave")
        self.wait_names(["valve-2"])
        page.choose_status("alive")
        page.wait(lambda: len(self.names()) == 50 and "valve-2" not in self.names(), "only the alive")
        page.choose("sort", "name")
        page.wait(lambda: self.names()[:3] == ["gate [x]", "pump-00", "pump-01"], "by name")
        page.choose_status("")
        page.choose("sort", "connected")
        page.wait(lambda: self.names()[:3] == ["pump-00", "pump-01", "pump-02"], "the oldest connection first")
        self.assert_quiet_console(page)

    def test_a_heading_sorts(self):
        page = self.page

        def sorted_by():
            return page.js("return [...document.querySelectorAll('th[aria-sort]:not([aria-sort=none])')]"
                           ".map((heading) => heading.textContent)")
        self.assertEqual(sorted_by(), ["silence and strikes", "margin least"])
        page.driver.find_element(By.CSS_SELECTOR, "th button[data-sort='name']").click()
        page.wait(lambda: self.names()[:3] == ["gate [x]", "pump-00", "pump-01"], "by name")
        self.assertEqual(sorted_by(), ["client"])
        self.assertEqual(page.js("return document.getElementById('sort').value"), "name")
        page.driver.find_element(By.CSS_SELECTOR, "th button[data-sort='silence']").click()
        page.wait(lambda: self.names()[0] != "gate [x]", "heard longest ago first")
        self.assertEqual(sorted_by(), ["silent for", "last beat"])
        self.assert_quiet_console(page)

    def test_every_client_is_on_one_of_the_pages_in_each_order(self):
        page = self.page
        for order in ["margin", "name", ""]:
            page.choose("sort", order)
            page.wait_list()
            page.wait(lambda: page.text("range").startswith("1–50 of 63"), f"the first page in order '{order}'")
            page.wait(lambda: not page.find("next").get_property("disabled"), "there is a next page")
            first = set(self.names())
            page.find("next").click()
            page.wait(lambda: page.text("range").startswith("51–63 of 63"), "the second page")
            page.wait(lambda: first | set(self.names()) == set(self.clients), "no client is on neither page")
            self.assertTrue(page.find("next").get_property("disabled"))
            page.find("first").click()
            page.wait(lambda: page.text("range").startswith("1–50"), "the first page again")
        self.assert_quiet_console(page)

    def test_a_click_opens_the_story_and_escape_closes_it(self):
        page = self.page
        page.click_row("valve-2")
        page.wait(lambda: "declared itself" in page.text("story-verdict"), "the verdict")
        page.wait(lambda: "declared itself leave" in page.text("story-moments"), "its moments")
        self.assertEqual(page.text("story-status"), "leave")
        # It goes on while it is open.
        self.clients["valve-2"].sync(status="close")
        page.wait(lambda: page.text("story-status") == "closed", "its end")
        self.assertIn("goodbye", page.text("story-verdict"))
        page.keys(Keys.ESCAPE)
        page.wait(lambda: not page.story_is_open(), "Escape closes it")
        self.assertEqual(page.focused(), "table")
        # The story of a client that is closed is opened from what happened last.
        page.js("[...document.querySelectorAll('#transitions button')]"
                ".find((button) => button.textContent === 'valve-2').click()")
        page.wait(lambda: page.text("story-status") == "closed", "the story of a closed client")
        self.assert_quiet_console(page)

    def test_a_story_has_an_address(self):
        page = self.page
        page.driver.get(self.daemon.url + "#client=gate%20%5Bx%5D")
        page.driver.refresh()
        page.wait(lambda: page.story_is_open() and page.text("story-name") == "gate [x]", "the story of the address")
        page.wait(lambda: "alive" in page.text("story-verdict"), "its verdict")
        self.assert_quiet_console(page)

    def test_it_can_all_be_done_by_the_keyboard(self):
        page = self.page
        page.js("document.body.focus()")
        page.keys("/")
        self.assertEqual(page.focused(), "search")
        page.keys("valve")
        self.wait_names(["valve-1", "valve-2"])
        page.keys(Keys.ARROW_DOWN)
        self.assertEqual(page.focused(), "table")

        def active():
            return [row["name"] for row in page.rows() if row["active"]]
        page.wait(lambda: active() == ["valve-2"], "the first row is chosen")
        page.keys(Keys.ARROW_DOWN)
        self.assertEqual(active(), ["valve-1"])
        self.assertEqual(page.js("return document.getElementById(document.getElementById('table')"
                                 ".getAttribute('aria-activedescendant')).querySelector('.name').textContent"), "valve-1")
        page.keys(Keys.END, Keys.HOME, Keys.ARROW_UP)
        self.assertEqual(active(), ["valve-2"])
        page.keys(Keys.ENTER)
        page.wait(lambda: page.story_is_open() and page.text("story-name") == "valve-2", "Enter opens the story")
        self.assertEqual(page.focused(), "story-close")
        page.keys(Keys.ESCAPE)
        page.wait(lambda: not page.story_is_open(), "Escape closes it")
        self.assertEqual(page.focused(), "table")

        # Everything that can be done has a place in the order of the tab key, and shows when it is there.
        page.js("document.activeElement.blur(); document.getElementById('search').value = ''")
        page.js("document.querySelector('.skip').focus()")
        seen = []
        for _ in range(40):
            page.keys(Keys.TAB)
            here = page.js("const at = document.activeElement; return at === document.body ? '' : "
                           "(at.id || at.name || at.className || at.textContent)")
            if not here:
                break
            seen.append(here)
            outline = page.js("const at = document.activeElement; const shown = at.type === 'radio' "
                              "? at.closest('fieldset') : at; return getComputedStyle(shown).outlineStyle")
            self.assertEqual(outline, "solid", f"{here} does not show that it has the focus")
        wanted = ["chart", "search", "status", "sort", "table", "kinds", "transitions"]
        self.assertEqual([name for name in seen if name in wanted], wanted)
        self.assert_quiet_console(page)


if __name__ == "__main__":
    unittest.main(verbosity=2)
