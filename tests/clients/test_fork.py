#!/usr/bin/env python3
"""The Python client after fork(): the connection stays the parent's, and the child holds no descriptor of it."""
import asyncio
import contextlib
import gc
import os
import select
import socket
import ssl
import threading
import time
import types
import unittest
import unittest.mock

from heartbeat_client import AsyncHeartbeatClient, HeartbeatClient
from scripted_server import Server, frame

WAIT_S = 60


def descriptors():
    """Those of this process, without the one by which they were listed."""
    return {each for each in map(int, os.listdir("/proc/self/fd")) if os.path.lexists(f"/proc/self/fd/{each}")}


class Child:
    """A child of fork(), which calls `work` and then lives on until the parent lets it go."""

    def __init__(self, work=lambda: None):
        held, self._hold = os.pipe()
        self._done, done = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            status = 1
            with contextlib.suppress(BaseException):
                os.close(self._hold)
                os.close(self._done)
                try:
                    work()
                except BaseException as error:
                    os.write(done, repr(error).encode())
                    raise
                os.write(done, b"done")
                os.read(held, 1)
                status = 0
            os._exit(status)
        os.close(held)
        os.close(done)

    def wait_for_work(self):
        said = os.read(self._done, 4096)
        assert said == b"done", said

    def end(self):
        os.close(self._hold)
        os.close(self._done)
        _, status = os.waitpid(self._pid, 0)
        assert status == 0, status


