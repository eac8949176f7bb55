/**
 * The contract of the loop's batches: masks, removal, reuse, errors, over
 * every poller.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { contractTest, LOOPBACK } from "../tests/_loop_fixture.ts";
import { POLL_IN, POLL_NULL, POLL_OUT } from "./mod.ts";

/** Enough sockets to take every number that has become free. */
const FRESH = 6;

contractTest(
  "Poller.wait() reports only events that the mask asks for",
  async (fixture) => {
    const { poller } = fixture;
    const { client, server } = await fixture.pair();
    assertEquals(client.send(new Uint8Array(5)), 5);
    const masks = [POLL_IN, POLL_OUT, POLL_NULL, POLL_IN | POLL_OUT];
    poller.register(server, POLL_IN | POLL_OUT);
    for (const mask of masks) {
      poller.modify(server, mask);
      let seen = 0;
      // The bytes may still be on their way: that takes a wait or two.
      for (let i = 0; i < 10; i++) {
        const count = await poller.wait(mask === POLL_NULL ? 1 : 1000);
        for (let k = 0; k < count; k++) {
          assertEquals(poller.readyFds[k], server.fd);
          seen |= poller.readyEvents[k]!;
        }
      }
      assertEquals(seen, mask);
    }
    poller.unregister(server);
    assertEquals(await poller.wait(1), 0);
  },
);

contractTest(
  "EventLoop reports only events that the mask asks for",
  async (fixture) => {
    const { client, server } = await fixture.pair();
    assertEquals(client.send(new Uint8Array(5)), 5);
    const seen = new Set<number>();
    fixture.on(server, POLL_NULL, (event) => seen.add(event));
    await fixture.turns(20);
    assertEquals([...seen], []);
    for (const mask of [POLL_IN, POLL_OUT, POLL_IN | POLL_OUT]) {
      seen.clear();
      fixture.loop.modify(server, mask);
      await fixture.turns(20);
      assertEquals([...seen], [mask]);
    }
    seen.clear();
    fixture.loop.modify(server, POLL_NULL);
    await fixture.turns(20);
    assertEquals([...seen], []);
  },
);

contractTest(
  "EventLoop.remove() inside a batch withholds the other's event",
  async (fixture) => {
    // Both ends are writable, so both stand in one batch.
    const { client, server } = await fixture.pair();
    let calls = 0;
    for (const [own, other] of [[client, server], [server, client]] as const) {
      fixture.on(own, POLL_OUT, () => {
        calls++;
        fixture.loop.remove(other);
        fixture.loop.remove(own);
      });
    }
    await fixture.turns(20);
    assertEquals(calls, 1);
    assertEquals(fixture.loop.size, 0);
  },
);

contractTest(
  "EventLoop.modify() inside a batch withholds what the mask dropped",
  async (fixture) => {
    const { client, server } = await fixture.pair();
    let calls = 0;
    for (const [own, other] of [[client, server], [server, client]] as const) {
      fixture.on(own, POLL_OUT, () => {
        calls++;
        fixture.loop.modify(other, POLL_IN);
        fixture.loop.modify(own, POLL_IN);
      });
    }
    await fixture.turns(20);
    assertEquals(calls, 1);
  },
);

contractTest(
  "EventLoop gives a new socket no event of a closed one's batch",
  async (fixture) => {
    for (let round = 0; round < 10; round++) {
      const { client, server } = await fixture.pair();
      let batchOver = false;
      let early = false;
      let reached = 0;
      let first = true;
      for (
        const [own, other] of [[client, server], [server, client]] as const
      ) {
        fixture.on(own, POLL_OUT, () => {
          assert(first, "the closed socket got an event");
          first = false;
          for (const socket of [own, other]) {
            fixture.loop.remove(socket);
            socket.close();
          }
          // Where descriptors are real, some of these get the numbers again.
          for (let i = 0; i < FRESH; i++) {
            const fresh = fixture.poller.bindUdp(LOOPBACK);
            fixture.on(fresh, POLL_OUT, () => {
              early ||= !batchOver;
              reached++;
              fixture.loop.remove(fresh);
              fresh.close();
            });
          }
          // Timers run when the batch is over.
          fixture.after(0, () => batchOver = true);
        });
      }
      await fixture.until(
        () => reached === FRESH,
        "the new sockets' own events",
      );
      assert(!early, "an event of the batch before");
      await fixture.turns(2);
    }
  },
);

contractTest(
  "EventLoop goes on when a handler throws",
  async (fixture) => {
    const { client, server } = await fixture.pair();
    let thrown = 0;
    let served = 0;
    fixture.loop.add(client, POLL_OUT, {
      handleEvent: () => {
        thrown++;
        throw new Error("a defect in a handler");
      },
    });
    fixture.on(server, POLL_OUT, () => served++);
    await fixture.until(() => served >= 5 && thrown >= 5, "five events");
  },
);

contractTest(
  "EventLoop.addTimer() goes on when a callback throws",
  async (fixture) => {
    let called = false;
    fixture.loop.addTimer(0, () => {
      throw new Error("a defect in a timer");
    });
    fixture.after(1, () => called = true);
    await fixture.until(() => called, "the second timer");
  },
);

contractTest(
  "EventLoop.run() runs again after stop(), and twice at once rejects",
  async (fixture) => {
    for (let i = 0; i < 3; i++) {
      const running = fixture.loop.run();
      await assertRejects(() => fixture.loop.run(), Error, "Cannot run");
      fixture.loop.stop();
      await running;
    }
    // A stop out of a handler, and the socket still watched in the next run.
    const { client } = await fixture.pair();
    let events = 0;
    fixture.on(client, POLL_OUT, () => {
      events++;
      fixture.loop.stop();
    });
    for (let i = 1; i <= 3; i++) {
      await fixture.loop.run();
      assertEquals(events, i);
    }
  },
);

contractTest(
  "EventLoop.stop() ends a wait without events",
  async (fixture) => {
    const start = performance.now();
    const running = fixture.loop.run();
    // It would sleep for seconds.
    await fixture.asleep();
    fixture.loop.stop();
    await running;
    assert(performance.now() - start < 5000, "it slept on");
  },
);

contractTest(
  "EventLoop.add() and addTimer() take effect while the loop waits",
  async (fixture) => {
    const { client, server } = await fixture.pair();
    const start = performance.now();
    const running = fixture.loop.run();
    await fixture.asleep();
    let received = 0;
    await new Promise<void>((resolve) => {
      fixture.on(server, POLL_IN, () => {
        received += server.recv(new Uint8Array(10));
        fixture.loop.remove(server);
        resolve();
      });
      assertEquals(client.send(new Uint8Array(3)), 3);
    });
    await fixture.asleep();
    await new Promise<void>((resolve) => fixture.after(1, resolve));
    fixture.loop.stop();
    await running;
    assertEquals(received, 3);
    assert(performance.now() - start < 5000, "it slept on");
  },
);
