/**
 * How sessions end: each exactly once, with the right status and counts.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { type Status } from "../../relay/mod.ts";
import { HANDSHAKE_TIMEOUT, STAGE_DRAINING } from "../../relay/constants.ts";
import {
  BlockOutbound,
  DirectOutbound,
  IpNetworks,
} from "../../outbound/mod.ts";
import {
  GREETING,
  localFlow,
  request,
  serverFlow,
  TARGET,
} from "./_flow_fixture.ts";
import {
  CipherPeer,
  header,
  RelayFixture,
  SALT_LENGTH,
} from "./_relay_fixture.ts";
import { TestGroup, TestRouter } from "./_routes_fixture.ts";
import { assertEnd, chunk } from "./_session_fixture.ts";
import { concat, utf8 } from "../support/bytes.ts";

/** Bytes of a client's first flight: salt, and one chunk with the header. */
function flight(payload = 0): number {
  return SALT_LENGTH + chunk(header(TARGET).length + payload);
}

/** A client of the server that has sent 5 bytes of payload and got 7. */
async function talk(
  fixture: RelayFixture,
): Promise<Awaited<ReturnType<typeof serverFlow>>> {
  const flow = await serverFlow(fixture, { payload: utf8("hello") });
  flow.remote.bring(utf8("welcome"));
  await fixture.settle();
  assertEquals(fixture.ended, []);
  return flow;
}
const TALKED = { up: 5, down: 7, received: flight(5) };

for (const first of ["client", "target"] as const) {
  Deno.test(`Session ends ok with the second half close when the ${first} is first`, async () => {
    using fixture = new RelayFixture();
    const { local, remote, client } = await talk(fixture);
    const [early, late] = first === "client"
      ? [local, remote]
      : [remote, local];
    early.end();
    await fixture.settle();
    assertEquals(fixture.ended, [], "half open");
    // The other direction still counts.
    if (late === local) late.bring(client.seal(utf8("abc")));
    else late.bring(utf8("abc"));
    late.end();
    await fixture.settle();
    const more = late === local ? 3 : 0;
    const session = assertEnd(fixture, {
      status: "ok",
      up: 5 + more,
      down: 7 + (3 - more),
      received: flight(5) + (more > 0 ? chunk(more) : 0),
    });
    assertEquals(`${session.target}`, "192.0.2.7:80");
    assertEquals([session.outbound, session.rule], ["direct", ""]);
    assertEquals([session.network, session.user], ["tcp", ""]);
    assertEquals(session.listener, {
      protocol: "shadowsocks",
      port: fixture.relay.listenPort,
    });
  });
}

Deno.test("Session of a local counts payload, not ciphertext", async () => {
  using fixture = new RelayFixture({ isLocal: true });
  const { app, remote, server } = await localFlow(fixture, {
    payload: utf8("hello"),
  });
  remote.bring(server.seal(utf8("welcome")));
  await fixture.settle();
  app.end();
  remote.end();
  await fixture.settle();
  const session = assertEnd(fixture, {
    status: "ok",
    up: 5,
    down: 7,
    received: GREETING.length + request(1).length + 5,
  });
  assertEquals(session.outbound, "192.0.2.1:8388");
  assertEquals(session.listener.protocol, "mixed");
});

for (const taken of [undefined, 0, 10, Infinity]) {
  Deno.test(`Session counts payload of a fast open once when ${taken} bytes were taken`, async () => {
    using fixture = new RelayFixture({
      isLocal: true,
      settings: { fastOpen: true },
    });
    fixture.poller.fastOpenRoom = taken;
    const { app, remote } = await localFlow(fixture, {
      payload: utf8("hello"),
    });
    app.bring(utf8("more"));
    await fixture.settle();
    app.end();
    remote.end();
    await fixture.settle();
    // The answer had no salt, so its end is a cut.
    assertEnd(fixture, {
      status: "target_reset",
      up: 9,
      received: GREETING.length + request(1).length + 9,
    });
  });
}

