// The Node client under conformance.py: HOST PORT ID INTERVAL BASE CAP GATE GROUP [CA|- TOKEN], in milliseconds.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { HeartbeatClient } from "../../../tools/client/node/heartbeat_client.mjs";

const [host, port, id, interval, base, cap, gate, group, ca, token] = process.argv.slice(2);
const client = new HeartbeatClient({
  host, port: Number(port), id, group, interval: Number(interval), base: Number(base), cap: Number(cap),
  gate: Number(gate),
  ...(ca && ca !== "-" ? { tls: { ca: readFileSync(ca) } } : {}), token,
});
createInterface({ input: process.stdin }).on("line", (line) => {
  if (line === "touch") client.touch();
  if (line.startsWith("leave ")) client.leave(line.slice(6));
  if (line === "alive") client.alive();
  if (line === "crash") throw new Error("a crash");
  if (line === "ping") console.log("pong");
});
process.on("SIGTERM", async () => {
  await client.close();
  process.exit(0);
});
