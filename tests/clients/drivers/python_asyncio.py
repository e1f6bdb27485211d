"""The asyncio Python client under conformance.py: HOST PORT ID INTERVAL BASE CAP GATE GROUP [CA|- TOKEN], in milliseconds."""
import asyncio
import os
import signal
import ssl
import sys

from heartbeat_client import AsyncHeartbeatClient

host, port, name, interval, base, cap, gate, group = sys.argv[1:9]
settings = {"group": group, "interval": int(interval) / 1000, "base": int(base) / 1000, "cap": int(cap) / 1000,
            "gate": int(gate) / 1000}
if len(sys.argv) > 9:
    settings["tls"] = None if sys.argv[9] == "-" else ssl.create_default_context(cafile=sys.argv[9])
    settings["token"] = sys.argv[10]


async def main():
    loop = asyncio.get_running_loop()
    orders = asyncio.Queue()
    loop.add_signal_handler(signal.SIGTERM, orders.put_nowait, "end")

    def read_orders():
        text = os.read(0, 4096).decode()
        if not text:
            loop.remove_reader(0)
        for line in text.splitlines():
            orders.put_nowait(line)

    loop.add_reader(0, read_orders)
    async with AsyncHeartbeatClient(host, int(port), name, **settings) as client:
        while (order := await orders.get()) != "end":
            if order == "touch":
                client.touch()
            elif order.startswith("leave "):
                client.leave(order.removeprefix("leave "))
            elif order == "alive":
                client.alive()
            elif order == "crash":
                raise RuntimeError("a crash")
            elif order == "ping":
                print("pong", flush=True)


asyncio.run(main())
