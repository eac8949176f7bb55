/**
 * The contract of UDP sockets, over every poller.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  contractTest,
  LOOPBACK,
  LOOPBACK6,
  type LoopFixture,
} from "../tests/_loop_fixture.ts";
import {
  type DatagramSocket,
  FAILED,
  POLL_IN,
  SocketAddress,
  SocketError,
  WOULD_BLOCK,
} from "./mod.ts";
import { seededBytes } from "../tests/support/bytes.ts";

/** What arrived: the bytes, and from where. */
interface Arrival {
  readonly data: Uint8Array;
  readonly sender: SocketAddress;
}

/** Collects datagrams. */
function receive(fixture: LoopFixture, socket: DatagramSocket): Arrival[] {
  const arrivals: Arrival[] = [];
  const buffer = new Uint8Array(65_536);
  fixture.on(socket, POLL_IN, () => {
    let length: number;
    while ((length = socket.recvFrom(buffer)) >= 0) {
      arrivals.push({
        data: buffer.slice(0, length),
        sender: socket.sender,
      });
    }
    assertEquals(length, WOULD_BLOCK, socket.error);
  });
  return arrivals;
}

for (const address of [LOOPBACK, LOOPBACK6]) {
  contractTest(
    `DatagramSocket carries every size both ways over ${address.host}`,
    async (fixture) => {
      using a = fixture.poller.bindUdp(address);
      using b = fixture.poller.bindUdp(address);
      assertEquals(a.kind, "datagram");
      assertEquals(a.localAddress.host, address.host);
      const atA = receive(fixture, a);
      const atB = receive(fixture, b);
      for (const size of [0, 1, 1200, 1472, 2048, 9000, 65_507]) {
        const data = seededBytes(size);
        assertEquals(a.sendTo(data, b.localAddress), size);
        await fixture.until(() => atB.length > 0, `${size} bytes at b`);
        const { data: got, sender } = atB.pop()!;
        assertEquals(got, data);
        assertEquals(sender.key, a.localAddress.key);
        assertEquals(b.sendTo(got, sender), size);
        await fixture.until(() => atA.length > 0, `${size} bytes at a`);
        const back = atA.pop()!;
        assertEquals(back.data, data);
        assertEquals(back.sender.key, b.localAddress.key);
      }
    },
  );
}

contractTest(
  "DatagramSocket.sender is IPv4 when the datagram came over IPv4",
  async (fixture) => {
    using wide = fixture.poller.bindUdp(SocketAddress.parse("::", 0));
    using narrow = fixture.poller.bindUdp(LOOPBACK);
    const { port } = wide.localAddress;
    const atWide = receive(fixture, wide);
    const atNarrow = receive(fixture, narrow);
    narrow.sendTo(seededBytes(9), SocketAddress.parse("127.0.0.1", port));
    await fixture.until(() => atWide.length > 0, "a datagram");
    const { sender } = atWide[0]!;
    assertEquals(sender.key, narrow.localAddress.key);
    // And an IPv6 socket reaches an IPv4 address.
    assertEquals(wide.sendTo(seededBytes(9), sender), 9);
    await fixture.until(() => atNarrow.length > 0, "the answer");
    assertEquals(atNarrow[0]!.sender.toString(), `127.0.0.1:${port}`);
  },
);

contractTest(
  "DatagramSocket goes on after sending to a closed port",
  async (fixture) => {
    using a = fixture.poller.bindUdp(LOOPBACK);
    using b = fixture.poller.bindUdp(LOOPBACK);
    const gone = fixture.poller.bindUdp(LOOPBACK);
    const nowhere = gone.localAddress;
    gone.close();
    const atB = receive(fixture, b);
    receive(fixture, a);
    for (let i = 0; i < 5; i++) {
      a.sendTo(seededBytes(10), nowhere);
      await fixture.turns(5);
      a.sendTo(seededBytes(10), b.localAddress);
      await fixture.until(() => atB.length === i + 1, "the next datagram");
    }
  },
);

contractTest(
  "DatagramSocket.sendTo() copies what it takes",
  async (fixture) => {
    using a = fixture.poller.bindUdp(LOOPBACK);
    using b = fixture.poller.bindUdp(LOOPBACK);
    const atB = receive(fixture, b);
    const data = new Uint8Array(100);
    for (let i = 0; i < 10; i++) {
      data.fill(i);
      assertEquals(a.sendTo(data, b.localAddress), 100);
    }
    a.close();
    await fixture.until(() => atB.length === 10, "ten datagrams");
    for (const [i, arrival] of atB.entries()) {
      assertEquals(arrival.data, data.fill(i));
    }
  },
);

contractTest(
  "DatagramSocket goes on after a datagram that cannot be sent",
  async (fixture) => {
    using a = fixture.poller.bindUdp(LOOPBACK);
    using b = fixture.poller.bindUdp(LOOPBACK);
    const atB = receive(fixture, b);
    // No datagram goes to port 0.
    const refused = SocketAddress.parse("127.0.0.1", 0);
    for (let i = 1; i <= 3; i++) {
      a.sendTo(seededBytes(10), refused);
      assertEquals(a.sendTo(seededBytes(10), b.localAddress), 10);
      await fixture.until(() => atB.length === i, "the next datagram");
    }
  },
);