/** How a connection of the server ends after 5 bytes up and 7 down. */
const OPEN_ENDS: readonly {
  readonly name: string;
  readonly status: Status;
  readonly received?: number;
  readonly act: (
    flow: Awaited<ReturnType<typeof serverFlow>>,
    fixture: RelayFixture,
  ) => void | Promise<void>;
}[] = [
  {
    name: "the client resets",
    status: "client_reset",
    act: ({ local }) => local.fail("ECONNRESET"),
  },
  {
    name: "the client ends inside a chunk",
    status: "client_reset",
    received: 10,
    act: ({ local, client }) => {
      local.bring(client.seal(utf8("abc")).subarray(0, 10));
      local.end();
    },
  },
  {
    name: "the client goes away and does not take the answer",
    status: "client_reset",
    act: ({ local }) => {
      local.error = "EPIPE";
      local.fail("EPIPE");
    },
  },
  {
    name: "the target resets",
    status: "target_reset",
    act: ({ remote }) => remote.fail("ECONNRESET"),
  },
  {
    name: "a chunk is altered",
    status: "auth_failed",
    received: chunk(3),
    act: ({ local, client }) => {
      const sealed = client.seal(utf8("abc"));
      sealed[0]! ^= 1;
      local.bring(sealed);
    },
  },
  {
    name: "nothing moves",
    status: "timeout",
    act: async (_, fixture) => {
      for (let i = 0; i < 31; i++) await fixture.advance(10);
    },
  },
  {
    name: "the process ends",
    status: "shutdown",
    act: (_, fixture) => fixture.relay.destroy(),
  },
  {
    name: "the listener is removed",
    status: "removed",
    act: (_, fixture) => fixture.relay.destroy("removed"),
  },
];
for (const { name, status, received = 0, act } of OPEN_ENDS) {
  Deno.test(`Session ends ${status} when ${name}`, async () => {
    using fixture = new RelayFixture();
    const flow = await talk(fixture);
    await act(flow, fixture);
    if (status !== "timeout") await fixture.settle();
    const session = fixture.ended[0]!;
    assertEquals(session.status, status);
    assertEquals(
      [session.up, session.down, session.received],
      [TALKED.up, TALKED.down, TALKED.received + received],
    );
    fixture.relay.destroy();
    for (let i = 0; i < 40; i++) await fixture.advance(10);
    assertEquals([fixture.opened.length, fixture.ended.length], [1, 1]);
  });
}

Deno.test("Session of a drained connection ends at once, and counts no more", async () => {
  using fixture = new RelayFixture();
  const local = await fixture.accept();
  local.bring(new Uint8Array(100).fill(7));
  await fixture.settle();
  assertEquals(fixture.handlerOf(local).stage, STAGE_DRAINING);
  const session = assertEnd(fixture, { status: "auth_failed", received: 100 });
  local.bring(new Uint8Array(50));
  await fixture.settle();
  await fixture.advance(HANDSHAKE_TIMEOUT + 1);
  assert(local.closed);
  assertEquals(fixture.ended, [session]);
  assertEquals([session.status, session.received], ["auth_failed", 100]);
});

Deno.test("Session ends replay when a flight comes again", async () => {
  using fixture = new RelayFixture();
  using peer = new CipherPeer(fixture.suite);
  const bytes = peer.seal(header(TARGET), utf8("once")).slice();
  for (let i = 0; i < 2; i++) {
    const local = await fixture.accept();
    local.bring(bytes);
    await fixture.settle();
  }
  assertEquals(fixture.ended.map(({ id, status }) => [id, status]), [
    [2, "replay"],
  ]);
  assertEquals(fixture.ended[0]!.received, bytes.length);
  assertEquals(fixture.ended[0]!.up, 0);
});

/** First bytes of a client, and how its session ends. */
const FIRST: readonly {
  readonly name: string;
  readonly bytes: (peer: CipherPeer) => Uint8Array;
  readonly end: "ends" | "stays" | "resets";
  readonly status: Status;
}[] = [
  {
    name: "ends without a byte",
    bytes: () => new Uint8Array(0),
    end: "ends",
    status: "ok",
  },
  {
    name: "ends inside its header",
    bytes: (peer) => peer.seal(header(TARGET)).subarray(0, 40),
    end: "ends",
    status: "client_reset",
  },
  {
    name: "resets inside its header",
    bytes: (peer) => peer.seal(header(TARGET)).subarray(0, 40),
    end: "resets",
    status: "client_reset",
  },
  {
    name: "asks for an address type that does not exist",
    bytes: (peer) => peer.seal(Uint8Array.of(2, 1, 2, 3, 4, 0, 80)),
    end: "stays",
    status: "error",
  },
];
for (const { name, bytes, end, status } of FIRST) {
  Deno.test(`Session ends ${status} when a client ${name}`, async () => {
    using fixture = new RelayFixture();
    using peer = new CipherPeer(fixture.suite);
    const local = await fixture.accept();
    const sent = bytes(peer);
    if (sent.length > 0) local.bring(sent);
    await fixture.settle();
    if (end === "ends") local.end();
    if (end === "resets") local.fail("ECONNRESET");
    await fixture.settle();
    // The end of a stranger is answered in its own time.
    if (end === "ends") await fixture.advance(0.1);
    const session = assertEnd(fixture, { status, received: sent.length });
    assertEquals(session.target, undefined);
    fixture.relay.destroy();
    assertEquals(fixture.ended.length, 1);
  });
}

