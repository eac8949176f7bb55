/**
 * Answers of name servers: changed ones, and forged ones beside the true one.
 *
 * @module
 */

import { readAnswer } from "../../dns/_answer.ts";
import { type FakeRecord, questionOf, respond } from "../../dns/_fake_dns.ts";
import { Harness, textOf } from "../../dns/_resolver_fixture.ts";
import {
  decodeResponse,
  encodeQuery,
  TYPE_A,
  TYPE_AAAA,
} from "../../dns/message.ts";
import { SocketAddress } from "../../loop/mod.ts";
import type { Choices } from "./_choices.ts";
import { type FuzzTarget, promise } from "./_target.ts";

const NAMES = ["www.example.com", "a.example", "b.example", "c.example"];
const CHANGES = [0, 1, 1, 2, 5];
/** The address that is true, and the one of who forges. */
const TRUE_ADDRESS = "192.0.2.1";
const FORGED = "203.0.113.66";
const SERVER = "198.51.100.53";
/** The resolver keeps no more of one answer. */
const MOST_ADDRESSES = 64;

/** Targets of the resolver. */
export const DNS_TARGETS: readonly FuzzTarget[] = [
  { name: "dns messages", open: () => ({ run: message }) },
  { name: "dns forgery", open: () => ({ run: forgery }) },
];

function recordsOf(choices: Choices): FakeRecord[] {
  const count = choices.pick([1, 0, 2, 5, 60, 300]);
  return Array.from({ length: count }, () => ({
    name: choices.pick(NAMES),
    data: choices.pick([TRUE_ADDRESS, "2001:db8::1", ...NAMES]),
    ttl: choices.pick([60, 0, 0x7fffffff, 0xffffffff]),
  }));
}

function message(choices: Choices): void {
  const type = choices.pick([TYPE_A, TYPE_AAAA] as const);
  const name = NAMES[0]!;
  const query = encodeQuery({ id: choices.below(65_536), name, type });
  const answer = respond(query, {
    answers: recordsOf(choices),
    rcode: choices.pick([0, 3, 2, 5]),
    truncated: choices.once(8),
    referral: choices.once(8),
    ...(choices.once(2) && { soa: choices.below(1000) }),
  });
  const changed = choices.mutated(answer, choices.pick(CHANGES));
  // What stands behind a message in the buffer is no part of it.
  const buffer = new Uint8Array(changed.length + 32).fill(0xc0);
  buffer.set(changed);
  const result = decodeResponse(buffer.subarray(0, changed.length), query);
  if (result.status !== "ok") return;
  const reading = readAnswer(result.message, { name, type });
  if (reading.kind !== "found") return;
  promise(
    reading.addresses.length <= MOST_ADDRESSES &&
      reading.addresses.every(({ length }) =>
        length === (type === TYPE_A ? 4 : 16)
      ),
    "addresses are whole, of the type that was asked for, and not too many",
  );
  promise(
    reading.ttl >= 0 && reading.ttl <= 0x7fffffff,
    "a time to live is one (RFC 2181, section 8)",
  );
}

/** Many forged answers come before the true one; none is to be used. */
async function forgery(choices: Choices): Promise<number> {
  const count = 1 + choices.below(20);
  const forgers = [
    SocketAddress.parse(SERVER, 54),
    SocketAddress.parse("198.51.100.54", 53),
  ];
  using harness = new Harness({
    onDatagram: (query, server, reply) => {
      const { type } = questionOf(query);
      for (let i = 0; i < count; i++) {
        const way = choices.below(4);
        const asked = way === 0 ? other(query, choices) : query;
        const forged = respond(asked, {
          answers: [{
            name: way === 3 ? NAMES[1]! : questionOf(asked).name,
            data: type === TYPE_A ? FORGED : `::ffff:${FORGED}`,
          }],
        });
        if (way === 1) {
          const wrong = forged.slice();
          wrong[choices.below(2)]! ^= 1 + choices.below(255);
          reply(wrong);
        } else if (way === 2) {
          reply(forged, { from: choices.pick(forgers) });
        } else if (way === 0) reply(forged);
      }
      const answers = type === TYPE_A
        ? [{ name: questionOf(query).name, data: TRUE_ADDRESS }]
        : [];
      reply(respond(query, { answers, soa: 5 }), { delay: 5, from: server });
    },
  }, {
    servers: [{ host: SERVER, port: 53 }],
    random: () => choices.below(65_536),
  });
  const [timed] = await harness.resolve(NAMES[0]!);
  promise(
    textOf(timed!.answer) === TRUE_ADDRESS,
    `the true address is used, not ${textOf(timed!.answer)}`,
  );
  return count;
}

/** The query for another name, or another type, under the same ID. */
function other(query: Uint8Array, choices: Choices): Uint8Array {
  const { name, type } = questionOf(query);
  const id = query[0]! << 8 | query[1]!;
  return choices.below(2) === 0
    ? encodeQuery({ id, name: `x${name.slice(1)}`, type })
    : encodeQuery({ id, name, type: type === TYPE_A ? TYPE_AAAA : TYPE_A });
}
