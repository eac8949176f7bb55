/**
 * The HTTP proxy for clients (RFC 9110, RFC 9112): CONNECT, and fetching of
 * `http://` for others, over one connection of the client for several targets.
 *
 * ```text
 * receive   a head: target, and the head as the origin gets it
 * codec     bodies, answers, and further heads for the same target; none
 *           after CONNECT
 * finished  the next head is for another target, or is refused, or the origin
 *           takes no more: a new session, and receive again; or the end, if
 *           the client's connection closes
 * ```
 *
 * The request is passed on without `Via` and `Forwarded`: origins are not told
 * that there is a proxy, nor for whom.
 *
 * @module
 */

import {
  BodyFollower,
  ByteWriter,
  CONNECTED_REPLY,
  parseBasic,
  proxyReply,
  type RequestHead,
  writeRequestHead,
} from "../http/mod.ts";
import {
  type Failure,
  type FinalRefusal,
  type Inbound,
  type InboundAnswer,
  type InboundStream,
  type Refusal,
  type Session,
  type StreamCodec,
  Target,
} from "../relay/mod.ts";
import { HttpCodec } from "./_http_codec.ts";
import { failureText } from "./_http_failures.ts";
import { RequestReader } from "./_http_reader.ts";
import { logRefused, logUnauthenticated } from "./_refusals.ts";
import type { ProxyMode } from "./proxy_mode.ts";
import { type ProxyUser, ProxyUsers } from "./proxy_users.ts";

/**
 * After so many requests without a right name and password the connection is
 * closed: a browser asks its user again after each, a guesser does not.
 */
const MAX_CHALLENGES = 8;

/** RFC 7617, section 2.1: names and passwords are UTF-8. */
const CHALLENGE =
  'Proxy-Authenticate: Basic realm="shadowsocks", charset="UTF-8"';

const CONNECTED: Uint8Array = new TextEncoder().encode(CONNECTED_REPLY);

/** What an {@linkcode HttpInbound} is made with. */
export interface HttpInboundOptions {
  /** Who may use it; undefined or empty: everybody. */
  readonly users?: readonly ProxyUser[] | undefined;
  /** What is served: with `udp_only` nothing is. Default `tcp_and_udp`. */
  readonly mode?: ProxyMode | undefined;
}

/** The HTTP proxy of a listener. */
export class HttpInbound implements Inbound {
  readonly #users: ProxyUsers | undefined;
  readonly #mode: ProxyMode;

  /**
   * Makes the proxy.
   *
   * @param options What is served, and to whom.
   */
  constructor(options: HttpInboundOptions = {}) {
    const { users = [], mode = "tcp_and_udp" } = options;
    this.#users = users.length === 0 ? undefined : new ProxyUsers(users);
    this.#mode = mode;
  }

  /**
   * Makes the client's side of a connection.
   *
   * @param session The session of its first request.
   */
  accept(session: Session): HttpStream {
    return new HttpStream(session, this.#users, this.#mode);
  }

  /**
   * The client's side goes on with its next request.
   *
   * @param stream What `accept` gave.
   * @param session The session of the next request.
   */
  next(stream: InboundStream, session: Session): void {
    if (stream instanceof HttpStream) stream.restart(session);
  }
}

/** The client's side of one connection to the HTTP proxy. */
export class HttpStream implements InboundStream {
  readonly #users: ProxyUsers | undefined;
  readonly #mode: ProxyMode;
  readonly #reader = new RequestReader();
  /** The body of a request that was refused, but not its connection. */
  readonly #refusedBody = new BodyFollower({ isLenient: false });
  #session: Session;
  #codec: HttpCodec | undefined;
  #isConnect = false;
  #isHead = false;
  /** Whether `finished` was heard, and the next request has not begun. */
  #isBetween = true;
  #challenges = 0;
  /** Whether a refusal was logged since the last request that was served. */
  #hasLogged = false;

