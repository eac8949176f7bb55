/**
 * A client of a manager: sends requests, takes answers and what is pushed.
 *
 * @module
 */

import { withTimeout } from "./timeout.ts";

/** A manager's address: a UDP port of 127.0.0.1, or the path of a socket. */
export type ManagerPlace = number | string;

/** One datagram socket that talks to a manager. */
export class ManagerClient implements Disposable {
  readonly #socket: Deno.DatagramConn;
  readonly #manager: Deno.Addr;
  readonly #path: string | undefined;

  /**
   * Binds.
   *
   * @param manager Where the manager listens.
   * @param path Where this socket is, if it is a unix one.
   */
  constructor(manager: ManagerPlace, path = `${manager}.client`) {
    if (typeof manager === "string") {
      this.#path = path;
      this.#socket = Deno.listenDatagram({ transport: "unixpacket", path });
      this.#manager = { transport: "unixpacket", path: manager };
    } else {
      this.#socket = Deno.listenDatagram({
        transport: "udp",
        hostname: "127.0.0.1",
        port: 0,
      });
      this.#manager = {
        transport: "udp",
        hostname: "127.0.0.1",
        port: manager,
      };
    }
  }

  /**
   * Sends a request.
   *
   * @param request Its text or its bytes.
   */
  async send(request: string | Uint8Array): Promise<void> {
    const data = typeof request === "string"
      ? new TextEncoder().encode(request)
      : request;
    await this.#socket.send(data, this.#manager);
  }

  /**
   * Takes the next datagram.
   *
   * @returns Its text.
   */
  async receive(): Promise<string> {
    const [data] = await withTimeout(
      this.#socket.receive(new Uint8Array(65_536)),
      "a datagram of the manager",
    );
    return new TextDecoder().decode(data);
  }

  /**
   * Sends a request and takes the next datagram.
   *
   * @param request The request.
   * @returns The answer.
   */
  async ask(request: string | Uint8Array): Promise<string> {
    await this.send(request);
    return await this.receive();
  }

  /** Closes the socket and removes its file. */
  [Symbol.dispose](): void {
    this.#socket.close();
    if (this.#path !== undefined) Deno.removeSync(this.#path);
  }
}

/**
 * Reads a `stat:` of a manager.
 *
 * @param text The datagram.
 * @returns Bytes by port.
 * @throws {Error} If it is none.
 */
export function parseStat(text: string): Readonly<Record<string, number>> {
  const json = /^stat: (\{.*\})$/.exec(text)?.[1];
  if (json === undefined) throw new Error(`Cannot read "${text}" as a stat`);
  return JSON.parse(json) as Record<string, number>;
}