@unittest.skipUnless(hasattr(os, "fork"), "there is no fork()")
class Fork(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)

    def start(self, **settings):
        """A client with a thread, connected, and its peer."""
        client = HeartbeatClient("127.0.0.1", self.server.port, "parent", **{"interval": 0.05, **settings})
        client.start()
        self.addCleanup(client.abandon)
        peer = self.server.accept(WAIT_S)
        self.addCleanup(peer.connection.close)
        peer.heartbeat(WAIT_S)
        return client, peer

    def child(self, work=lambda: None):
        child = Child(work)
        self.addCleanup(child.end)
        child.wait_for_work()
        return child

    def expect_end(self, peer):
        with contextlib.suppress(ConnectionError):
            while peer.heartbeat_or_end(WAIT_S) is not None:
                pass

    def expect_beats_of_the_parent(self, peer):
        # What the parent sent before the child worked is read, too: it is of the parent as well.
        for heartbeat in peer.heartbeats_for(0.5):
            self.assertEqual((heartbeat["pid"], heartbeat["status"]), (os.getpid(), "alive"))
        peer.heartbeat(WAIT_S)

    def test_the_connection_ends_with_the_parents_client_although_the_child_lives(self):
        client, peer = self.start()
        self.child()
        client.abandon()
        self.expect_end(peer)

    def test_the_child_has_no_descriptor_of_the_client(self):
        before = descriptors()
        client, peer = self.start()
        ours = descriptors() - before - {peer.connection.fileno()}
        self.assertEqual(len(ours), 4, "the connection, the selector, and both ends of what wakes the loop")

        def work():
            left = descriptors() & ours
            os.write(2, repr(left).encode()); assert not left, left

        self.child(work)

    def test_nothing_that_the_child_calls_is_seen_by_the_daemon_or_the_parent(self):
        client, peer = self.start()

        def work():
            client.touch()
            client.leave("not said")
            client.alive()
            assert not client.connected
            client.close()
            client.abandon()
            with contextlib.suppress(RuntimeError):
                client.start()
                raise AssertionError("the parent's client was started in the child")
            gc.collect()

        self.child(work)
        self.expect_beats_of_the_parent(peer)
        client.leave("said")  # the parent's loop is still woken by a call from another thread
        while (heartbeat := peer.heartbeat(WAIT_S))["status"] == "alive":
            pass
        self.assertEqual(heartbeat["note"], "said")

    def test_a_fork_while_a_socket_is_made_waits_until_the_client_has_it(self):
        making = threading.Event()

        class Slow(socket.socket):
            def __init__(self, *arguments, **more):
                super().__init__(*arguments, **more)
                making.set()
                time.sleep(0.2)

        before = descriptors()
        client = HeartbeatClient("127.0.0.1", self.server.port, "parent")
        # In this module only: the loop makes sockets, too.
        slow = types.SimpleNamespace(**{**vars(socket), "socket": Slow})
        with unittest.mock.patch("heartbeat_client._asyncio.socket", slow):
            client.start()
            self.addCleanup(client.abandon)
            self.assertTrue(making.wait(WAIT_S))

            def work():
                left = {each for each in descriptors() - before if os.readlink(f"/proc/self/fd/{each}").startswith("socket")}
                os.write(2, repr(left).encode()); assert not left, left

            self.child(work)

    def test_a_child_may_start_a_client_of_its_own(self):
        client, peer = self.start()
        port = self.server.port

        def work():
            own = HeartbeatClient("127.0.0.1", port, "child", interval=0.05)
            own.start()

        child = self.child(work)
        other = self.server.accept(WAIT_S)
        self.addCleanup(other.connection.close)
        heartbeat = other.heartbeat(WAIT_S)
        self.assertEqual(heartbeat["id"], "child")
        self.assertNotEqual(heartbeat["pid"], os.getpid())
        self.expect_beats_of_the_parent(peer)

    def test_a_client_that_the_parent_has_not_started_is_started_by_the_child(self):
        client = HeartbeatClient("127.0.0.1", self.server.port, "child", interval=0.05)

        def work():
            client.start()
            client.leave("of the child")

        self.child(work)
        peer = self.server.accept(WAIT_S)
        self.addCleanup(peer.connection.close)
        while (heartbeat := peer.heartbeat(WAIT_S))["status"] == "alive":
            self.assertNotEqual(heartbeat["pid"], os.getpid())
        self.assertEqual(heartbeat["note"], "of the child")

    def test_an_attempt_to_connect_is_the_parents_too(self):
        # The server says nothing to the TLS client, which is then neither connected nor without a connection.
        client = HeartbeatClient("127.0.0.1", self.server.port, "parent", tls=ssl.create_default_context())
        client.start()
        peer = self.server.accept(WAIT_S)
        self.addCleanup(peer.connection.close)
        self.assertFalse(client.connected)
        self.child()
        client.abandon()
        peer.connection.settimeout(WAIT_S)
        while peer.connection.recv(4096):
            pass

    def test_a_fork_at_any_moment_leaves_the_child_nothing(self):
        # Each new client is somewhere between its start and its first heartbeat.
        for _ in range(40):
            client = HeartbeatClient("127.0.0.1", self.server.port, "parent")
            client.start()
            child = Child()
            child.wait_for_work()
            client.abandon()
            peer = self.server.accept_or_none(0.02)
            if peer is not None:
                self.expect_end(peer)
                peer.connection.close()
            child.end()

    def test_a_program_that_the_client_starts_inherits_nothing(self):
        before = descriptors()
        client, peer = self.start()
        for each in descriptors() - before - {peer.connection.fileno()}:
            self.assertFalse(os.get_inheritable(each))

    def run_on_in_the_child(self, look):
        """Forks in a running loop, which the child runs on for a while; its exit status is that of `look()`."""
        async def main():
            async with AsyncHeartbeatClient("127.0.0.1", self.server.port, "parent", interval=0.05, base=0.02, cap=0.02):
                loop = asyncio.get_running_loop()
                peer = await loop.run_in_executor(None, self.server.accept, WAIT_S)
                await loop.run_in_executor(None, peer.heartbeat, WAIT_S)
                child = os.fork()
                if child == 0:
                    judge = look()
                    loop.call_later(0.5, lambda: os._exit(judge()))
                    await loop.create_future()
                peer.send(frame({"type": "any"}))  # the loops share a selector: the child's learns of it, too
                return peer, os.waitpid(child, 0)[1]

        peer, status = asyncio.run(main())
        statuses = []
        while (heartbeat := peer.heartbeat_or_end(WAIT_S)) is not None:
            self.assertEqual(heartbeat["pid"], os.getpid())
            statuses.append(heartbeat["status"])
        self.assertEqual(statuses[-1], "close")
        peer.connection.close()
        self.assertIsNone(self.server.accept_or_none(0), "the child has connected")
        self.assertEqual(status, 0)

    def test_a_loop_that_runs_on_in_the_child_sends_nothing(self):
        def look():
            # They take the number of the connection, too: what is still sent to it comes out of one of them.
            pairs = [socket.socketpair() for _ in range(16)]
            return lambda: len(select.select(sum(pairs, ()), [], [], 0)[0])

        self.run_on_in_the_child(look)

    def test_a_loop_that_runs_on_in_the_child_closes_nothing(self):
        def look():
            files = [os.open("/dev/null", os.O_RDONLY) for _ in range(16)]
            return lambda: len(set(files) - descriptors())

        self.run_on_in_the_child(look)


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