  /**
   * Begins; {@linkcode HttpInbound.accept} does.
   *
   * @param session The session of the first request.
   * @param users Who may use it; undefined: everybody.
   * @param mode What is served.
   */
  constructor(
    session: Session,
    users: ProxyUsers | undefined,
    mode: ProxyMode,
  ) {
    this.#session = session;
    this.#users = users;
    this.#mode = mode;
  }

  /** The codec of requests that are fetched; undefined for CONNECT. */
  get codec(): StreamCodec | undefined {
    return this.#isConnect ? undefined : this.#codec;
  }

  /** Whether nothing more goes over the origin connection. */
  get finished(): boolean {
    return !this.#isBetween && !this.#isConnect &&
      this.#codec?.finished === true;
  }

  /**
   * Whether the client's connection ends with the answer, as client or answer
   * have said (RFC 9112, 9.6): the client need not close it first.
   */
  get closes(): boolean {
    return this.#codec?.closes === true;
  }

  /**
   * Goes on with the next request.
   *
   * @param session Its session.
   */
  restart(session: Session): void {
    this.#session = session;
    this.#isBetween = true;
  }

  /**
   * Takes bytes until there is a request. After a "more" with a reply there
   * may be bytes that were not consumed: they are given again at once.
   *
   * @param data Bytes that came and were not consumed yet.
   * @param output Takes the head for the origin.
   */
  receive(data: Uint8Array, output: Uint8Array): InboundAnswer {
    const body = this.#refusedBody;
    const start = body.follow(data, 0, data.length);
    if (body.failed) return this.#refuse(400, "the body is not framed");
    if (!body.isDone) return { kind: "more", consumed: start };
    const head = this.#reader.read(data, start, data.length);
    if (head === undefined) {
      if (data.length > start) {
        this.#session.statusIfClientCloses ??= "client_reset";
      }
      return { kind: "more", consumed: data.length };
    }
    if (head.kind === "fault") return this.#refuse(head.status, head.message);
    const { next } = this.#reader;
    const user = this.#authenticate(head);
    if (user === undefined) return this.#challenge(head, data, next);
    this.#session.user = user;
    if (this.#mode === "udp_only") {
      const message = "connections are off: the mode is udp_only";
      return this.#refuse(403, message, head.method === "HEAD");
    }
    return this.#request(head, { user, consumed: next, output });
  }

  /** `200` for CONNECT; a fetched request is answered by the origin. */
  connected(): Uint8Array | undefined {
    return this.#isConnect ? CONNECTED : undefined;
  }

