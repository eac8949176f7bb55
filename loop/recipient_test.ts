/**
 * Tests of UDP sockets bound to every address: a datagram tells which was
 * asked, and an answer leaves from there. Only the epoll poller can.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { LoopFixture, pollers } from "../tests/_loop_fixture.ts";
import { withoutLeaks } from "../tests/_descriptors.ts";
import { seededBytes } from "../tests/support/bytes.ts";
import { PacketInfo } from "./_packet_info.ts";
import {
  type DatagramSocket,
  POLL_IN,
  type Recipient,
  SocketAddress,
} from "./mod.ts";

function recipientTest(
  name: string,
  body: (fixture: LoopFixture) => Promise<void>,
): void {
  Deno.test({
    name,
    ignore: !pollers().includes("epoll"),
    fn: () =>
      withoutLeaks(async (descriptors) => {
        using fixture = new LoopFixture(await descriptors.makePoller("epoll"));
        await body(fixture);
      }),
  });
}

/** A socket bound to every address, which is told of recipients. */
function bindAny({ poller }: LoopFixture): DatagramSocket {
  const options = { batch: true, tellsRecipient: true };
  return poller.bindUdp(SocketAddress.parse("0.0.0.0", 0), options);
}

/** Who asks. */
function bindLoopback({ poller }: LoopFixture): DatagramSocket {
  return poller.bindUdp(SocketAddress.parse("127.0.0.1", 0));
}

/** Gives every datagram back, from where it was sent to. */
function echo(fixture: LoopFixture, socket: DatagramSocket): string[] {
  const asked: string[] = [];
  const buffer = new Uint8Array(65_536);
  fixture.on(socket, POLL_IN, () => {
    for (let length; (length = socket.recvFrom(buffer)) >= 0;) {
      asked.push(socket.recipient?.address.host ?? "unknown");
      const data = buffer.subarray(0, length);
      socket.sendTo(data, socket.sender, socket.recipient);
    }
  });
  return asked;
}

/** What comes back to a socket: whom from, and how many bytes. */
function collect(fixture: LoopFixture, socket: DatagramSocket): string[] {
  const got: string[] = [];
  const buffer = new Uint8Array(65_536);
  fixture.on(socket, POLL_IN, () => {
    for (let length; (length = socket.recvFrom(buffer)) >= 0;) {
      got.push(`${length} from ${socket.sender.host}`);
    }
  });
  return got;
}

/** An IPv6 address of this machine other than loopback, if it has one. */
const [OWN6] = Deno.networkInterfaces()
  .filter(({ family, address }) =>
    family === "IPv6" && address !== "::1" && !/^fe[89ab]/.test(address)
  ).map(({ address }) => address);

for (
  const [bound, client, hosts] of [
    ["0.0.0.0", "127.0.0.1", ["127.0.0.5", "127.0.0.1", "127.8.8.8"]],
    ["::", "127.0.0.1", ["127.0.0.5", "127.0.0.1", "127.8.8.8"]],
    ["::", "::1", OWN6 === undefined ? ["::1"] : [OWN6, "::1"]],
  ] as const
) {
  for (const batch of [true, false]) {
    recipientTest(
      `DatagramSocket.sendTo() at ${bound} answers ${client} from what it asked (batch ${batch})`,
      async (fixture) => {
        const { poller } = fixture;
        const any = SocketAddress.parse(bound, 0);
        using server = poller.bindUdp(any, { batch, tellsRecipient: true });
        using asking = poller.bindUdp(SocketAddress.parse(client, 0));
        const asked = echo(fixture, server);
        const got = collect(fixture, asking);
        const { port } = server.localAddress;
        const wanted: string[] = [];
        // Equal ones in a row, which are segmented; a last shorter one; one
        // that is longer than what batches take otherwise; an empty one.
        const sizes = [1000, 1000, 1000, 400, 20_000, 0];
        for (const host of hosts) {
          for (const size of sizes) {
            const to = SocketAddress.parse(host, port);
            assertEquals(asking.sendTo(seededBytes(size), to), size);
            wanted.push(`${size} from ${host}`);
          }
        }
        await fixture.until(() => got.length === wanted.length, "answers");
        assertEquals(got, wanted);
        assertEquals(asked, hosts.flatMap((host) => sizes.map(() => host)));
      },
    );
  }
}

recipientTest(
  "DatagramSocket.recipient is not known when the socket has one address",
  async (fixture) => {
    const { poller } = fixture;
    const at = SocketAddress.parse("127.0.0.1", 0);
    using server = poller.bindUdp(at, { batch: true, tellsRecipient: true });
    using asking = poller.bindUdp(at);
    const asked = echo(fixture, server);
    asking.sendTo(seededBytes(1), server.localAddress);
    await fixture.until(() => asked.length === 1, "a datagram");
    assertEquals(asked, ["unknown"]);
  },
);

recipientTest(
  "DatagramSocket.recipient is known when another socket has the batch",
  async (fixture) => {
    using one = bindAny(fixture);
    using other = bindAny(fixture);
    using asking = bindLoopback(fixture);
    const got = collect(fixture, asking);
    for (const { localAddress: { port } } of [one, one, other, other]) {
      asking.sendTo(seededBytes(3), SocketAddress.parse("127.0.0.6", port));
    }
    const buffer = new Uint8Array(16);
    assertEquals(one.recvFrom(buffer), 3);
    for (let i = 0; i < 2; i++) {
      assertEquals(other.recvFrom(buffer), 3);
      assertEquals(other.recipient?.address.host, "127.0.0.6");
      other.sendTo(buffer.subarray(0, 3), other.sender, other.recipient);
    }
    await fixture.until(() => got.length === 2, "answers");
    assertEquals(got, Array(2).fill("3 from 127.0.0.6"));
  },
);

recipientTest(
  "DatagramSocket.sendTo() answers from what was asked when the loop waits",
  async (fixture) => {
    using server = bindAny(fixture);
    using asking = bindLoopback(fixture);
    const got = collect(fixture, asking);
    const buffer = new Uint8Array(16);
    let recipient: Recipient | undefined;
    fixture.on(server, POLL_IN, () => {
      server.recvFrom(buffer);
      recipient = server.recipient;
    });
    const to = SocketAddress.parse("127.0.0.7", server.localAddress.port);
    asking.sendTo(seededBytes(3), to);
    await fixture.until(() => recipient !== undefined, "a datagram");
    const until = fixture.until(() => got.length === 1, "the answer");
    await fixture.asleep();
    server.sendTo(buffer.subarray(0, 3), server.sender, recipient);
    await until;
    assertEquals(got, ["3 from 127.0.0.7"]);
  },
);

recipientTest(
  "DatagramSocket.sendTo() sends from any address when the one asked is ours no more",
  async (fixture) => {
    using server = bindAny(fixture);
    using asking = bindLoopback(fixture);
    const got = collect(fixture, asking);
    // 203.0.113.9 of a network for documentation (RFC 5737), as in_pktinfo.
    const control = Uint32Array.of(28, 0, 0, 8, 0, 0, 0, 0);
    new Uint8Array(control.buffer).set([203, 0, 113, 9], 20);
    const gone = new PacketInfo(control);
    assertEquals(gone.address.host, "203.0.113.9");
    for (const size of [5, 5, 3, 0, 20_000]) {
      server.sendTo(seededBytes(size), asking.localAddress, gone);
    }
    await fixture.until(() => got.length === 5, "datagrams");
    assertEquals(
      got,
      [5, 5, 3, 0, 20_000].map((size) => `${size} from 127.0.0.1`),
    );
  },
);
