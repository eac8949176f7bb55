/**
 * TCP targets behind the proxies under test, each a listener on 127.0.0.1.
 *
 * @module
 */

import type { Target } from "./socks5_client.ts";
import { sha256 } from "./bytes.ts";
import { readToEnd, writeAll } from "./streams.ts";

/** Talks to one client; the connection is closed afterwards. */
export type Conversation = (conn: Deno.TcpConn) => Promise<void>;

/** A TCP server; disposing of it closes all its connections. */
export class TcpTarget implements AsyncDisposable, Target {
  /** Where it listens. */
  readonly hostname: string = "127.0.0.1";
  /** Where it listens. */
  readonly port: number;
  readonly #listener: Deno.TcpListener;
  readonly #conversation: Conversation;
  readonly #open = new Set<Deno.TcpConn>();
  readonly #accepting: Promise<void>;
  #accepted = 0;

  /** @param conversation What it does with every client. */
  constructor(conversation: Conversation) {
    this.#conversation = conversation;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = this.#listener.addr.port;
    this.#accepting = this.#accept();
  }

  /** How many connections it has accepted. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Closes the listener and all connections, and waits for their ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#open) conn.close();
    this.#open.clear();
    await this.#accepting;
  }

  async #accept(): Promise<void> {
    const conversations: Promise<void>[] = [];
    for (;;) {
      let conn: Deno.TcpConn;
      try {
        conn = await this.#listener.accept();
      } catch (error) {
        // The client was gone before it was accepted.
        if (error instanceof Deno.errors.NotConnected) continue;
        if (error instanceof Deno.errors.BadResource) break;
        throw error;
      }
      this.#accepted++;
      this.#open.add(conn);
      conversations.push(this.#serve(conn));
    }
    await Promise.all(conversations);
  }

  async #serve(conn: Deno.TcpConn): Promise<void> {
    try {
      await this.#conversation(conn);
    } catch (error) {
      if (!isClosing(error)) throw error;
    } finally {
      if (this.#open.delete(conn)) conn.close();
    }
  }
}

/** Whether an error only says that one of the connection's two ends is gone. */
function isClosing(error: unknown): boolean {
  return error instanceof Deno.errors.BadResource ||
    error instanceof Deno.errors.Interrupted ||
    error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.BrokenPipe;
}

/**
 * Sends back what it gets until the client's end.
 *
 * @returns The running target.
 */
export function echoTarget(): TcpTarget {
  return new TcpTarget(async (conn) => {
    const buffer = new Uint8Array(64 * 1024);
    for (;;) {
      const count = await conn.read(buffer);
      if (count === null) break;
      await writeAll(conn, buffer.subarray(0, count));
    }
    await conn.closeWrite();
  });
}

/**
 * Reads to the client's end and only then answers: with the checksum of what
 * it got, in hexadecimal.
 *
 * @returns The running target.
 */
export function sinkTarget(): TcpTarget {
  return new TcpTarget(async (conn) => {
    const sum = await sha256(await readToEnd(conn));
    await writeAll(conn, new TextEncoder().encode(sum));
    await conn.closeWrite();
  });
}

/**
 * Sends its content at once and then its end, before the client's end.
 *
 * @param content What every client gets.
 * @returns The running target; `received` gets what clients send afterwards.
 */
export function sourceTarget(
  content: Uint8Array,
): TcpTarget & { readonly received: Promise<Uint8Array<ArrayBuffer>> } {
  const { promise, resolve } = Promise.withResolvers<Uint8Array<ArrayBuffer>>();
  const target = new TcpTarget(async (conn) => {
    await writeAll(conn, content);
    await conn.closeWrite();
    resolve(await readToEnd(conn));
  });
  return Object.assign(target, { received: promise });
}

/**
 * Greets first, as mail servers do, then echoes.
 *
 * @param greeting What it says.
 * @returns The running target.
 */
export function greetingTarget(greeting: Uint8Array): TcpTarget {
  return new TcpTarget(async (conn) => {
    await writeAll(conn, greeting);
    const buffer = new Uint8Array(16 * 1024);
    for (;;) {
      const count = await conn.read(buffer);
      if (count === null) break;
      await writeAll(conn, buffer.subarray(0, count));
    }
  });
}
