/**
 * TCP from shadowsocks to the target: the stages, the header, the silence.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { IpNetworks } from "../../outbound/mod.ts";
import { POLL_IN } from "../../loop/mod.ts";
import { serverFlow, TARGET } from "./_flow_fixture.ts";
import { CipherPeer, header, RawPeer, RelayFixture } from "./_relay_fixture.ts";
import {
  HANDSHAKE_TIMEOUT,
  STAGE_CONNECTING,
  STAGE_DNS,
  STAGE_DRAINING,
  STAGE_INIT,
  STAGE_STREAM,
} from "../../relay/constants.ts";
import { concat, text, utf8 } from "../support/bytes.ts";

const NAME = { host: "example.com", port: 443 };
const REFUSED = "can not parse header when handling connection from";

Deno.test("TCPRelay of shadowsocks to direct goes through its stages in order when the target is a name", async () => {
  using fixture = new RelayFixture();
  using client = new CipherPeer(fixture.suite);
  const local = await fixture.accept();
  const handler = fixture.handlerOf(local);
  const stages = [handler.stage];
  const note = (): void => {
    if (stages.at(-1) !== handler.stage) stages.push(handler.stage);
  };
  local.bring(client.seal(header(NAME), utf8("hello")));
  await fixture.settle();
  note();
  assertEquals(fixture.resolver.asked[0]!.hostname, NAME.host);
  fixture.resolver.answer("192.0.2.9");
  note();
  const remote = fixture.poller.connects[0]!;
  assertEquals(`${remote.remoteAddress}`, "192.0.2.9:443");
  remote.establish();
  await fixture.settle();
  note();
  assertEquals(stages, [STAGE_INIT, STAGE_DNS, STAGE_CONNECTING, STAGE_STREAM]);
  assertEquals(text(remote.sent), "hello");
  assertEquals(handler.session.target?.toString(), "example.com:443");
  assertEquals(
    fixture.logs.of("info"),
    [`connecting example.com:443 from ${local.remoteAddress}`],
  );
});

const ADDRESSES = [
  { host: "192.0.2.7", port: 80, connects: "192.0.2.7:80" },
  { host: "2001:db8::7", port: 65_535, connects: "[2001:db8::7]:65535" },
];
for (const { host, port, connects } of ADDRESSES) {
  Deno.test(`TCPRelay of shadowsocks to direct connects without a look-up when the target is ${host}`, async () => {
    using fixture = new RelayFixture();
    const { remote, handler } = await serverFlow(fixture, {
      target: { host, port },
    });
    assertEquals(`${remote.remoteAddress}`, connects);
    assertEquals(handler.stage, STAGE_STREAM);
    assertEquals(handler.session.target?.toString(), connects);
  });
}

Deno.test("TCPRelay of shadowsocks to direct writes an IPv4-mapped target as IPv4", async () => {
  using fixture = new RelayFixture();
  using client = new CipherPeer(fixture.suite);
  const local = await fixture.accept();
  const mapped = Uint8Array.of(
    4,
    ...new Array(10).fill(0),
    255,
    255,
    192,
    0,
    2,
    7,
    0,
    80,
  );
  local.bring(client.seal(mapped));
  await fixture.settle();
  assertEquals(`${fixture.poller.connects[0]!.remoteAddress}`, "192.0.2.7:80");
});

Deno.test("TCPRelay of shadowsocks to direct takes the header in chunks of one byte, in segments of one byte", async () => {
  using fixture = new RelayFixture();
  using client = new CipherPeer(fixture.suite);
  const local = await fixture.accept();
  const plain = concat(header(NAME), utf8("pay"));
  for (const byte of plain) local.bring(client.seal(Uint8Array.of(byte)));
  await fixture.settle();
  fixture.resolver.answer("192.0.2.9");
  const [remote] = fixture.poller.connects;
  remote!.establish();
  await fixture.settle();
  assertEquals(text(remote!.sent), "pay");
});

Deno.test("TCPRelay of shadowsocks to direct answers nothing while the header is not whole", async () => {
  using fixture = new RelayFixture();
  using client = new CipherPeer(fixture.suite);
  const local = await fixture.accept();
  const flight = client.seal(header(NAME));
  for (const byte of flight.subarray(0, -1)) local.bring(Uint8Array.of(byte));
  await fixture.settle();
  assertEquals(fixture.handlerOf(local).stage, STAGE_INIT);
  assertEquals([local.sends.length, local.closed], [0, false]);
  assertEquals(fixture.resolver.asked.length, 0);
});

Deno.test("TCPRelay of shadowsocks to direct closes when the client ends before the header is whole", async () => {
  using fixture = new RelayFixture();
  using client = new CipherPeer(fixture.suite);
  const local = await fixture.accept();
  local.bring(client.seal(header(NAME)).slice(0, -1));
  local.end();
  await fixture.settle();
  await fixture.advance(0.1);
  assertEquals([local.closed, local.wasReset], [true, false]);
  assertEquals(local.sends.length, 0);
});

/** Flights that are refused. */
const BAD: readonly {
  readonly name: string;
  readonly make: (client: CipherPeer) => Uint8Array;
}[] = [
  { name: "noise", make: () => new Uint8Array(100).fill(7) },
  {
    name: "a type that does not exist",
    make: (client) => client.seal(Uint8Array.of(2, 1, 2, 3, 4, 0, 80)),
  },
  {
    name: "a masked type",
    make: (client) => client.seal(Uint8Array.of(0x21, 1, 2, 3, 4, 0, 80)),
  },
  {
    name: "a marked type with a wrong tag",
    make: (client) =>
      client.seal(Uint8Array.of(0x11, 1, 2, 3, 4, 0, 80), new Uint8Array(10)),
  },
  {
    name: "an empty name",
    make: (client) => client.seal(Uint8Array.of(3, 0, 0, 80)),
  },
  {
    name: "a name with a line feed",
    make: (client) => client.seal(Uint8Array.of(3, 3, 97, 10, 98, 0, 80)),
  },
];
for (const { name, make } of BAD) {
  Deno.test(`TCPRelay of shadowsocks to direct reads on in silence until the deadline when it gets ${name}`, async () => {
    using fixture = new RelayFixture();
    using client = new CipherPeer(fixture.suite);
    const local = await fixture.accept();
    await fixture.advance(5);
    local.bring(make(client));
    await fixture.settle();
    const handler = fixture.handlerOf(local);
    assertEquals(handler.stage, STAGE_DRAINING);
    assertEquals(fixture.poller.maskOf(local), POLL_IN);
    assertEquals(fixture.logs.with(REFUSED), [
      `${REFUSED} ${local.remoteAddress}`,
    ]);
    const { reads } = local;
    for (let i = 0; i < 20; i++) local.bring(new Uint8Array(100_000));
    await fixture.settle();
    assert(local.reads >= reads + 20, "read and thrown away");
    assertEquals([local.sends.length, local.closed], [0, false]);
    assertEquals(fixture.poller.connects.filter((s) => !s.closed).length, 0);
    const times = Math.floor((HANDSHAKE_TIMEOUT - 5) / 10);
    for (let i = 0; i < times; i++) await fixture.advance(10);
    await fixture.advance(HANDSHAKE_TIMEOUT - 5 - 10 * times - 0.001);
    assert(!local.closed, "not before the deadline");
    await fixture.advance(0.002);
    assertEquals([local.closed, local.wasReset], [true, false]);
    assertEquals(fixture.logs.with(REFUSED).length, 1);
    assertEquals(local.sends.length, 0);
  });
}

