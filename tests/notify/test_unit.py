"""What is installed with the notifier: its unit is confined, and its manual and example know every option and setting."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest

NOTIFY = os.environ["NOTIFY"]
UNIT = os.environ["UNIT"]
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXPOSURE_MAX = 2.0


def read(*path):
    with open(os.path.join(SOURCE, *path), encoding="utf-8") as file:
        return file.read()


def manual():
    return re.sub(r"\\f[BIRP]", "", read("docs", "man", "heartbeat-notify.8")).replace("\\-", "-")


class Installed(unittest.TestCase):
    @unittest.skipIf(shutil.which("systemd-analyze") is None, "systemd is not installed")
    def test_the_unit_is_confined(self):
        verdict = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", UNIT],
                                 capture_output=True, text=True, check=False).stdout
        exposure = float(re.search(r"Overall exposure level for .*: ([0-9.]+)", verdict)[1])
        self.assertLessEqual(exposure, EXPOSURE_MAX)

    def test_the_manual_has_every_option(self):
        help_text = subprocess.run([NOTIFY, "--help"], capture_output=True, text=True, check=True).stdout
        options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", help_text))
        self.assertGreater(len(options), 5)
        self.assertEqual(options, set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", manual())))

    def test_the_manual_has_every_setting(self):
        settings = set(re.findall(r'name == "([a-z_]+)"', read("tools", "notify", "config.cpp")))
        self.assertGreater(len(settings), 10)
        text = manual()
        self.assertEqual({setting for setting in settings if not re.search(rf"\b{setting}\b", text)}, set())

    def test_the_example_is_right_also_with_its_comments_taken_off(self):
        example = read("systemd", "notify.toml")
        with tempfile.TemporaryDirectory() as folder:
            for text in (example, re.sub(r"(?m)^#(?=\[\[|[a-z]+ = )", "", example)):
                path = os.path.join(folder, "notify.toml")
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
                with open(os.path.join(folder, "pumps"), "w", encoding="utf-8") as file:
                    file.write("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
                done = subprocess.run([NOTIFY, "--config", path, "--check-config"], capture_output=True, text=True,
                                      env={**os.environ, "CREDENTIALS_DIRECTORY": folder}, check=False)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn(": 3 hooks", done.stdout)


if __name__ == "__main__":
    unittest.main()
