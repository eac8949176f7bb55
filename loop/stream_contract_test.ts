/**
 * The contract of connections, over every poller.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { connect as connectNode } from "node:net";
import {
  contractTest,
  LOOPBACK,
  LOOPBACK6,
  type LoopFixture,
} from "../tests/_loop_fixture.ts";
import {
  FAILED,
  POLL_ERR,
  POLL_HUP,
  POLL_IN,
  POLL_OUT,
  type SocketAddress,
  type StreamSocket,
  WOULD_BLOCK,
} from "./mod.ts";
import { seededBytes } from "../tests/support/bytes.ts";

/** What a socket has received. */
interface Received {
  bytes: number[];
  ended: boolean;
}

/** Reads until the end. */
function receive(fixture: LoopFixture, socket: StreamSocket): Received {
  const received: Received = { bytes: [], ended: false };
  const buffer = new Uint8Array(1000);
  fixture.on(socket, POLL_IN, () => {
    const count = socket.recv(buffer);
    if (count > 0) received.bytes.push(...buffer.subarray(0, count));
    if (count !== 0) return;
    received.ended = true;
    fixture.loop.remove(socket);
  });
  return received;
}

/** The error that a connect ends with. */
async function connectError(
  fixture: LoopFixture,
  address: SocketAddress,
): Promise<string> {
  using socket = fixture.poller.connectTcp(address);
  let code: string | undefined;
  fixture.on(socket, POLL_OUT, (event) => {
    assert((event & (POLL_ERR | POLL_HUP)) !== 0, "connected");
    code = socket.takeError();
    assertEquals(socket.send(new Uint8Array(1)), FAILED);
    fixture.loop.remove(socket);
  });
  await fixture.until(() => code !== undefined, "a refusal");
  return code!;
}

contractTest(
  "StreamSocket.unsent says what the other end has still to take, where the system tells",
  async (fixture) => {
    const { client, server } = await fixture.pair(LOOPBACK);
    if (client.unsent === undefined) {
      assertEquals(fixture.poller.name, "deno");
      return;
    }
    assertEquals(client.unsent, 0);
    const data = new Uint8Array(1024 * 1024);
    const room = client.room!;
    assert(room > 10_000, `there is room for ${room} bytes`);
    while (client.send(data) > 0);
    assert(client.room! < room / 8, `there is room for ${client.room} bytes`);
    const unsent = client.unsent;
    assert(unsent > 0);
    receive(fixture, server);
    await fixture.until(() => client.unsent === 0, "the last byte");
  },
);

for (const [family, address] of [[4, LOOPBACK], [6, LOOPBACK6]] as const) {
  contractTest(
    `Poller.connectTcp() connects both ends over IPv${family}`,
    async (fixture) => {
      const { client, server } = await fixture.pair(address);
      assertEquals(client.localAddress.key, server.remoteAddress.key);
      assertEquals(client.remoteAddress.key, server.localAddress.key);
      assertEquals(client.localAddress.family, family);
      assertEquals([client.kind, server.kind], ["stream", "stream"]);
      assertEquals([client.error, server.error], ["", ""]);
      const received = receive(fixture, server);
      const data = seededBytes(3000);
      fixture.sendAll(client, data, () => client.shutdown());
      await fixture.until(() => received.ended, "the end");
      assertEquals(Uint8Array.from(received.bytes), data);
    },
  );
}

contractTest(
  "Poller.connectTcp() reports POLL_ERR with ECONNREFUSED when nobody listens",
  async (fixture) => {
    const listener = fixture.poller.listenTcp(LOOPBACK);
    const address = listener.localAddress;
    listener.close();
    assertEquals(await connectError(fixture, address), "ECONNREFUSED");
  },
);

contractTest(
  "Poller.connectTcp() fails when the listener is closed after use",
  async (fixture) => {
    const listener = fixture.poller.listenTcp(LOOPBACK);
    await fixture.connect(listener);
    listener.close();
    // Deno's listener lives on until the accept under way has ended.
    await fixture.turns(2);
    const code = await connectError(fixture, listener.localAddress);
    assertEquals(code, "ECONNREFUSED");
  },
);

