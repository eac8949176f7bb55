/**
 * An HTTP server behind the proxies under test.
 *
 * @module
 */

import type { Target } from "./socks5_client.ts";

/** What it has been asked. */
export interface OriginRequest {
  /** The method. */
  readonly method: string;
  /** The path. */
  readonly path: string;
  /** The fields. */
  readonly headers: Headers;
  /** The body. */
  readonly body: string;
  /** The port that the request came from. */
  readonly source: number;
}

/** Answers every request with its name, the method, the path and the body. */
export class HttpOrigin implements AsyncDisposable, Target {
  /** Where it listens. */
  readonly hostname: string = "127.0.0.1";
  /** What it has been asked. */
  readonly requests: OriginRequest[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  /** @param name Its name, the beginning of every answer. */
  constructor(name: string = "origin") {
    this.#server = Deno.serve({
      hostname: "127.0.0.1",
      port: 0,
      onListen: () => {},
    }, async (request, { remoteAddr }) => {
      const { method, headers } = request;
      const { pathname: path, search } = new URL(request.url);
      const body = await request.text();
      const source = remoteAddr.port;
      this.requests.push({
        method,
        path: path + search,
        headers,
        body,
        source,
      });
      return new Response(`${name} ${method} ${path}${search} ${body}`);
    });
  }

  /** Where it listens. */
  get port(): number {
    return this.#server.addr.port;
  }

  /** Its beginning of a URL. */
  get url(): string {
    return `http://${this.hostname}:${this.port}`;
  }

  /** `host:port`. */
  get authority(): string {
    return `${this.hostname}:${this.port}`;
  }

  /** Closes the listener and every connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}