Deno.test("Session ends timeout when no request comes in time", async () => {
  using fixture = new RelayFixture();
  await fixture.accept();
  await fixture.advance(HANDSHAKE_TIMEOUT + 0.001);
  assertEnd(fixture, { status: "timeout", received: 0 });
});

Deno.test("Session ends connections when its client must make room", async () => {
  using fixture = new RelayFixture();
  await fixture.accept();
  fixture.listener.acceptError = "EMFILE";
  fixture.listener.arrive();
  await fixture.settle();
  assertEnd(fixture, { status: "connections", received: 0 });
});

// EACCES of the system is no rule of ours.
for (const code of ["ECONNREFUSED", "EACCES"]) {
  Deno.test(`Session of a server ends dial_failed when the target gives ${code}`, async () => {
    using fixture = new RelayFixture();
    const { remote } = await serverFlow(fixture, {
      payload: utf8("hello"),
      established: false,
    });
    remote.fail(code);
    await fixture.settle();
    assertEnd(fixture, { status: "dial_failed", received: flight(5) });
  });
}

Deno.test("Session ends name_failed when the target has no address", async () => {
  using fixture = new RelayFixture();
  const target = { host: "gone.example", port: 80 };
  await serverFlow(fixture, { target, established: false });
  fixture.resolver.answer();
  const received = SALT_LENGTH + chunk(header(target).length);
  const session = assertEnd(fixture, { status: "name_failed", received });
  assertEquals(`${session.target}`, "gone.example:80");
});

Deno.test("Session ends client_reset when the client resets during a look-up", async () => {
  using fixture = new RelayFixture();
  const target = { host: "slow.example", port: 80 };
  const { local } = await serverFlow(fixture, { target, established: false });
  local.fail("ECONNRESET");
  await fixture.settle();
  const received = SALT_LENGTH + chunk(header(target).length);
  assertEnd(fixture, { status: "client_reset", received });
  assertEquals(fixture.resolver.removed, 1);
});

for (const host of ["127.0.0.1", "local.example"]) {
  Deno.test(`Session ends blocked when ${host} is a forbidden address`, async () => {
    using fixture = new RelayFixture({
      settings: { forbiddenIp: IpNetworks.of("127.0.0.0/8") },
    });
    fixture.resolver.known.set("local.example", ["127.0.0.9"]);
    const target = { host, port: 80 };
    await serverFlow(fixture, { target, established: false });
    const received = SALT_LENGTH + chunk(header(target).length);
    const session = assertEnd(fixture, { status: "blocked", received });
    assert(session.rule !== "");
  });
}

Deno.test("Session ends blocked when the client is refused", async () => {
  const router = new TestRouter();
  router.refused = "no clients";
  using fixture = new RelayFixture({ relay: { router } });
  const stream = fixture.listener.arrive();
  stream.bring(utf8("never read"));
  await fixture.settle();
  const session = assertEnd(fixture, { status: "blocked", received: 0 });
  assertEquals(session.rule, "no clients");
  assert(stream.wasReset);
  assertEquals([stream.reads, fixture.relay.connections], [0, 0]);
});

for (const how of ["rule", "route"] as const) {
  Deno.test(`Session ends blocked when a ${how} says so, and a SOCKS client hears of it`, async () => {
    const router = new TestRouter(new BlockOutbound());
    if (how === "rule") router.decide = () => ({ blocked: "a rule" });
    using fixture = new RelayFixture({ isLocal: true, relay: { router } });
    const app = await fixture.accept();
    app.bring(concat(GREETING, request(1)));
    await fixture.settle();
    const session = assertEnd(fixture, {
      status: "blocked",
      received: GREETING.length + request(1).length,
    });
    assertEquals(session.rule, how === "rule" ? "a rule" : "");
    assertEquals(session.outbound, how === "rule" ? "" : "block");
    assertEquals(app.sent[3], 2, "not allowed");
    assertEquals([app.closed, app.wasReset], [true, false]);
  });
}