Deno.test("TCPRelay of shadowsocks to direct closes with an end when a refused client ends", async () => {
  using fixture = new RelayFixture();
  const local = await fixture.accept();
  local.bring(new Uint8Array(100));
  await fixture.settle();
  local.end();
  await fixture.settle();
  await fixture.advance(0.1);
  assertEquals([local.closed, local.wasReset], [true, false]);
});

/** How long it takes to look at what a stranger has sent. */
const WORK_MS = [0, 0.1, 1.3, 12.7, 44];
/** What has come with the end: the keys are tried from 34 bytes on. */
const LENGTHS = [0, 1, 33, 34, 400];

Deno.test("TCPRelay of shadowsocks to direct answers the end of a stranger when nobody can tell how long its bytes were looked at", async () => {
  for (const start of [0.5, 17.3, 49.9]) {
    const moments = new Set<number>();
    for (const length of LENGTHS) {
      for (const work of WORK_MS) {
        using fixture = new RelayFixture();
        await fixture.advance(start / 1000);
        const begin = fixture.clock.now();
        const local = await fixture.accept();
        if (length > 0) local.bring(new Uint8Array(length).fill(7));
        await fixture.settle();
        await fixture.advance(work / 1000);
        local.end();
        await fixture.settle();
        assert(!local.closed, `${length} bytes, ${work} ms`);
        // To the next twentieth of a second and the millisecond that timers
        // are rounded up to, then one after the other.
        const next = 51 - fixture.clock.now() % 50;
        await fixture.advance(next / 1000);
        for (let n = 0; n < 2 && !local.closed; n++) {
          await fixture.advance(0.05);
        }
        assert(local.closed);
        moments.add(Math.round(fixture.clock.now() - begin));
      }
    }
    assertEquals(moments.size, 1, `from ${start} ms: ${[...moments]}`);
  }
});

