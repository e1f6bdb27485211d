"""The status page in a real Chromium without a window, on a real daemon with real clients.

Selenium and chromedriver are Debian packages (python3-selenium, chromium-driver), made of the same release as the
browser; nothing is fetched from elsewhere.  Where they are missing the tests say so and are skipped, unless
HEARTBEAT_BROWSER=required is set, as `tools/check --browser` does.

Nothing here sleeps to let something happen: every wait is for a condition, with the harness's one generous bound.
Whatever the browser writes to its console fails the test, but for what the test expects.
"""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

SKIPPED = 77


def _skip(reason):
    if os.environ.get("HEARTBEAT_BROWSER") == "required":
        sys.exit(f"browser tests are required, but {reason}: run tools/setup browser")
    print(f"skipped: {reason}; tools/setup browser installs it")
    sys.exit(SKIPPED)


CHROMIUM = shutil.which("chromium")
CHROMEDRIVER = shutil.which("chromedriver")
if CHROMIUM is None or CHROMEDRIVER is None:
    _skip("there is no chromium with chromedriver here")
try:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.common.exceptions import WebDriverException
except ImportError:
    _skip("there is no python3-selenium here")

# The daemon's harness; tests/process is in PYTHONPATH.
from harness import BOUND_S, Daemon, DaemonTest, wait_until  # noqa: E402

BIN = os.path.dirname(os.environ["HEARTBEATD"])

# What the page is asked about itself.  Answers are plain data: no element is held while its row is drawn anew.
_ROWS = """return [...document.querySelectorAll('#rows tr')].map((row) => ({
  name: row.querySelector('.name').textContent, status: row.querySelector('.status').textContent,
  standing: row.querySelector('.standing').textContent, silent: row.querySelector('.c-silent').textContent,
  peer: row.querySelector('.c-peer').textContent, active: row.classList.contains('active')}))"""
_TRANSITIONS = """return [...document.querySelectorAll('#transitions li:not(.nothing)')].map((line) => ({
  kind: line.querySelector('.kind').textContent, client: line.querySelector('.client')?.textContent,
  text: line.querySelector('.what').textContent}))"""


class Browser:
    """One Chromium for all tests of a file: starting it takes longer than most of them."""

    def __init__(self):
        self._profile = tempfile.TemporaryDirectory(prefix="heartbeat-browser-", ignore_cleanup_errors=True)
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        # A container's /dev/shm is often too small, and root may not use the sandbox; no test visits another site.
        for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
                         "--hide-scrollbars", "--no-first-run", "--disable-background-networking",
                         f"--user-data-dir={self._profile.name}"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(service=Service(CHROMEDRIVER), options=options)
        self.driver.set_script_timeout(BOUND_S)

    def end(self):
        self.driver.quit()
        self._profile.cleanup()


