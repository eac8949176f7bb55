/**
 * What a response means for one question: its alias chain and addresses.
 *
 * @module
 */

import {
  type AddressType,
  type DnsMessage,
  RCODE_NOERROR,
  RCODE_NXDOMAIN,
  TYPE_CNAME,
} from "./message.ts";

/** How one question, a name and a record type, ended. */
export type Outcome =
  | {
    readonly kind: "found";
    readonly addresses: readonly Uint8Array[];
    /** Seconds to keep it. */
    readonly ttl: number;
  }
  | {
    readonly kind: "none";
    /** False: the server says that there is no such name. */
    readonly exists: boolean;
    /** Seconds to keep it. */
    readonly ttl: number;
  }
  | { readonly kind: "failed"; readonly code: "timeout" | "failed" };

/** What one response says about one question. */
export type Reading =
  | Outcome
  /** The chain of aliases leaves the response: ask for `target`. */
  | {
    readonly kind: "alias";
    readonly target: string;
    readonly ttl: number;
  };

/**
 * Most addresses kept of one response: nobody tries more, and a response over
 * TCP may have thousands.
 */
const MAX_ADDRESSES = 64;
/** Most aliases followed inside one response; real chains have two or three. */
const MAX_CHAIN = 16;
/**
 * Seconds that a "no" without an SOA record is kept. RFC 2308, section 5, would
 * not keep it; one second spares a burst of questions for the same name.
 */
const PLAIN_NO_TTL = 1;

const FAILED: Reading = { kind: "failed", code: "failed" };

/**
 * Follows the aliases of a response from a name to its addresses.
 *
 * @param message A response; of a truncated one only "found" holds.
 * @param question What was asked.
 * @returns What it says; "failed" where it says nothing of use.
 */
export function readAnswer(
  message: DnsMessage,
  question: { readonly name: string; readonly type: AddressType },
): Reading {
  const { rcode, records, negativeTtl } = message;
  if (rcode !== RCODE_NOERROR && rcode !== RCODE_NXDOMAIN) return FAILED;
  let { name } = question;
  let ttl = Infinity;
  for (let hops = 0;; hops++) {
    const addresses: Uint8Array[] = [];
    let addressTtl = ttl;
    let alias: { target: string; ttl: number } | undefined;
    for (const record of records) {
      if (record.name !== name) continue;
      if (record.type === TYPE_CNAME) {
        alias ??= record;
      } else if (
        record.type === question.type && addresses.length < MAX_ADDRESSES
      ) {
        addresses.push(record.address);
        addressTtl = Math.min(addressTtl, record.ttl);
      }
    }
    if (addresses.length > 0 && rcode === RCODE_NOERROR) {
      return { kind: "found", addresses, ttl: addressTtl };
    }
    if (alias === undefined) break;
    if (hops >= MAX_CHAIN) return FAILED;
    name = alias.target;
    ttl = Math.min(ttl, alias.ttl);
  }
  const noTtl = Math.min(ttl, negativeTtl ?? PLAIN_NO_TTL);
  if (rcode === RCODE_NXDOMAIN) {
    return { kind: "none", exists: false, ttl: noTtl };
  }
  if (negativeTtl === undefined) {
    if (name !== question.name) return { kind: "alias", target: name, ttl };
    // A server that only refers to other servers has not answered.
    if (!message.recursionAvailable) return FAILED;
  }
  return { kind: "none", exists: true, ttl: noTtl };
}
