/**
 * Connections of every edition: what the peer sends is changed, and cut in
 * pieces, on its way to the server or to the client.
 *
 * @module
 */

import { sealFlight } from "../../shadowsocks/fakes.ts";
import { concat } from "../support/mod.ts";
import type { Choices } from "./_choices.ts";
import {
  ALL_FAMILIES,
  chooseEndpoint,
  chooseHeader,
  type Family,
  openPairs,
  type Pair,
} from "./_editions.ts";
import { encoded, Reader, Server } from "./_reader.ts";
import {
  type FuzzRun,
  type FuzzTarget,
  promise,
  promiseEqual,
  promisePrefix,
} from "./_target.ts";

/** Longest payload of one write. */
const LONGEST = 70_000;
/** How often bytes are changed; 0 is a round trip. */
const CHANGES = [0, 1, 0, 1, 2, 3];
/**
 * The 2022 edition wants salt and fixed header (11 bytes and a tag of 16) in
 * the first read (SIP022, section 3.1.2).
 */
const FIXED_2022 = 27;

/** Targets of connections. */
export const STREAM_TARGETS: readonly FuzzTarget[] = [
  ...ALL_FAMILIES.map((
    family,
  ): FuzzTarget => ({
    name: `tcp ${family}`,
    open: () =>
      open(family, (pair, choices) => connection(pair, family, choices)),
  })),
  ...(["aead", "stream"] as const).map((family): FuzzTarget => ({
    name: `tcp ${family}, senseless`,
    open: () => open(family, senseless),
  })),
];

async function open(
  family: Family,
  body: (pair: Pair, choices: Choices) => void,
): Promise<FuzzRun> {
  const pairs = await openPairs(family);
  return {
    run: (choices) => body(choices.pick(pairs), choices),
    close: () => pairs.forEach((pair) => pair[Symbol.dispose]()),
  };
}

function payloadsOf(choices: Choices): Uint8Array[] {
  const count = 1 + choices.below(3);
  return Array.from(
    { length: count },
    () => choices.bytes(choices.length(LONGEST)),
  );
}

/** A request and an answer, each changed or not. */
function connection(pair: Pair, family: Family, choices: Choices): void {
  const { name } = pair;
  const target = chooseEndpoint(choices);
  using client = pair.client.newClientStream(target);
  using stream = pair.server.newServerStream();
  const server = new Server(stream);
  const payloads = payloadsOf(choices);
  const flight = concat(...payloads.map((each) => encoded(client, each)));
  const changes = choices.pick(CHANGES);
  const pieces = choices.pieces(choices.mutated(flight, changes));
  for (const piece of pieces) server.feed(piece);
  const whole = concat(...payloads);
  if (changes === 0) {
    const short = pair.server.method.saltLength + FIXED_2022;
    if (family === "2022" && pieces[0]!.length < short) {
      promise(
        server.answer.kind === "refuse",
        `${name}: a short read is refused`,
      );
      return;
    }
    promise(server.answer.kind === "request", `${name}: a request is served`);
    promiseEqual(server.payload, whole, `${name}: the payload`);
    promise(
      server.port === target.port &&
        ("bytes" in target || server.domain === target.domain),
      `${name}: the target is the one that was asked for`,
    );
  } else if (pair.server.authenticates) {
    promisePrefix(server.payload, whole, `${name}: the payload`);
  }
  if (server.answer.kind !== "request") return;
  const answers = payloadsOf(choices);
  const answer = concat(...answers.map((each) => encoded(stream, each)));
  const altered = changes > 0 ? 0 : choices.pick(CHANGES);
  const reader = new Reader(client);
  for (const piece of choices.pieces(choices.mutated(answer, altered))) {
    reader.feed(piece);
  }
  if (altered === 0 && changes === 0) {
    promiseEqual(reader.payload, concat(...answers), `${name}: the answer`);
    // A cipher without an IV begins with the payload: nothing has come.
    promise(
      reader.atBoundary || answer.length === 0,
      `${name}: a whole answer ends cleanly`,
    );
  } else if (pair.client.authenticates) {
    promisePrefix(reader.payload, concat(...answers), `${name}: the answer`);
  }
}

/** What a client that has the key may send: any plaintext. */
function senseless(pair: Pair, choices: Choices): void {
  using stream = pair.server.newServerStream();
  const server = new Server(stream);
  const plaintext = concat(
    choices.mutated(chooseHeader(choices), choices.below(3)),
    choices.bytes(choices.length(LONGEST)),
  );
  const flight = sealFlight(pair.client, plaintext);
  for (const piece of choices.pieces(flight)) server.feed(piece);
  if (server.answer.kind !== "request") return;
  promise(
    server.payload.length < plaintext.length,
    "the header is no part of the payload",
  );
  promiseEqual(
    server.payload,
    plaintext.subarray(plaintext.length - server.payload.length),
    `${pair.name}: the payload`,
  );
  promise(
    /^[\x21-\x7e]*$/.test(server.domain),
    "a name that is asked for is printable",
  );
}
