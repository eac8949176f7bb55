/**
 * Probes by HTTP: asks for a page through a server. Only a server that we can
 * connect to, that has our key, and that reaches the page itself gives an
 * answer.
 *
 * ```text
 * outbound.open → Opener (connect, proxies) → GET → status line
 * ```
 *
 * @module
 */

import { SocketAddress } from "../../loop/mod.ts";
import {
  type Outbound,
  type Session,
  Sessions,
  Target,
} from "../../relay/mod.ts";
import {
  HttpProbe,
  type HttpProbeContext,
  ProbeBuffers,
} from "./_http_probe.ts";
import {
  PROBE_TIMEOUT,
  type ProbeOptions,
  type Prober,
  type ProbeResult,
} from "./prober.ts";

export type { HttpProbeContext };

/** The port of `http:`. */
const HTTP_PORT = 80;

/** The head of a session that nobody but a prober has asked for. */
const LISTENER = { protocol: "probe", port: 0 } as const;
const NOBODY: SocketAddress = SocketAddress.parse("0.0.0.0", 0);

/** Asks for pages. */
export class HttpProber implements Prober {
  readonly #context: HttpProbeContext;
  /** Observers do not hear of probes. */
  readonly #sessions = new Sessions();
  /** Made at the first probe. */
  #buffers: ProbeBuffers | undefined;

  /**
   * Makes a prober.
   *
   * @param context What its probes work with.
   */
  constructor(context: HttpProbeContext) {
    this.#context = context;
  }

  /** Sends one probe. Any answer with a status of 200 to 399 is good. */
  probe(
    outbound: Outbound,
    options: ProbeOptions,
    done: (result: ProbeResult) => void,
  ): () => void {
    const request = requestOf(options.url);
    if (request === undefined) {
      done({ ok: false, code: "bad-url" });
      return () => {};
    }
    const { loop } = this.#context;
    const session: Session = this.#sessions.open({
      listener: LISTENER,
      network: "tcp",
      client: NOBODY,
    }, loop.time() * 1000);
    session.target = request.target;
    session.outbound = outbound.name;
    const probe = new HttpProbe(this.#context, {
      buffers: this.#buffers ??= new ProbeBuffers(),
      request: request.bytes,
      done: (result) => {
        session.end(result.ok ? "ok" : "server_failed", loop.time() * 1000);
        done(result);
      },
    });
    probe.start(
      () => outbound.open(request.target, session),
      options.timeout ?? PROBE_TIMEOUT,
    );
    return () => {
      probe.cancel();
      session.end("shutdown", loop.time() * 1000);
    };
  }
}

/** What is sent to whom for a URL; undefined: it is not an `http:` URL. */
function requestOf(
  text: string,
): { readonly target: Target; readonly bytes: Uint8Array } | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.protocol !== "http:" || url.hostname === "") return undefined;
  const head = [
    `GET ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    "Connection: close",
    "",
    "",
  ].join("\r\n");
  return {
    target: Target.of(
      url.hostname.replace(/^\[|\]$/g, ""),
      url.port === "" ? HTTP_PORT : Number(url.port),
    ),
    bytes: new TextEncoder().encode(head),
  };
}
