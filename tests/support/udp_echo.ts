/**
 * A UDP target behind the proxies under test.
 *
 * @module
 */

import type { Target } from "./socks5_client.ts";

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
    this.#serving = this.#serve();
  }

  /** How many datagrams came. */
  get received(): number {
    return this.#received;
  }

  /** The ports they came from. */
  get sources(): ReadonlySet<number> {
    return this.#sources;
  }

  /** Closes its socket. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await this.#serving;
  }

  async #serve(): Promise<void> {
    for await (const [payload, from] of this.#socket) {
      this.#received++;
      this.#sources.add((from as Deno.NetAddr).port);
      await this.#socket.send(payload, from);
    }
  }
}
