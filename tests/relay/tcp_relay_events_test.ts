/**
 * What a TCPRelay does with events: accepting, errors, the table of
 * descriptors, its own beginning and end.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { POLL_ERR, POLL_IN, type Poller } from "../../loop/mod.ts";
import type { FakePoller, FakeStream } from "../../loop/fakes.ts";
import { CipherPeer, header, RelayFixture } from "./_relay_fixture.ts";
import {
  ACCEPT_BATCH,
  ACCEPT_PAUSE,
  FAST_OPEN_QUEUE,
} from "../../relay/constants.ts";
import { TCPRelay } from "../../relay/tcp_relay.ts";
import { utf8 } from "../support/bytes.ts";

const TARGET = { host: "192.0.2.7", port: 80 };

Deno.test("TCPRelay.addToLoop() watches the listener and sweeps when added", () => {
  using fixture = new RelayFixture();
  assertEquals(fixture.poller.maskOf(fixture.listener), POLL_IN | POLL_ERR);
});

Deno.test("TCPRelay.addToLoop() throws when it was added before", () => {
  using fixture = new RelayFixture();
  assertThrows(
    () => fixture.relay.addToLoop(fixture.loop),
    Error,
    "already add to loop",
  );
});

Deno.test("TCPRelay.addToLoop() throws when it is closed", () => {
  using fixture = new RelayFixture();
  const relay = secondRelay(fixture);
  relay.close();
  assertThrows(() => relay.addToLoop(fixture.loop), Error, "already closed");
});

Deno.test("TCPRelay.loop throws when it was not added to a loop", () => {
  using fixture = new RelayFixture();
  const relay = secondRelay(fixture);
  assertThrows(() => relay.loop, Error, "not added to loop");
  relay.destroy();
});

Deno.test("TCPRelay asks for fast open and a shared port when told so", () => {
  using fixture = new RelayFixture();
  const { poller } = fixture;
  const asked: unknown[] = [];
  const spy: Poller = Object.create(poller, {
    listenTcp: {
      value: (...args: Parameters<FakePoller["listenTcp"]>) => {
        asked.push((args as unknown[])[1]);
        return poller.listenTcp(...args);
      },
    },
  });
  for (const fastOpen of [false, true]) {
    const relay = { poller: spy, reusePort: fastOpen, ipv6Only: fastOpen };
    const settings = { fastOpen };
    new TCPRelay(fixture.relayOptions({ settings, relay })).destroy();
  }
  assertEquals(asked, [
    { fastOpen: 0, reusePort: false, ipv6Only: false },
    { fastOpen: FAST_OPEN_QUEUE, reusePort: true, ipv6Only: true },
  ]);
});

Deno.test("TCPRelay.handleEvent() does nothing when no handler has the descriptor", async () => {
  using fixture = new RelayFixture();
  const known = await fixture.accept();
  fixture.logs.clear();
  const stranger = fixture.poller.stream(known.remoteAddress, true);
  fixture.relay.handleEvent(stranger, stranger.fd, POLL_IN | POLL_ERR);
  assertEquals(stranger.reads, 0);
  assertEquals(fixture.logs.lines, []);
  assertEquals(fixture.relay.connections, 1);
});

Deno.test("TCPRelay.handleEvent() hands the event over when a handler has the descriptor", async () => {
  using fixture = new RelayFixture();
  const [one, two] = await fixture.acceptMany(2);
  fixture.relay.handleEvent(two!, two!.fd, POLL_IN);
  assertEquals([one!.reads, two!.reads], [0, 1]);
});

Deno.test("TCPRelay.fd_to_handlers has both sockets until the handler is destroyed", async () => {
  using fixture = new RelayFixture();
  const { local, remote } = await stream(fixture);
  const { fd_to_handlers } = fixture.relay;
  const handler = fixture.handlerOf(local);
  assertEquals([...fd_to_handlers.keys()], [local.fd, remote.fd]);
  assert(fd_to_handlers.get(remote.fd) === handler);
  handler.destroy("ok");
  assertEquals(fd_to_handlers.size, 0);
  assertEquals([local.closed, remote.closed], [true, true]);
  assertEquals(fixture.poller.watched, 1);
  assertEquals(fixture.relay.connections, 0);
});

Deno.test("TCPRelay closes its port and keeps its connections when the listener fails", async () => {
  using fixture = new RelayFixture();
  const { relay, listener } = fixture;
  const { local, remote } = await stream(fixture);
  listener.error = "ENOTSOCK";
  assertThrows(
    () => relay.handleEvent(listener, listener.fd, POLL_ERR),
    Error,
    "server_socket error: ENOTSOCK",
  );
  assert(relay.closed);
  assert(listener.closed);
  local.bring(utf8("not decrypted"));
  remote.bring(utf8("answer"));
  await fixture.settle();
  assert(local.sent.length > 0);
});

Deno.test("TCPRelay goes on with other ports when the listener fails in the loop", async () => {
  using fixture = new RelayFixture();
  const other = secondRelay(fixture);
  other.addToLoop(fixture.loop);
  fixture.listener.broken = true;
  await fixture.settle();
  assert(fixture.relay.closed);
  assertEquals(fixture.logs.with("server_socket error: unknown").length, 1);
  fixture.poller.listeners[1]!.arrive();
  await fixture.settle();
  assertEquals(other.connections, 1);
  other.destroy();
});

Deno.test("TCPRelay says nothing when nobody waits to be accepted", () => {
  using fixture = new RelayFixture();
  const { relay, listener } = fixture;
  relay.handleEvent(listener, listener.fd, POLL_IN);
  assertEquals(fixture.logs.lines, []);
  assertEquals(relay.connections, 0);
  assertEquals(fixture.poller.maskOf(listener), POLL_IN | POLL_ERR);
});

for (const code of ["ECONNABORTED", "ECONNRESET", "ENOTCONN", "EPROTO"]) {
  Deno.test(`TCPRelay says nothing when a client went away before it was accepted (${code})`, async () => {
    using fixture = new RelayFixture();
    const { relay, listener } = fixture;
    const waits = await fixture.accept();
    fixture.logs.clear();
    listener.acceptError = code;
    relay.handleEvent(listener, listener.fd, POLL_IN);
    assertEquals(fixture.logs.lines, []);
    assert((fixture.poller.maskOf(listener)! & POLL_IN) !== 0);
    listener.acceptError = "";
    await fixture.accept();
    assertEquals(relay.connections, 2);
    assert(!waits.closed, "nobody had to make room");
  });
}

Deno.test("TCPRelay accepts at most ACCEPT_BATCH clients at one event", () => {
  using fixture = new RelayFixture();
  const { relay, listener } = fixture;
  for (let i = 0; i < ACCEPT_BATCH + 5; i++) listener.arrive();
  relay.handleEvent(listener, listener.fd, POLL_IN);
  assertEquals(relay.connections, ACCEPT_BATCH);
  relay.handleEvent(listener, listener.fd, POLL_IN);
  assertEquals(relay.connections, ACCEPT_BATCH + 5);
});

for (const code of ["EMFILE", "ENFILE", "ENOBUFS"]) {
  Deno.test(`TCPRelay pauses when accept() gives ${code}, and goes on after a while`, async () => {
    using fixture = new RelayFixture();
    const { listener, poller } = fixture;
    listener.acceptError = code;
    const client = listener.arrive();
    await fixture.settle();
    const lines = fixture.logs.of("error");
    assertEquals(lines.length, 1, "one line, and no spinning");
    assert(lines[0]!.includes(code) && lines[0]!.includes("limit"));
    assertEquals(poller.maskOf(listener), 0);
    listener.acceptError = "";
    await fixture.advance(ACCEPT_PAUSE / 1000 - 0.001);
    assertEquals(listener.waiting, 1);
    await fixture.advance(0.001);
    assertEquals(listener.waiting, 0);
    assert(fixture.handlerOf(client) !== undefined);
  });
}

Deno.test("TCPRelay accepts again when a connection ends while it pauses", async () => {
  using fixture = new RelayFixture();
  const { listener, poller } = fixture;
  const { local } = await stream(fixture);
  listener.acceptError = "EMFILE";
  listener.arrive();
  await fixture.settle();
  assertEquals(poller.maskOf(listener), 0);
  listener.acceptError = "";
  fixture.handlerOf(local).destroy("ok");
  await fixture.settle();
  assertEquals(listener.waiting, 0);
  assertEquals(fixture.relay.connections, 1);
});

Deno.test("TCPRelay ends the oldest client without a valid header when descriptors run out", async () => {
  using fixture = new RelayFixture();
  const { listener } = fixture;
  const served = await stream(fixture);
  const [oldest, younger] = await fixture.acceptMany(2);
  const valid = listener.arrive();
  listener.acceptError = "EMFILE";
  // One descriptor is free again as soon as a client has ended.
  const close = oldest!.close.bind(oldest);
  oldest!.close = () => {
    close();
    listener.acceptError = "";
  };
  await fixture.settle();
  assert(oldest!.closed);
  assert(!younger!.closed);
  assert(!served.local.closed);
  assert(fixture.handlerOf(valid) !== undefined, "served without a wait");
});

Deno.test("TCPRelay forgets a client that ended before its deadline", async () => {
  using fixture = new RelayFixture();
  const { listener } = fixture;
  const [gone, stays] = await fixture.acceptMany(2);
  gone!.end();
  await fixture.settle();
  await fixture.advance(0.1);
  assert(gone!.closed);
  // The next one makes room, not the one that is gone.
  listener.acceptError = "EMFILE";
  listener.arrive();
  await fixture.settle();
  assert(stays!.closed);
  fixture.logs.clear();
  await fixture.advance(61);
  assertEquals(fixture.logs.with("timed out"), []);
});

Deno.test("TCPRelay stays quiet when clients keep coming while descriptors run out", async () => {
  using fixture = new RelayFixture();
  const { listener } = fixture;
  await fixture.acceptMany(100);
  fixture.logs.clear();
  listener.acceptError = "EMFILE";
  listener.arrive();
  for (let i = 0; i < 50; i++) await fixture.advance(0.02);
  const lines = fixture.logs.of("error");
  assert(lines.length <= 2, `${lines.length} lines in a second`);
  const open = fixture.relay.connections;
  assert(open >= 90, `${100 - open} clients were ended for one`);
});

Deno.test("TCPRelay.close() closes the listener at once and calls back when the last connection has ended", async () => {
  using fixture = new RelayFixture();
  const { relay, listener, poller } = fixture;
  const first = await stream(fixture);
  const second = await stream(fixture);
  let idle = 0;
  relay.close(() => idle++);
  assert(listener.closed);
  assertEquals(poller.maskOf(listener), undefined);
  assert(relay.closed);
  first.remote.bring(utf8("still served"));
  await fixture.settle();
  assertEquals(second.local.sends.length, 0);
  assertEquals(first.local.sends.length, 1);
  fixture.handlerOf(first.local).destroy("ok");
  assertEquals(idle, 0);
  fixture.handlerOf(second.local).destroy("ok");
  assertEquals(idle, 1);
  relay.close();
  relay.destroy();
  assertEquals(idle, 1);
});

Deno.test("TCPRelay.close() calls back at once when nothing is open", () => {
  using fixture = new RelayFixture();
  let idle = 0;
  fixture.relay.close(() => idle++);
  assertEquals(idle, 1);
});

Deno.test("TCPRelay.close() ends the sweeping when the last connection has ended", async () => {
  using fixture = new RelayFixture({ settings: { timeout: 30 } });
  const { local } = await stream(fixture);
  fixture.relay.close();
  for (let i = 0; i < 3; i++) await fixture.advance(10);
  assert(local.closed, "still swept while it was open");
  fixture.logs.clear();
  await fixture.advance(10);
  assertEquals(fixture.logs.with("sweeping"), []);
});

Deno.test("TCPRelay.close() ends the pause when descriptors had run out", async () => {
  using fixture = new RelayFixture();
  fixture.listener.acceptError = "EMFILE";
  fixture.listener.arrive();
  await fixture.settle();
  fixture.relay.close();
  await fixture.advance(1);
  assertEquals(fixture.poller.watched, 0);
});

Deno.test("TCPRelay.destroy() ends every connection in every stage", async () => {
  using fixture = new RelayFixture();
  using client = new CipherPeer(fixture.suite);
  const { relay, poller, resolver } = fixture;
  const sockets: FakeStream[] = [await fixture.accept()];
  const { local, remote } = await stream(fixture);
  sockets.push(local, remote);
  const looking = await fixture.accept();
  looking.bring(client.seal(header({ host: "example.com", port: 1 })));
  await fixture.settle();
  const connecting = await stream(fixture, { established: false });
  sockets.push(looking, connecting.local, connecting.remote);
  let idle = 0;
  relay.close(() => idle++);
  relay.destroy();
  assertEquals(idle, 1);
  assert(sockets.every((socket) => socket.closed));
  assertEquals(relay.fd_to_handlers.size, 0);
  assertEquals(poller.watched, 0);
  assertEquals(resolver.removed, 1);
  relay.destroy();
});

/** A connection in the stream stage, or one that is connecting. */
async function stream(
  fixture: RelayFixture,
  { established = true } = {},
): Promise<{ readonly local: FakeStream; readonly remote: FakeStream }> {
  using client = new CipherPeer(fixture.suite);
  const local = await fixture.accept();
  local.bring(client.seal(header(TARGET)));
  await fixture.settle();
  const remote = fixture.poller.connects.at(-1)!;
  if (established) remote.establish();
  await fixture.settle();
  return { local, remote };
}

function secondRelay(fixture: RelayFixture): TCPRelay {
  return new TCPRelay(fixture.relayOptions());
}
