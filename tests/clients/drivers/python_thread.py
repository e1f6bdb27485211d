"""The threaded Python client under conformance.py: HOST PORT ID INTERVAL BASE CAP GATE GROUP [CA|- TOKEN], in milliseconds."""
import os
import queue
import signal
import ssl
import sys
import threading

from heartbeat_client import HeartbeatClient

host, port, name, interval, base, cap, gate, group = sys.argv[1:9]
settings = {"group": group, "interval": int(interval) / 1000, "base": int(base) / 1000, "cap": int(cap) / 1000,
            "gate": int(gate) / 1000}
if len(sys.argv) > 9:
    settings["tls"] = None if sys.argv[9] == "-" else ssl.create_default_context(cafile=sys.argv[9])
    settings["token"] = sys.argv[10]


orders = queue.Queue()
signal.signal(signal.SIGTERM, lambda *_: orders.put("end"))


def read_orders():
    while text := os.read(0, 4096).decode():
        for line in text.splitlines():
            orders.put(line)


with HeartbeatClient(host, int(port), name, **settings) as client:
    threading.Thread(target=read_orders, daemon=True).start()
    while (order := orders.get()) != "end":
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
