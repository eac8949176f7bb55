/**
 * The lookup of one name: IPv4 and IPv6 are asked for at the same time.
 *
 * The lookup is answered as soon as the preferred family has addresses, or
 * both families are known. If the other family comes first, the preferred one
 * has a short time to follow (the "resolution delay" of RFC 8305, section 3).
 * Such an answer is partial: the lookup goes on, for those who want all of it
 * and for the cache.
 * "No such name" counts for the family that was asked for alone: there are
 * servers that say so of names that have addresses of the other one.
 *
 * @module
 */

import type { EventLoop, Timer } from "../loop/mod.ts";
import type { Outcome } from "./_answer.ts";
import { type AddressType, TYPE_A, TYPE_AAAA } from "./message.ts";
import type { DnsErrorCode } from "./types.ts";

/** A question under way. */
export interface Asking {
  /** Ends the question; its outcome is not told any more. */
  cancel(): void;
  /** Tells that nobody waits for the outcome any more: no further attempts. */
  relax(): void;
  /** Tells that somebody waits again. */
  insist(): void;
}

/** Asks for one record type; `done` may be called before it returns. */
export type Ask = (
  name: string,
  type: AddressType,
  done: (outcome: Outcome) => void,
) => Asking;

/** How a lookup ended. */
export interface LookupResult {
  /** The preferred family first. */
  readonly addresses: readonly Uint8Array[];
  /** Why there are none. */
  readonly code: DnsErrorCode | undefined;
  /** Whether the other family is not known yet. */
  readonly isPartial: boolean;
}

/** Options of {@linkcode Lookup}. */
export interface LookupOptions {
  /** A valid host name, lower case. */
  readonly name: string;
  /** The record types, the preferred one first. */
  readonly types: readonly [AddressType, AddressType];
  /** What is known of them already. */
  readonly known: readonly [Outcome | undefined, Outcome | undefined];
  /** Asks for one record type. */
  readonly ask: Ask;
  /** Called with what was learnt. */
  readonly onLearn: (type: AddressType, outcome: Outcome) => void;
  /**
   * Called with what is known first, if that is partial, and with the whole;
   * not any more once the lookup is cancelled.
   */
  readonly onResult: (result: LookupResult) => void;
  /** Called once when nothing is under way any more, cancelled or not. */
  readonly onEnd: () => void;
}

/**
 * Milliseconds that the preferred family may come after the other: the value
 * that RFC 8305, section 8, recommends.
 */
const RESOLUTION_DELAY = 50;
/**
 * Milliseconds after which a lookup fails: as long as glibc waits for a single
 * server (RES_TIMEOUT of resolv.conf(5)).
 */
const LOOKUP_TIMEOUT = 5000;

/**
 * The record types in the order of preference.
 *
 * @param preferIpv6 Whether IPv6 comes first.
 * @returns Both types.
 */
export function typesInOrder(
  preferIpv6: boolean,
): readonly [AddressType, AddressType] {
  return preferIpv6 ? [TYPE_AAAA, TYPE_A] : [TYPE_A, TYPE_AAAA];
}

/**
 * The result that what is known allows.
 *
 * @param preferred The outcome for the preferred family.
 * @param other The outcome for the other.
 * @returns The result, or undefined if there is something to wait for.
 */
export function combine(
  preferred: Outcome | undefined,
  other: Outcome | undefined,
): LookupResult | undefined {
  if (preferred?.kind === "found") {
    const addresses = other?.kind === "found"
      ? [...preferred.addresses, ...other.addresses]
      : preferred.addresses;
    return { addresses, code: undefined, isPartial: other === undefined };
  }
  if (preferred === undefined || other === undefined) return undefined;
  if (other.kind === "found") {
    return { addresses: other.addresses, code: undefined, isPartial: false };
  }
  const code = errorCode(preferred, other);
  return { addresses: [], code, isPartial: false };
}

