/**
 * Servers of datagrams: what answers each, and a target behind the proxies
 * under test.
 *
 * @module
 */

import type { Target } from "./socks5_client.ts";

/**
 * Answers datagrams until their socket is closed, which may be in the middle
 * of an answer.
 *
 * @param socket Closed by the caller.
 * @param answer Gives what is sent back.
 * @returns Settles when the socket is closed.
 */
export async function serveDatagrams(
  socket: Deno.DatagramConn,
  answer: (datagram: Uint8Array<ArrayBuffer>, from: Deno.Addr) => Uint8Array,
): Promise<void> {
  try {
    for await (const [datagram, from] of socket) {
      await socket.send(answer(datagram, from), from);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

/** Sends every datagram back to where it came from. */
export class UdpEcho implements AsyncDisposable, Target {
  /** Where it listens. */
  readonly hostname: string = "127.0.0.1";
  /** Where it listens. */
  readonly port: number;
  readonly #socket: Deno.DatagramConn;
  readonly #serving: Promise<void>;
  readonly #sources = new Set<number>();
  #received = 0;

  /** Starts it on a port of the system's choice. */
  constructor() {
    this.#socket = Deno.listenDatagram({
      transport: "udp",
      hostname: "127.0.0.1",
      port: 0,
    });
    this.port = (this.#socket.addr as Deno.NetAddr).port;
    this.#serving = serveDatagrams(this.#socket, (payload, from) => {
      this.#received++;
      this.#sources.add((from as Deno.NetAddr).port);
      return payload;
    });
  }

  /** How many datagrams came. */
  get received(): number {
    return this.#received;
  }

  /** The ports that datagrams came from. */
  get sources(): ReadonlySet<number> {
    return this.#sources;
  }

  /** Closes its socket. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await this.#serving;
  }
}