contractTest(
  "DatagramSocket.recvFrom() cuts off what does not fit",
  async (fixture) => {
    using a = fixture.poller.bindUdp(LOOPBACK);
    using b = fixture.poller.bindUdp(LOOPBACK);
    const data = seededBytes(100);
    a.sendTo(data, b.localAddress);
    a.sendTo(data.subarray(0, 7), b.localAddress);
    const buffer = new Uint8Array(10);
    const lengths: number[] = [];
    fixture.on(b, POLL_IN, () => {
      const length = b.recvFrom(buffer);
      if (length === WOULD_BLOCK) return;
      lengths.push(length);
      assertEquals(buffer.subarray(0, length), data.subarray(0, length));
    });
    await fixture.until(() => lengths.length === 2, "two datagrams");
    assertEquals(lengths, [10, 7]);
  },
);

contractTest(
  "DatagramSocket.sendTo() fails when the datagram cannot be",
  async (fixture) => {
    using a = fixture.poller.bindUdp(LOOPBACK);
    using b = fixture.poller.bindUdp(LOOPBACK);
    assertEquals(a.sendTo(new Uint8Array(65_508), b.localAddress), FAILED);
    assertEquals(a.error, "EMSGSIZE");
    const other = SocketAddress.parse("::1", 9);
    assertEquals(a.sendTo(new Uint8Array(1), other), FAILED);
    assertEquals(a.error, "EAFNOSUPPORT");
    const atB = receive(fixture, b);
    assertEquals(a.sendTo(seededBytes(4), b.localAddress), 4);
    await fixture.until(() => atB.length === 1, "the next datagram");
  },
);

contractTest(
  "DatagramSocket keeps memory bounded when nobody reads",
  async (fixture) => {
    using a = fixture.poller.bindUdp(LOOPBACK);
    using b = fixture.poller.bindUdp(LOOPBACK);
    let events = 0;
    const buffer = new Uint8Array(2000);
    fixture.on(b, POLL_IN, () => events++);
    let sent = 0;
    for (let i = 0; i < 50; i++) {
      for (let k = 0; k < 20; k++) {
        if (a.sendTo(seededBytes(1200), b.localAddress) === 1200) sent++;
      }
      await fixture.turns(2);
    }
    assert(sent > 0 && events > 0);
    let received = 0;
    while (b.recvFrom(buffer) === 1200) received++;
    assert(received > 0 && received <= sent);
  },
);

contractTest("Poller.bindUdp() throws SocketError when it cannot bind", (
  fixture,
) => {
  using first = fixture.poller.bindUdp(LOOPBACK);
  for (
    const [code, address] of [
      ["EADDRINUSE", first.localAddress],
      ["EADDRNOTAVAIL", SocketAddress.parse("192.0.2.1", 0)],
    ] as const
  ) {
    const error = assertThrows(
      () => fixture.poller.bindUdp(address),
      SocketError,
    ) as SocketError;
    assertEquals(error.code, code);
    assert(error.message.includes(String(address)), error.message);
  }
  return Promise.resolve();
});

contractTest(
  "DatagramSocket.recvFrom() and sendTo() fail with EBADF after close()",
  (fixture) => {
    const closed = fixture.poller.bindUdp(LOOPBACK);
    closed.close();
    closed.close();
    using other = fixture.poller.bindUdp(LOOPBACK);
    assertEquals(closed.recvFrom(new Uint8Array(1)), FAILED);
    assertEquals(closed.error, "EBADF");
    assertEquals(closed.sendTo(new Uint8Array(1), other.localAddress), FAILED);
    return Promise.resolve();
  },
);

contractTest(
  "DatagramSocket.sendAlone() tells that the system refuses a datagram, at once or later",
  async (fixture) => {
    using socket = fixture.poller.bindUdp(LOOPBACK, { batch: true });
    using other = fixture.poller.bindUdp(LOOPBACK, { batch: true });
    const arrived = receive(fixture, other);
    const failed: Uint8Array[] = [];
    const onFailed = (data: Uint8Array): void => void failed.push(data);
    const data = seededBytes(9);
    const before = seededBytes(5);
    // The socket is bound to loopback, from where nothing leads elsewhere.
    const refused = SocketAddress.parse("192.0.2.1", 9);
    socket.sendTo(before, other.localAddress);
    if (socket.sendAlone(data, refused, onFailed) === FAILED) onFailed(data);
    await fixture.until(() => failed.length > 0, "the refusal");
    assertEquals(failed, [data]);
    assertEquals(
      socket.sendAlone(data, other.localAddress, onFailed),
      data.length,
    );
    await fixture.until(() => arrived.length > 1, "both datagrams");
    assertEquals(arrived.map((each) => each.data), [before, data]);
    assertEquals(failed.length, 1);
  },
);