Deno.test("TCPRelay of shadowsocks to direct answers at once who ends later", async () => {
  using fixture = new RelayFixture();
  const local = await fixture.accept();
  local.bring(new Uint8Array(100));
  await fixture.settle();
  await fixture.advance(0.06);
  local.end();
  await fixture.settle();
  assertEquals([local.closed, local.wasReset], [true, false]);
});

Deno.test("TCPRelay of shadowsocks to direct forgets a stranger that is ended before its end is answered", async () => {
  using fixture = new RelayFixture();
  const local = await fixture.accept();
  local.bring(new Uint8Array(100));
  local.end();
  await fixture.settle();
  assert(!local.closed);
  fixture.relay.destroy();
  assert(local.closed);
  await fixture.advance(1);
  assertEquals(fixture.logs.of("error").length, 1, "that it was refused");
});

Deno.test("TCPRelay of shadowsocks to direct ends at the same moment whatever a client without a header does", async () => {
  using fixture = new RelayFixture({ settings: { timeout: 600 } });
  const [silent, trickling, noisy] = await fixture.acceptMany(3);
  noisy!.bring(new Uint8Array(400).fill(1));
  for (let second = 1; second < HANDSHAKE_TIMEOUT; second++) {
    if (second < 15) trickling!.bring(Uint8Array.of(second));
    await fixture.advance(1);
  }
  const all = [silent!, trickling!, noisy!];
  assertEquals(all.map((stream) => stream.closed), [false, false, false]);
  await fixture.advance(1);
  assertEquals(all.map((stream) => stream.closed), [true, true, true]);
  assertEquals(all.map((stream) => stream.wasReset), [false, false, false]);
});

Deno.test("TCPRelay of shadowsocks to direct has a deadline of its own for each client when they come one after the other", async () => {
  using fixture = new RelayFixture({ settings: { timeout: 600 } });
  const first = await fixture.accept();
  await fixture.advance(30);
  const second = await fixture.accept();
  await fixture.advance(30);
  assertEquals([first.closed, second.closed], [true, false]);
  await fixture.advance(29.9);
  assert(!second.closed);
  await fixture.advance(0.2);
  assert(second.closed);
  const third = await fixture.accept();
  await fixture.advance(60);
  assert(third.closed, "watched again after nobody was left");
});

Deno.test("TCPRelay of shadowsocks to direct has no deadline any more when the header was valid", async () => {
  using fixture = new RelayFixture({ settings: { timeout: 600 } });
  const { local } = await serverFlow(fixture);
  await fixture.advance(HANDSHAKE_TIMEOUT * 2);
  assert(!local.closed);
});

Deno.test("TCPRelay of shadowsocks to direct resets the target and drains the client when a later frame is forged", async () => {
  using fixture = new RelayFixture();
  const { local, remote, client, handler } = await serverFlow(fixture);
  remote.bring(utf8("answer"));
  await fixture.settle();
  const sent = local.sends.length;
  local.bring(client.seal(utf8("good")), new Uint8Array(64));
  await fixture.settle();
  assertEquals(text(remote.sent), "good");
  assertEquals(handler.stage, STAGE_DRAINING);
  assert(remote.wasReset);
  assertEquals([local.closed, local.sends.length], [false, sent]);
  assertEquals(fixture.logs.with(REFUSED), []);
  assertEquals(fixture.logs.of("warning"), [
    `failed to handshake with ${local.remoteAddress.host}: authentication error`,
  ]);
  assertEquals([...fixture.relay.fd_to_handlers.keys()], [local.fd]);
  // Not without limit: it is idle from now on.
  for (let i = 0; i <= 30; i++) {
    local.bring(new Uint8Array(10));
    await fixture.advance(10);
  }
  assert(local.closed);
});

Deno.test("TCPRelay of shadowsocks to direct delivers what came before a forged frame of the same read", async () => {
  using fixture = new RelayFixture();
  const { local, remote, client } = await serverFlow(fixture);
  local.bring(concat(client.seal(utf8("good")), new Uint8Array(64)));
  await fixture.settle();
  assertEquals(text(remote.sent), "good");
  assert(remote.wasReset);
});

Deno.test("TCPRelay of shadowsocks to direct delivers what came before a forged frame when the target is slow", async () => {
  using fixture = new RelayFixture();
  const { local, remote, client, handler } = await serverFlow(fixture);
  remote.room = 1;
  local.bring(concat(client.seal(utf8("good")), new Uint8Array(64)));
  await fixture.settle();
  assertEquals([text(remote.sent), remote.closed], ["g", false]);
  remote.room = Infinity;
  await fixture.settle();
  assertEquals([text(remote.sent), remote.wasReset], ["good", true]);
  assertEquals(handler.stage, STAGE_DRAINING);
});