contractTest(
  "StreamSocket.close() ends a connect under way",
  async (fixture) => {
    const listener = fixture.poller.listenTcp(LOOPBACK);
    const givenUp = fixture.poller.connectTcp(listener.localAddress);
    givenUp.close();
    assert(givenUp.closed);
    // A later connection works, and the first one did no harm.
    const { client, server } = await fixture.connect(listener);
    const received = receive(fixture, server);
    client.shutdown();
    await fixture.until(() => received.ended, "the end");
  },
);

contractTest(
  "StreamSocket.recv() says WOULD_BLOCK when nothing has come",
  async (fixture) => {
    const { client } = await fixture.pair();
    assertEquals(client.recv(new Uint8Array(10)), WOULD_BLOCK);
    assertEquals(client.error, "");
  },
);

contractTest(
  "StreamSocket.shutdown() ends one direction, and the other goes on",
  async (fixture) => {
    const { client, server } = await fixture.pair();
    const atServer = receive(fixture, server);
    assertEquals(client.send(seededBytes(10)), 10);
    client.shutdown();
    client.shutdown();
    await fixture.until(() => atServer.ended, "the end at the server");
    assertEquals(atServer.bytes.length, 10);
    assertEquals(server.recv(new Uint8Array(1)), 0, "the end stays");

    const atClient = receive(fixture, client);
    const data = seededBytes(5000, 2);
    fixture.sendAll(server, data, () => server.shutdown());
    await fixture.until(() => atClient.ended, "the end at the client");
    assertEquals(Uint8Array.from(atClient.bytes), data);
    assertEquals([client.error, server.error], ["", ""]);
  },
);

contractTest(
  "Poller reports the peer's end again until the mask drops it",
  async (fixture) => {
    const { client, server } = await fixture.pair();
    client.shutdown();
    let events = 0;
    fixture.on(server, POLL_IN, (event) => {
      assertEquals(event & POLL_IN, POLL_IN);
      assertEquals(server.recv(new Uint8Array(8)), 0);
      if (++events === 5) fixture.loop.remove(server);
    });
    await fixture.until(() => events === 5, "five events");
    await fixture.turns(20);
    assertEquals(events, 5);
  },
);

contractTest(
  "Poller reports POLL_HUP when both directions are closed",
  async (fixture) => {
    const { client, server } = await fixture.pair();
    client.shutdown();
    server.shutdown();
    let mask = 0;
    fixture.on(server, POLL_IN, (event) => mask |= event);
    await fixture.until(() => (mask & POLL_HUP) !== 0, "POLL_HUP");
  },
);

contractTest(
  "StreamSocket.send() fails with EPIPE after shutdown()",
  async (fixture) => {
    const { client } = await fixture.pair();
    client.shutdown();
    assertEquals(client.send(new Uint8Array(1)), FAILED);
    assertEquals(client.error, "EPIPE");
  },
);

contractTest(
  "StreamSocket fails with ECONNRESET when the peer resets",
  async (fixture) => {
    using listener = fixture.poller.listenTcp(LOOPBACK);
    const { host, port } = listener.localAddress;
    const peer = connectNode({ host, port });
    const closed = new Promise((resolve) => peer.once("close", resolve));
    peer.on("error", () => {});
    peer.write("x");
    const buffer = new Uint8Array(8);
    const codes: string[] = [];
    fixture.on(listener, POLL_IN, () => {
      const server = listener.accept();
      if (server === undefined) return;
      fixture.on(server, POLL_IN, (event) => {
        const count = server.recv(buffer);
        if (count > 0) return void peer.resetAndDestroy();
        if (count === WOULD_BLOCK) return;
        assertEquals(count, FAILED);
        assertEquals(event & POLL_ERR, POLL_ERR);
        codes.push(server.error);
        fixture.loop.remove(server);
        server.close();
      });
    });
    await fixture.until(() => codes.length > 0, "a reset");
    assertEquals(codes, ["ECONNRESET"]);
    await closed;
  },
);

