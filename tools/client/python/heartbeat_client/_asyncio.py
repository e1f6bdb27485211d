"""The client on an asyncio loop."""
import asyncio
import os
import socket
import ssl
import threading
import time
import weakref
from typing import Any, Callable, Dict, List, Optional, Tuple, Type, Union

from . import _rules

_PARTING = 1.0  # how long an end waits until the server has read the goodbye

_clients: "weakref.WeakSet[Any]" = weakref.WeakSet()  # of both forms
# Held while a descriptor is made and is not yet in its client, and while the process forks: the child finds them all.
_forks = threading.RLock()


class AsyncHeartbeatClient:
    """Holds one connection to heartbeatd and beats on it, on the running loop.

    `async with` starts it, and says goodbye at the end of the block.  An Exception that leaves the block is a crash:
    the connection ends without a goodbye.  All times are in seconds.  `tls` is a context of the ssl module, or True for
    the machine's trusted certificates.  `on_frame` gets each frame of the daemon that is an object.
    """

    def __init__(self, host: str, port: int, id: Optional[str] = None, *, group: Optional[str] = None,
                 interval: float = 10.0, gate: Optional[float] = None, base: float = 1.0, cap: float = 60.0,
                 connect_timeout: float = 10.0,
                 ip: Optional[str] = None, token: Optional[str] = None, tls: Union[ssl.SSLContext, bool, None] = None,
                 on_frame: Optional[Callable[[Dict[str, Any]], None]] = None) -> None:
        self.id = None if id is None else _rules.checked_id(id)
        if min(interval, base, cap, connect_timeout) <= 0 or (gate is not None and gate < 0):
            raise ValueError("interval, base, cap and connect_timeout must be above 0, and gate not below")
        if group is not None:
            _rules.checked_text("group", group, _rules.GROUP_MAX)
        self._first_members = _rules.first_members(interval, group, token)
        self._host, self._port, self._ip = host, port, ip
        self._interval, self._connect_timeout = interval, connect_timeout
        self._tls = ssl.create_default_context() if tls is True else tls or None
        self._on_frame = on_frame
        self._declared = _rules.Declaration(gate, time.monotonic())
        self._pause = _rules.Pause(base, cap)
        self._socket: Optional[socket.socket] = None  # of the connection, or of the attempt
        self._connection: Optional[_Connection] = None
        self._task: "Optional[asyncio.Task[None]]" = None
        self._owner: Optional[int] = None  # the process that has started it
        with _forks:
            _clients.add(self)

    # --- the caller's side ---

    def start(self) -> None:
        """Begins to connect.  The loop must be running."""
        self._own()
        self._declared.touched = time.monotonic()
        self._task = asyncio.get_running_loop().create_task(self._run())

    def touch(self) -> None:
        """Says that the work goes on.  From any thread."""
        self._declared.touched = time.monotonic()

    def leave(self, note: str = "") -> None:
        """Declares leave from now on, until alive().  On the loop's thread."""
        self._declared.note = _rules.checked_text("note", note, _rules.NOTE_MAX) if note else ""
        self._declare("leave")

    def alive(self) -> None:
        """Takes leave() back.  On the loop's thread."""
        self._declared.note = ""
        self._declare("alive")

    @property
    def connected(self) -> bool:
        return self._connection is not None

    async def close(self) -> None:
        """Says goodbye where there is a connection, and ends; takes at most a second."""
        connection = self._connection
        if connection is not None:
            connection.part()
            await asyncio.wait({connection.ended}, timeout=_PARTING)
        await self.abandon()

    async def abandon(self) -> None:
        """Ends without a goodbye: the daemon sees that the connection is gone."""
        task, self._task = self._task, None
        # Before Python 3.12 wait_for() swallows a cancellation that comes together with its result.
        while task is not None and not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=0.1)

    async def __aenter__(self) -> "AsyncHeartbeatClient":
        self.start()
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]], *_: Any) -> None:
        # Cancellation, Ctrl-C and sys.exit() are no Exception: they end a program in order.
        if kind is not None and issubclass(kind, Exception):
            await self.abandon()
        else:
            await self.close()

    # --- on the loop ---

    def _own(self) -> None:
        """RuntimeError in a child of fork() whose parent has started the client."""
        if self._owner not in (None, os.getpid()):
            raise RuntimeError("the client is the parent's: a child of fork() starts one of its own")
        self._owner = os.getpid()

    def _declare(self, status: str) -> None:
        self._declared.status = status
        if self._connection is not None:
            self._connection.beat_now()

    async def _run(self) -> None:
        while True:
            connected_at = time.monotonic()
            close: Dict[str, Any] = {}
            lasted = 0.0
            try:
                connection = await asyncio.wait_for(self._connect(), self._connect_timeout)
                try:
                    connected_at = time.monotonic()
                    self._connection = connection
                    connection.begin()
                    close = await asyncio.shield(connection.ended)
                    lasted = time.monotonic() - connected_at
                finally:
                    self._connection = None
                    connection.transport.abort()
            except (OSError, asyncio.TimeoutError):
                pass
            await asyncio.sleep(self._pause.after(lasted, self._interval, close))

    async def _connect(self) -> "_Connection":
        """Tries each address of the host.  OSError if none answers."""
        loop = asyncio.get_running_loop()
        failure: OSError = OSError(f"{self._host} has no address")
        for family, address in await _look_up(self._host, self._port):
            try:
                with _forks:
                    self._socket = made = socket.socket(family, socket.SOCK_STREAM)
                try:
                    made.setblocking(False)
                    await loop.sock_connect(made, address)
                    _, connection = await loop.create_connection(
                        lambda: _Connection(self), sock=made, ssl=self._tls,
                        server_hostname=self._host if self._tls else None)
                    return connection
                except BaseException:
                    made.close()
                    raise
            except OSError as error:
                failure = error
        raise failure

    def _forget_in_child(self) -> None:
        """Leaves the connection to the parent.

        The child holds a copy of it, which would keep it up after the parent has died.  The transport and the loop are
        not asked: the loop's selector is shared with the parent, and what leaves it here would leave it there.
        """
        self._task = self._connection = None
        if self._socket is not None:
            descriptor = self._socket.detach()  # its later close() must not close another file of this number
            if descriptor >= 0:
                os.close(descriptor)


