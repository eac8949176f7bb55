/**
 * A target that keeps what every connection has brought.
 *
 * @module
 */

import type { Target } from "../support/socks5_client.ts";
import { withTimeout } from "../support/timeout.ts";
import { concat } from "../support/bytes.ts";
import { writeAll } from "../support/streams.ts";

/** Reads to the end of every connection, and sends it all back then. */
export class Collector implements AsyncDisposable, Target {
  /** Where it listens. */
  readonly hostname: string = "127.0.0.1";
  /** Where it listens. */
  readonly port: number;
  /** How many connections it has accepted. */
  accepted = 0;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #accepting: Promise<void>;
  readonly #connections: Promise<Uint8Array>[] = [];
  readonly #first = Promise.withResolvers<void>();
  readonly #finished: Uint8Array[] = [];
  readonly #waiting: ((got: Uint8Array) => void)[] = [];

  constructor() {
    this.port = this.#listener.addr.port;
    this.#accepting = this.#accept();
  }

  /** Settles when the first bytes have come. */
  first(): Promise<void> {
    return this.#first.promise;
  }

  /** What the next connection that ends has brought. */
  next(): Promise<Uint8Array> {
    const known = this.#finished.shift();
    if (known !== undefined) return Promise.resolve(known);
    const { promise, resolve } = Promise.withResolvers<Uint8Array>();
    this.#waiting.push(resolve);
    return withTimeout(promise, "a connection of the target to end");
  }

  /** What every connection has brought, once all have ended. */
  all(): Promise<Uint8Array[]> {
    // Whoever connects is served in turn: all before it are known then.
    const barrier = Deno.connect({ hostname: this.hostname, port: this.port });
    return withTimeout(
      barrier.then(async (conn) => {
        await conn.closeWrite();
        await conn.read(new Uint8Array(1));
        conn.close();
        return await Promise.all(this.#connections);
      }),
      "all connections of the target to end",
    );
  }

  /** Closes the listener, and waits until every connection has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    await withTimeout(Promise.all(this.#connections), "the target's clients");
  }

  async #accept(): Promise<void> {
    for (;;) {
      try {
        const conn = await this.#listener.accept();
        this.accepted++;
        this.#serve(conn);
      } catch (error) {
        if (error instanceof Deno.errors.BadResource) return;
        // It was reset before it was accepted.
        if (!(error instanceof Deno.errors.NotConnected)) throw error;
      }
    }
  }

  async #serve(conn: Deno.TcpConn): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<Uint8Array>();
    this.#connections.push(promise);
    const parts: Uint8Array[] = [];
    try {
      const buffer = new Uint8Array(16 * 1024);
      for (;;) {
        const count = await conn.read(buffer);
        if (count === null) break;
        parts.push(buffer.slice(0, count));
        this.#first.resolve();
      }
      await writeAll(conn, concat(...parts));
      await conn.closeWrite();
    } catch {
      // Reset by the peer: what has come counts.
    }
    conn.close();
    const got = concat(...parts);
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) waiting(got);
    else this.#finished.push(got);
    resolve(got);
  }
}
