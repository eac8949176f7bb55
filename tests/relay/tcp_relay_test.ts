/**
 * The list of timeouts: its order, its sweep, its trimming.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { POLL_IN, SocketAddress, TIMEOUT_PRECISION } from "../../loop/mod.ts";
import { serverFlow } from "./_flow_fixture.ts";
import { CipherPeer, header, RelayFixture } from "./_relay_fixture.ts";
import { TIMEOUTS_CLEAN_SIZE } from "../../relay/constants.ts";
import { Sessions } from "../../relay/session.ts";
import { TCPRelay } from "../../relay/tcp_relay.ts";
import type { TCPRelayHandler } from "../../relay/tcp_relay_handler.ts";
import { randomOf, utf8 } from "../support/bytes.ts";

const TARGET = { host: "192.0.2.7", port: 80 };

Deno.test("TCPRelay.timeouts has each handler in order when it is accepted", async () => {
  using fixture = new RelayFixture();
  const { relay } = fixture;
  assertEquals(relay.timeouts, []);
  const streams = await fixture.acceptMany(3);
  const handlers = streams.map((stream) => fixture.handlerOf(stream));
  assertEquals(places(handlers), [0, 1, 2]);
  assertEquals(relay.timeouts.length, 3);
  assertEquals(relay.connections, 3);
  assertEquals(fixture.stats, []);
});

Deno.test("TCPRelay.updateActivity() appends the handler and empties its old place", async () => {
  using fixture = new RelayFixture();
  const { relay } = fixture;
  const [one, two, three] = await handlersOf(fixture, 3);
  // The sequence of events of which the original draws the list.
  const steps = [
    { handler: one, list: [undefined, two, three, one] },
    { handler: one, list: [undefined, two, three, undefined, one] },
    { handler: two, list: [undefined, undefined, three, undefined, one, two] },
    {
      handler: two,
      list: [undefined, undefined, three, undefined, one, undefined, two],
    },
  ];
  for (const { handler, list } of steps) {
    fixture.clock.advance(TIMEOUT_PRECISION * 1000);
    relay.updateActivity(handler!);
    assertSameList(relay, list);
    assertIndexRight(relay);
  }
});

Deno.test("TCPRelay.updateActivity() leaves the list alone when less than TIMEOUT_PRECISION passed", async () => {
  using fixture = new RelayFixture();
  const { relay, clock } = fixture;
  const [one, two] = await handlersOf(fixture, 2);
  assertEquals([one!.lastActivity, one!.placedAt], [5000, 5000]);
  clock.advance(TIMEOUT_PRECISION * 1000 - 1);
  relay.updateActivity(one!);
  assertSameList(relay, [one, two]);
  assertEquals([one!.lastActivity, one!.placedAt], [5009.999, 5000]);
  clock.advance(1);
  relay.updateActivity(one!);
  assertSameList(relay, [undefined, two, one]);
  assertEquals([one!.lastActivity, one!.placedAt], [5010, 5010]);
});

for (const timeout of [1, 1.5, 5, 10, 30, 300]) {
  Deno.test(`TCPRelay ends a connection when it was idle for the timeout, not before, and soon after (${timeout} s)`, async () => {
    using fixture = new RelayFixture({ settings: { timeout } });
    const { local, client } = await serverFlow(fixture);
    // An echo is made whenever nearly the timeout has passed, for long enough.
    const pause = timeout - 0.25;
    for (let i = 0; i < 40; i++) {
      for (let second = 0; second < Math.floor(pause); second++) {
        await fixture.advance(1);
      }
      await fixture.advance(pause % 1);
      assert(!local.closed, `it was not idle in round ${i}`);
      local.bring(client.seal(utf8("x")));
      await fixture.settle();
    }
    for (let second = 0; second < Math.floor(timeout); second++) {
      assert(!local.closed, `it was idle for ${second} s`);
      await fixture.advance(1);
    }
    const tolerance = Math.max(2, Math.min(2 * TIMEOUT_PRECISION, timeout / 5));
    for (let second = 0; second < tolerance; second++) {
      await fixture.advance(1);
    }
    assert(local.closed);
  });
}

Deno.test("TCPRelay takes writing for activity", async () => {
  using fixture = new RelayFixture({ settings: { timeout: 5 } });
  const { local, remote, client } = await serverFlow(fixture);
  remote.room = 0;
  local.bring(client.seal(new Uint8Array(1000)));
  await fixture.settle();
  for (let second = 0; second < 30; second++) {
    await fixture.advance(1);
    assert(!local.closed, `it was written to in second ${second}`);
    if (second % 4 !== 0) continue;
    remote.room = 10;
    await fixture.settle();
  }
  for (let second = 0; second < 8; second++) await fixture.advance(1);
  assert(local.closed);
});

for (const blocked of [true, false]) {
  Deno.test(`TCPRelay takes it for activity when the system sends what it was given, ${blocked ? "and" : "though"} ${blocked ? "more" : "nothing"} waits`, async () => {
    using fixture = new RelayFixture({ settings: { timeout: 5 } });
    const { local, remote, client } = await serverFlow(fixture);
    remote.unsent = 1000;
    if (blocked) remote.room = 1;
    local.bring(client.seal(new Uint8Array(1000)));
    await fixture.settle();
    for (let second = 0; second < 60; second++) {
      await fixture.advance(1);
      assert(!local.closed, `it was moving in second ${second}`);
      if (second % 4 === 0) remote.unsent -= 10;
    }
    for (let second = 0; second < 13; second++) await fixture.advance(1);
    assert(local.closed, "nothing has moved any more");
  });
}

Deno.test("TCPRelay ends a connection in time when the system sends nothing of what it was given", async () => {
  using fixture = new RelayFixture({ settings: { timeout: 5 } });
  const { local, remote, client } = await serverFlow(fixture);
  remote.room = 1;
  remote.unsent = 1000;
  local.bring(client.seal(new Uint8Array(1000)));
  await fixture.settle();
  for (let second = 0; second < 7; second++) await fixture.advance(1);
  assert(local.closed);
});

Deno.test("TCPRelay tells observers of every read when it has bytes", async () => {
  using fixture = new RelayFixture();
  const { relay } = fixture;
  const client = await fixture.accept();
  for (const bytes of [5, 0, 7]) {
    if (bytes > 0) client.bring(new Uint8Array(bytes));
    fixture.relay.handleEvent(client, client.fd, POLL_IN);
  }
  const port = relay.listenPort;
  assertEquals(fixture.stats, [[port, 5], [port, 7]]);
});

Deno.test("TCPRelay tells observers of the reads of both directions", async () => {
  using fixture = new RelayFixture();
  using client = new CipherPeer(fixture.suite);
  const local = await fixture.accept();
  const flight = client.seal(header(TARGET), utf8("question"));
  local.bring(flight);
  await fixture.settle();
  const remote = fixture.poller.connects[0]!;
  remote.establish();
  remote.bring(utf8("answer"));
  await fixture.settle();
  const port = fixture.relay.listenPort;
  assertEquals(fixture.stats, [[port, flight.length], [port, 6]]);
});

Deno.test("TCPRelay does without observers", async () => {
  using fixture = new RelayFixture();
  const { poller } = fixture;
  const sessions = new Sessions();
  const other = new TCPRelay(fixture.relayOptions({ relay: { sessions } }));
  other.addToLoop(fixture.loop);
  const stream = poller.listeners[1]!.arrive();
  stream.bring(utf8("x"));
  await fixture.settle();
  assertEquals(other.connections, 1);
  other.destroy();
});

Deno.test("TCPRelayHandler.timeoutIndex is right after many updates, removals and sweeps", async () => {
  using fixture = new RelayFixture({ settings: { timeout: 40 } });
  const { relay, clock } = fixture;
  const handlers = await handlersOf(fixture, 60);
  const random = randomOf(1);
  for (let round = 0; round < 400; round++) {
    const handler = handlers[random(handlers.length)]!;
    if (!handler.isDestroyed()) {
      if (round % 40 === 39) handler.destroy("ok");
      else relay.updateActivity(handler);
    }
    clock.advance(1000);
    if (round % 10 === 9) relay.handlePeriodic();
    assertIndexRight(relay);
  }
  const open = handlers.filter((handler) => !handler.isDestroyed());
  assertEquals(relay.connections, open.length);
});

Deno.test("TCPRelay.removeHandler() empties one place when the handler is in the list", async () => {
  using fixture = new RelayFixture();
  const { relay } = fixture;
  const [one, two, three] = await handlersOf(fixture, 3);
  const list = relay.timeouts;
  relay.removeHandler(two!);
  assertStrictEquals(relay.timeouts, list);
  assertSameList(relay, [one, undefined, three]);
  assertIndexRight(relay);
  relay.removeHandler(two!);
  assertSameList(relay, [one, undefined, three]);
  assertEquals(relay.connections, 2);
});

Deno.test("TCPRelay.handlePeriodic() stops at the first handler that was active", async () => {
  using fixture = new RelayFixture({ settings: { timeout: 30 } });
  const { relay, clock } = fixture;
  const [a, b] = await handlersOf(fixture, 2);
  clock.advance(15_000);
  const [c, d] = await handlersOf(fixture, 2);
  clock.advance(15_000);
  relay.handlePeriodic();
  assertEquals(destroyed([a, b, c, d]), [true, true, false, false]);
  assertSameList(relay, [undefined, undefined, c, d]);
  assertEquals(relay.timeoutOffset, 2);
});

Deno.test("TCPRelay.handlePeriodic() lets a handler live when it was idle for less than the timeout", async () => {
  using fixture = new RelayFixture({ settings: { timeout: 30 } });
  const [handler] = await handlersOf(fixture, 1);
  fixture.clock.advance(29_999);
  fixture.relay.handlePeriodic();
  assert(!handler!.isDestroyed());
  fixture.clock.advance(1);
  fixture.relay.handlePeriodic();
  assert(handler!.isDestroyed());
});

Deno.test("TCPRelay.handlePeriodic() goes on at timeoutOffset when called again", async () => {
  using fixture = new RelayFixture({ settings: { timeout: 30 } });
  const { relay, clock } = fixture;
  await handlersOf(fixture, 3);
  clock.advance(20_000);
  const late = await handlersOf(fixture, 2);
  clock.advance(10_000);
  relay.handlePeriodic();
  assertEquals(relay.timeoutOffset, 3);
  // What lies before the offset is not looked at again.
  const [witness] = late;
  relay.timeouts[0] = witness!;
  clock.advance(20_000);
  relay.handlePeriodic();
  assertStrictEquals(relay.timeouts[0], witness!);
  relay.timeouts[0] = undefined;
  assertEquals(relay.timeoutOffset, 5);
  assertEquals(destroyed(late), [true, true]);
});

Deno.test("TCPRelay.handlePeriodic() skips the places of removed handlers", async () => {
  using fixture = new RelayFixture({ settings: { timeout: 30 } });
  const { relay, clock } = fixture;
  const [a, b, c] = await handlersOf(fixture, 3);
  a!.destroy("ok");
  clock.advance(30_000);
  b!.destroy("ok");
  relay.handlePeriodic();
  assert(c!.isDestroyed());
  assertEquals(relay.timeoutOffset, 3);
  assertEquals(relay.connections, 0);
});

Deno.test("TCPRelay sweeps every TIMEOUT_PRECISION seconds when it is in a loop", async () => {
  using fixture = new RelayFixture({ settings: { timeout: 30 } });
  const stream = await fixture.accept();
  for (let i = 0; i < 2; i++) await fixture.advance(TIMEOUT_PRECISION);
  assert(!stream.closed);
  await fixture.advance(TIMEOUT_PRECISION);
  assert(stream.closed);
});

Deno.test("TCPRelay.handlePeriodic() names the target when a connection times out", async () => {
  using fixture = new RelayFixture({ settings: { timeout: 30 } });
  const cases = [
    { host: "192.0.2.7", port: 80, line: "timed out: 192.0.2.7:80" },
    { host: "2001:db8::1", port: 443, line: "timed out: [2001:db8::1]:443" },
    { host: "example.com", port: 8080, line: "timed out: example.com:8080" },
  ];
  for (const { host, port, line } of cases) {
    using client = new CipherPeer(fixture.suite);
    const stream = await fixture.accept();
    stream.bring(client.seal(header({ host, port })));
    await fixture.settle();
    fixture.poller.connects.at(-1)?.establish();
    await fixture.settle();
    fixture.logs.clear();
    fixture.clock.advance(30_000);
    fixture.relay.handlePeriodic();
    assertEquals(fixture.logs.of("warning"), [
      `${line} from ${stream.remoteAddress}`,
    ]);
    assert(stream.closed);
  }
});

Deno.test("TCPRelay.handlePeriodic() logs without a name when the target is not known", async () => {
  using fixture = new RelayFixture({ settings: { timeout: 30 } });
  const stream = await fixture.accept();
  fixture.clock.advance(30_000);
  fixture.relay.handlePeriodic();
  assert(stream.closed);
  const lines = fixture.logs.with("timed out");
  assertEquals(lines.length, 1);
  assert(lines[0]!.includes(`${stream.remoteAddress}`));
});

Deno.test("TCPRelay.handlePeriodic() trims the list when more than half of it and TIMEOUTS_CLEAN_SIZE are empty", async () => {
  using fixture = new RelayFixture({ settings: { timeout: 30 } });
  const { relay, clock } = fixture;
  const old = await handlersOf(fixture, TIMEOUTS_CLEAN_SIZE + 1);
  clock.advance(20_000);
  const active = old.slice(0, 20);
  for (const handler of active) relay.updateActivity(handler);
  const young = await handlersOf(fixture, 5);
  clock.advance(10_000);
  const before = relay.timeouts;
  relay.handlePeriodic();
  assert(relay.timeouts !== before);
  assertSameList(relay, [...active, ...young]);
  assertEquals(relay.timeoutOffset, 0);
  assertEquals(places(active), active.map((_, i) => i));
  assertIndexRight(relay);
  // The shifted indexes are the ones used from now on.
  active[3]!.destroy("ok");
  assertStrictEquals(relay.timeouts[3], undefined);
  assertStrictEquals(relay.timeouts[4], active[4]!);
  clock.advance(10_000);
  relay.updateActivity(active[0]!);
  assertStrictEquals(relay.timeouts[0], undefined);
  assertStrictEquals(relay.timeouts.at(-1), active[0]!);
});

Deno.test("TCPRelay.handlePeriodic() does not trim when TIMEOUTS_CLEAN_SIZE places are empty", async () => {
  using fixture = new RelayFixture({ settings: { timeout: 30 } });
  const { relay, clock } = fixture;
  await handlersOf(fixture, TIMEOUTS_CLEAN_SIZE);
  clock.advance(30_000);
  relay.handlePeriodic();
  assertEquals(relay.timeouts.length, TIMEOUTS_CLEAN_SIZE);
  assertEquals(relay.timeoutOffset, TIMEOUTS_CLEAN_SIZE);
  assertEquals(relay.connections, 0);
});

Deno.test("TCPRelay.handlePeriodic() does not trim when half of the list is in use", async () => {
  using fixture = new RelayFixture({ settings: { timeout: 30 } });
  const { relay, clock } = fixture;
  const count = TIMEOUTS_CLEAN_SIZE + 8;
  await handlersOf(fixture, count);
  clock.advance(20_000);
  await handlersOf(fixture, count);
  clock.advance(10_000);
  relay.handlePeriodic();
  assertEquals(relay.timeouts.length, 2 * count);
  assertEquals(relay.timeoutOffset, count);
  assertEquals(relay.connections, count);
});

Deno.test("TCPRelay.newSession() has the protocol and the port of the listener", () => {
  using fixture = new RelayFixture({ relay: { protocol: "a word" } });
  const { relay } = fixture;
  const client = SocketAddress.parse("198.51.100.1", 4000);
  const session = relay.newSession({ remoteAddress: client });
  const { listenPort: port } = relay;
  assertEquals(session.listener, { protocol: "a word", port });
  session.end("ok", 0);
});

Deno.test("TCPRelay.listenPort is the port of its listener", () => {
  using fixture = new RelayFixture({
    relay: { listen: SocketAddress.parse("127.0.0.1", 4321) },
  });
  assertEquals(fixture.relay.listenPort, 4321);
});

/** Accepts clients; gives their handlers. */
async function handlersOf(
  fixture: RelayFixture,
  count: number,
): Promise<TCPRelayHandler[]> {
  const streams = await fixture.acceptMany(count);
  return streams.map((stream) => fixture.handlerOf(stream));
}

function places(handlers: readonly TCPRelayHandler[]): number[] {
  return handlers.map((handler) => handler.timeoutIndex);
}

function destroyed(
  handlers: readonly (TCPRelayHandler | undefined)[],
): boolean[] {
  return handlers.map((handler) => handler!.isDestroyed());
}

/** Compares by identity, with a short message. */
function assertSameList(
  relay: TCPRelay,
  list: readonly (TCPRelayHandler | undefined)[],
): void {
  assertEquals(relay.timeouts.length, list.length);
  list.forEach((handler, i) => {
    assert(relay.timeouts[i] === handler, `place ${i}`);
  });
}

/** Every place knows its handler, and every handler its one place. */
function assertIndexRight(relay: TCPRelay): void {
  const used = relay.timeouts.filter((handler) => handler !== undefined);
  assertEquals(used.length, relay.connections);
  for (const [index, handler] of relay.timeouts.entries()) {
    if (handler !== undefined) assertEquals(handler.timeoutIndex, index);
  }
}
