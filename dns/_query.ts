/**
 * One question to the name servers: attempts, aliases, and TCP where UDP is
 * too small.
 *
 * Each attempt asks the next server and waits for the settings' time-out; an
 * answer to an earlier attempt is still taken. A server that refuses, fails or
 * cannot be reached is not asked again, and the next one is asked at once. An
 * alias that leads out of a response is asked for in turn. Addresses of an
 * answer that was cut off are used if TCP does not bring all of it. The caller
 * limits the whole time.
 *
 * @module
 */

import type { EventLoop, SocketAddress, Timer } from "../loop/mod.ts";
import { isValidHostname } from "./_name.ts";
import { type Outcome, readAnswer } from "./_answer.ts";
import type { ServerList } from "./_servers.ts";
import { TcpExchange } from "./_tcp.ts";
import type { PendingQuery, Response, UdpPool } from "./_udp.ts";
import { type AddressType, decodeResponse } from "./message.ts";
import { DEFAULT_TIMEOUT, type ServerSettings } from "./resolv_conf.ts";

/** What queries share. */
export interface QueryContext {
  /** Gives timers and TCP sockets. */
  readonly loop: EventLoop;
  /** Sends over UDP. */
  readonly udp: UdpPool;
  /** Whom to ask. */
  readonly servers: ServerList;
}

/** What a query asks. */
export interface QueryOptions {
  /** A valid host name, lower case. */
  readonly name: string;
  /** The record type. */
  readonly type: AddressType;
  /** Called once, unless the query is cancelled before. */
  readonly done: (outcome: Outcome) => void;
}

/**
 * Most aliases that are asked for in turn: each is a round trip, and the whole
 * lookup has five seconds.
 */
const MAX_HOPS = 8;

/** One question under way; `start` it once. */
export class Query {
  readonly #context: QueryContext;
  readonly #type: AddressType;
  readonly #done: (outcome: Outcome) => void;
  readonly #settings: ServerSettings;
  readonly #pending = new Set<PendingQuery>();
  readonly #failedServers = new Set<SocketAddress>();
  #name: string;
  #ttl = Infinity;
  #hops = 0;
  #attempt = 0;
  #timedOut = false;
  #retries = true;
  #finished = false;
  #timer: Timer | undefined;
  #tcp: TcpExchange | undefined;
  /** What an answer that was cut off holds, while TCP is tried. */
  #cut: Outcome | undefined;

  /**
   * Makes a query; nothing is sent yet.
   *
   * @param context What queries share.
   * @param options What to ask.
   */
  constructor(context: QueryContext, options: QueryOptions) {
    this.#context = context;
    this.#name = options.name;
    this.#type = options.type;
    this.#done = options.done;
    this.#settings = context.servers.snapshot();
  }

  /** Asks; `done` may be called before this returns. */
  start(): void {
    this.#askNext();
  }

  /** Ends the query; `done` is not called any more. Idempotent. */
  cancel(): void {
    this.#finished = true;
    this.#endAttempts();
  }

  /** Makes the attempt under way the last: nobody waits for it any more. */
  relax(): void {
    this.#retries = false;
  }

  /** Allows further attempts again: somebody waits for it after all. */
  insist(): void {
    this.#retries = true;
  }