function errorCode(
  preferred: Exclude<Outcome, { kind: "found" }>,
  other: Exclude<Outcome, { kind: "found" }>,
): DnsErrorCode {
  // One "no such name" says more than a failure of the other question.
  if (preferred.kind === "none" && !preferred.exists) return "not-found";
  if (other.kind === "none" && !other.exists) return "not-found";
  if (preferred.kind === "failed") return preferred.code;
  return other.kind === "failed" ? other.code : "no-address";
}

/** One lookup; `start` it once. */
export class Lookup {
  readonly #loop: EventLoop;
  readonly #options: LookupOptions;
  readonly #outcomes: [Outcome | undefined, Outcome | undefined];
  readonly #asking: [Asking | undefined, Asking | undefined] = [
    undefined,
    undefined,
  ];
  #deadline: Timer | undefined;
  #delay: Timer | undefined;
  #partial: LookupResult | undefined;
  #isRelaxed = false;
  #ended = false;

  /**
   * Makes a lookup; nothing is asked yet.
   *
   * @param loop Gives timers.
   * @param options What to look up, and whom to tell.
   */
  constructor(loop: EventLoop, options: LookupOptions) {
    this.#loop = loop;
    this.#options = options;
    this.#outcomes = [...options.known];
  }

  /** What was answered before all is known; undefined: nothing was. */
  get partial(): LookupResult | undefined {
    return this.#partial;
  }

  /** Asks for what is not known; may end before this returns. */
  start(): void {
    this.#deadline = this.#loop.addTimer(LOOKUP_TIMEOUT, () => {
      this.#settle(0, { kind: "failed", code: "timeout" });
      this.#settle(1, { kind: "failed", code: "timeout" });
    });
    this.#ask(0);
    this.#ask(1);
    this.#decide();
  }

  /** Nobody waits for the rest: what is under way is the last attempt. */
  relax(): void {
    this.#isRelaxed = true;
    for (const asking of this.#asking) asking?.relax();
  }

  /** Somebody waits for the rest after all. */
  insist(): void {
    if (!this.#isRelaxed) return;
    this.#isRelaxed = false;
    for (const asking of this.#asking) asking?.insist();
  }

  /** Ends the lookup; `onResult` is not called any more. Idempotent. */
  cancel(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#deadline?.cancel();
    this.#delay?.cancel();
    for (const asking of this.#asking) asking?.cancel();
    this.#options.onEnd();
  }

  #ask(index: 0 | 1): void {
    if (this.#ended || this.#outcomes[index] !== undefined) return;
    const { name, types, ask } = this.#options;
    const type = types[index];
    const asking = ask(name, type, (outcome) => this.#settle(index, outcome));
    if (this.#outcomes[index] === undefined) this.#asking[index] = asking;
  }

  #settle(index: 0 | 1, outcome: Outcome): void {
    if (this.#ended || this.#outcomes[index] !== undefined) return;
    this.#learn(index, outcome);
    this.#decide();
  }

  #learn(index: 0 | 1, outcome: Outcome): void {
    this.#outcomes[index] = outcome;
    this.#asking[index]?.cancel();
    this.#asking[index] = undefined;
    this.#options.onLearn(this.#options.types[index], outcome);
  }

  #decide(): void {
    if (this.#ended) return;
    const [preferred, other] = this.#outcomes;
    const result = combine(preferred, other);
    if (result?.isPartial === false) {
      this.cancel();
      this.#options.onResult(result);
    } else if (this.#partial !== undefined) return;
    else if (result !== undefined) this.#answer(result);
    else if (other?.kind === "found" && this.#delay === undefined) {
      const { addresses } = other;
      this.#delay = this.#loop.addTimer(
        RESOLUTION_DELAY,
        () => this.#answer({ addresses, code: undefined, isPartial: true }),
      );
    }
  }

  #answer(partial: LookupResult): void {
    this.#delay?.cancel();
    this.#partial = partial;
    this.#options.onResult(partial);
  }
}