const BEHIND = [
  { name: "forged", tail: () => new Uint8Array(60).fill(3) },
  {
    name: "too long",
    tail: (raw: RawPeer) => raw.chunk(utf8("x"), 0x4000),
  },
];
for (const { name, tail } of BEHIND) {
  for (const payload of ["", "sixteen"]) {
    Deno.test(`TCPRelay of shadowsocks to direct delivers "${payload}" that came with the header, when a ${name} chunk is in the same segment`, async () => {
      using fixture = new RelayFixture();
      using raw = new RawPeer(fixture.suite);
      const local = await fixture.accept();
      const handler = fixture.handlerOf(local);
      const good = raw.chunk(concat(header(TARGET), utf8(payload)));
      local.bring(concat(raw.salt, good, tail(raw)));
      await fixture.settle();
      const [remote] = fixture.poller.connects;
      remote!.establish();
      await fixture.settle();
      assertEquals([text(remote!.sent), remote!.wasReset], [payload, true]);
      assertEquals(handler.stage, STAGE_DRAINING);
      assertEquals([local.closed, local.sends.length], [false, 0]);
    });
  }
}

Deno.test("TCPRelay of shadowsocks to direct refuses at once when a header is cut by a forged chunk", async () => {
  using fixture = new RelayFixture();
  using client = new CipherPeer(fixture.suite);
  const local = await fixture.accept();
  const start = header(TARGET).slice(0, -1);
  local.bring(concat(client.seal(start), new Uint8Array(60)));
  await fixture.settle();
  assertEquals(fixture.handlerOf(local).stage, STAGE_DRAINING);
  assertEquals(fixture.logs.with(REFUSED).length, 1);
});

Deno.test("TCPRelay of shadowsocks to direct goes on when a chunk is empty", async () => {
  using fixture = new RelayFixture();
  using raw = new RawPeer(fixture.suite);
  const local = await fixture.accept();
  const empty = new Uint8Array(0);
  local.bring(raw.salt, raw.chunk(empty));
  await fixture.settle();
  assertEquals(fixture.handlerOf(local).stage, STAGE_INIT);
  local.bring(raw.chunk(header(TARGET)), raw.chunk(empty));
  await fixture.settle();
  const [remote] = fixture.poller.connects;
  remote!.establish();
  local.bring(raw.chunk(utf8("a")), raw.chunk(empty), raw.chunk(utf8("b")));
  await fixture.settle();
  assertEquals(text(remote!.sent), "ab");
});

for (const length of [0x4000, 0xc005, 0xffff]) {
  Deno.test(`TCPRelay of shadowsocks to direct refuses a chunk when its length is ${length}`, async () => {
    using fixture = new RelayFixture();
    using raw = new RawPeer(fixture.suite);
    const local = await fixture.accept();
    local.bring(raw.salt, raw.chunk(concat(header(TARGET), utf8("x")), length));
    await fixture.settle();
    assertEquals(fixture.handlerOf(local).stage, STAGE_DRAINING);
    assertEquals(fixture.poller.connects.length, 0);
  });
}

Deno.test("TCPRelay of shadowsocks to direct does not connect when the target is forbidden", async () => {
  const cases = [
    { host: "127.0.0.1", port: 80 },
    { host: "::1", port: 80 },
    { host: "::ffff:127.0.0.1", port: 80 },
  ];
  for (const target of cases) {
    using fixture = new RelayFixture({
      settings: { forbiddenIp: IpNetworks.of("127.0.0.0/8,::1/128") },
    });
    const { local } = await serverFlow(fixture, { target, established: false });
    assertEquals(fixture.poller.connects.length, 0);
    assertEquals([local.closed, local.wasReset], [true, true]);
    const [line] = fixture.logs.with("is in forbidden list, reject");
    assert(line!.includes(`${local.remoteAddress}`), line);
  }
});

Deno.test("TCPRelay of shadowsocks to direct connects to the addresses of a name that are not forbidden", async () => {
  using fixture = new RelayFixture({
    settings: { forbiddenIp: IpNetworks.of("127.0.0.0/8") },
  });
  await serverFlow(fixture, { target: NAME, established: false });
  fixture.resolver.answer("127.0.0.1", "192.0.2.3", "127.9.9.9");
  const [remote, ...others] = fixture.poller.connects;
  assertEquals(`${remote!.remoteAddress}`, "192.0.2.3:443");
  remote!.fail("ECONNREFUSED");
  await fixture.settle();
  assertEquals(others.length, 0);
  assertEquals(fixture.relay.connections, 0);
});

Deno.test("TCPRelay of shadowsocks to direct logs and resets when the name does not exist", async () => {
  using fixture = new RelayFixture();
  const { local } = await serverFlow(fixture, {
    target: NAME,
    established: false,
  });
  fixture.resolver.answer();
  assert(local.wasReset);
  const [line] = fixture.logs.of("error");
  assert(line!.includes("example.com"), line);
  assert(line!.includes(`${local.remoteAddress}`), line);
});
