/**
 * Datagrams of every edition, changed on their way to the server or to the
 * client, and such as only who has the key can send.
 *
 * @module
 */

import { addressLength, writeAddress } from "../../socks5/mod.ts";
import { NOT_SENDABLE, PACKET_ROOM } from "../../shadowsocks/mod.ts";
import {
  contentOf,
  plainPacket,
  sealedPacket,
} from "../../shadowsocks/_edition_fixture.ts";
import type { Choices } from "./_choices.ts";
import {
  ALL_FAMILIES,
  chooseEndpoint,
  chooseHeader,
  openPairs,
  type Pair,
} from "./_editions.ts";
import { type FuzzTarget, promise, promiseEqual } from "./_target.ts";

/** The longest UDP payload over IPv4. */
const LONGEST = 65_507;
/** Room for a sealed packet, and for an opened one with its header. */
const OUTPUT = new Uint8Array(LONGEST + 1024);
const OPENED = new Uint8Array(LONGEST + 1024);
const CHANGES = [0, 1, 1, 2];

/** Targets of datagrams. */
export const PACKET_TARGETS: readonly FuzzTarget[] = ALL_FAMILIES.map((
  family,
) => ({
  name: `udp ${family}`,
  open: async () => {
    const pairs = await openPairs(family);
    return {
      run: (choices) => exchange(choices.pick(pairs), choices),
      close: () => pairs.forEach((pair) => pair[Symbol.dispose]()),
    };
  },
}));

/** A datagram up, and an answer down. */
function exchange(pair: Pair, choices: Choices): void {
  const { name } = pair;
  using client = pair.client.newClientPackets();
  using server = pair.server.newServerPackets();
  const isHonest = !choices.once(3);
  const header = isHonest
    ? headerOf(choices)
    : choices.mutated(chooseHeader(choices), choices.below(3))
      .slice(0, PACKET_ROOM);
  const data = choices.bytes(choices.length(LONGEST - 600));
  const count = client.seal(plainPacket(header, data), OUTPUT);
  promise(
    count === NOT_SENDABLE || count >= 0 && count <= OUTPUT.length,
    "seal() keeps to its room",
  );
  if (count === NOT_SENDABLE) return;
  const sealed = OUTPUT.slice(0, count);
  const changes = choices.pick(CHANGES);
  const changed = choices.mutated(sealed, changes);
  const packet = sealedPacket(changed);
  const opened = server.open(packet, OPENED);
  if ("refused" in opened) {
    promise(
      changes > 0 || !isHonest,
      `${name}: an honest datagram is taken, not refused: ${opened.reason}`,
    );
    return;
  }
  const content = contentOf(packet);
  if (isHonest && (changes === 0 || pair.server.authenticates)) {
    promiseEqual(content.data, data, `${name}: the datagram`);
    promiseEqual(content.head, header, `${name}: its target`);
  }
  if (changes > 0) return;
  const answer = choices.bytes(choices.length(LONGEST - 600));
  const from = headerOf(choices);
  const length = server.seal(
    plainPacket(from, answer),
    opened.state,
    OUTPUT,
  );
  if (length === NOT_SENDABLE) return;
  const altered = choices.pick(CHANGES);
  const back = sealedPacket(choices.mutated(OUTPUT.slice(0, length), altered));
  const refusal = client.open(back, OPENED);
  if (altered === 0) {
    promise(refusal === undefined, `${name}: an honest answer is taken`);
  }
  if (refusal === undefined && (altered === 0 || pair.client.authenticates)) {
    const got = contentOf(back);
    promiseEqual(got.data, answer, `${name}: the answer`);
    promiseEqual(got.head, from, `${name}: its source`);
  }
}

function headerOf(choices: Choices): Uint8Array {
  const endpoint = chooseEndpoint(choices);
  const header = new Uint8Array(addressLength(endpoint));
  writeAddress(header, 0, endpoint);
  return header;
}
