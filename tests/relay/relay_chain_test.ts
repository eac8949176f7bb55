/**
 * A relay between two shadowsocks servers: each side with a codec of its own,
 * with and without one-time authentication.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { type FakeStream } from "../../loop/fakes.ts";
import { SocketAddress } from "../../loop/mod.ts";
import { Packet, PACKET_ROOM, Target } from "../../relay/mod.ts";
import { FIRST_PAYLOAD_WAIT, STAGE_DRAINING } from "../../relay/constants.ts";
import { ShadowsocksInbound, ShadowsocksPackets } from "../../inbound/mod.ts";
import { ShadowsocksOutbound } from "../../outbound/mod.ts";
import {
  CipherSuite,
  ClassicEdition,
  type ClientStream,
  type Edition,
} from "../../shadowsocks/mod.ts";
import {
  Decoding,
  encode,
  Serving,
} from "../../shadowsocks/_edition_fixture.ts";
import { header, PROVIDERS, RelayFixture } from "./_relay_fixture.ts";
import { TestRouter } from "./_routes_fixture.ts";
import { client as udpClient, UdpFixture } from "./_udp_fixture.ts";
import { concat, seededBytes, text, utf8 } from "../support/bytes.ts";

const SERVER = { host: "192.0.2.9", port: 8388 };
const TARGET = { host: "example.com", port: 443 };

/** A method, with or without one-time authentication. */
interface Side {
  readonly method: string;
  readonly oneTimeAuth: boolean;
}

const SIDES: readonly Side[] = [
  { method: "aes-256-gcm", oneTimeAuth: false },
  { method: "chacha20-ietf-poly1305", oneTimeAuth: true },
  { method: "aes-256-cfb", oneTimeAuth: false },
  { method: "rc4-md5", oneTimeAuth: true },
];

/** Every side before every side. */
const PAIRS: readonly (readonly [Side, Side])[] = SIDES.flatMap((near) =>
  SIDES.map((far) => [near, far] as const)
);

function nameOf({ method, oneTimeAuth }: Side): string {
  return oneTimeAuth ? `${method} with one-time authentication` : method;
}

/** Both sides of the relay, and both ends: each with its own memory. */
class Keys implements Disposable {
  readonly #suites: CipherSuite[] = [];

  /** The keys of the near or the far side, once more. */
  async edition(side: Side, password: string): Promise<Edition> {
    const suite = await CipherSuite.create(side.method, password, PROVIDERS);
    this.#suites.push(suite);
    return new ClassicEdition(suite, side.oneTimeAuth);
  }

  [Symbol.dispose](): void {
    for (const suite of this.#suites) suite[Symbol.dispose]();
  }
}

/** Where the relay leads, and what it speaks. */
interface Chain {
  /** The edition of clients of the relay. */
  readonly client: Edition;
  /** The edition of the server behind it. */
  readonly server: Edition;
  /** What the relay speaks with its clients. */
  readonly near: Edition;
  /** The router that leads to the server. */
  readonly router: TestRouter;
}

async function chainOf(
  keys: Keys,
  [near, far]: readonly [Side, Side],
  fastOpen = false,
): Promise<Chain> {
  const outbound = new ShadowsocksOutbound({
    name: "next",
    server: Target.of(SERVER.host, SERVER.port),
    edition: await keys.edition(far, "far"),
    fastOpen,
  });
  return {
    client: await keys.edition(near, "near"),
    server: await keys.edition(far, "far"),
    near: await keys.edition(near, "near"),
    router: new TestRouter(outbound),
  };
}

/** One connection through the relay, and both of its ends. */
class Relayed {
  readonly client: ClientStream;
  readonly answers: Decoding;
  readonly server: Serving;
  readonly local: FakeStream;
  readonly fixture: RelayFixture;
  #remote: FakeStream | undefined;
  #taken = { local: 0, remote: 0 };

  constructor(chain: Chain, fixture: RelayFixture, local: FakeStream) {
    this.fixture = fixture;
    this.local = local;
    this.client = chain.client.newClientStream({
      domain: TARGET.host,
      port: TARGET.port,
    });
    this.answers = new Decoding(this.client);
    this.server = new Serving(chain.server.newServerStream());
  }

  /** The relay's connection to the server, once there is one. */
  get remote(): FakeStream {
    return this.#remote ??= this.fixture.poller.connects.at(-1)!;
  }