Deno.test("Session has the rule of the router that decided late", async () => {
  const router = new TestRouter();
  router.isLate = true;
  const direct = new DirectOutbound();
  router.decide = () => ({ route: direct, rule: "bypass" });
  using fixture = new RelayFixture({ relay: { router } });
  const { local } = await serverFlow(fixture, { established: false });
  assertEquals(fixture.poller.connects.length, 0);
  router.release();
  const [remote] = fixture.poller.connects;
  remote!.establish();
  await fixture.settle();
  local.end();
  remote!.end();
  await fixture.settle();
  const session = assertEnd(fixture, { status: "ok", received: flight() });
  assertEquals([session.rule, session.outbound], ["bypass", "direct"]);
});

Deno.test("Session takes its question to the router back when the client resets", async () => {
  const router = new TestRouter();
  router.isLate = true;
  using fixture = new RelayFixture({ relay: { router } });
  const { local } = await serverFlow(fixture, { established: false });
  assertEquals(router.waiting.size, 1);
  local.fail("ECONNRESET");
  await fixture.settle();
  assertEquals(router.waiting.size, 0);
  assertEnd(fixture, { status: "client_reset", received: flight() });
});

Deno.test("Session of a local ends server_failed when no server can be reached", async () => {
  for (const code of ["ECONNREFUSED", "ETIMEDOUT"]) {
    using fixture = new RelayFixture({ isLocal: true });
    const { app, remote } = await localFlow(fixture, { established: false });
    if (code === "ETIMEDOUT") await fixture.advance(10);
    else {
      remote.fail(code);
      await fixture.settle();
    }
    assertEnd(fixture, {
      status: "server_failed",
      received: GREETING.length + request(1).length,
    });
    assert(app.closed);
  }
});

Deno.test("Session of a local ends server_failed when the server has no address, or the group no member", async () => {
  for (const router of [undefined, new TestRouter(new TestGroup([]))]) {
    using fixture = new RelayFixture({
      isLocal: true,
      settings: { servers: [{ host: "ss.example", port: 1 }] },
      relay: router === undefined ? {} : { router },
    });
    const app = await fixture.accept();
    app.bring(concat(GREETING, request(1)));
    await fixture.settle();
    if (router === undefined) fixture.resolver.answer();
    await fixture.settle();
    assertEnd(fixture, {
      status: "server_failed",
      received: GREETING.length + request(1).length,
    });
  }
});

Deno.test("Session of a local ends server_failed when the answer is forged", async () => {
  using fixture = new RelayFixture({ isLocal: true });
  const { app, remote } = await localFlow(fixture, { payload: utf8("hi") });
  remote.bring(new Uint8Array(100));
  await fixture.settle();
  assertEnd(fixture, {
    status: "server_failed",
    up: 2,
    received: GREETING.length + request(1).length + 2,
  });
  assert(app.wasReset);
});

for (const slow of [false, true]) {
  Deno.test(`Session of a refused application ends at once, its reply ${slow ? "not yet" : ""} sent`, async () => {
    using fixture = new RelayFixture({ isLocal: true });
    const app = await fixture.accept();
    if (slow) app.room = 5;
    const sent = concat(GREETING, request(2));
    app.bring(sent);
    await fixture.settle();
    const end = { status: "error", received: sent.length } as const;
    assertEnd(fixture, end);
    assertEquals(app.closed, !slow);
    if (slow) app.fail("ECONNRESET");
    await fixture.settle();
    assert(app.closed);
    assertEnd(fixture, end);
  });
}

for (const [seconds, lines] of [[4, 0], [6, 1]] as const) {
  Deno.test(`A server that answers nothing in ${seconds} s is named ${lines} times`, async () => {
    using fixture = new RelayFixture({ isLocal: true });
    const { app } = await localFlow(fixture, { payload: utf8("hi") });
    await fixture.advance(seconds);
    app.fail("ECONNRESET");
    await fixture.settle();
    const named = fixture.logs.with(
      "server 192.0.2.1:8388 has answered nothing in",
    );
    assertEquals(named.length, lines);
  });
}
