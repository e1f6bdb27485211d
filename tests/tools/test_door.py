#!/usr/bin/env python3
"""How heartbeat-client and heartbeat-sim come in: by TLS, with a token, with a proxy's header.

Usage: test_door.py BIN_FOLDER"""
import contextlib
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../process"))
from certificates import OPENSSL, Authority  # noqa: E402
from process import Daemon, run, run_tests  # noqa: E402

FOLDER = sys.argv[1]
CLIENT = f"{FOLDER}/heartbeat-client"
SIM = f"{FOLDER}/heartbeat-sim"
CTL = f"{FOLDER}/heartbeatctl"


class Files(contextlib.ExitStack):
    """An authority with certificates for a server at 127.0.0.1 and for pump-7, and tokens."""

    addCleanup = contextlib.ExitStack.callback

    def __enter__(self):
        self.authority = Authority(self)
        self.authority.issue("server", "127.0.0.1", "IP:127.0.0.1")
        self.authority.issue("other", "other.example", "DNS:other.example")
        self.authority.issue("pump-7")
        return self

    def path(self, name):
        return self.authority.path(name)

    def listener(self, *options, server="server"):
        return " ".join(["127.0.0.1:0", f"tls_certificate={self.path(server + '.pem')}",
                         f"tls_key={self.path(server + '.key')}", *options])


@contextlib.contextmanager
def listening(*flags):
    """A daemon whose address is that of the listener among the flags."""
    with Daemon(FOLDER, *flags) as daemon:
        daemon.address = daemon.wait_for_log(r"listening on \S+(?:.|\n)*listening on (\S+)").group(1)
        yield daemon


MANY = 200  # heartbeats: a client that is refused has heard so before it has sent them all


def client(daemon, *flags, beats=2):
    return run(CLIENT, "--server", daemon.address, "--count", str(beats), "--interval", "20ms", "--ack", "--retries", "0",
               *flags)


def check(result, code, *words):
    said = result.stdout + result.stderr
    assert result.returncode == code, f"exit code {result.returncode}, not {code}: {said}"
    for word in words:
        assert word in said, f"'{word}' is not in: {said}"


def test_client_by_tls():
    """The client beats by TLS and is answered; it refuses a server that it cannot verify."""
    with Files() as files, listening("--listener", files.listener()) as daemon:
        ca = ("--ca", files.path("ca.pem"))
        check(client(daemon, "--tls", *ca), 0, "ack seq=2")
        check(client(daemon, "--tls"), 69, "TLS: the peer's certificate is refused: ")
        check(client(daemon, beats=MANY), 69, "the daemon closed the connection")
        check(client(daemon, *ca), 64, "--ca, --cert and --key need --tls")
        check(client(daemon, "--tls", "--ca", "/no/such/file"), 64, "cannot read /no/such/file")
        daemon.wait_for_log("bad_input=tls_missing")
    with Files() as files, listening("--listener", files.listener(server="other")) as daemon:
        check(client(daemon, "--tls", "--ca", files.path("ca.pem")), 69, "IP address mismatch")


def test_client_with_a_certificate():
    """The certificate proves the id that it is for."""
    with Files() as files:
        options = ("require=certificate", f"tls_client_ca={files.path('ca.pem')}")
        with listening("--listener", files.listener(*options)) as daemon:
            door = ("--tls", "--ca", files.path("ca.pem"))
            mine = (*door, "--cert", files.path("pump-7.pem"), "--key", files.path("pump-7.key"))
            check(client(daemon, *mine, "--id", "pump-7"), 0, "ack seq=2")
            check(client(daemon, *mine, "--id", "pump-8", beats=MANY), 69, "unauthorized")
            check(client(daemon, *door, "--id", "pump-7", beats=MANY), 69)
            check(client(daemon, *door, "--key", files.path("pump-7.key")), 64, "--key needs --cert")
            daemon.wait_for_log("bad_input=certificate_missing")


def test_client_with_a_token():
    """A token lets the client in, another one does not, and none does not."""
    with Files() as files:
        made = run(CTL, "token", "new", "pumps", "--id", "pump-*")
        lines = [line.split(":", 1)[1].strip() for line in made.stdout.splitlines() if ":" in line]
        files.authority.write("token", lines[0] + "\n")
        files.authority.write("tokens", lines[1] + "\n")
        files.authority.write("wrong", "hb_" + 43 * "A" + "\n")
        with Daemon(FOLDER, "--tokens", files.path("tokens"), "--require", "token") as daemon:
            check(client(daemon, "--token", files.path("token"), "--id", "pump-7"), 0, "ack seq=2")
            check(client(daemon, "--token", files.path("token"), "--id", "lamp", beats=MANY), 69, "unauthorized")
            check(client(daemon, "--token", files.path("wrong"), "--id", "pump-7", beats=MANY), 69, "unauthorized")
            check(client(daemon, "--id", "pump-7", beats=MANY), 69, "unauthorized")


def test_client_as_a_proxy():
    """The header makes the client one of the address that it names, plain and before TLS."""
    with Files() as files:
        for listener, door in (("127.0.0.1:0", ()), (files.listener(), ("--tls", "--ca", files.path("ca.pem")))):
            with listening("--listener", listener + " proxy_from=127.0.0.1") as daemon:
                check(client(daemon, "--proxy", "10.0.0.7:5000", *door), 0, "ack seq=2")
                daemon.wait_for_log(r"joined client=10\.0\.0\.7:5000 .*via=127\.0\.0\.1:")
                check(client(daemon, "--proxy", "10.0.0.7", *door), 64, "'10.0.0.7' is not IP:PORT")


def test_sim_by_tls():
    """The simulator's clients come in by TLS with a token behind a proxy's header, and no promise is broken."""
    with Files() as files:
        made = run(CTL, "token", "new", "sim", "--id", "sim*")
        lines = [line.split(":", 1)[1].strip() for line in made.stdout.splitlines() if ":" in line]
        files.authority.write("token", lines[0] + "\n")
        files.authority.write("tokens", lines[1] + "\n")
        with listening("--listener", files.listener("proxy_from=127.0.0.1", "require=token", "accept_rate=0"),
                       "--tokens", files.path("tokens"), "--tick", "1s") as daemon:
            result = run(SIM, "--server", daemon.address, "--clients", "40", "--add-every", "5ms", "--duration", "8s",
                         "--mix", "steady=1,glued=1,dribble=1,goodbye=1,takeover=1", "--tls", "--ca",
                         files.path("ca.pem"), "--token", files.path("token"), "--proxy")
            check(result, 0)
            daemon.wait_for_log(r"joined client=sim\S*-7 .*peer=10\.0\.0\.7:50000")
            check(run(SIM, "--server", daemon.address, "--clients", "1", "--duration", "1s"), 69)


if __name__ == "__main__":
    run_tests([test for name, test in list(globals().items()) if name.startswith("test_") and OPENSSL])
