#!/usr/bin/env python3
"""The daemon's configuration as an operator meets it: files, flags, signals, and clients that stay connected."""
import json
import os
import re
import resource
import selectors
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

# A wait that lasts longer than this means that what it waits for will not come, however slow the machine.
BOUND_S = 60.0
CLIENTS = 1000

DAEMON = os.environ.get("HEARTBEATD", "")
if not os.access(DAEMON, os.X_OK):
    sys.exit("HEARTBEATD must name the daemon's binary, like HEARTBEATD=build/release/bin/heartbeatd")

OK, USAGE, CONFIG = 0, 64, 78

# Each kind of broken file, and what the daemon says of it.
BROKEN = {
    "syntax": ('tick = "1s\n', r":1:\d+: Error while parsing"),
    "unknown key": ("tik = 1\n", r":1:1: tik: .*did you mean tick"),
    "unknown table": ("[web]\nport = 1\n", r":1:2: web: there is no such setting"),
    "wrong type": ("tick = 10\n", r":1:8: tick: must be a duration"),
    "no unit": ('tick = "10"\n', r":1:8: tick: '10' has no unit"),
    "out of range": ("cursor = 0\n", r":1:10: cursor: '0' is not"),
    "at odds": ('tick = "1h"\n', r":1:8: tick: 1h is longer than leave_timeout"),
    "twice": ('listen = ["127.0.0.1:9", "127.0.0.1:9"]\n', r":1:26: listen: .* twice"),
    "one beside all": ('listen = ["0.0.0.0:9", "127.0.0.1:9"]\n', r":1:24: listen: .* cannot be listened on beside '0.0.0.0:9'"),
    "a zone": ('listen = ["[fe80::1%eth0]:9"]\n', r":1:11: listen: .* an address with a zone \(%\) cannot be used"),
    "a star": ('listen = ["*:9"]\n', r":1:11: listen: .* write 0.0.0.0 for every IPv4 address"),
    "HTTP where clients connect": ('listen = ["0.0.0.0:9"]\nhttp.listen = "localhost:9"\n',
                                   r":\d+:15: http.listen: 'localhost:9' is where clients connect"),
    "no address at all": ("listen = []\n", r":\d:10: listen: is empty, and there is no \[\[listener\]\]"),
    "a listener without an address": ('[[listener]]\nproxy_from = ["10.0.0.5"]\n', r":\d:1: listener: .* must have an address"),
    "an unknown option of a listener": ('[[listener]]\naddress = "127.0.0.1:9"\nport = 1\n',
                                        r":\d:1: listener.port: there is no such option"),
    "a listener's address of another type": ("[[listener]]\naddress = 9\n", r":\d:11: listener.address: must be text in quotes"),
    "a listener's address with a space": ('[[listener]]\naddress = "a b:9"\n', r":\d:11: listener.address: .*without spaces"),
    "a listener's wrong network": ('[[listener]]\naddress = "127.0.0.1:9"\nproxy_from = ["10.0.0.5/8"]\n',
                                   r":\d:15: listener.proxy_from: '10.0.0.5/8' is not a network"),
    "a listener's unknown requirement": ('[[listener]]\naddress = "127.0.0.1:9"\nrequire = "key"\n',
                                         r":\d:11: listener.require: 'key' is not one of none, certificate or token"),
    "a certificate that no proxy verifies": ('require = "certificate"\n', r":\d:11: require: 'certificate': no client of"),
    "a listener's certificate that no proxy verifies": (
        'proxy_from = ["10.0.0.5"]\n[[listener]]\naddress = "127.0.0.1:9"\nproxy_from = []\nrequire = "certificate"\n',
        r":\d:1: listener: 'certificate': no client of '127.0.0.1:9' can have one"),
    "a listener that is no table": ('listener = ["127.0.0.1:9"]\n', r":\d:13: listener: must be \[\[listener\]\] tables"),
    "a listener twice": ('[[listener]]\naddress = "127.0.0.1:9"\n[[listener]]\naddress = "127.0.0.1:9"\n',
                         r":\d:1: listener: .* is given twice"),
    "a listener where listen is": ('listen = ["0.0.0.0:9"]\n[[listener]]\naddress = "127.0.0.1:9"\n',
                                   r":\d:1: listener: '127.0.0.1:9' cannot be listened on beside '0.0.0.0:9' of listen"),
    "HTTP where a listener is": ('[[listener]]\naddress = "0.0.0.0:9"\n[http]\nlisten = "localhost:9"\n',
                                 r":\d:10: http.listen: 'localhost:9' is where clients connect \(listener"),
    "a group without a name": ('[[group]]\nid = ["a"]\n', r":1:1: group: a \[\[group\]\] must have a name"),
    "a group without a condition": ('[[group]]\nname = "a"\n', r":1:1: group: group 'a' has no condition"),
    "a group's unknown option": ('[[group]]\nname = "a"\nids = ["a"]\n', r":3:1: group.ids: there is no such option of a group"),
    "a group's wrong tick": ('[[group]]\nname = "a"\nid = ["a"]\ntick = 1\n', r":4:8: tick: must be a duration in quotes"),
    "a group's tick out of range": ('[[group]]\nname = "a"\nid = ["a"]\ntick = "1ms"\n', r":4:8: group.tick: '1ms' is not from"),
    "a group's tick beyond its leave": ('[[group]]\nname = "a"\nid = ["a"]\ntick = "1h"\n',
                                        r":1:1: group: 'a': its tick, 1h, is longer than its leave_timeout, which is 30min"),
    "a group that is no table": ('group = ["a"]\n', r":1:10: group: must be \[\[group\]\] tables"),
    "a group twice": ('[[group]]\nname = "a"\nid = ["a"]\n[[group]]\nname = "a"\nid = ["b"]\n',
                      r":4:1: group: there are two groups of the name 'a'"),
    "no address": ('listen = ["127.0.0.1"]\n', r":1:11: listen: "),
    "too many addresses": ("listen = [" + '"127.0.0.1:0",' * 65 + "]\n", r"listen: 65 addresses"),
    "long control path": (f'control = "/{"a" * 107}"\n', r":1:11: control: must be at most 107 bytes"),
    "HTTP for everybody": ('http.listen = "0.0.0.0:1"\n', r":1:15: http.listen: .* can be reached by other machines"),
    "not UTF-8": (b'log_level = "\xff"\n', r":1:\d+: "),
    "too long": ("#" * 16385, r"longer than 16384 bytes"),
}


