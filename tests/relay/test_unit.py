"""What is installed with the relay: its unit is confined, and its manual and example know every option and setting."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest

RELAY = os.environ["RELAY"]
UNIT = os.environ["UNIT"]
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXPOSURE_MAX = 1.5


def read(*path):
    with open(os.path.join(SOURCE, *path), encoding="utf-8") as file:
        return file.read()


def manual():
    return re.sub(r"\\f[BIRP]", "", read("docs", "man", "heartbeat-relay.8")).replace("\\-", "-")


class Installed(unittest.TestCase):
    @unittest.skipIf(shutil.which("systemd-analyze") is None, "systemd is not installed")
    def test_the_unit_is_confined(self):
        verdict = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", UNIT],
                                 capture_output=True, text=True, check=False).stdout
        exposure = float(re.search(r"Overall exposure level for .*: ([0-9.]+)", verdict)[1])
        self.assertLessEqual(exposure, EXPOSURE_MAX, verdict)

    def test_the_manual_has_every_option(self):
        help_text = subprocess.run([RELAY, "--help"], capture_output=True, text=True, check=True).stdout
        options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", help_text))
        self.assertGreater(len(options), 4)
        self.assertEqual(options, set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", manual())))

    def test_the_manual_has_every_setting(self):
        settings = set(re.findall(r'name == "([a-z_]+)"', read("tools", "relay", "config.cpp")))
        self.assertGreater(len(settings), 15)
        text = manual()
        self.assertEqual({setting for setting in settings if not re.search(rf"\b{setting}\b", text)}, set())

    def test_the_example_is_right(self):
        example = read("systemd", "relay.toml")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "relay.toml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(example)
            done = subprocess.run([RELAY, "--config", path, "--check-config"], capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("of fleet plant", done.stdout)

    def test_the_rights_are_those_of_the_engine(self):
        rights = set(re.findall(r"\+([a-z]+)", read("systemd", "heartbeat-relay.acl")))
        header = read("tools", "relay", "redis_engine.h")
        named = re.search(r"no script: ((?:[a-z]+, |[a-z]+,\n// )*[a-z]+ and [a-z]+)\.", header)[1]
        self.assertEqual(rights, set(re.findall(r"[a-z]+", named)) - {"and"})


if __name__ == "__main__":
    unittest.main()
