/**
 * Tests of the fake network: what tests rely on, and what it finds wrong.
 *
 * @module
 */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { SocketAddress } from "./address.ts";
import { POLL_ERR, POLL_HUP, POLL_IN, POLL_OUT } from "./events.ts";
import { FakeNet, FakePoller } from "./fakes.ts";
import {
  FAILED,
  type Socket,
  SocketError,
  type StreamSocket,
  WOULD_BLOCK,
} from "./socket.ts";
import { concat } from "../tests/support/bytes.ts";

const ANY_PORT = SocketAddress.parse("127.0.0.1", 0);
const TARGET = SocketAddress.parse("192.0.2.1", 80);
const BYTES = Uint8Array.of(1, 2, 3, 4, 5);

Deno.test("FakeNet.settle() runs handlers until nothing is ready", async () => {
  const net = new FakeNet();
  const { loop, poller } = net;
  const listener = poller.listenTcp(ANY_PORT, { backlog: 5 });
  assertEquals(listener.asked, { backlog: 5 });
  const buffer = new Uint8Array(4);
  loop.add(listener, POLL_IN, {
    handleEvent: (): void => {
      const stream = listener.accept();
      if (stream === undefined) return;
      loop.add(stream, POLL_IN, {
        handleEvent: (): void => {
          const length = stream.recv(buffer, 1);
          if (length > 0) stream.send(buffer.subarray(1, 1 + length));
          else loop.remove(stream);
        },
      });
    },
  });
  const client = listener.arrive("198.51.100.7");
  assertEquals(client.remoteAddress.host, "198.51.100.7");
  assertEquals(listener.waiting, 1);
  client.bring(BYTES, BYTES.subarray(0, 1));
  await net.settle();
  const sent = client.sends.map((piece) => [...piece]);
  assertEquals(sent, [[1, 2, 3], [4, 5], [1]]);
  assertEquals(client.sent, concat(BYTES, Uint8Array.of(1)));
  assertEquals(poller.watched, 2);
  client.end();
  await net.settle();
  assertEquals(poller.maskOf(client), undefined);
});

Deno.test("FakeNet.run() jumps to each moment, settle() and advance() do not", async () => {
  const net = new FakeNet(1000);
  const { clock, loop, poller } = net;
  const seen: [string, number][] = [];
  const see = (what: string) => (): void => void seen.push([what, clock.now()]);
  poller.after(20, see("second"));
  poller.after(10, see("first"));
  poller.after(20, see("third"));
  loop.addTimer(15, see("timer"));
  await net.settle();
  assertEquals(seen, []);
  await net.run(100);
  assertEquals(seen, [
    ["first", 1010],
    ["timer", 1015],
    ["second", 1020],
    ["third", 1020],
  ]);
  assertEquals(clock.now(), 1100);
  seen.length = 0;
  poller.after(10, see("planned"));
  loop.addTimer(20, see("timer"));
  await net.advance(30);
  assertEquals(seen, [["timer", 1130], ["planned", 1130]]);
});

Deno.test("FakePoller.connectTcp() ends as the test says", async () => {
  const net = new FakeNet();
  const { loop, poller } = net;
  const events: [number, number, string][] = [];
  const connect = (): StreamSocket => {
    const socket = poller.connectTcp(TARGET);
    loop.add(socket, POLL_OUT, {
      handleEvent: (ready, fd, event): void => {
        events.push([fd, event, ready.takeError()]);
        loop.remove(socket);
      },
    });
    return socket;
  };
  const first = connect();
  const second = connect();
  await net.settle();
  assertEquals(events, []);
  poller.connects[0]!.establish();
  poller.connects[1]!.fail("ECONNREFUSED");
  await net.settle();
  const failed = POLL_OUT | POLL_ERR | POLL_HUP;
  assertEquals(events, [
    [first.fd, POLL_OUT, ""],
    [second.fd, failed, "ECONNREFUSED"],
  ]);
  assertEquals([first.connected, second.connected], [true, false]);
  assertEquals(second.recv(new Uint8Array(1)), FAILED);
  poller.onConnect = (stream) => stream.establish();
  assertEquals(poller.connectTcp(TARGET).connected, true, "at once");
  poller.fastOpenRoom = 3;
  assertEquals(
    poller.connectTcp(TARGET, { fastOpenData: BYTES }).fastOpenTaken,
    3,
  );
  assertEquals(poller.connects.at(-1)!.fastOpenData, BYTES);
  poller.connectErrors.push("EMFILE");
  assertThrows(() => poller.connectTcp(TARGET), SocketError, "EMFILE");
  assertEquals(poller.connects.length, 4);
});

Deno.test("FakeStream.send() takes what there is room for", () => {
  const stream = new FakePoller().stream(TARGET, true);
  stream.mostPerSend = 3;
  stream.room = 4;
  assertEquals([stream.send(BYTES), stream.send(BYTES)], [3, 1]);
  assertEquals(stream.ready(), 0);
  assertEquals(stream.send(BYTES), WOULD_BLOCK);
  stream.room = Infinity;
  assertEquals(stream.send(BYTES, 2), 2);
  assertEquals([...stream.sent], [1, 2, 3, 1, 1, 2]);
});

Deno.test("FakeDatagram gives and takes datagrams", () => {
  const poller = new FakePoller();
  const socket = poller.bindUdp(ANY_PORT);
  assertEquals(socket.recvFrom(new Uint8Array(9)), WOULD_BLOCK);
  socket.bring(BYTES, TARGET);
  const buffer = new Uint8Array(3);
  assertEquals(socket.recvFrom(buffer), 3, "cut off");
  assertEquals(socket.sender, TARGET);
  socket.room = 1;
  assertEquals(socket.sendTo(BYTES, TARGET), 5);
  assertEquals(socket.sendTo(BYTES, TARGET), WOULD_BLOCK);
  socket.room = 1;
  socket.onSendTo = () => false;
  assertEquals(socket.sendTo(BYTES, TARGET), FAILED);
  assertEquals(socket.sends, [{ data: BYTES, to: TARGET }]);
  poller.bindErrors.push("EMFILE");
  assertThrows(() => poller.bindUdp(ANY_PORT), SocketError, "EMFILE");
  assertEquals(poller.open, [socket.fd]);
});

Deno.test("FakePoller throws when the code under test uses it wrongly", async () => {
  const net = new FakeNet();
  const { loop, poller } = net;
  const open = poller.stream(TARGET, true);
  const closed = poller.stream(TARGET, true);
  closed.close();
  const wrong: (() => unknown)[] = [
    () => poller.register(closed, POLL_IN),
    () => poller.modify(open, POLL_IN),
    () => poller.unregister(open),
    () => closed.send(BYTES),
    () => closed.recv(new Uint8Array(1)),
    () => new FakePoller().after(1, () => {}),
  ];
  for (const call of wrong) assertThrows(call, Error);
  poller.register(open, POLL_IN);
  assertThrows(() => poller.register(open, POLL_IN), Error);
  poller.unregister(open);
  // Ready for ever, and nobody takes it.
  loop.add(open, POLL_OUT, { handleEvent: (_: Socket) => {} });
  await assertRejects(() => net.settle(), Error, "spins");
});
