// A client of heartbeatd for Node: one file, no dependencies.
//
//   const client = new HeartbeatClient({ host: "heartbeats.example", id: "pump-7", gate: 30_000 });
//   client.touch();          // from the work itself
//   await client.close();    // says goodbye
//
// All times are in milliseconds.  The client keeps no program alive: a program that has nothing else to do ends, and
// says goodbye.  The rules that every client of heartbeatd keeps, and why, are in docs/clients.md.
import { randomInt } from "node:crypto";
import net, { isIP } from "node:net";
import tls from "node:tls";

const FRAME_MAX = 4096;
const PARTING = 1000; // how long an end waits until the daemon has read the goodbye
const DAY = 24 * 60 * 60 * 1000;
// The reasons for a close after which the pause is from half the cap to the cap at once.
const BARRED = new Set(["superseded", "kicked", "unauthorized", "crash"]);

/** @typedef {import("./heartbeat_client.d.mts").HeartbeatOptions} HeartbeatOptions */

export class HeartbeatClient {
  #options;
  #socket = null; // connecting or connected
  #connectedAt = null; // of the connection that stands, else null
  #input = Buffer.alloc(0);
  #first = true; // nothing has been sent on this connection
  #timer = null; // the next attempt, the end of an attempt, or the next heartbeat
  #failures = 0;
  #notice = {}; // with which the daemon closes
  #touched = performance.now();
  #declared = { status: "alive" };
  #ending = false;
  #atExit = () => void this.close();

  /** @param {HeartbeatOptions} options */
  constructor(options = {}) {
    this.#options = {
      host: "127.0.0.1", port: 14000, interval: 10_000, base: 1000, cap: 60_000, gate: 0, connectTimeout: 10_000,
      ...options,
    };
    const { id, group, interval, base, cap, gate, connectTimeout } = this.#options;
    if (id !== undefined) checkId(id);
    if (group !== undefined) checkText("group", group, 64);
    if (!(interval > 0 && base > 0 && cap > 0 && connectTimeout > 0 && gate >= 0)) {
      throw new RangeError("interval, base, cap and connectTimeout must be above 0, and gate not below");
    }
    process.once("beforeExit", this.#atExit); // not emitted after an uncaught error: a crash says no goodbye
    this.#connect();
  }

  /** Says that the work goes on. */
  touch() {
    this.#touched = performance.now();
  }

  /** Declares leave from now on, until alive(). */
  leave(note = "") {
    if (note !== "") checkText("note", note, 128);
    this.#declare(note === "" ? { status: "leave" } : { status: "leave", note });
  }

  /** Takes leave() back. */
  alive() {
    this.#declare({ status: "alive" });
  }

  get connected() {
    return this.#connectedAt !== null;
  }

