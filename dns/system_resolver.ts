/**
 * The resolver for systems without resolv.conf (Windows): the runtime asks
 * the system's name servers.
 *
 * @module
 */

import { type EventLoop, parseIp } from "../loop/mod.ts";
import type { Outcome } from "./_answer.ts";
import { type CommonResolverOptions, ResolverCore } from "./_core.ts";
import type { Asking } from "./_lookup.ts";
import { type AddressType, TYPE_A } from "./message.ts";
import type { DnsCallback, ResolveOptions, Resolver } from "./types.ts";

/**
 * Asks for the addresses of a name, as text. Rejects with
 * `Deno.errors.NotFound` if there are none.
 */
export type ResolveDns = (
  name: string,
  type: "A" | "AAAA",
  signal: AbortSignal,
) => Promise<readonly string[]>;

/** Options of {@linkcode SystemResolver}. */
export interface SystemResolverOptions extends CommonResolverOptions {
  /** Default: `Deno.resolveDns`. */
  readonly resolveDns?: ResolveDns | undefined;
}

/** Seconds that addresses are kept: `Deno.resolveDns` does not tell their TTL. */
const ADDRESS_TTL = 30;
/** Seconds that a "no" is kept: enough for a burst of the same question. */
const NO_TTL = 1;

/** A resolver that lets the runtime ask. */
export class SystemResolver implements Resolver {
  readonly #loop: EventLoop;
  readonly #core: ResolverCore;
  readonly #resolveDns: ResolveDns;
  readonly #periodic: () => void = () => this.handlePeriodic();
  #closed = false;

  /**
   * Makes a resolver.
   *
   * @param loop Its turns call the callbacks.
   * @param options How to ask.
   */
  constructor(loop: EventLoop, options: SystemResolverOptions = {}) {
    this.#loop = loop;
    this.#resolveDns = options.resolveDns ?? denoResolveDns;
    this.#core = new ResolverCore(loop, {
      ...options,
      ask: (name, type, done) => this.#ask(name, type, done),
    });
    loop.addPeriodic(this.#periodic);
  }

  /**
   * Finds the addresses of a host name; the callback may run inside this call.
   *
   * @param hostname An IP literal without brackets, or a host name.
   * @param callback Takes the answer.
   * @param options Who asks, and what for.
   */
  resolve(
    hostname: string,
    callback: DnsCallback,
    options?: ResolveOptions,
  ): void {
    this.#core.resolve(hostname, callback, options);
  }

  /**
   * Forgets a callback.
   *
   * @param callback A function given to `resolve`.
   */
  removeCallback(callback: DnsCallback): void {
    this.#core.removeCallback(callback);
  }

  /** Drops what has expired from the cache. */
  handlePeriodic(): void {
    this.#core.sweep();
  }

  /** Ends all lookups without calling their callbacks. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#loop.removePeriodic(this.#periodic);
    this.#core.close();
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    this.close();
  }

  #ask(
    name: string,
    type: AddressType,
    done: (outcome: Outcome) => void,
  ): Asking {
    const abort = new AbortController();
    const deliver = (outcome: Outcome): void => {
      if (abort.signal.aborted) return;
      // By a timer of the loop, so that callbacks run in one of its turns.
      this.#loop.addTimer(0, () => {
        if (!abort.signal.aborted) done(outcome);
      });
      this.#loop.poller.wake();
    };
    this.#resolveDns(name, type === TYPE_A ? "A" : "AAAA", abort.signal).then(
      (texts) => deliver(toOutcome(texts, type)),
      (error: unknown) => deliver(toFailure(error)),
    );
    return {
      cancel: () => abort.abort(),
      relax: (): void => {},
      insist: (): void => {},
    };
  }
}

function denoResolveDns(
  name: string,
  type: "A" | "AAAA",
  signal: AbortSignal,
): Promise<readonly string[]> {
  return Deno.resolveDns(name, type, { signal });
}

function toOutcome(texts: readonly string[], type: AddressType): Outcome {
  const length = type === TYPE_A ? 4 : 16;
  const addresses = texts.map(parseIp).filter((bytes) => bytes !== undefined)
    .filter((bytes) => bytes.length === length);
  return addresses.length > 0
    ? { kind: "found", addresses, ttl: ADDRESS_TTL }
    : { kind: "none", exists: true, ttl: NO_TTL };
}

/** The runtime does not tell "no such name" from "no such record". */
function toFailure(error: unknown): Outcome {
  return error instanceof Deno.errors.NotFound
    ? { kind: "none", exists: true, ttl: NO_TTL }
    : { kind: "failed", code: "failed" };
}
