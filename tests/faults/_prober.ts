/**
 * A client that sends what it likes and sees what comes back.
 *
 * @module
 */

import { withTimeout } from "../support/timeout.ts";
import { readUntilClosed, writeAll } from "../support/streams.ts";

/** How a connection ended, seen from the client. */
export interface Ending {
  /** All that came back. */
  readonly bytes: Uint8Array;
  /** Whether a reset ended it. */
  readonly reset: boolean;
}

/** One connection. */
export class Prober implements Disposable {
  /** The client's address, as the peer logs it. */
  readonly name: string;
  /** Whether the peer has ended it. */
  ended = false;
  readonly #conn: Deno.TcpConn;
  readonly #ending: Promise<Ending>;

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
    this.name = `127.0.0.1:${conn.localAddr.port}`;
    this.#ending = readUntilClosed(conn).finally(() => this.ended = true);
    this.#ending.catch(() => {});
  }

  /** Connects, and reads from then on. */
  static async connect(port: number): Promise<Prober> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.setNoDelay(true);
    return new Prober(conn);
  }

  /** Sends pieces, one write each. A peer that has gone is no error. */
  async send(...pieces: readonly Uint8Array[]): Promise<void> {
    try {
      for (const piece of pieces) await writeAll(this.#conn, piece);
    } catch (error) {
      if (!hasGone(error)) throw error;
    }
  }

  /** Sends its end. */
  async finish(): Promise<void> {
    try {
      await this.#conn.closeWrite();
    } catch (error) {
      if (!hasGone(error)) throw error;
    }
  }

  /** Waits for the peer's end. */
  ending(): Promise<Ending> {
    return withTimeout(this.#ending, `the end of ${this.name}`);
  }

  [Symbol.dispose](): void {
    this.#conn.close();
  }
}

/** Connects several clients. */
export async function connectAll(
  port: number,
  count: number,
): Promise<Prober[]> {
  const probers: Prober[] = [];
  for (let i = 0; i < count; i++) probers.push(await Prober.connect(port));
  return probers;
}

function hasGone(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.NotConnected;
}
