/**
 * The contract of full and empty connections, over every poller.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { contractTest } from "../tests/_loop_fixture.ts";
import { POLL_IN, POLL_NULL, POLL_OUT, WOULD_BLOCK } from "./mod.ts";
import { seededBytes } from "../tests/support/bytes.ts";

const MIB = 1024 * 1024;
/** More than both ends of a loopback connection hold for a slow reader. */
const MUCH = 64 * MIB;

contractTest(
  "StreamSocket.send() stops at WOULD_BLOCK and goes on after POLL_OUT",
  async (fixture) => {
    const { client, server } = await fixture.pair();
    const block = seededBytes(MIB);
    let sent = 0;
    // Fill it: full means that fifty turns took nothing more.
    fixture.on(client, POLL_OUT, () => {
      const count = client.send(block.subarray(sent % MIB));
      if (count > 0) sent += count;
      else assertEquals(count, WOULD_BLOCK);
    });
    let before = -1;
    while (before !== sent) {
      before = sent;
      await fixture.turns(50);
    }
    fixture.loop.remove(client);
    // POLL_OUT may ask for more room than the last bytes need.
    let last = 0;
    while (last !== WOULD_BLOCK && sent < MUCH) {
      last = client.send(block.subarray(sent % MIB));
      if (last > 0) sent += last;
    }
    assert(sent > 0 && sent < MUCH, `${sent} bytes taken`);
    // Read it all: it goes on until the sender has sent 16 MiB more.
    const goal = sent + 16 * MIB;
    const buffer = new Uint8Array(100_000);
    let received = 0;
    let intact = true;
    fixture.on(client, POLL_OUT, () => {
      const end = Math.min(MIB, sent % MIB + goal - sent);
      const count = client.send(block.subarray(sent % MIB, end));
      if (count > 0) sent += count;
      if (sent < goal) return;
      fixture.loop.remove(client);
      client.shutdown();
    });
    let ended = false;
    fixture.on(server, POLL_IN, () => {
      const count = server.recv(buffer);
      for (let i = 0; i < count; i += 509) {
        intact &&= buffer[i] === block[(received + i) % MIB];
      }
      if (count > 0) received += count;
      ended = count === 0;
      if (ended) fixture.loop.remove(server);
    });
    await fixture.until(() => ended, "the end");
    assertEquals(received, goal);
    assert(intact, "bytes differ");
  },
);

contractTest(
  "StreamSocket.close() sends what send() took when the peer is slow",
  async (fixture) => {
    for (const size of [1000, 65_536]) {
      const { client, server } = await fixture.pair();
      const block = seededBytes(size);
      const data = new Uint8Array(size);
      let sent = 0;
      fixture.on(client, POLL_OUT, () => {
        data.set(block);
        const count = client.send(data.subarray(sent % size));
        if (count > 0) sent += count;
        // The bytes are copied: what is done to them now does no harm.
        data.fill(0);
      });
      let before = -1;
      while (before !== sent) {
        before = sent;
        await fixture.turns(50);
      }
      fixture.loop.remove(client);
      client.close();
      const buffer = new Uint8Array(100_000);
      let received = 0;
      let ended = false;
      let intact = true;
      fixture.on(server, POLL_IN, () => {
        const count = server.recv(buffer);
        for (let i = 0; i < count; i++) {
          intact &&= buffer[i] === block[(received + i) % size];
        }
        if (count > 0) received += count;
        ended = count === 0;
        if (ended) fixture.loop.remove(server);
      });
      await fixture.until(() => ended, "the end");
      assertEquals(received, sent);
      assert(intact, "bytes differ");
    }
  },
);

contractTest(
  "Poller reads nothing ahead of a mask without POLL_IN",
  async (fixture) => {
    const { client, server } = await fixture.pair();
    const buffer = new Uint8Array(100_000);
    let events = 0;
    let received = 0;
    fixture.on(server, POLL_IN, () => {
      events++;
      received += server.recv(buffer);
      fixture.loop.modify(server, POLL_NULL);
    });
    const data = seededBytes(MIB);
    let sent = 0;
    fixture.on(client, POLL_OUT, () => {
      const count = client.send(data.subarray(sent));
      if (count > 0) sent += count;
      if (sent === data.length) fixture.loop.remove(client);
    });
    await fixture.until(() => events === 1, "the first read");
    await fixture.turns(20);
    assertEquals(events, 1);
    assert(received <= buffer.length);
    // What came meanwhile is there when the mask asks again.
    fixture.loop.remove(server);
    fixture.on(server, POLL_IN, () => {
      const count = server.recv(buffer);
      if (count > 0) received += count;
    });
    await fixture.until(() => received === data.length, "all bytes");
  },
);

contractTest(
  "Poller reports POLL_IN again while bytes are left",
  async (fixture) => {
    const { client, server } = await fixture.pair();
    const data = seededBytes(50);
    assertEquals(client.send(data), 50);
    const one = new Uint8Array(1);
    const received: number[] = [];
    fixture.on(server, POLL_IN, () => {
      assertEquals(server.recv(one), 1);
      received.push(one[0]!);
    });
    await fixture.until(() => received.length === 50, "fifty events");
    assertEquals(Uint8Array.from(received), data);
    assertEquals(server.recv(one), WOULD_BLOCK);
  },
);