class _Connection(asyncio.Protocol):
    """One connection: beats at whole intervals from its begin, and keeps the notice with which the daemon closes."""

    transport: asyncio.Transport

    def __init__(self, client: AsyncHeartbeatClient) -> None:
        self._client = client
        self._frames = _rules.Frames()
        self._close: Dict[str, Any] = {}
        self._timer: Optional[asyncio.TimerHandle] = None
        self._loop = asyncio.get_running_loop()
        self._first = True
        self.ended: "asyncio.Future[Dict[str, Any]]" = self._loop.create_future()

    def begin(self) -> None:
        self._began = self._loop.time()
        self._beat()

    def beat_now(self) -> None:
        """One heartbeat outside the schedule, for a status that has changed."""
        if not self.ended.done():
            self._send_heartbeat(self._client._declared.at(time.monotonic()))

    def part(self) -> None:
        """The goodbye, and the end of our half."""
        if self._timer is not None:
            self._timer.cancel()
        if not self.ended.done():
            self._send({"status": "close"})
            if self.transport.can_write_eof():
                self.transport.write_eof()
            else:
                self.transport.close()  # TLS: closed when all is written

    def _beat(self) -> None:
        self._send_heartbeat(self._client._declared.at(time.monotonic()))
        interval = self._client._interval
        done = (self._loop.time() - self._began) // interval
        self._timer = self._loop.call_at(self._began + (done + 1) * interval, self._beat)

    def _send_heartbeat(self, declared: Dict[str, str]) -> None:
        # What could not be sent waits in the transport.  Another heartbeat behind it would say nothing new.
        if self.transport.get_write_buffer_size() == 0:
            self._send(declared)

    def _send(self, declared: Dict[str, str]) -> None:
        client = self._client
        ip = client._ip or str((self.transport.get_extra_info("sockname") or ("0.0.0.0",))[0])
        first = client._first_members if self._first else None
        self.transport.write(_rules.heartbeat(ip, os.getpid(), client.id, declared, first))
        self._first = False

    # --- what asyncio calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        made = transport.get_extra_info("socket")
        if made is not None:
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        try:
            bodies = self._frames.feed(data)
        except ValueError:
            return self.transport.abort()  # no server of heartbeats
        for body in bodies:
            read = _rules.parsed(body)
            if _rules.is_close(read):
                self._close = read
            if read and self._client._on_frame is not None:
                self._client._on_frame(read)

    def connection_lost(self, _: Optional[Exception]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if not self.ended.done():
            self.ended.set_result(self._close)


async def _look_up(host: str, port: int) -> "List[Tuple[socket.AddressFamily, Tuple[Any, ...]]]":
    """The host's addresses.

    In a thread that nothing waits for: one of the loop's executor would delay the end of the loop, and of the program,
    until the resolver answers.
    """
    loop = asyncio.get_running_loop()
    found: "asyncio.Future[Any]" = loop.create_future()

    def settle(result: Any) -> None:
        if found.done():
            return
        if isinstance(result, BaseException):
            found.set_exception(result)
        else:
            found.set_result(result)

    def work() -> None:
        try:
            result: Any = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            result = error if isinstance(error, OSError) else OSError(str(error))
        try:
            loop.call_soon_threadsafe(settle, result)
        except RuntimeError:
            pass  # the loop has ended meanwhile

    threading.Thread(target=work, name="heartbeat lookup", daemon=True).start()
    return [(family, address) for family, _, _, _, address in await found]


def _after_fork_in_child() -> None:
    for client in list(_clients):
        client._forget_in_child()
    _forks.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_forks.acquire, after_in_parent=_forks.release, after_in_child=_after_fork_in_child)