  /** Lets the relay work, and both ends read. */
  async settle(): Promise<void> {
    await this.fixture.settle();
    const { local, remote } = this;
    this.answers.feed(...pieces(local.sent.subarray(this.#taken.local)));
    this.#taken.local = local.sent.length;
    if (remote === undefined) return;
    this.server.feed(...pieces(remote.sent.subarray(this.#taken.remote)));
    this.#taken.remote = remote.sent.length;
  }
}

/** Bytes in reads of 64 KiB. */
function pieces(bytes: Uint8Array): Uint8Array[] {
  const out: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += 65_536) {
    out.push(bytes.subarray(at, at + 65_536));
  }
  return out;
}

async function relayed(
  chain: Chain,
  fastOpen = false,
): Promise<Relayed & Disposable> {
  const { router, near } = chain;
  const inbound = new ShadowsocksInbound(near);
  const fixture = new RelayFixture({ relay: { inbound, router, fastOpen } });
  const connection = new Relayed(chain, fixture, await fixture.accept());
  return Object.assign(connection, {
    [Symbol.dispose]: () => {
      fixture.relay.destroy();
      connection.client[Symbol.dispose]();
      connection.server.stream[Symbol.dispose]();
      fixture[Symbol.dispose]();
    },
  });
}

for (const pair of PAIRS) {
  const name = `${nameOf(pair[0])} before ${nameOf(pair[1])}`;

  Deno.test(`TCPRelay passes bytes on intact: ${name}`, async () => {
    using keys = new Keys();
    const chain = await chainOf(keys, pair);
    using connection = await relayed(chain);
    const { local, server, client, answers, fixture } = connection;
    const upload = seededBytes(300_000, 1);
    const download = seededBytes(400_000, 2);
    // Much of it before the server is there, in reads of odd sizes.
    const first = encode(client, upload.subarray(0, 50_000));
    local.bring(first.subarray(0, 3), first.subarray(3, 60));
    local.bring(first.subarray(60));
    await connection.fixture.settle();
    const { remote } = connection;
    assertEquals(`${remote.remoteAddress}`, `${SERVER.host}:${SERVER.port}`);
    remote.room = 1000;
    remote.establish();
    await connection.settle();
    assertEquals(remote.sent.length, 1000);
    remote.room = Infinity;
    await connection.settle();
    const answer = [0, 1, 100_000, 400_000].map((end, i, ends) =>
      encode(server.stream, download.subarray(ends[i - 1] ?? 0, end))
    );
    for (let at = 50_000; at < upload.length; at += 125_000) {
      local.bring(encode(client, upload.subarray(at, at + 125_000)));
      await connection.settle();
    }
    local.room = 70_000;
    remote.bring(...answer.filter(({ length }) => length > 0));
    await connection.settle();
    local.room = Infinity;
    await connection.settle();
    local.end();
    remote.end();
    await connection.settle();
    assertEquals(server.host, TARGET.host);
    assert(equal(server.payload, upload), "upload");
    assert(equal(answers.payload, download), "download");
    assert(server.decoding.atBoundary && answers.atBoundary);
    assertEquals([remote.wasReset, local.wasReset], [false, false]);
    assertEquals([remote.closed, local.closed], [true, true]);
    const [session] = fixture.ended;
    assertEquals(
      [session!.status, session!.up, session!.down, `${session!.target}`],
      ["ok", upload.length, download.length, `${TARGET.host}:${TARGET.port}`],
    );
  });

  Deno.test(`UDPRelay passes datagrams on intact: ${name}`, async () => {
    using keys = new Keys();
    const chain = await chainOf(keys, pair);
    using inbound = new ShadowsocksPackets(chain.near);
    using fixture = new UdpFixture({
      relay: { inbound, router: chain.router },
    });
    using client = chain.client.newClientPackets();
    using server = chain.server.newServerPackets();
    const source = { host: "2001:db8::5", port: 443 };
    for (const length of [0, 1, 1200, 60_000]) {
      const data = seededBytes(length, length);
      const output = new Uint8Array(70_000);
      const count = client.seal(packetOf(TARGET, data), output);
      await fixture.fromClient(output.subarray(0, count), udpClient(1));
      const [socket] = fixture.outgoing;
      const sent = socket!.sends.pop()!;
      assertEquals(`${sent.to}`, `${SERVER.host}:${SERVER.port}`);
      const request = received(sent.data);
      const opened = server.open(request, output);
      if (!("address" in opened)) throw new Error(opened.reason);
      assertEquals(opened.address.domain, TARGET.host);
      assert(equal(request.bytes.subarray(request.start, request.end), data));

      const back = seededBytes(length, length + 1);
      const reply = new Uint8Array(70_000);
      const size = server.seal(packetOf(source, back), opened.state, reply);
      socket!.bring(
        reply.subarray(0, size),
        SocketAddress.parse(SERVER.host, SERVER.port),
      );
      await fixture.settle();
      const answer = received(fixture.listener.sends.pop()!.data);
      assertEquals(client.open(answer, output), undefined);
      assertEquals(
        output.subarray(answer.head, answer.start),
        header(source),
      );
      assert(equal(answer.bytes.subarray(answer.start, answer.end), back));
    }
    const [session] = fixture.opened;
    assertEquals([session!.up, session!.down], [61_201, 61_201]);
    assertEquals(fixture.resolver.asked.length, 0);
  });
}

for (const taken of [undefined, 0, 100, Infinity]) {
  for (const first of ["", "a first payload"]) {
    Deno.test(`TCPRelay relays with fast open when ${taken} bytes were taken, ${first || "no payload"} first`, async () => {
      using keys = new Keys();
      const chain = await chainOf(keys, [SIDES[0]!, SIDES[1]!], true);
      using connection = await relayed(chain, true);
      const { local, client, fixture, server } = connection;
      fixture.poller.fastOpenRoom = taken;
      local.bring(encode(client, utf8(first)));
      await fixture.settle();
      const { remote } = connection;
      // Without payload there is nothing to wait for: the client's side is
      // read only once the server is connected.
      assertEquals(remote.fastOpenData !== undefined, first !== "");
      local.bring(encode(client, utf8(", and more")));
      await fixture.settle();
      remote.establish();
      const syn = remote.fastOpenData?.subarray(0, remote.fastOpenTaken ?? 0);
      if (syn !== undefined && syn.length > 0) server.feed(syn);
      await connection.settle();
      assertEquals(server.host, TARGET.host);
      assertEquals(text(server.payload), `${first}, and more`);
      remote.bring(encode(server.stream, utf8("answer")));
      await connection.settle();
      assertEquals(text(connection.answers.payload), "answer");
      assertEquals(fixture.opened[0]!.up, first.length + 10);
    });
  }
}

Deno.test("TCPRelay sends the header on alone when a client of the relay sends nothing", async () => {
  using keys = new Keys();
  const chain = await chainOf(keys, [SIDES[0]!, SIDES[1]!]);
  using connection = await relayed(chain);
  connection.local.bring(encode(connection.client));
  await connection.fixture.settle();
  connection.remote.establish();
  await connection.settle();
  await connection.fixture.advance(FIRST_PAYLOAD_WAIT / 1000);
  await connection.settle();
  assertEquals(connection.server.host, TARGET.host);
  connection.remote.bring(encode(connection.server.stream, utf8("banner")));
  await connection.settle();
  assertEquals(text(connection.answers.payload), "banner");
});

Deno.test("TCPRelay drains a client of the relay whose chunk is altered, and resets the server", async () => {
  using keys = new Keys();
  const chain = await chainOf(keys, [SIDES[0]!, SIDES[2]!]);
  using connection = await relayed(chain);
  const { local, client, fixture } = connection;
  local.bring(encode(client, utf8("good")));
  await fixture.settle();
  connection.remote.establish();
  await connection.settle();
  const bad = encode(client, utf8("bad"));
  bad[0]! ^= 1;
  local.bring(bad);
  await connection.settle();
  assertEquals(text(connection.server.payload), "good");
  assertEquals([connection.remote.wasReset, local.closed], [true, false]);
  assertEquals(fixture.handlerOf(local).stage, STAGE_DRAINING);
  assertEquals(fixture.ended.map(({ status }) => status), ["auth_failed"]);
});

Deno.test("TCPRelay resets both sides of a relay when the server's answer is cut", async () => {
  using keys = new Keys();
  const chain = await chainOf(keys, [SIDES[2]!, SIDES[0]!]);
  using connection = await relayed(chain);
  const { local, client, fixture, server } = connection;
  local.bring(encode(client, utf8("question")));
  await fixture.settle();
  const { remote } = connection;
  remote.establish();
  await connection.settle();
  remote.bring(encode(server.stream, utf8("whole")));
  remote.bring(encode(server.stream, utf8("cut short")).subarray(0, -1));
  remote.end();
  await connection.settle();
  assertEquals(text(connection.answers.payload), "whole");
  assertEquals([local.wasReset, remote.wasReset], [true, true]);
  assertEquals(fixture.ended.map(({ status }) => status), ["target_reset"]);
});

/** A payload with an address header in front. */
function packetOf(
  place: { readonly host: string; readonly port: number },
  data: Uint8Array,
): Packet {
  const head = header(place);
  const packet = new Packet();
  const front = new Uint8Array(PACKET_ROOM - head.length);
  packet.bytes = concat(front, head, data);
  packet.head = front.length;
  packet.start = PACKET_ROOM;
  packet.end = PACKET_ROOM + data.length;
  return packet;
}

/** A packet as it came. */
function received(data: Uint8Array): Packet {
  const packet = new Packet();
  packet.bytes = data;
  packet.end = data.length;
  return packet;
}

/** Compares without a difference of megabytes. */
function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
