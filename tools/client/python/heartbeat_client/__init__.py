"""A client of heartbeatd, with a thread of its own or on the caller's asyncio loop.

    with HeartbeatClient("heartbeats.example", 14000, "pump-7", gate=30) as client:
        while work():
            client.touch()

The rules that every client of heartbeatd keeps, and why, are in docs/clients.md.
"""
from ._asyncio import AsyncHeartbeatClient
from ._thread import HeartbeatClient

__all__ = ["AsyncHeartbeatClient", "HeartbeatClient"]
