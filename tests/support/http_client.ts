/**
 * An HTTP/1 client over one connection that knows nothing of the product's own
 * codec: it sends what it is told, and reads answers one by one.
 *
 * @module
 */

import { concat } from "./bytes.ts";
import { writeAll } from "./streams.ts";

/** An answer. */
export interface HttpAnswer {
  /** The first line. */
  readonly line: string;
  /** The status. */
  readonly status: number;
  /** The fields. */
  readonly headers: Headers;
  /** The body, without its framing. */
  readonly body: string;
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** One connection to a proxy or an origin on 127.0.0.1. */
export class HttpConn implements Disposable {
  /** The connection. */
  readonly conn: Deno.TcpConn;
  #rest: Uint8Array<ArrayBuffer> = new Uint8Array(0);

  /** @param conn Owned from now on. */
  constructor(conn: Deno.TcpConn) {
    this.conn = conn;
  }

  /**
   * Connects.
   *
   * @param port Where to.
   * @returns The connection.
   */
  static async open(port: number): Promise<HttpConn> {
    return new HttpConn(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /** The port that the other end sees. */
  get localPort(): number {
    return this.conn.localAddr.port;
  }

  /**
   * Sends text as it is.
   *
   * @param text The text.
   */
  async send(text: string): Promise<void> {
    await writeAll(this.conn, encoder.encode(text));
  }

  /**
   * Sends a head.
   *
   * @param lines Its lines.
   */
  async sendHead(...lines: readonly string[]): Promise<void> {
    await this.send(`${lines.join("\r\n")}\r\n\r\n`);
  }

  /**
   * Reads an answer.
   *
   * @param options `isBodiless`: whatever the head says, no body follows.
   * @returns The answer.
   * @throws {Error} If the connection ends before.
   */
  async answer(
    options: { readonly isBodiless?: boolean } = {},
  ): Promise<HttpAnswer> {
    const [line, ...fields] = (await this.#until("\r\n\r\n")).split("\r\n");
    const headers = new Headers();
    for (const field of fields) {
      const colon = field.indexOf(":");
      headers.append(field.slice(0, colon), field.slice(colon + 1).trim());
    }
    const status = Number(line!.split(" ")[1]);
    const hasBody = options.isBodiless !== true && status >= 200 &&
      status !== 204 && status !== 304;
    const body = hasBody ? await this.#body(headers) : "";
    return { line: line!, status, headers, body };
  }

  /**
   * Reads an exact number of bytes.
   *
   * @param length How many.
   * @returns The text.
   * @throws {Error} If the connection ends before.
   */
  async read(length: number): Promise<string> {
    while (this.#rest.length < length) {
      if (!await this.#more()) throw new Error("Cannot read: the end");
    }
    return this.#take(length);
  }

  /**
   * Reads to the end.
   *
   * @returns The text.
   */
  async readToEnd(): Promise<string> {
    while (await this.#more());
    return this.#take(this.#rest.length);
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    this.conn.close();
  }

  async #body(headers: Headers): Promise<string> {
    if (headers.get("transfer-encoding") === "chunked") {
      let body = "";
      for (;;) {
        const size = parseInt(await this.#until("\r\n"), 16);
        body += await this.read(size);
        await this.#until("\r\n");
        if (size === 0) return body;
      }
    }
    const length = headers.get("content-length");
    return length === null
      ? await this.readToEnd()
      : await this.read(Number(length));
  }

  async #until(mark: string): Promise<string> {
    for (;;) {
      const at = decoder.decode(this.#rest).indexOf(mark);
      if (at >= 0) return this.#take(at + mark.length).slice(0, -mark.length);
      if (!await this.#more()) {
        throw new Error(
          `Cannot read a line: the end after ${decoder.decode(this.#rest)}`,
        );
      }
    }
  }

  #take(length: number): string {
    const text = decoder.decode(this.#rest.subarray(0, length));
    this.#rest = this.#rest.slice(length);
    return text;
  }

  async #more(): Promise<boolean> {
    const buffer = new Uint8Array(16 * 1024);
    const count = await this.conn.read(buffer);
    if (count === null) return false;
    this.#rest = concat(this.#rest, buffer.subarray(0, count));
    return true;
  }
}
