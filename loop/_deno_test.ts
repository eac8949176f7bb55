/**
 * Tests of what only the `deno` poller has. Its contract is tested with the
 * other pollers'.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertNotStrictEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { LOOPBACK, LoopFixture } from "../tests/_loop_fixture.ts";
import { DenoPoller } from "./_deno.ts";
import {
  BufferPool,
  Buffers,
  fillable,
  LARGE,
  MEDIUM,
  SMALL,
} from "./_deno_buffers.ts";
import { errorCode, socketError } from "./_deno_errors.ts";
import { BATCH_SIZE } from "./_deno_hub.ts";
import { POLL_IN, POLL_OUT } from "./events.ts";
import { SocketAddress } from "./address.ts";
import { type DatagramSocket, SocketError } from "./socket.ts";
import { seededBytes } from "../tests/support/bytes.ts";
import { LogCapture } from "../tests/support/logs.ts";

Deno.test("errorCode() names what Deno throws", () => {
  const cases: readonly (readonly [unknown, string])[] = [
    [Object.assign(new Error("x"), { code: "EHOSTUNREACH" }), "EHOSTUNREACH"],
    [new Deno.errors.ConnectionRefused("x"), "ECONNREFUSED"],
    [new Deno.errors.ConnectionReset("x"), "ECONNRESET"],
    [new Deno.errors.TimedOut("x"), "ETIMEDOUT"],
    [new Deno.errors.NotCapable("x"), "EACCES"],
    [new Deno.errors.BadResource("x"), "EBADF"],
    [new Error("x"), "EIO"],
    ["x", "EIO"],
    [undefined, "EIO"],
  ];
  for (const [error, code] of cases) assertEquals(errorCode(error), code);
});

Deno.test("socketError() names the action, the address and the fix", () => {
  const cause = new Deno.errors.AddrInUse("Address already in use");
  const error = socketError("listen on TCP address", LOOPBACK, cause);
  assertEquals(error.code, "EADDRINUSE");
  assertStrictEquals(error.cause, cause);
  assertEquals(
    error.message,
    "Cannot listen on TCP address 127.0.0.1:0: address in use; stop the " +
      "other program or choose another port (EADDRINUSE)",
  );
  const other = socketError("bind UDP address", LOOPBACK, new Error("odd"));
  assertEquals(other.message, "Cannot bind UDP address 127.0.0.1:0: odd (EIO)");
});

Deno.test("BufferPool.take() lends no buffer twice", () => {
  const size = 1000;
  const pool = new BufferPool(size, 32);
  const lent = Array.from({ length: 100 }, () => pool.take());
  for (const [i, buffer] of lent.entries()) {
    assertEquals(buffer.length, size);
    buffer.fill(i);
  }
  for (const [i, buffer] of lent.entries()) {
    assert(buffer[0] === i && buffer[size - 1] === i, `buffer ${i}`);
  }
  pool.give(lent[7]!);
  assertStrictEquals(pool.take(), lent[7], "the last one given back");
  assertNotStrictEquals(pool.take(), lent[7]);
});

Deno.test("Buffers.forRead() lends by what the read before brought", () => {
  const buffers = new Buffers();
  const size = (last: number): number => buffers.forRead(last).length;
  assertEquals(
    [0, 1, SMALL - 1, SMALL + 1, 16_383].map(size),
    Array(5).fill(SMALL),
  );
  assertEquals([SMALL, 16_384, MEDIUM - 1].map(size), Array(3).fill(MEDIUM));
  assertEquals([MEDIUM, LARGE].map(size), [LARGE, LARGE]);
});

Deno.test("Buffers.forWrite() lends what holds the bytes, or much", () => {
  const buffers = new Buffers();
  const size = (length: number): number => buffers.forWrite(length).length;
  assertEquals([1, SMALL].map(size), [SMALL, SMALL]);
  assertEquals([SMALL + 1, 4096].map(size), [SMALL + 1, 4096]);
  assertEquals([4097, MEDIUM].map(size), [MEDIUM, MEDIUM]);
  assertEquals([MEDIUM + 1, LARGE, 10 * LARGE].map(size), Array(3).fill(LARGE));
});

Deno.test("Buffers.trim() forgets what is not lent", () => {
  const buffers = new Buffers();
  for (const length of [1, MEDIUM, LARGE]) {
    const lent = buffers.forWrite(length);
    const free = buffers.forWrite(length);
    buffers.give(free);
    buffers.trim();
    assert(buffers.forWrite(length) !== free);
    buffers.give(lent);
    assertStrictEquals(buffers.forWrite(length), lent);
  }
});

Deno.test("Buffers lends few large ones, and each again", () => {
  const buffers = new Buffers();
  const lent = Array.from({ length: 17 }, () => buffers.forRead(LARGE));
  assertEquals(
    new Set(lent.slice(0, 16).map((b) => b.length)),
    new Set([LARGE]),
  );
  assertEquals(lent[16]!.length, MEDIUM);
  buffers.give(lent[3]!);
  assertStrictEquals(buffers.forWrite(LARGE), lent[3]);
  for (const length of [1, MEDIUM]) {
    const buffer = buffers.forWrite(length);
    buffers.give(buffer);
    assertStrictEquals(buffers.forWrite(length), buffer);
  }
  const own = buffers.forWrite(1000);
  buffers.give(own);
  assertNotStrictEquals(buffers.forWrite(1000), own, "not of a pool");
});

Deno.test("fillable() leaves room for lengths and tags in a large buffer", () => {
  assertEquals(fillable(new Uint8Array(LARGE)).length, 262_144);
  assertEquals(fillable(new Uint8Array(MEDIUM)).length, MEDIUM);
});

Deno.test("DenoPoller.register() throws TypeError for a foreign socket", () => {
  using poller = new DenoPoller();
  using other = new DenoPoller();
  const socket = other.bindUdp(LOOPBACK);
  assertThrows(() => poller.register(socket, POLL_IN), TypeError, "Cannot");
  socket.close();
  assertThrows(() => other.register(socket, POLL_IN), TypeError, "closed");
});

Deno.test("DenoPoller gives no descriptor twice", () => {
  using poller = new DenoPoller();
  const seen = new Set<number>();
  for (let i = 0; i < 50; i++) {
    using socket = poller.bindUdp(LOOPBACK);
    seen.add(socket.fd);
  }
  assertEquals(seen.size, 50);
});

Deno.test("DenoPoller.bindUdp() throws ENOTSUP when Deno lacks UDP", () => {
  using poller = new DenoPoller();
  const deno = Deno as { listenDatagram?: unknown };
  const original = deno.listenDatagram;
  try {
    delete deno.listenDatagram;
    const error = assertThrows(
      () => poller.bindUdp(LOOPBACK),
      SocketError,
      "--unstable-net",
    ) as SocketError;
    assertEquals(error.code, "ENOTSUP");
  } finally {
    deno.listenDatagram = original;
  }
});

Deno.test("DenoPoller.wait() gives every socket its turn when a batch is full", async () => {
  using poller = new DenoPoller();
  const sockets: DatagramSocket[] = [];
  const count = BATCH_SIZE + 100;
  for (let i = 0; i < count; i++) {
    const socket = poller.bindUdp(LOOPBACK);
    poller.register(socket, POLL_OUT);
    sockets.push(socket);
  }
  const seen = new Set<number>();
  assertEquals(await poller.wait(0), BATCH_SIZE);
  for (let round = 0; round < 2; round++) {
    const ready = await poller.wait(0);
    for (const fd of poller.readyFds.subarray(0, ready)) seen.add(fd);
  }
  assertEquals(seen.size, count);
});

Deno.test("DenoPoller.wait() ends after its timeout, and at wake()", async () => {
  using poller = new DenoPoller();
  const start = performance.now();
  assertEquals(await poller.wait(20), 0);
  assert(performance.now() - start >= 19, "too early");
  const waiting = poller.wait(60_000);
  poller.wake();
  assertEquals(await waiting, 0);
});

Deno.test("DenoPoller[Symbol.dispose]() closes what still sends", async () => {
  const fixture = new LoopFixture(new DenoPoller());
  const { client, server } = await fixture.pair();
  // Until the peer's buffers are full and a write stays under way.
  const data = seededBytes(LARGE);
  let last = performance.now();
  fixture.on(client, POLL_OUT, () => {
    last = performance.now();
    client.send(data);
  });
  const check = (): void => fixture.after(20, check);
  check();
  await fixture.until(() => performance.now() - last > 200, "a full socket");
  client.close();
  assert(client.closed && !server.closed);
  fixture[Symbol.dispose]();
  assert(server.closed);
});

/** Runs with the interfaces of another machine. */
function withAddresses(addresses: readonly string[], body: () => void): void {
  const original = Deno.networkInterfaces;
  Deno.networkInterfaces = () =>
    addresses.map((address) => ({
      address,
      family: address.includes(":") ? "IPv6" : "IPv4",
    })) as Deno.NetworkInterfaceInfo[];
  try {
    body();
  } finally {
    Deno.networkInterfaces = original;
  }
}