  #askNext(): void {
    this.#timer?.cancel();
    this.#tcp?.cancel();
    this.#tcp = undefined;
    if (this.#cut !== undefined) return this.#finish(this.#cut);
    const { servers, attempts } = this.#settings;
    const limit = servers.length * attempts;
    while (this.#attempt < limit && (this.#retries || this.#attempt === 0)) {
      const server = servers[this.#attempt++ % servers.length]!;
      if (!this.#failedServers.has(server) && this.#ask(server)) return;
    }
    const code = this.#timedOut ? "timeout" : "failed";
    this.#finish({ kind: "failed", code });
  }

  /** Whether the server could be asked. */
  #ask(server: SocketAddress): boolean {
    const pending = this.#context.udp.send({
      server,
      name: this.#name,
      type: this.#type,
      onResponse: (response) => {
        if (pending === undefined) return;
        this.#pending.delete(pending);
        this.#onResponse(server, response, pending.message);
      },
    });
    if (pending === undefined) {
      this.#failedServers.add(server);
      return false;
    }
    this.#pending.add(pending);
    this.#startTimer();
    return true;
  }

  #startTimer(timeout = this.#settings.timeout): void {
    this.#timer?.cancel();
    this.#timer = this.#context.loop.addTimer(timeout, () => {
      this.#timedOut = true;
      this.#askNext();
    });
  }

  #onResponse(
    server: SocketAddress,
    response: Response,
    message: Uint8Array,
  ): void {
    if (this.#finished) return;
    if (response === "malformed") return this.#onServerFailure(server);
    const reading = readAnswer(response, {
      name: this.#name,
      type: this.#type,
    });
    if (response.truncated) {
      if (this.#tcp === undefined && reading.kind === "found") {
        this.#cut = { ...reading, ttl: Math.min(this.#ttl, reading.ttl) };
      }
      return this.#askOverTcp(server, message);
    }
    switch (reading.kind) {
      case "failed":
        return this.#onServerFailure(server);
      case "alias":
        this.#context.servers.succeeded(server);
        return this.#follow(reading.target, reading.ttl);
      case "found":
      case "none":
        this.#context.servers.succeeded(server);
        return this.#finish({
          ...reading,
          ttl: Math.min(this.#ttl, reading.ttl),
        });
      default:
        return reading satisfies never;
    }
  }

  #onServerFailure(server: SocketAddress): void {
    this.#failedServers.add(server);
    const { servers } = this.#settings;
    const asked = servers[(this.#attempt - 1) % servers.length];
    // A late answer does not end the attempt at another server.
    if (asked === server) this.#askNext();
  }

  #askOverTcp(server: SocketAddress, message: Uint8Array): void {
    if (this.#tcp !== undefined) return;
    // With something in hand TCP has no longer than the whole lookup allows.
    const { timeout } = this.#settings;
    this.#startTimer(
      this.#cut === undefined ? timeout : Math.min(timeout, DEFAULT_TIMEOUT),
    );
    let ended = false;
    const exchange = new TcpExchange(this.#context.loop, {
      server,
      message,
      onEnd: (bytes) => {
        ended = true;
        this.#tcp = undefined;
        const result = bytes && decodeResponse(bytes, message);
        if (result?.status !== "ok" || result.message.truncated) {
          this.#failedServers.add(server);
          this.#askNext();
        } else {
          this.#onTcpResponse(server, result.message, message);
        }
      },
    });
    if (!ended) this.#tcp = exchange;
  }

  #onTcpResponse(
    server: SocketAddress,
    response: Response,
    message: Uint8Array,
  ): void {
    this.#timer?.cancel();
    this.#onResponse(server, response, message);
    // A failure of a server that was not asked last ends this attempt too.
    if (!this.#finished && this.#timer?.active !== true) this.#askNext();
  }

  #follow(target: string, ttl: number): void {
    this.#endAttempts();
    if (++this.#hops > MAX_HOPS || !isValidHostname(target)) {
      return this.#finish({ kind: "failed", code: "failed" });
    }
    this.#name = target;
    this.#ttl = Math.min(this.#ttl, ttl);
    this.#attempt = 0;
    this.#cut = undefined;
    this.#failedServers.clear();
    this.#askNext();
  }

  #endAttempts(): void {
    this.#timer?.cancel();
    this.#tcp?.cancel();
    this.#tcp = undefined;
    for (const pending of this.#pending) pending.cancel();
    this.#pending.clear();
  }

  #finish(outcome: Outcome): void {
    if (this.#finished) return;
    this.cancel();
    this.#done(outcome);
  }
}