contractTest("StreamSocket.reset() closes at the peer", async (fixture) => {
  const { client, server } = await fixture.pair();
  let result: number = WOULD_BLOCK;
  fixture.on(client, POLL_IN, () => {
    result = client.recv(new Uint8Array(8));
  });
  server.reset();
  server.reset();
  assert(server.closed);
  await fixture.until(() => result !== WOULD_BLOCK, "the close");
  // Deno's sockets have no SO_LINGER: there it is an ordinary end.
  const code = fixture.poller.name === "deno" ? "" : "ECONNRESET";
  assertEquals(client.error, code);
  assertEquals(result, code === "" ? 0 : FAILED);
});

contractTest(
  "StreamSocket.close() sends what send() took",
  async (fixture) => {
    for (const size of [1, 4096, 4097, 300_000]) {
      const { client, server } = await fixture.pair();
      const data = seededBytes(size);
      const taken = client.send(data);
      assert(taken > 0 && taken <= size);
      client.close();
      client.close();
      const received = receive(fixture, server);
      await fixture.until(() => received.ended, "the end");
      assertEquals(Uint8Array.from(received.bytes), data.subarray(0, taken));
      server.close();
    }
  },
);

contractTest(
  "StreamSocket.send() copies what it takes",
  async (fixture) => {
    const { client, server } = await fixture.pair();
    const data = seededBytes(2000);
    assertEquals(client.send(data), 2000);
    data.fill(0);
    client.shutdown();
    const received = receive(fixture, server);
    await fixture.until(() => received.ended, "the end");
    assertEquals(Uint8Array.from(received.bytes), seededBytes(2000));
  },
);

contractTest(
  "StreamSocket.recv() and send() fail with EBADF after close()",
  async (fixture) => {
    const { client } = await fixture.pair();
    client.close();
    // A new socket may have the old number; it must not be touched.
    using _other = fixture.poller.bindUdp(LOOPBACK);
    assertEquals(client.recv(new Uint8Array(1)), FAILED);
    assertEquals(client.error, "EBADF");
    assertEquals(client.send(new Uint8Array(1)), FAILED);
    client.shutdown();
  },
);

for (const size of [100, 10_000]) {
  contractTest(
    `StreamSocket.recv() and send() keep to a part of ${size} bytes`,
    async (fixture) => {
      const { client, server } = await fixture.pair();
      const data = seededBytes(size);
      const end = size - 30;
      fixture.on(client, POLL_OUT, () => {
        assertEquals(client.send(data, end), end);
        fixture.loop.remove(client);
      });
      const buffer = new Uint8Array(size).fill(0xa5);
      let received = 0;
      fixture.on(server, POLL_IN, () => {
        // Less room than there are bytes, at a place of its own.
        const start = 7 + received;
        const count = server.recv(buffer, start, Math.min(start + 40, 7 + end));
        assert(count > 0 && count <= 40, `${count}`);
        received += count;
      });
      await fixture.until(() => received === end, "the part");
      assertEquals(buffer.subarray(7, 7 + end), data.subarray(0, end));
      assert(buffer.subarray(0, 7).every((byte) => byte === 0xa5));
      assert(buffer.subarray(7 + end).every((byte) => byte === 0xa5));
    },
  );
}

contractTest(
  "StreamSocket.recv() fills the buffer to its end from where it starts",
  async (fixture) => {
    const { client, server } = await fixture.pair();
    client.send(seededBytes(200));
    for (const size of [100, 10_000]) {
      const buffer = new Uint8Array(size).fill(0xa5);
      const room = Math.min(60, size);
      let count = 0;
      fixture.on(server, POLL_IN, () => {
        count = server.recv(buffer, size - room);
        fixture.loop.remove(server);
      });
      await fixture.until(() => count > 0, "some bytes");
      assertEquals(count, room);
      const start = size - room;
      assert(buffer.subarray(0, start).every((byte) => byte === 0xa5));
      const from = size === 100 ? 0 : 60;
      assertEquals(
        buffer.subarray(start),
        seededBytes(200).subarray(from, from + room),
      );
    }
  },
);