  /**
   * 403, 502, 503 or 504, with the reason for a human.
   *
   * @param failure Why the target was not reached.
   */
  failed(failure: Failure): Refusal {
    const { status, text } = failureText(failure);
    return { reply: this.#reply(status, text), ending: "close" };
  }

  /**
   * 400 or 502 as long as no answer has begun; else the connection is reset,
   * so that a cut answer does not look whole.
   */
  onCodecFailed(): FinalRefusal {
    const codec = this.#codec;
    const isClient = codec?.requestFailed === true;
    const text = isClient
      ? "the chunks of the body are wrong"
      : "the answer of the target is not HTTP";
    this.#log(text);
    const status = isClient ? "error" : "target_reset";
    if (codec?.exchange.answerBegun === true) {
      return { status, ending: "reset" };
    }
    const reply = this.#reply(isClient ? 400 : 502, text);
    return { status, ending: "close", reply };
  }

  /** Whether the connection is between two requests. */
  get idle(): boolean {
    return !this.#isConnect && this.#codec?.exchange.isIdle === true;
  }

  /**
   * What the end of the origin's connection means for the client's.
   *
   * @returns `"next"`: nothing is under way, the client stays and its next
   * request begins a new session; `"pass"`: the end is passed on; else how the
   * connection ends, since an answer is missing or was cut.
   */
  onTargetEnd(): "next" | "pass" | FinalRefusal {
    const codec = this.#codec;
    if (codec === undefined || this.#isConnect) return "pass";
    const { exchange } = codec;
    if (exchange.isIdle && exchange.persists) return "next";
    if (codec.endsCleanly()) {
      // It may be what ends the answer; nothing of it is owed any more.
      exchange.answerOwed = false;
      return "pass";
    }
    const status = "target_reset";
    // An origin may close a connection that was idle just when the next
    // request is under way. A client that is not answered then tries again; one
    // that gets an answer does not (RFC 9110, 9.2.2).
    if (exchange.answerBegun || exchange.count > 1) {
      return { status, ending: "reset" };
    }
    const reply = this.#reply(502, "the target closed without an answer");
    return { status, ending: "close", reply };
  }

  /** Lets go of what is not whole. */
  [Symbol.dispose](): void {
    this.#reader.clear();
    this.#codec?.[Symbol.dispose]();
  }

  #request(
    head: RequestHead,
    options: {
      readonly user: string;
      readonly consumed: number;
      readonly output: Uint8Array;
    },
  ): InboundAnswer {
    const { user, consumed, output } = options;
    this.#isBetween = this.#hasLogged = false;
    this.#isHead = head.method === "HEAD";
    this.#isConnect = head.method === "CONNECT";
    this.#session.statusIfClientCloses = undefined;
    const target = Target.of(head.host, head.port);
    if (this.#isConnect) {
      this.#reader.clear();
      return { kind: "request", consumed, target };
    }
    this.#codec ??= new HttpCodec(this.#reader, this.#findUser);
    const payload = writeHead(head, output);
    this.#codec.begin(head, user);
    return { kind: "request", consumed, target, payload };
  }

  /** @returns The user's name, `""` where there are no users. */
  #authenticate(head: RequestHead): string | undefined {
    if (this.#users === undefined) return "";
    const credentials = parseBasic(head.authorization ?? "");
    return credentials === undefined
      ? undefined
      : this.#users.find(credentials.name, credentials.password);
  }

  /** The same for the codec, which holds it as long as the connection. */
  readonly #findUser = (head: RequestHead): string | undefined =>
    this.#authenticate(head);

  /** 407; the client may try again on the same connection. */
  #challenge(
    head: RequestHead,
    data: Uint8Array,
    next: number,
  ): InboundAnswer {
    if (head.authorization !== undefined && !this.#hasLogged) {
      this.#hasLogged = true;
      logUnauthenticated(this.#session.client, "wrong user or password");
    }
    // A client that waits for 100 may or may not send its body after another
    // answer: where its next request begins could not be told.
    const isUnclear = head.expectsContinue && head.bodyLength !== 0;
    const persists = head.persists && !isUnclear &&
      ++this.#challenges < MAX_CHALLENGES;
    const reply = proxyReply({
      status: 407,
      text: "the proxy wants a name and a password",
      isHead: head.method === "HEAD",
      field: CHALLENGE,
      persists,
    });
    const { bodyLength } = head;
    this.#reader.clear();
    if (!persists) {
      return { kind: "refuse", status: "auth_failed", ending: "close", reply };
    }
    this.#session.statusIfClientCloses = "auth_failed";
    this.#refusedBody.begin(bodyLength);
    const consumed = this.#refusedBody.follow(data, next, data.length);
    return { kind: "more", consumed, reply };
  }

  #refuse(status: number, message: string, isHead = false): InboundAnswer {
    this.#log(message);
    const reply = proxyReply({ status, text: message, isHead });
    return { kind: "refuse", status: "error", ending: "close", reply };
  }

  #log(reason: string): void {
    if (this.#hasLogged) return;
    this.#hasLogged = true;
    logRefused(this.#session, { protocol: "HTTP", what: "request", reason });
  }

  #reply(status: number, text: string): Uint8Array {
    return proxyReply({ status, text, isHead: this.#isHead });
  }
}

/** @returns The head for the origin; in `output` if it fits. */
function writeHead(head: RequestHead, output: Uint8Array): Uint8Array {
  const writer = new ByteWriter();
  writer.begin(output);
  writeRequestHead(head, writer);
  const { pending } = writer;
  const length = writer.end();
  if (pending === 0) return output.subarray(0, length);
  const whole = new Uint8Array(length + pending);
  whole.set(output.subarray(0, length));
  writer.begin(whole.subarray(length));
  writer.end();
  return whole;
}