class Page:
    """The status page, loaded once.  `narrow` is a phone."""

    def __init__(self, browser, url, dark=False, size=(1400, 1000), narrow=False):
        self.driver = browser.driver
        self.console = []
        width, height = (390, 844) if narrow else size
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": narrow})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
        self.driver.get(url)
        # A reload would wipe it.
        self.js("window.seenSince = 'the first load'")

    def end(self):
        self.driver.get("about:blank")
        self.read_console()

    # --- what it shows ---

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def text(self, element_id):
        return self.js("return document.getElementById(arguments[0]).textContent", element_id)

    def rows(self):
        return self.js(_ROWS)

    def row(self, name):
        return next((row for row in self.rows() if row["name"] == name), None)

    def transitions(self):
        return self.js(_TRANSITIONS)

    def state(self):
        return self.js("return document.getElementById('link').dataset.state")

    def focused(self):
        return self.js("return document.activeElement.id")

    def story_is_open(self):
        return self.js("return document.getElementById('story').open")

    # --- what a person does ---

    def find(self, element_id):
        return self.driver.find_element(By.ID, element_id)

    def keys(self, *keys):
        self.driver.switch_to.active_element.send_keys(*keys)

    def search(self, text):
        field = self.find("search")
        field.clear()
        field.send_keys(text)

    def choose(self, element_id, value):
        self.driver.find_element(By.CSS_SELECTOR, f"#{element_id} option[value='{value}']").click()

    def choose_status(self, value):
        self.driver.find_element(By.CSS_SELECTOR, f"input[name=status][value='{value}']").click()

    def click_row(self, name):
        """A real click, where the row stands at that moment; again, where it had just moved away."""
        def clicked():
            row = self.js("return [...document.querySelectorAll('#rows tr')]"
                          ".find((row) => row.querySelector('.name').textContent === arguments[0])", name)
            if row is None:
                return False
            try:
                row.click()
            except WebDriverException:
                return False
            if self.text("story-name") == name and self.story_is_open():
                return True
            self.keys(Keys.ESCAPE)
            return False
        wait_until(clicked, f"a click on {name} opens its story")

    # --- waiting ---

    def wait(self, condition, what):
        try:
            wait_until(condition, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\nthe page shows:\n{self.js('return document.body.innerText')[:3000]}") from None

    def wait_list(self):
        """The rows are the answer to the last request."""
        self.wait(lambda: self.js("return document.getElementById('table').getAttribute('aria-busy')") == "false",
                  "the list that was asked for")

    def wait_live(self):
        self.wait(lambda: self.state() == "live", "the page is live")

    def wait_row(self, name, **members):
        def shown():
            row = self.row(name)
            return row is not None and all(row[key] == value for key, value in members.items())
        self.wait(shown, f"a row of {name} with {members}")

    def wait_transition(self, kind, **members):
        def shown():
            return any(line["kind"] == kind and all(line.get(key) == value for key, value in members.items())
                       for line in self.transitions())
        self.wait(shown, f"the transition {kind} with {members}")

    # --- the console ---

    def read_console(self):
        self.console += self.driver.get_log("browser")

    def complaints(self, *expected):
        """What stands in the console, but for messages that have one of these texts in them."""
        self.read_console()
        return [entry["message"] for entry in self.console
                if not any(text in entry["message"] for text in expected)]


class Program:
    """One of our programs beside the daemon."""

    def __init__(self, name, *arguments):
        self.process = subprocess.Popen([os.path.join(BIN, name), *arguments], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def wait(self):
        return self.process.wait(BOUND_S)

    def end(self):
        if self.process.poll() is None:
            self.go_on()
            self.process.terminate()
            try:
                self.process.wait(BOUND_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class PageTest(DaemonTest):
    @classmethod
    def setUpClass(cls):
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.end)

    def start_with_page(self, http="127.0.0.1:0", **flags):
        daemon = self.start(http_listen=http, **flags)
        daemon.url = status_page_of(daemon)
        return daemon

    def open(self, daemon, **arguments):
        page = Page(self.browser, daemon.url, **arguments)
        self.addCleanup(page.end)
        page.wait_live()
        return page

    def run_program(self, name, *arguments):
        program = Program(name, *arguments)
        self.addCleanup(program.end)
        return program

    def run_client(self, daemon, name, interval="100ms"):
        host, port = daemon.address
        return self.run_program("heartbeat-client", "--server", f"{host}:{port}", "--id", name,
                                "--interval", interval, "--quiet")

    def ctl(self, daemon, *arguments):
        # Where the harness has the daemon put its control socket.
        control = os.path.join(daemon._runtime_directory.name, "heartbeatd", "control.sock")
        done = subprocess.run([os.path.join(BIN, "heartbeatctl"), "--control", control, *arguments],
                              capture_output=True, text=True, timeout=BOUND_S, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def assert_not_reloaded(self, page):
        self.assertEqual(page.js("return window.seenSince"), "the first load")

    def assert_quiet_console(self, page, *expected):
        self.assertEqual(page.complaints(*expected), [])


def status_page_of(daemon):
    """Where the log says that it is."""
    found = [line.text for line in daemon.lines() if line.text.startswith("status page on ")]
    if not found:
        raise AssertionError("the daemon does not say where its status page is")
    return found[0].removeprefix("status page on ")


__all__ = ["BOUND_S", "By", "Daemon", "Keys", "Page", "PageTest", "Program", "status_page_of", "unittest", "wait_until"]
