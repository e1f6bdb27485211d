import type { ConnectionOptions } from "node:tls";

/** All times are in milliseconds. */
export interface HeartbeatOptions {
  /** A name or an address ["127.0.0.1"]. */
  host?: string;
  /** [14000] */
  port?: number;
  /** The client's stable name: printable text of 1 to 128 bytes that does not read as an address. */
  id?: string;
  /** The group that the client says it is of: printable text of 1 to 64 bytes. */
  group?: string;
  /** Declared, and between two heartbeats [10000]. */
  interval?: number;
  /** Leave is declared when the last touch() is older; 0 for no gate [0]. */
  gate?: number;
  /** The first pause before connecting again is at most this [1000]. */
  base?: number;
  /** Any pause is at most this [60000]. */
  cap?: number;
  /** An attempt to connect, with lookup and TLS, may take this [10000]. */
  connectTimeout?: number;
  /** The address to claim [our end of the connection]. */
  ip?: string;
  /** Sent in the first heartbeat of each connection. */
  token?: string;
  /** TLS: true, or options of tls.connect() such as `ca`. */
  tls?: boolean | ConnectionOptions;
  /** Called with each frame of the daemon that is an object. */
  onFrame?: (frame: Record<string, unknown>) => void;
}

export class HeartbeatClient {
  constructor(options?: HeartbeatOptions);
  /** Says that the work goes on. */
  touch(): void;
  /** Declares leave from now on, until alive(). The note is printable text of at most 128 bytes. */
  leave(note?: string): void;
  /** Takes leave() back. */
  alive(): void;
  readonly connected: boolean;
  /** Says goodbye where there is a connection, and ends; takes at most a second. */
  close(): Promise<void>;
  /** Ends without a goodbye: the daemon sees that the connection is gone. */
  abandon(): void;
}

/** The frame of a body. */
export function frame(body: string): Buffer;
