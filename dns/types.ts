/**
 * What every resolver gives: answers, errors, and the contract.
 *
 * @module
 */

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
  /** Too many lookups are under way. */
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
   */
  resolve(hostname: string, callback: DnsCallback): void;
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
