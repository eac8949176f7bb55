/**
 * The target of the demo: an echo over TCP and UDP, and a page for `curl`.
 *
 * @module
 */

import {
  type DatagramSocket,
  type EventLoop,
  POLL_IN,
  SocketAddress,
} from "../loop/mod.ts";

const PAGE = "It works: this page came through shadowsocks.\n";
const LOOPBACK = "127.0.0.1";
const MAX_DATAGRAM = 65_536;

/** An echo service on loopback. */
export class DemoTarget implements Disposable {
  readonly #listener: Deno.TcpListener;
  readonly #datagrams: DatagramSocket;
  readonly #loop: EventLoop;
  readonly #connections = new Set<Deno.TcpConn>();

  /**
   * Listens, and begins to serve.
   *
   * @param loop Carries the UDP side.
   */
  constructor(loop: EventLoop) {
    this.#loop = loop;
    this.#listener = Deno.listen({ hostname: LOOPBACK, port: 0 });
    this.#datagrams = loop.poller.bindUdp(
      SocketAddress.parse(LOOPBACK, this.port),
    );
    const buffer = new Uint8Array(MAX_DATAGRAM);
    loop.add(this.#datagrams, POLL_IN, {
      handleEvent: () => {
        const length = this.#datagrams.recvFrom(buffer);
        if (length < 0) return;
        const { sender } = this.#datagrams;
        this.#datagrams.sendTo(buffer.subarray(0, length), sender);
      },
    });
    this.#acceptAll();
  }

  /** Where it is. */
  get port(): number {
    return this.#listener.addr.port;
  }

  /** Closes everything. */
  [Symbol.dispose](): void {
    this.#listener.close();
    for (const connection of this.#connections) connection.close();
    this.#connections.clear();
    this.#loop.remove(this.#datagrams);
    this.#datagrams.close();
  }

  async #acceptAll(): Promise<void> {
    try {
      for (;;) {
        const connection = await this.#listener.accept();
        this.#connections.add(connection);
        this.#serve(connection).catch(() => {}).finally(() => {
          if (this.#connections.delete(connection)) connection.close();
        });
      }
    } catch {
      // The listener was closed.
    }
  }

  async #serve(connection: Deno.TcpConn): Promise<void> {
    const buffer = new Uint8Array(128 * 1024);
    let first = true;
    for (;;) {
      const count = await connection.read(buffer);
      if (count === null) return;
      const data = buffer.subarray(0, count);
      if (first && new TextDecoder().decode(data).startsWith("GET ")) {
        await writeAll(connection, new TextEncoder().encode(page()));
        return;
      }
      first = false;
      await writeAll(connection, data);
    }
  }
}

/**
 * Writes all bytes.
 *
 * @param connection Where to.
 * @param data The bytes.
 */
export async function writeAll(
  connection: Deno.TcpConn,
  data: Uint8Array,
): Promise<void> {
  let sent = 0;
  while (sent < data.length) {
    sent += await connection.write(data.subarray(sent));
  }
}

function page(): string {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n" +
    `Content-Length: ${PAGE.length}\r\nConnection: close\r\n\r\n${PAGE}`;
}
