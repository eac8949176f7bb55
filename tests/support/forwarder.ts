/**
 * A man in the middle of TCP connections: records, delays, or cuts them.
 *
 * @module
 */

import { concat } from "./bytes.ts";
import { writeAll } from "./streams.ts";

/** Passes connections on to a port of this machine. */
export class Forwarder implements AsyncDisposable {
  /** Milliseconds that each piece of the answers waits. */
  delay = 0;
  readonly #listener: Deno.TcpListener;
  readonly #port: number;
  readonly #open = new Set<Deno.TcpConn>();
  readonly #accepting: Promise<void>;
  readonly #sent = new Map<Deno.TcpConn, Uint8Array[]>();
  #accepted = 0;

  /** @param port Where connections are passed on to. */
  constructor(port: number) {
    this.#port = port;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#accepting = this.#accept();
  }

  /** Where it listens. */
  get port(): number {
    return this.#listener.addr.port;
  }

  /** How many connections it has accepted. */
  get accepted(): number {
    return this.#accepted;
  }

  /** What each connection has sent since the last call, the oldest first. */
  takeSent(): Uint8Array[] {
    const sent = [...this.#sent.values()].map((pieces) => concat(...pieces));
    this.#sent.clear();
    return sent;
  }

  /** Closes the listener and all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#open) this.#close(conn);
    await this.#accepting;
  }

  async #accept(): Promise<void> {
    const connections: Promise<void>[] = [];
    for await (const client of this.#listener) {
      this.#accepted++;
      this.#open.add(client);
      connections.push(this.#serve(client));
    }
    await Promise.all(connections);
  }

  async #serve(client: Deno.TcpConn): Promise<void> {
    try {
      const server = await Deno.connect({
        hostname: "127.0.0.1",
        port: this.#port,
      });
      this.#open.add(server);
      const up = this.#pass(client, server, (piece) => {
        const pieces = this.#sent.get(client);
        if (pieces === undefined) this.#sent.set(client, [piece]);
        else pieces.push(piece);
        return undefined;
      });
      await Promise.all([up, this.#pass(server, client, () => this.#pause())]);
      this.#close(server);
    } catch {
      // Nobody listens there.
    }
    this.#close(client);
  }

  /** Passes one direction on until its end; an error ends both. */
  async #pass(
    from: Deno.TcpConn,
    to: Deno.TcpConn,
    onPiece: (piece: Uint8Array) => Promise<void> | undefined,
  ): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    try {
      for (;;) {
        const count = await from.read(buffer);
        if (count === null) break;
        const piece = buffer.slice(0, count);
        await onPiece(piece);
        await writeAll(to, piece);
      }
      await to.closeWrite();
    } catch {
      this.#close(from);
      this.#close(to);
    }
  }

  #close(conn: Deno.TcpConn): void {
    if (this.#open.delete(conn)) conn.close();
  }

  #pause(): Promise<void> | undefined {
    const { delay } = this;
    if (delay === 0) return undefined;
    return new Promise((resolve) => setTimeout(resolve, delay));
  }
}
