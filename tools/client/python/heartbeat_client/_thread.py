"""The client with a thread of its own, for programs without a loop."""
import asyncio
import os
import selectors
import threading
from typing import Any, Callable, Optional, Type

from ._asyncio import AsyncHeartbeatClient, _clients, _forks

_ENDING = 3.0  # longer than a goodbye takes; the thread is a daemon thread and is left behind if it still runs


class HeartbeatClient:
    """Holds one connection to heartbeatd and beats on it, from a thread of its own.

    Takes what AsyncHeartbeatClient takes, and keeps the same rules.  All functions may be called from any thread.
    The thread beats also while the work hangs: give a `gate`, and call touch() from the work itself.
    `on_frame` is called on the client's thread.
    """

    def __init__(self, host: str, port: int, id: Optional[str] = None, **settings: Any) -> None:
        self._client = AsyncHeartbeatClient(host, port, id, **settings)
        self._selector: Optional[selectors.BaseSelector] = None
        self._loop: Optional[asyncio.SelectorEventLoop] = None
        self._thread: Optional[threading.Thread] = None
        with _forks:
            _clients.add(self)

    def start(self) -> None:
        self._client._own()
        with _forks:
            self._selector = selectors.DefaultSelector()
            self._loop = asyncio.SelectorEventLoop(self._selector)
        self._thread = threading.Thread(target=self._run, args=(self._loop,), name="heartbeat", daemon=True)
        self._thread.start()

    def touch(self) -> None:
        """Says that the work goes on."""
        self._client.touch()

    def leave(self, note: str = "") -> None:
        """Declares leave from now on, until alive()."""
        self._call(lambda: self._client.leave(note))

    def alive(self) -> None:
        """Takes leave() back."""
        self._call(self._client.alive)

    @property
    def connected(self) -> bool:
        return self._client.connected

    def close(self) -> None:
        """Says goodbye where there is a connection, and ends the thread; takes at most a few seconds."""
        self._end(self._client.close)

    def abandon(self) -> None:
        """Ends without a goodbye: the daemon sees that the connection is gone."""
        self._end(self._client.abandon)

    def __enter__(self) -> "HeartbeatClient":
        self.start()
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], *_: Any) -> None:
        if kind is not None and issubclass(kind, Exception):
            self.abandon()
        else:
            self.close()

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        loop.call_soon(self._client.start)
        loop.run_forever()
        loop.close()

    def _call(self, what: Callable[[], None]) -> None:
        if self._thread is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(what)

    def _end(self, how: Callable[[], Any]) -> None:
        thread, loop = self._thread, self._loop
        self._thread = self._loop = None
        if thread is None or loop is None:
            return  # not started, ended already, or in a child of fork(), which has no such thread

        async def end() -> None:
            try:
                await how()
            finally:
                loop.stop()

        asyncio.run_coroutine_threadsafe(end(), loop)
        thread.join(_ENDING)

    def _forget_in_child(self) -> None:
        """Closes the child's copies of the loop's descriptors.

        Not by the loop's close(), which would take the parent's descriptors out of the selector, which is shared.
        """
        loop, self._loop, self._thread = self._loop, None, None
        if loop is None or self._selector is None:
            return
        self._selector.close()
        for name in ("_ssock", "_csock"):  # what wakes the loop
            wake = getattr(loop, name, None)
            if wake is not None:
                wake.close()
