/**
 * What every resolver gives: answers, errors, and the contract.
 *
 * @module
 */

import type { SocketAddress } from "../loop/mod.ts";

/** Why a host name has no addresses. */
export type DnsErrorCode =
  /** It is not a host name; nobody was asked. */
  | "invalid-name"
  /** The name does not exist. */
  | "not-found"
  /** The name exists, but has no IP address. */
  | "no-address"
  /** No name server answered in time. */
  | "timeout"
  /** The name servers refused, failed or could not be reached. */
  | "failed"
  /** Too many lookups are under way, most of them of this client. */
  | "busy"
  /** The resolver is closed. */
  | "closed";

/** Why a host name has no addresses, as a value: it is never thrown. */
export class DnsError extends Error {
  /** The name of this class. */
  override readonly name = "DnsError";
  /** The kind of failure. */
  readonly code: DnsErrorCode;

  /**
   * Makes an error; it is given, not thrown.
   *
   * @param code The kind of failure.
   * @param message One line for the log.
   */
  constructor(code: DnsErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The addresses of a host name, or why there are none. */
export interface DnsAnswer {
  /** The host name as it was asked for. */
  readonly hostname: string;
  /** 4 or 16 bytes each, the preferred family first; empty on failure. */
  readonly addresses: readonly Uint8Array[];
  /** Set exactly when `addresses` is empty. */
  readonly error: DnsError | undefined;
  /**
   * True if more addresses may follow: those of the other family are not known
   * yet. `resolve` with `isWhole` waits for them. Absent: false.
   */
  readonly isPartial?: boolean;
}

/** Who asks a resolver, and what for. */
export interface ResolveOptions {
  /**
   * Waits until both families are known, or the time for it is over; a
   * question under way is joined. Default: the first family will do.
   */
  readonly isWhole?: boolean | undefined;
  /**
   * For whom the name is looked up: clients have equal shares of the lookups
   * that may be under way. Absent: for the program itself.
   */
  readonly asker?: { readonly client: SocketAddress } | undefined;
}

/** Takes the answer of one `resolve`. */
export type DnsCallback = (answer: DnsAnswer) => void;

/** A resolver of host names. */
export interface Resolver extends Disposable {
  /**
   * Finds the addresses of a host name. The callback is called once, and
   * inside this call where nobody has to be asked: for an IP literal, a name
   * of the hosts file, a cached or an invalid name. What it throws is logged.
   *
   * @param hostname An IP literal without brackets, or a host name.
   * @param callback Takes the answer.
   * @param options Who asks, and what for.
   */
  resolve(
    hostname: string,
    callback: DnsCallback,
    options?: ResolveOptions,
  ): void;
  /**
   * Forgets a callback: it is not called any more. One that is not waiting is
   * left alone.
   *
   * @param callback A function given to `resolve`.
   */
  removeCallback(callback: DnsCallback): void;
  /** Ends all lookups without calling their callbacks. Idempotent. */
  close(): void;
}