def run(*arguments, **environment):
    return subprocess.run([DAEMON, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=BOUND_S, check=False, env={**os.environ, **environment})


def heartbeat(**members):
    body = json.dumps({"ip": "10.0.0.1", "status": "alive", "ack": True, **members}).encode()
    return struct.pack("!i", len(body)) + body


class Client:
    """One connection that sends a heartbeat at each call, and reads the answer."""

    def __init__(self, address):
        self.socket = socket.create_connection(address, timeout=BOUND_S)

    def beat(self, **members):
        self.socket.sendall(heartbeat(**members))
        length, = struct.unpack("!i", self._read(4))
        return json.loads(self._read(length))

    def _read(self, count):
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part:
                raise ConnectionError("the daemon closed this connection")
            data += part
        return data

    def close(self):
        self.socket.close()


class Daemon:
    """heartbeatd on a configuration file, and its log as it comes."""

    def __init__(self, file, *flags):
        self.process = subprocess.Popen([DAEMON, "--config", file, *flags], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.lines = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.wait(" is ready: ")

    def _read(self):
        for line in self.process.stderr:
            with self._changed:
                self.lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self.lines.append("(ended)")
            self._changed.notify_all()

    def wait(self, pattern, after=0):
        """The first line since the `after`-th that the pattern is found in."""
        def found():
            return next((line for line in self.lines[after:] if re.search(pattern, line)), None)
        with self._changed:
            come = self._changed.wait_for(lambda: found() or "(ended)" in self.lines, BOUND_S)
            if found() is None:
                raise AssertionError(f"not in the log, {'the daemon ended' if come else 'in time'}: {pattern}\n"
                                     + "\n".join(self.lines[-20:]))
            return found()

    def reload(self):
        """Asks for it, waits for its end, and returns the lines that it logged."""
        with self._changed:
            before = len(self.lines)
        self.process.send_signal(signal.SIGHUP)
        self.wait(r"reload (done|failed: nothing was changed)", before)
        return [line for line in self.lines[before:]]

    def addresses(self):
        """What is listened on now, by what the log says."""
        open_now = []
        for line in self.lines:
            if found := re.search(r" (no longer )?listening on \[?([^ \]]+)\]?:(\d+)$", line):
                address = (found[2], int(found[3]))
                open_now.remove(address) if found[1] else open_now.append(address)
        return open_now

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(BOUND_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self._reader.join(BOUND_S)
        self.process.stderr.close()
        return code


class ConfigTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = os.path.join(folder.name, "heartbeatd.toml")

    def write(self, text):
        with open(self.file, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())

    def start(self, text='listen = ["127.0.0.1:0"]\n', *flags):
        self.write(text)
        daemon = Daemon(self.file, *flags)
        self.addCleanup(self._end, daemon)
        return daemon

    def _end(self, daemon):
        self.assertEqual(daemon.end(), 0, "\n".join(daemon.lines[-20:]))

    def connect(self, address):
        client = Client(address)
        self.addCleanup(client.close)
        return client


class Checking(ConfigTest):
    def test_a_right_file_is_said_to_be_so(self):
        self.write('tick = "1s"\n')
        ended = run("--config", self.file, "--check-config")
        self.assertEqual((ended.returncode, ended.stdout, ended.stderr), (OK, f"{self.file}: ok\n", ""))

    def test_each_broken_file_is_refused_by_a_check_and_by_a_start(self):
        for kind, (text, said) in BROKEN.items():
            for flags in ([], ["--check-config"], ["--print-config"]):
                with self.subTest(kind, flags=flags):
                    self.write(text)
                    ended = run("--config", self.file, *flags)
                    self.assertEqual((ended.returncode, ended.stdout), (CONFIG, ""), ended.stderr)
                    self.assertEqual(ended.stderr.count("\n"), 1, ended.stderr)
                    self.assertRegex(ended.stderr, said)
                    self.assertIn(self.file, ended.stderr)

    def test_all_mistakes_are_told_in_one_run(self):
        self.write("tik = 1\ntick = 1\ncursor = 0\n")
        ended = run("--config", self.file, "--check-config")
        self.assertEqual([line.removeprefix(self.file).split(": ")[0] for line in ended.stderr.splitlines()],
                         [":1:1", ":2:8", ":3:10"])

    def test_a_file_that_cannot_be_read_is_named_with_the_reason(self):
        for path, why in ((self.file, "No such file or directory"), (os.path.dirname(self.file), "a directory")):
            ended = run("--config", path, "--check-config")
            self.assertEqual(ended.returncode, CONFIG)
            self.assertIn(path, ended.stderr)
            self.assertIn(why, ended.stderr)

    def test_a_mistake_of_the_command_line_is_one_of_usage(self):
        self.write('leave_timeout = "5s"\ntick = "1s"\n')
        self.assertEqual(run("--config", self.file, "--cursor", "0").returncode, USAGE)
        self.assertEqual(run("--config", self.file, "--tick", "6s").returncode, USAGE)


class Printing(ConfigTest):
    def test_what_is_printed_says_where_it_comes_from_and_is_read_back(self):
        self.write('# comment\ntick = "2s"\n')
        printed = run("--config", self.file, "--cursor", "4", "--print-config")
        self.assertEqual((printed.returncode, printed.stderr), (OK, ""))
        self.assertIn(f'tick = "2s"  # {self.file}:2\n', printed.stdout)
        self.assertIn("cursor = 4  # flag --cursor\n", printed.stdout)
        self.assertIn("threshold = 5  # default\n", printed.stdout)

        self.write(printed.stdout)
        again = run("--config", self.file, "--print-config")
        values = [[line.split("  # ")[0] for line in text.splitlines()] for text in (printed.stdout, again.stdout)]
        self.assertEqual(values[0], values[1])
        self.assertNotIn("# default", again.stdout)


class Reloading(ConfigTest):
    def test_the_rule_changes_and_flags_keep_their_precedence(self):
        daemon = self.start('listen = ["127.0.0.1:0"]\ntick = "1h"\nleave_timeout = "1h"\n', "--threshold", "7")
        client = self.connect(daemon.addresses()[0])
        client.beat(id="pump-7")
        self.write('listen = ["127.0.0.1:0"]\ntick = "20ms"\nthreshold = 2\ncursor = 1\nleave_timeout = "40ms"\n')
        said = "\n".join(daemon.reload())
        self.assertRegex(said, r"reload changed=tick from=1h to=20ms")
        self.assertRegex(said, r"reload changed=cursor from=3 to=1")
        self.assertRegex(said, r"reload changed=leave_timeout from=1h to=40ms")
        self.assertNotIn("threshold", said)
        self.assertIn("silence=7", daemon.wait(r" leave client=pump-7 .* reason=silent"))
        daemon.wait(r" close client=pump-7 .* reason=silent")

    def test_each_broken_file_changes_nothing(self):
        good = 'listen = ["127.0.0.1:0"]\ntick = "11s"\n'
        daemon = self.start(good)
        client = self.connect(daemon.addresses()[0])
        for kind, (text, said) in BROKEN.items():
            with self.subTest(kind):
                # What is right in the file must not be taken either.
                self.write("cursor = 9\n".encode() + (text if isinstance(text, bytes) else text.encode())
                           if kind != "out of range" else text)
                lines = "\n".join(daemon.reload())
                self.assertRegex(lines, "error +reload failed: .*" + re.sub(r":\d:", lambda _: r":\d:", said, count=1))
                self.assertNotIn("changed=", lines)
                self.assertEqual(client.beat()["status"], "alive")
        os.unlink(self.file)
        self.assertIn("No such file or directory", "\n".join(daemon.reload()))
        os.mkdir(self.file)
        self.assertIn("it is a directory", "\n".join(daemon.reload()))
        os.rmdir(self.file)
        os.mkfifo(self.file)
        self.assertIn("it is not a file", "\n".join(daemon.reload()))
        os.unlink(self.file)

        self.write(good)
        self.assertIn(" changed=0 needs_restart=0", "\n".join(daemon.reload()))
        self.connect(daemon.addresses()[0]).beat(notify=False)

    def test_what_needs_a_restart_is_named_each_time_and_stays(self):
        daemon = self.start()
        self.write('listen = ["127.0.0.1:0"]\ncontrol = "/other"\nlog_target = "stderr"\nbacklog = 5\n')
        for changed in (1, 0):
            said = "\n".join(daemon.reload())
            self.assertIn('needs_restart=control in_force="" wanted=/other', said)
            self.assertIn("needs_restart=log_target in_force=auto wanted=stderr", said)
            self.assertIn(f"changed={changed} needs_restart=2", said)

    def test_the_log_level_changes(self):
        daemon = self.start()
        client = self.connect(daemon.addresses()[0])
        client.beat(id="a")
        self.assertFalse([line for line in daemon.lines if " debug " in line])
        self.write('listen = ["127.0.0.1:0"]\nlog_level = "debug"\n')
        daemon.reload()
        client.beat(id="a")  # may be heard in the turn in which the change is made
        client.beat(id="a", seq=77)
        daemon.wait(" debug .* client=a .*seq=77")

    def test_fewer_clients_than_are_connected_drops_nobody(self):
        daemon = self.start()
        address = daemon.addresses()[0]
        clients = [self.connect(address) for _ in range(3)]
        for client in clients:
            client.beat()
        self.write('listen = ["127.0.0.1:0"]\nmax_clients = 2\n')
        daemon.reload()
        for client in clients:
            self.assertEqual(client.beat()["status"], "alive")
        refused = self.connect(address)
        with self.assertRaises(OSError):
            refused.beat()

    def test_more_clients_than_descriptors_are_never_allowed(self):
        daemon = self.start()
        self.write('listen = ["127.0.0.1:0"]\nmax_clients = 10000000\n')
        said = "\n".join(daemon.reload())
        self.assertRegex(said, r"max_clients lowered from 10000000 to \d+")
        self.assertNotIn("to=10000000", said)

    def test_reloads_do_not_put_off_a_verdict(self):
        daemon = self.start('listen = ["127.0.0.1:0"]\ntick = "50ms"\ncursor = 1\nleave_timeout = "50ms"\n')
        self.connect(daemon.addresses()[0]).beat(id="pump-7")
        end = time.monotonic() + BOUND_S
        while not any(" close client=pump-7" in line for line in daemon.lines):
            self.assertLess(time.monotonic(), end)
            daemon.reload()


class Listening(ConfigTest):
    def test_new_addresses_open_old_ones_close_and_clients_stay(self):
        daemon = self.start('listen = ["127.0.0.1:0", "127.0.0.2:0"]\n')
        first, second = daemon.addresses()
        by_first, by_second = self.connect(first), self.connect(second)
        by_first.beat(), by_second.beat()

        self.write('listen = ["127.0.0.2:0", "127.0.0.3:0"]\n')
        self.assertIn("changed=1", daemon.reload()[-1])
        self.assertNotIn(first, daemon.addresses())
        self.assertIn(second, daemon.addresses())
        for client in (by_first, by_second, *map(self.connect, daemon.addresses())):
            self.assertEqual(client.beat()["status"], "alive")
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(first, timeout=BOUND_S)

    def test_an_address_is_known_by_its_real_port_too(self):
        daemon = self.start()
        (host, port), = daemon.addresses()
        self.write(f'listen = ["{host}:{port}"]\n')
        self.assertFalse([line for line in daemon.reload() if "listening" in line])
        self.connect((host, port)).beat()

    def test_every_address_takes_the_place_of_one_and_gives_it_back(self):
        daemon = self.start()
        (host, port), = daemon.addresses()
        client = self.connect((host, port))
        for wanted in (f"0.0.0.0:{port}", f"127.0.0.1:{port}"):
            self.write(f'listen = ["{wanted}"]\n')
            self.assertIn("changed=1", daemon.reload()[-1])
            self.assertEqual([f"{host}:{port}" for host, port in daemon.addresses()], [wanted])
            self.assertEqual(client.beat()["status"], "alive")
            self.assertEqual(self.connect(("127.0.0.1", port)).beat()["status"], "alive")
            # Another program still cannot have it.
            self.assertEqual(run("--listen", wanted).returncode, 69)

        # Both at once are refused, as they are at a start.
        for both in (f'"0.0.0.0:{port}", "127.0.0.1:{port}"', f'"0.0.0.0:{port}", "127.0.0.2:{port}"'):
            self.write(f"listen = [{both}]\n")
            self.assertEqual(run("--config", self.file).returncode, CONFIG)
            self.assertIn("cannot be listened on beside", "\n".join(daemon.reload()))

    def test_when_one_cannot_be_opened_nothing_is_changed(self):
        daemon = self.start()
        before = daemon.addresses()
        with socket.create_server(("127.0.0.1", 0)) as other:
            taken = f"127.0.0.1:{other.getsockname()[1]}"
            self.write(f'listen = ["127.0.0.3:0", "{taken}"]\ncursor = 4\n')
            said = "\n".join(daemon.reload())
            self.assertIn(f"reload failed: cannot listen on {taken}: address already in use", said)
        self.assertEqual(daemon.addresses(), before)
        self.connect(before[0]).beat()

        self.write('listen = ["127.0.0.1:0"]\ncursor = 4\n')
        self.assertIn("changed=cursor from=3 to=4", "\n".join(daemon.reload()))


class ManyClients(ConfigTest):
    def test_reloads_under_a_thousand_live_clients_drop_none(self):
        resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
        daemon = self.start('listen = ["127.0.0.1:0"]\ntick = "1s"\n')
        first = daemon.addresses()[0]
        clients = [self.connect(first) for _ in range(CLIENTS)]
        selector = selectors.DefaultSelector()
        for at, client in enumerate(clients):
            self.assertEqual(client.beat(id=f"client-{at}")["status"], "alive")
            client.socket.setblocking(False)
            selector.register(client.socket, selectors.EVENT_READ)

        here = 'listen = ["127.0.0.1:0"]\n'
        for configuration in (here + 'tick = "2s"\nthreshold = 9\n', here + "cursor = 0\n", "[",
                              here + "max_clients = 10\nremember = 0\n", 'listen = ["127.0.0.2:0"]\n'):
            self.write(configuration)
            asked = len(daemon.lines)
            for at, client in enumerate(clients):
                if at == CLIENTS // 2:
                    daemon.process.send_signal(signal.SIGHUP)
                client.socket.send(heartbeat())
            self.take_answers(selector)
            daemon.wait(r"reload (done|failed: nothing was changed)", asked)
        self.assertFalse([line for line in daemon.lines if re.search(r" (close|leave) ", line)])
        selector.close()

    def take_answers(self, selector):
        answered = 0
        end = time.monotonic() + BOUND_S
        while answered < CLIENTS:
            self.assertLess(time.monotonic(), end, f"{answered} of {CLIENTS} answered")
            for key, _ in selector.select(1):
                data = key.fileobj.recv(4096)
                self.assertTrue(data, "a client was dropped")
                answered += data.count(b'"type":"ack"')


if __name__ == "__main__":
    unittest.main(verbosity=2)
