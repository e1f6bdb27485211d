"""The client with a thread of its own, for programs without a loop."""
import asyncio
import os
import threading
from typing import Any, Callable, Optional, Type

from ._asyncio import AsyncHeartbeatClient

_ENDING = 3.0  # longer than a goodbye takes; the thread is a daemon thread and is left behind if it still runs


class HeartbeatClient:
    """Holds one connection to heartbeatd and beats on it, from a thread of its own.

    Takes what AsyncHeartbeatClient takes, and keeps the same rules.  All functions may be called from any thread.
    The thread beats also while the work hangs: give a `gate`, and call touch() from the work itself.
    `on_frame` is called on the client's thread.
    """

    def __init__(self, host: str, port: int, id: Optional[str] = None, **settings: Any) -> None:
        self._client = AsyncHeartbeatClient(host, port, id, **settings)
        self._loop = asyncio.new_event_loop()
        self._thread: Optional[threading.Thread] = None
        self._owner = os.getpid()

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
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

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.call_soon(self._client.start)
        self._loop.run_forever()
        self._loop.close()

    def _call(self, what: Callable[[], None]) -> None:
        if self._thread is not None and os.getpid() == self._owner:
            self._loop.call_soon_threadsafe(what)

    def _end(self, how: Callable[[], Any]) -> None:
        thread, self._thread = self._thread, None
        if thread is None or os.getpid() != self._owner:
            return  # not started, ended already, or in a child of fork(), which has no such thread

        async def end() -> None:
            try:
                await how()
            finally:
                self._loop.stop()

        asyncio.run_coroutine_threadsafe(end(), self._loop)
        thread.join(_ENDING)