Deno.test("DenoPoller.bindUdp() warns that answers may leave from elsewhere when there are several addresses", () => {
  const own = ["127.0.0.1", "192.0.2.1", "::1", "fe80::1", "2001:db8::1"];
  const many = [...own, "192.0.2.2"];
  for (
    const [host, tellsRecipient, addresses, warnings] of [
      ["0.0.0.0", true, many, 1],
      ["0.0.0.0", true, own, 0],
      ["0.0.0.0", false, many, 0],
      ["127.0.0.1", true, many, 0],
      ["::", true, own, 1],
      ["::", true, ["127.0.0.1", "2001:db8::1", "fe80::1"], 0],
    ] as const
  ) {
    using logs = new LogCapture();
    using poller = new DenoPoller();
    withAddresses(addresses, () => {
      poller.bindUdp(SocketAddress.parse(host, 0), { tellsRecipient }).close();
    });
    assertEquals(logs.of("warning").length, warnings, `${host}: ${addresses}`);
  }
});

Deno.test("DenoPoller warns when it cannot leave IPv4 to others", () => {
  using logs = new LogCapture();
  using poller = new DenoPoller();
  const at = SocketAddress.parse("::", 0);
  poller.listenTcp(at, { ipv6Only: true }).close();
  poller.bindUdp(at, { ipv6Only: true }).close();
  poller.bindUdp(at).close();
  assertEquals(
    logs.of("warning").map((line) => line.slice(0, 42)),
    poller.splitsFamilies ? [] : [
      "TCP [::]:0 takes IPv4 too with the event l",
      "UDP [::]:0 takes IPv4 too with the event l",
    ],
  );
});
