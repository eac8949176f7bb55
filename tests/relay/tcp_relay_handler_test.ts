/**
 * What both sides have in common: the two streams and what they wait for,
 * half close, errors, connecting, the end.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { POLL_ERR, POLL_HUP, POLL_IN, POLL_OUT } from "../../loop/mod.ts";
import { serverFlow } from "./_flow_fixture.ts";
import { RelayFixture } from "./_relay_fixture.ts";
import {
  ATTEMPT_DELAY,
  CONNECT_TIMEOUT,
  STAGE_CONNECTING,
  STAGE_DESTROYED,
  STAGE_DNS,
  STAGE_STREAM,
} from "../../relay/constants.ts";
import { text, utf8 } from "../support/bytes.ts";

const NAME = { host: "example.com", port: 80 };

Deno.test("TCPRelayHandler reads both sides when nothing waits", async () => {
  using fixture = new RelayFixture();
  const { local, remote } = await serverFlow(fixture);
  const { poller } = fixture;
  assertEquals(poller.maskOf(local), POLL_IN);
  assertEquals(poller.maskOf(remote), POLL_IN);
});

Deno.test("TCPRelayHandler stops reading the client when the target is slow", async () => {
  using fixture = new RelayFixture();
  const { local, remote, client } = await serverFlow(fixture);
  const { poller } = fixture;
  remote.room = 3;
  local.bring(client.seal(utf8("abcdefgh")));
  await fixture.settle();
  assertEquals(text(remote.sent), "abc");
  assertEquals(poller.maskOf(local), 0);
  assertEquals(poller.maskOf(remote), POLL_IN | POLL_OUT);
  const { reads } = local;
  local.bring(client.seal(utf8("ij")));
  await fixture.settle();
  assertEquals(local.reads, reads, "not read while bytes wait");
  remote.room = 2;
  await fixture.settle();
  assertEquals(text(remote.sent), "abcde");
  assertEquals(poller.maskOf(local), 0);
  remote.room = Infinity;
  await fixture.settle();
  assertEquals(text(remote.sent), "abcdefghij");
  assertEquals(poller.maskOf(local), POLL_IN);
  assertEquals(poller.maskOf(remote), POLL_IN);
});

Deno.test("TCPRelayHandler stops reading the target when the client is slow", async () => {
  using fixture = new RelayFixture();
  const { local, remote, client } = await serverFlow(fixture);
  const { poller } = fixture;
  local.room = 10;
  remote.bring(utf8("answer"));
  await fixture.settle();
  assertEquals(local.sent.length, 10);
  assertEquals(poller.maskOf(remote), 0);
  assertEquals(poller.maskOf(local), POLL_IN | POLL_OUT);
  // The other direction goes on meanwhile.
  local.bring(client.seal(utf8("upload")));
  await fixture.settle();
  assertEquals(text(remote.sent), "upload");
  const { reads } = remote;
  remote.bring(utf8(" and more"));
  await fixture.settle();
  assertEquals(remote.reads, reads);
  local.room = Infinity;
  await fixture.settle();
  assertEquals(text(client.open(local.sent)), "answer and more");
  assertEquals(poller.maskOf(remote), POLL_IN);
});

Deno.test("TCPRelayHandler holds at most what one read brought when the sink is stuck", async () => {
  using fixture = new RelayFixture();
  const { local, remote } = await serverFlow(fixture);
  local.room = 0;
  const megabyte = new Uint8Array(1024 * 1024);
  for (let i = 0; i < 8; i++) remote.bring(megabyte);
  const { reads } = remote;
  await fixture.settle();
  assertEquals(remote.reads, reads + 1);
});

Deno.test("TCPRelayHandler reads no more than the sink has room for, and not while it is busy", async () => {
  using fixture = new RelayFixture();
  const { local, remote } = await serverFlow(fixture);
  const sizes: number[] = [];
  const { recv } = remote;
  remote.recv = (buffer, start = 0, end = buffer.length) => {
    sizes.push(end - start);
    return recv.call(remote, buffer, start, end);
  };
  const megabyte = new Uint8Array(1024 * 1024);
  const told: { room?: number; busy?: boolean } = local;
  for (const [room, size] of [[1e6, 0x10000], [1e6, 0x20000], [1e5, 87_500]]) {
    told.room = room!;
    remote.bring(megabyte.subarray(0, size));
    await fixture.settle();
    assertEquals(sizes.at(-1), size);
  }
  told.busy = true;
  local.room = 0;
  const { length } = sizes;
  remote.bring(megabyte);
  await fixture.settle();
  assertEquals(sizes.length, length);
  told.busy = false;
  local.room = Infinity;
  await fixture.settle();
  assert(sizes.length > length);
});

Deno.test("TCPRelayHandler passes the client's end on and then the answer", async () => {
  using fixture = new RelayFixture();
  const { local, remote, client, handler } = await serverFlow(fixture);
  local.bring(client.seal(utf8("question")));
  local.end();
  await fixture.settle();
  assertEquals(text(remote.sent), "question");
  assertEquals([remote.shutdowns, local.shutdowns], [1, 0]);
  remote.bring(utf8("answer"));
  remote.end();
  await fixture.settle();
  assertEquals(text(client.open(local.sent)), "answer");
  assert(client.atBoundary);
  assert(handler.isDestroyed());
  assertEquals([local.wasReset, remote.wasReset], [false, false]);
});

Deno.test("TCPRelayHandler passes the target's end on and goes on with the upload", async () => {
  using fixture = new RelayFixture();
  const { local, remote, client, handler } = await serverFlow(fixture);
  remote.bring(utf8("greeting"));
  remote.end();
  await fixture.settle();
  assertEquals(text(client.open(local.sent)), "greeting");
  assertEquals([local.shutdowns, remote.shutdowns], [1, 0]);
  local.bring(client.seal(utf8("upload")));
  await fixture.settle();
  assertEquals(text(remote.sent), "upload");
  assert(!handler.isDestroyed());
  local.end();
  await fixture.settle();
  assert(handler.isDestroyed());
  assertEquals([local.wasReset, remote.wasReset], [false, false]);
});

Deno.test("TCPRelayHandler passes an end on only after the bytes that wait", async () => {
  using fixture = new RelayFixture();
  const { local, remote, client } = await serverFlow(fixture);
  remote.room = 4;
  local.bring(client.seal(utf8("question")));
  local.end();
  await fixture.settle();
  assertEquals(remote.shutdowns, 0);
  remote.room = Infinity;
  await fixture.settle();
  assertEquals(text(remote.sent), "question");
  assertEquals(remote.shutdowns, 1);
});

Deno.test("TCPRelayHandler passes an end on when the salt of an empty answer had to wait", async () => {
  using fixture = new RelayFixture();
  const { local, remote, client } = await serverFlow(fixture);
  local.room = 5;
  remote.end();
  await fixture.settle();
  assertEquals([local.sent.length, local.shutdowns], [5, 0]);
  local.room = Infinity;
  await fixture.settle();
  assertEquals(client.open(local.sent).length, 0);
  assert(client.atBoundary);
  assertEquals(local.shutdowns, 1);
});

Deno.test("TCPRelayHandler resets both sides when the client ends inside a frame", async () => {
  using fixture = new RelayFixture();
  const { local, remote, client, handler } = await serverFlow(fixture);
  local.bring(
    client.seal(utf8("whole")),
    client.seal(utf8("cut")).slice(0, -1),
  );
  local.end();
  await fixture.settle();
  assertEquals(text(remote.sent), "whole");
  assert(handler.isDestroyed());
  assertEquals([local.wasReset, remote.wasReset], [true, true]);
});

Deno.test("TCPRelayHandler decrypts frames that come in pieces of any size", async () => {
  using fixture = new RelayFixture();
  const { local, remote, client } = await serverFlow(fixture);
  const sealed = client.seal(new Uint8Array(40).fill(65));
  for (const byte of sealed) local.bring(Uint8Array.of(byte));
  await fixture.settle();
  assertEquals(text(remote.sent), "A".repeat(40));
});

for (const side of ["local", "remote"] as const) {
  Deno.test(`TCPRelayHandler resets both sides when the ${side} one is reset`, async () => {
    using fixture = new RelayFixture();
    const flow = await serverFlow(fixture);
    flow[side].fail("ECONNRESET");
    await fixture.settle();
    assertEquals(flow.handler.stage, STAGE_DESTROYED);
    assertEquals([flow.local.wasReset, flow.remote.wasReset], [true, true]);
    assertEquals(fixture.logs.with("ECONNRESET").length, 1);
  });

  Deno.test(`TCPRelayHandler resets both sides when sending to the ${side} one fails`, async () => {
    using fixture = new RelayFixture();
    const { local, remote, client, handler } = await serverFlow(fixture);
    const flow = { local, remote };
    // The failure shows in the write alone.
    flow[side].send = () => {
      flow[side].error = "EPIPE";
      return -2;
    };
    if (side === "remote") local.bring(client.seal(utf8("x")));
    else remote.bring(utf8("x"));
    await fixture.settle();
    assert(handler.isDestroyed());
    assertEquals([local.wasReset, remote.wasReset], [true, true]);
  });
}

for (const room of [Infinity, 3]) {
  Deno.test(`TCPRelayHandler delivers what came before a reset to a ${room === 3 ? "slow" : "fast"} client`, async () => {
    using fixture = new RelayFixture();
    const { local, remote, client, handler } = await serverFlow(fixture);
    local.room = room;
    remote.bring(utf8("the "), utf8("answer"));
    remote.fail("ECONNRESET");
    await fixture.settle();
    if (room === 3) {
      assert(!handler.isDestroyed());
      assertEquals(fixture.poller.maskOf(remote), undefined, "it would spin");
      local.room = Infinity;
      await fixture.settle();
    }
    assertEquals(text(client.open(local.sent)), "the answer");
    assert(handler.isDestroyed());
    assertEquals([local.wasReset, remote.wasReset], [true, true]);
  });
}

Deno.test("TCPRelayHandler does not write when an error came with the event", async () => {
  using fixture = new RelayFixture();
  const { local, remote, handler } = await serverFlow(fixture);
  local.room = 1;
  remote.bring(utf8("answer"));
  await fixture.settle();
  local.room = Infinity;
  handler.handleEvent(local, POLL_IN | POLL_OUT | POLL_ERR | POLL_HUP);
  assertEquals(local.sent.length, 1);
});

Deno.test("TCPRelayHandler does not write when it was destroyed while reading", async () => {
  using fixture = new RelayFixture();
  const { local, remote, handler } = await serverFlow(fixture);
  local.room = 1;
  remote.bring(utf8("answer"));
  await fixture.settle();
  local.room = Infinity;
  local.onRecv = () => handler.destroy("ok");
  // A send on a closed fake would throw.
  handler.handleEvent(local, POLL_IN | POLL_OUT);
  assertEquals(local.sent.length, 1);
});

Deno.test("TCPRelayHandler reads before it writes", async () => {
  using fixture = new RelayFixture();
  const { local, remote, client, handler } = await serverFlow(fixture);
  local.room = 1;
  remote.bring(utf8("answer"));
  await fixture.settle();
  local.room = Infinity;
  local.bring(client.seal(utf8("x")));
  let sent = -1;
  local.onRecv = () => sent = local.sent.length;
  handler.handleEvent(local, POLL_IN | POLL_OUT);
  assertEquals(sent, 1);
  assert(local.sent.length > 1);
});

Deno.test("TCPRelayHandler does nothing when the event is of a strange socket, or late", async () => {
  using fixture = new RelayFixture();
  const { local, handler } = await serverFlow(fixture);
  const stranger = fixture.poller.stream(local.remoteAddress, true);
  handler.handleEvent(stranger, POLL_ERR | POLL_IN);
  assert(!handler.isDestroyed());
  handler.destroy("ok");
  handler.handleEvent(local, POLL_ERR | POLL_IN | POLL_OUT);
});

Deno.test("TCPRelayHandler does not spin when a side hangs up that nobody reads", async () => {
  using fixture = new RelayFixture();
  const { local, remote, client, handler } = await serverFlow(fixture);
  // The target's end was passed on; the client ends too, but is not read
  // while the target is slow.
  remote.end();
  remote.room = 1;
  local.bring(client.seal(utf8("upload")));
  await fixture.settle();
  local.end();
  await fixture.settle();
  assert(!handler.isDestroyed());
  assertEquals(text(remote.sent), "u");
  remote.room = Infinity;
  await fixture.settle();
  assertEquals(text(remote.sent), "upload");
  assert(handler.isDestroyed());
  assertEquals([local.wasReset, remote.wasReset], [false, false]);
});

Deno.test("TCPRelayHandler.destroy() does nothing when called again", async () => {
  using fixture = new RelayFixture();
  const { local, remote, handler } = await serverFlow(fixture);
  for (let i = 0; i < 3; i++) handler.destroy("ok", { reset: i > 0 });
  assertEquals([local.wasReset, remote.wasReset], [false, false]);
  assertEquals([local.closed, remote.closed], [true, true]);
  assertEquals(fixture.relay.connections, 0);
});

Deno.test("TCPRelayHandler.destroy() takes its callback back when a name is looked up", async () => {
  using fixture = new RelayFixture();
  const { handler } = await serverFlow(fixture, {
    target: NAME,
    established: false,
  });
  assertEquals(handler.stage, STAGE_DNS);
  const late = fixture.resolver.asked[0]!;
  handler.destroy("ok");
  assertEquals(fixture.resolver.removed, 1);
  // Even a resolver that called back would reach nobody.
  late.done({
    hostname: NAME.host,
    addresses: [Uint8Array.of(1, 2, 3, 4)],
    error: undefined,
  });
  assertEquals(fixture.poller.connects.length, 0);
});

Deno.test("TCPRelayHandler.destroy() ends the connect when it is under way", async () => {
  using fixture = new RelayFixture();
  const { local, remote, handler } = await serverFlow(fixture, {
    established: false,
  });
  assertEquals(handler.stage, STAGE_CONNECTING);
  handler.destroy("ok");
  assert(remote.closed);
  assertEquals(fixture.poller.watched, 1);
  await fixture.advance(CONNECT_TIMEOUT / 1000);
  assertEquals(fixture.poller.connects.length, 1);
  assert(local.closed);
});

Deno.test("TCPRelayHandler ends when the client is reset while a name is looked up", async () => {
  using fixture = new RelayFixture();
  const { local, handler } = await serverFlow(fixture, {
    target: NAME,
    established: false,
  });
  local.fail("ECONNRESET");
  await fixture.settle();
  assert(handler.isDestroyed());
  assertEquals(fixture.resolver.asked.length, 0);
});

Deno.test("TCPRelayHandler connects to the next address when one refuses", async () => {
  using fixture = new RelayFixture();
  const { handler, local } = await serverFlow(fixture, {
    target: NAME,
    payload: utf8("payload"),
    established: false,
  });
  fixture.poller.connectErrors.push("ENETUNREACH");
  fixture.resolver.answer("2001:db8::1", "192.0.2.1", "192.0.2.2");
  const { connects } = fixture.poller;
  assertEquals(`${connects[0]!.remoteAddress}`, "192.0.2.1:80");
  connects[0]!.fail("ECONNREFUSED");
  await fixture.settle();
  assert(connects[0]!.closed);
  assertEquals(`${connects[1]!.remoteAddress}`, "192.0.2.2:80");
  assertEquals([...fixture.relay.fd_to_handlers.keys()], [
    local.fd,
    connects[1]!.fd,
  ]);
  connects[1]!.establish();
  await fixture.settle();
  assertEquals(handler.stage, STAGE_STREAM);
  assertEquals(text(connects[1]!.sent), "payload");
});

Deno.test("TCPRelayHandler resets the client when every address refuses", async () => {
  using fixture = new RelayFixture();
  const { handler, local } = await serverFlow(fixture, {
    target: NAME,
    established: false,
  });
  fixture.resolver.answer("192.0.2.1", "192.0.2.2");
  for (let i = 0; i < 2; i++) {
    fixture.poller.connects[i]!.fail("ECONNREFUSED");
    await fixture.settle();
  }
  assert(handler.isDestroyed());
  assert(local.wasReset);
  assertEquals(local.sends.length, 0);
});

Deno.test("TCPRelayHandler tries the next address after ATTEMPT_DELAY, and leaves each after CONNECT_TIMEOUT", async () => {
  using fixture = new RelayFixture();
  const { handler, local } = await serverFlow(fixture, {
    target: NAME,
    established: false,
  });
  fixture.resolver.answer("192.0.2.1", "192.0.2.2");
  const { connects } = fixture.poller;
  await fixture.advance((ATTEMPT_DELAY - 1) / 1000);
  assertEquals(connects.length, 1);
  await fixture.advance(0.001);
  assertEquals(connects.length, 2);
  await fixture.advance((CONNECT_TIMEOUT - ATTEMPT_DELAY - 1) / 1000);
  assertEquals(connects.map(({ closed }) => closed), [false, false]);
  await fixture.advance(0.001);
  assertEquals(connects.map(({ closed }) => closed), [true, false]);
  await fixture.advance((ATTEMPT_DELAY - 1) / 1000);
  assert(!handler.isDestroyed());
  await fixture.advance(0.001);
  assert(handler.isDestroyed());
  assert(local.wasReset);
});

Deno.test("TCPRelayHandler forgets the connect timeout when it is connected", async () => {
  using fixture = new RelayFixture();
  const { handler } = await serverFlow(fixture);
  await fixture.advance(CONNECT_TIMEOUT / 1000);
  assertEquals(handler.stage, STAGE_STREAM);
  assertEquals(fixture.poller.connects.length, 1);
});

Deno.test("TCPRelayHandler does not read the client while it connects", async () => {
  using fixture = new RelayFixture();
  const { local, remote, client } = await serverFlow(fixture, {
    established: false,
  });
  const { poller } = fixture;
  assertEquals(poller.maskOf(local), 0);
  assertEquals(poller.maskOf(remote), POLL_OUT);
  const { reads } = local;
  local.bring(client.seal(utf8("early")));
  await fixture.settle();
  assertEquals(local.reads, reads);
  remote.establish();
  await fixture.settle();
  assertEquals(text(remote.sent), "early");
});
