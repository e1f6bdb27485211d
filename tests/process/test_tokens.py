"""Tokens: made by heartbeatctl, asked of clients, replaced and taken away by a reload, and never shown."""
import json
import os
import re
import subprocess
import tempfile
import unittest

from harness import DAEMON, DaemonTest, frame

HEARTBEATCTL = os.environ["HEARTBEATCTL"]
BUILT = "without OpenSSL" not in subprocess.run([DAEMON, "--version"], capture_output=True, text=True, check=True).stdout


def new_token(name, ids):
    """A token, and its line."""
    made = subprocess.run([HEARTBEATCTL, "--json", "token", "new", name, "--id", ids], capture_output=True, text=True,
                          check=True).stdout
    return json.loads(made)["token"], json.loads(made)["line"]


@unittest.skipUnless(BUILT, "built without OpenSSL")
class Tokens(DaemonTest):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="heartbeat-tokens-")
        self.addCleanup(directory.cleanup)
        self.file = os.path.join(directory.name, "tokens")
        self.token, self.line = new_token("pumps", "pump-*")

    def write(self, *lines):
        with open(self.file, "w", encoding="ascii") as file:
            file.write("# tokens\n" + "".join(line + "\n" for line in lines))

    def start(self, *lines, **arguments):
        self.write(*lines)
        return super().start(tokens=self.file, require="token", **arguments)

    def refused(self, daemon, **members):
        """Why a client with such a first heartbeat is closed."""
        client = self.connect(daemon)
        client.beat(notify=True, **members)
        self.assertEqual(client.read_to_end()[-1]["reason"], "unauthorized")
        return daemon.wait("close", client=client.name)["bad_input"]

    def test_heartbeatctl_makes_a_token_of_32_bytes_and_its_line(self):
        self.assertRegex(self.token, r"\Ahb_[A-Za-z0-9_-]{43}\Z")
        self.assertRegex(self.line, r"\Apumps sha256:[0-9a-f]{64} id=pump-\*\Z")
        self.assertNotEqual(new_token("pumps", "pump-*")[0], self.token)
        plain = subprocess.run([HEARTBEATCTL, "token", "new", "pumps", "--id", "pump-*"], capture_output=True,
                               text=True, check=True).stdout
        self.assertRegex(plain, r"\Afor the client: +hb_\S{43}\nfor the file of tokens: +pumps sha256:\w+ id=pump-\*\n\Z")

    def test_a_client_comes_in_with_its_token_and_why_names_the_credential(self):
        daemon = self.start(self.line)
        client = self.connect(daemon)
        client.sync(id="pump-7", token=self.token)
        self.assertEqual(daemon.ask("why", client="pump-7")["client"]["token_name"], "pumps")
        client.sync()

    def test_each_way_to_lack_it_is_refused_and_counted(self):
        daemon = self.start(self.line)
        self.assertEqual(self.refused(daemon, id="pump-7"), "token_missing")
        self.assertEqual(self.refused(daemon, id="pump-7", token=self.token[:-1] + "x"), "token_wrong")
        self.assertEqual(self.refused(daemon, id="pump-7", token=7), "token_wrong")
        self.assertEqual(self.refused(daemon, id="lamp-7", token=self.token), "token_id")
        self.assertEqual(daemon.ask("status")["bad_input"], {"token_missing": 1, "token_wrong": 2, "token_id": 1})

    def test_guessing_finds_nothing(self):
        daemon = self.start(self.line)
        for at in range(200):
            client = self.connect(daemon)
            client.beat(id="pump-7", token=f"{self.token[:-3]}{at:03}")
            self.assertEqual(client.read_to_end(), [])
        self.assertEqual(daemon.ask("status")["bad_input"], {"token_wrong": 200})
        self.connect(daemon).sync(id="pump-7", token=self.token)

    def test_a_reload_closes_exactly_the_clients_whose_line_is_gone(self):
        second, second_line = new_token("pumps", "pump-*")
        lamp, lamp_line = new_token("lamp", "lamp")
        daemon = self.start(self.line, second_line, lamp_line)
        clients = {}
        for name, token in (("pump-1", self.token), ("pump-2", second), ("lamp", lamp)):
            clients[name] = self.connect(daemon)
            clients[name].sync(id=name, token=token, notify=True)
        self.write(second_line, lamp_line)
        daemon.ask("reload")
        last = clients["pump-1"].read_to_end()[-1]
        self.assertEqual(last["reason"], "unauthorized")
        self.assertIn('the line of its token "pumps" is gone', last["detail"])
        for name in ("pump-2", "lamp"):
            clients[name].sync()
        self.write("pumps")  # a mistake changes nothing
        self.assertIn(f"{self.file}:2", str(daemon.ask("reload")))
        for name in ("pump-2", "lamp"):
            clients[name].sync()
        self.assertEqual(daemon.ask("status")["closes"], {"unauthorized": 1})

    def test_the_token_stands_nowhere(self):
        daemon = self.start(self.line, debug=True)
        client = self.connect(daemon)
        client.sync(id="pump-7", token=self.token)
        wrong = self.token.replace("hb_", "xx_")
        shown = [daemon.ask("why", client="pump-7"), daemon.ask_all("clients"), daemon.ask("status")]
        for body in (f'{{"ip":"a","token":"{self.token}","status":"alive"', f'"{self.token}"', self.token,
                     f'{{"token":"{self.token}","ip":"a","status":"{self.token}"}}'):
            for data in (frame(body), body.encode() + b"." * 100):
                bad = self.connect(daemon)
                bad.send(data)
                bad.read_to_end()
                daemon.wait("close", client=bad.name)
        self.refused(daemon, id="pump-7", token=wrong)
        shown += daemon.ask_all("closed")
        daemon.end()
        text = json.dumps(shown) + "\n".join(line.raw for line in daemon.lines())
        for secret in (self.token, wrong):
            for at in range(3, len(secret) - 8):
                self.assertNotIn(secret[at:at + 8], text)

    def test_a_client_whose_line_goes_while_the_daemon_restarts_is_closed_after_it(self):
        daemon = self.start(self.line)
        kept_token, kept_line = new_token("kept", "*")
        self.write(self.line, kept_line)
        daemon.ask("reload")
        gone, kept = self.connect(daemon), self.connect(daemon)
        gone.sync(id="pump-1", token=self.token)
        kept.sync(id="pump-2", token=kept_token)
        self.write(kept_line)
        self.assertEqual(daemon.ask("restart")["type"], "done")
        daemon.wait("close", client="pump-1", reason="unauthorized")
        kept.sync()
        self.assertEqual(daemon.ask("why", client="pump-2")["client"]["token_name"], "kept")

    def test_what_a_configuration_lacks_for_tokens_is_one_line(self):
        self.write(self.line)
        for arguments, said in ((["--require", "token"], "requires tokens, and there is no file of them"),
                                (["--require", "token", "--tokens", self.file, "--listen", "0.0.0.0:0"],
                                 "can be reached by other machines, and the network could read the tokens"),
                                (["--tokens", self.file + "x"], "cannot read"),
                                (["--require", "token", "--tokens", self.file], None),
                                (["--require", "token", "--tokens", self.file, "--listen", "0.0.0.0:0",
                                  "--token-in-clear", "yes"], None)):
            with self.subTest(arguments):
                checked = subprocess.run([DAEMON, "--config", os.devnull, "--check-config", *arguments],
                                         capture_output=True, text=True, check=False)
                self.assertEqual(checked.returncode == 0, said is None, checked)
                if said is not None:
                    self.assertEqual(len(re.findall(re.escape(said), checked.stderr)), 1, checked)
                    self.assertEqual(checked.stderr.count("\n"), 1, checked)


if __name__ == "__main__":
    unittest.main()
