"""Light, dark, and as narrow as a phone: nothing is cut off, and everything can be read.

With SCREENSHOTS=DIRECTORY it leaves pictures there, for a person to look at.
"""
import os

from browser import PageTest, unittest

# The contrast of each text that is visible with what it stands on, by the formula of WCAG 2.
_CONTRASTS = """
const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
const linear = (value) => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
const under = (node) => {
  for (; node; node = node.parentElement) {
    const colour = parse(getComputedStyle(node).backgroundColor);
    if (colour.length === 3 || colour[3] === 1) return colour;
  }
  return [255, 255, 255];
};
const found = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let text = walker.nextNode(); text; text = walker.nextNode()) {
  const node = text.parentElement;
  if (!text.data.trim() || !node.checkVisibility() || node.closest('script, style, noscript, .skip, :disabled, option')) continue;
  const a = luminance(parse(getComputedStyle(node).color));
  const b = luminance(under(node));
  found.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), text.data.trim()]);
}
return found;
"""


# For each name in the headline and in what happened last: how far it is off the lines of the text beside it.  A long
# name may be on other lines of the same sentence, so whole lines do not count.
_LINES = """
const middles = (node) => { const range = document.createRange(); range.selectNodeContents(node);
  return [...range.getClientRects()].filter((rect) => rect.width > 1).map((rect) => (rect.top + rect.bottom) / 2); };
const names = [...document.querySelectorAll('.headline button.client'), ...document.querySelectorAll('#transitions button.client')];
return names.slice(0, 12).map((name) => {
  const beside = name.closest('.headline') ? [name.previousSibling, name.nextSibling].filter(Boolean)
    : [name.closest('li').querySelector('.kind')];
  const height = parseFloat(getComputedStyle(name.closest('li')).lineHeight);
  const off = Math.min(...beside.flatMap(middles).map((line) => {
    const rest = Math.abs(middles(name)[0] - line) % height;
    return Math.min(rest, height - rest);
  }));
  return [name.textContent, off];
});
"""


class Look(PageTest):
    pictures = os.environ.get("SCREENSHOTS")

    def setUp(self):
        self.daemon = self.start_with_page(tick="300ms", threshold=2, cursor=2, leave_timeout="1h")
        host, port = self.daemon.address
        self.run_program("heartbeat-sim", "--server", f"{host}:{port}", "--clients", "40", "--add-every", "0ms",
                         "--mix", "steady=8,silent=1,flaky=2", "--id-prefix", "sim", "--no-progress")
        for name in ["a" * 64, "ж" * 32, "pump-7"]:
            client = self.connect(self.daemon)
            client.sync(id=name)

    def look(self, name, **arguments):
        page = self.open(self.daemon, **arguments)
        page.wait(lambda: len(page.rows()) >= 20, "rows")
        page.wait(lambda: any(row["status"] == "leave" for row in page.rows()), "a client in leave")
        page.wait(lambda: page.js("return samples.samples.length") >= 3, "a chart")
        self.assertLessEqual(page.js("return document.documentElement.scrollWidth"), page.js("return innerWidth"),
                             "the page is wider than its window")
        self.check_contrast(page)
        self.check_names_stand_on_their_line(page)
        self.assert_chart_is_drawn(page)
        self.take_picture(page, name)
        page.click_row(page.rows()[0]["name"])
        page.wait(lambda: page.text("story-verdict") != "", "a story")
        self.assertLessEqual(page.js("const story = document.getElementById('story');"
                                     "return story.scrollWidth - story.clientWidth"), 0, "the story is cut off")
        self.check_contrast(page)
        self.take_picture(page, name + "-story")
        self.assert_quiet_console(page)
        return page

    def check_contrast(self, page):
        contrasts = page.js(_CONTRASTS)
        self.assertGreater(len(contrasts), 50)
        self.assertEqual([(round(contrast, 2), text) for contrast, text in contrasts if contrast < 4.5], [])

    def check_names_stand_on_their_line(self, page):
        """A name's text is as high as the text beside it, also where both are broken into lines."""
        off = page.js(_LINES)
        self.assertGreater(len(off), 3)
        self.assertEqual([name for name, distance in off if distance > 1.5], [])

    def assert_chart_is_drawn(self, page):
        colours = page.js("const canvas = document.getElementById('chart');"
                          "const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;"
                          "const seen = new Set(); for (let at = 0; at < data.length; at += 4)"
                          "if (data[at + 3] === 255) seen.add(data[at] << 16 | data[at + 1] << 8 | data[at + 2]);"
                          "return seen.size")
        self.assertGreater(colours, 3)

    def take_picture(self, page, name):
        if self.pictures:
            page.driver.save_screenshot(os.path.join(self.pictures, name + ".png"))

    def background(self, page):
        return page.js("return getComputedStyle(document.body).backgroundColor")

    def test_light(self):
        page = self.look("light")
        self.assertEqual(self.background(page), "rgb(244, 245, 247)")
        self.assertNotEqual(page.js("return getComputedStyle(document.querySelector('th.c-peer')).display"), "none")
        self.assertIn("silent ticks, 2 make a strike", page.text("bar-legend"))
        self.assertIn("strikes, 2 make a leave", page.text("bar-legend"))
        # Each link leads somewhere.
        links = page.js("return Promise.all([...document.querySelectorAll('footer a')].map(async (link) => "
                        "[link.textContent, (await fetch(link.href)).status]))")
        self.assertGreaterEqual(len(links), 4)
        self.assertEqual([link for link in links if link[1] != 200], [])

    def test_dark(self):
        self.assertEqual(self.background(self.look("dark", dark=True)), "rgb(14, 18, 22)")

    def test_narrow(self):
        page = self.look("narrow", narrow=True)
        self.assertEqual(page.js("return innerWidth"), 390)

    def test_each_part_has_a_name_for_who_cannot_see_it(self):
        page = self.open(self.daemon)
        page.wait(lambda: len(page.rows()) >= 20, "rows")
        nameless = []
        tree = page.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        for node in tree:
            role = node.get("role", {}).get("value")
            if node.get("ignored") or role not in ("button", "textbox", "searchbox", "combobox", "radio", "grid",
                                                   "image", "img", "region", "list", "dialog", "columnheader"):
                continue
            if not node.get("name", {}).get("value") and role not in ("list",):
                nameless.append(role)
        self.assertEqual(nameless, [])
        roles = {node.get("role", {}).get("value") for node in tree}
        self.assertTrue({"grid", "row", "gridcell", "searchbox", "banner", "main"} <= roles, roles)


if __name__ == "__main__":
    unittest.main(verbosity=2)
