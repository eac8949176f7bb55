/**
 * For the tests of this folder: DNS responses, and a server made of a table.
 *
 * @module
 */

import { parseIp } from "../loop/mod.ts";
import { writeName } from "./_name.ts";
import { TYPE_A, TYPE_AAAA, TYPE_CNAME, TYPE_SOA } from "./message.ts";

/** A record to write: the data is an IP address or a name. */
export interface FakeRecord {
  readonly name: string;
  readonly data: string;
  readonly ttl?: number;
}

/** A response to write. */
export interface FakeResponse {
  readonly rcode?: number;
  readonly answers?: readonly FakeRecord[];
  /** The minimum of an SOA record in the authority section. */
  readonly soa?: number;
  readonly truncated?: boolean;
  /** Clears "recursion available". */
  readonly referral?: boolean;
}

/** The name and type that a query asks for. */
export function questionOf(
  query: Uint8Array,
): { readonly name: string; readonly type: number } {
  const labels: string[] = [];
  let at = 12;
  for (; query[at] !== 0; at += 1 + query[at]!) {
    labels.push(
      String.fromCharCode(...query.subarray(at + 1, at + 1 + query[at]!)),
    );
  }
  return { name: labels.join("."), type: query[at + 1]! << 8 | query[at + 2]! };
}

/** Writes the response to a query. */
export function respond(
  query: Uint8Array,
  response: FakeResponse = {},
): Uint8Array {
  const { rcode = 0, answers = [], soa, truncated, referral } = response;
  const out = [...query];
  out[2] = 0x81 | (truncated === true ? 0x02 : 0);
  out[3] = (referral === true ? 0 : 0x80) | rcode;
  out[6] = answers.length >> 8;
  out[7] = answers.length & 0xff;
  out[9] = soa === undefined ? 0 : 1;
  for (const { name, data, ttl = 60 } of answers) {
    const ip = parseIp(data);
    const type = ip === undefined
      ? TYPE_CNAME
      : ip.length === 4
      ? TYPE_A
      : TYPE_AAAA;
    record(out, { name, type, ttl, data: ip ?? wireName(data) });
  }
  if (soa !== undefined) {
    const numbers = new Uint8Array(20);
    new DataView(numbers.buffer).setUint32(16, soa);
    const data = Uint8Array.from([0, 0, ...numbers]);
    record(out, { name: "zone", type: TYPE_SOA, ttl: 1000, data });
  }
  return Uint8Array.from(out);
}

/** A table of names: their IP addresses and alias targets. */
export type Zone = Readonly<Record<string, readonly string[]>>;

/** The response of a server that knows the names of `zone`. */
export function fromZone(query: Uint8Array, zone: Zone): Uint8Array {
  const { name, type } = questionOf(query);
  const length = type === TYPE_A ? 4 : 16;
  const answers: FakeRecord[] = [];
  let owner = name;
  for (let hops = 0; hops < 20; hops++) {
    const data = zone[owner];
    if (data === undefined) {
      return respond(query, { rcode: 3, answers, soa: 5 });
    }
    const alias = data.find((item) => parseIp(item) === undefined);
    if (alias === undefined) {
      for (const item of data) {
        if (parseIp(item)?.length === length) {
          answers.push({ name: owner, data: item });
        }
      }
      break;
    }
    answers.push({ name: owner, data: alias });
    owner = alias;
  }
  const found = answers.some(({ data }) => parseIp(data) !== undefined);
  return respond(query, found ? { answers } : { answers, soa: 5 });
}

function wireName(name: string): Uint8Array {
  const out = new Uint8Array(name.length + 2);
  writeName(out, 0, name);
  return out;
}

function record(
  out: number[],
  { name, type, ttl, data }: {
    readonly name: string;
    readonly type: number;
    readonly ttl: number;
    readonly data: Uint8Array;
  },
): void {
  const fixed = new DataView(new ArrayBuffer(10));
  fixed.setUint16(0, type);
  fixed.setUint16(2, 1);
  fixed.setUint32(4, ttl);
  fixed.setUint16(8, data.length);
  out.push(...wireName(name), ...new Uint8Array(fixed.buffer), ...data);
}