  /** Says goodbye where there is a connection, and ends; takes at most a second. */
  async close() {
    const socket = this.#socket;
    if (this.connected && !this.#ending) {
      this.#ending = true;
      clearTimeout(this.#timer);
      this.#send({ status: "close" });
      socket.ref();
      await new Promise((resolve) => {
        this.#timer = setTimeout(resolve, PARTING);
        socket.once("close", resolve);
        socket.end();
      });
    }
    this.abandon();
  }

  /** Ends without a goodbye: the daemon sees that the connection is gone. */
  abandon() {
    this.#ending = true;
    this.#connectedAt = null;
    clearTimeout(this.#timer);
    process.off("beforeExit", this.#atExit);
    this.#socket?.destroy();
  }

  // --- the connection -------------------------------------------------------------------------------------------

  #connect() {
    const { host, port, connectTimeout } = this.#options;
    const address = { host, port, noDelay: true };
    const secure = this.#options.tls;
    const socket = secure
      ? tls.connect({ ...address, servername: net.isIP(host) ? undefined : host, ...(secure === true ? {} : secure) })
      : net.connect(address);
    this.#socket = socket;
    this.#input = Buffer.alloc(0);
    this.#first = true;
    this.#notice = {};
    socket.unref();
    socket.on("error", () => {}); // "close" follows, and says all
    socket.on("data", (bytes) => this.#receive(bytes));
    socket.on("close", () => this.#lose());
    socket.once(secure ? "secureConnect" : "connect", () => {
      this.#connectedAt = performance.now();
      this.#beat();
    });
    this.#wait(connectTimeout, () => socket.destroy());
  }

  #lose() {
    if (this.#ending) return;
    const { interval, base, cap } = this.#options;
    const barred = BARRED.has(this.#notice.reason);
    if (this.connected && performance.now() - this.#connectedAt >= interval) this.#failures = 0;
    this.#connectedAt = null;
    const longest = barred ? cap : Math.min(cap, base * 2 ** this.#failures);
    // At the cap half of it is waited for in any case: two programs with one id take over once a cap each at most.
    const least = barred || (this.#failures > 0 && longest === cap) ? cap / 2 : 0;
    let pause = least + draw(longest - least);
    this.#failures = barred ? 64 : Math.min(64, this.#failures + 1);
    const asked = this.#notice.retry_after_ms;
    if (Number.isInteger(asked) && asked > 0) pause += Math.min(asked, DAY);
    this.#wait(pause, () => this.#connect());
  }

  #beat() {
    this.#sendHeartbeat();
    const { interval } = this.#options;
    const spent = performance.now() - this.#connectedAt;
    this.#wait(interval - (spent % interval), () => this.#beat());
  }

  #sendHeartbeat() {
    // What could not be sent waits in the socket.  Another heartbeat behind it would say nothing new.
    if (this.#socket.writableLength > 0) return;
    const silent = performance.now() - this.#touched;
    const hangs = this.#declared.status === "alive" && this.#options.gate > 0 && silent > this.#options.gate;
    this.#send(hangs ? { status: "leave", note: `no sign of work for ${Math.round(silent / 1000)} s` } : this.#declared);
  }

  #send({ status, note }) {
    const { id, ip, group, interval, token } = this.#options;
    const members = { ip: ip ?? this.#socket.localAddress ?? "0.0.0.0", status, pid: process.pid, id, note };
    if (this.#first) Object.assign(members, { group, interval_ms: Math.max(1, Math.round(interval)), notify: true, token });
    this.#first = false;
    this.#socket.write(frame(JSON.stringify(members)));
  }

  #declare(declared) {
    this.#declared = declared;
    if (this.connected && !this.#ending) this.#sendHeartbeat();
  }

  #receive(bytes) {
    this.#input = this.#input.length > 0 ? Buffer.concat([this.#input, bytes]) : bytes;
    while (this.#input.length >= 4) {
      const size = this.#input.readInt32BE(0);
      if (size < 1 || size > FRAME_MAX) return void this.#socket.destroy(); // no server of heartbeats
      if (this.#input.length < 4 + size) return;
      const read = parsed(this.#input.subarray(4, 4 + size));
      this.#input = this.#input.subarray(4 + size);
      if (read === null) continue;
      if (read.type === "status" && read.status === "close") this.#notice = read;
      this.#options.onFrame?.(read);
    }
  }

  /** One timer at a time, which keeps no program alive. */
  #wait(milliseconds, then) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(then, milliseconds).unref();
  }
}

/** The frame of a body. */
export function frame(body) {
  const bytes = Buffer.from(body);
  const framed = Buffer.alloc(4 + bytes.length);
  framed.writeInt32BE(bytes.length, 0);
  bytes.copy(framed, 4);
  return framed;
}

/** The object of a body, or null: a client ignores what it cannot read. */
function parsed(body) {
  try {
    const read = JSON.parse(body.toString());
    return typeof read === "object" && !Array.isArray(read) ? read : null;
  } catch {
    return null;
  }
}

/** From 0 to most, and not the same in two processes that started together. */
function draw(most) {
  return (most * randomInt(2 ** 32)) / 2 ** 32;
}

function checkId(id) {
  checkText("id", id, 128);
  const host = id.replace(/^\[(.*)\](:\d+)?$/, "$1").replace(/^([^:]*):\d+$/, "$1");
  if (isIP(host)) throw new RangeError(`id must not read as an address: ${id}`);
}

function checkText(name, text, most) {
  if (typeof text !== "string" || /^$|[\p{C}\p{Zl}\p{Zp}]/u.test(text) || Buffer.byteLength(text) > most) {
    throw new RangeError(`${name} must be printable text of 1 to ${most} bytes`);
  }
}
