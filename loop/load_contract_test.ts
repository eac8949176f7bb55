/**
 * The contract under load: many sockets, and everything else still served
 * while one pair is never idle. Over every poller.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { contractTest, LOOPBACK } from "../tests/_loop_fixture.ts";
import { POLL_IN, POLL_NULL, POLL_OUT, type StreamSocket } from "./mod.ts";
import { seededBytes } from "../tests/support/bytes.ts";

/** Enough to fill more than one batch of either poller. */
const CONNECTIONS = 1000;
/** Bytes that each of them echoes. */
const LENGTH = 512;
/** Round trips within which a timer of a few milliseconds must be served. */
const PATIENCE = 200_000;

contractTest(
  `EventLoop serves ${CONNECTIONS} connections at once`,
  async (fixture) => {
    using listener = fixture.poller.listenTcp(LOOPBACK);
    const { loop } = fixture;
    const buffer = new Uint8Array(LENGTH);
    const echo = (server: StreamSocket): void => {
      let held = new Uint8Array(0);
      fixture.on(server, POLL_IN, () => {
        if (held.length === 0) {
          const count = server.recv(buffer);
          if (count === 0) {
            loop.remove(server);
            return server.close();
          }
          if (count < 0) return;
          held = buffer.slice(0, count);
        }
        const sent = server.send(held);
        if (sent > 0) held = held.subarray(sent);
        loop.modify(server, held.length > 0 ? POLL_OUT : POLL_IN);
      });
    };
    fixture.on(listener, POLL_IN, () => {
      let server: StreamSocket | undefined;
      while ((server = listener.accept()) !== undefined) echo(server);
    });
    let intact = 0;
    let ended = 0;
    const start = (seed: number): void => {
      const data = seededBytes(LENGTH, seed);
      const client = fixture.poller.connectTcp(listener.localAddress);
      const received = new Uint8Array(LENGTH);
      let sent = 0;
      let count = 0;
      fixture.on(client, POLL_OUT, (event) => {
        if ((event & POLL_OUT) !== 0) {
          sent += Math.max(0, client.send(data.subarray(sent)));
          if (sent === LENGTH) loop.modify(client, POLL_IN);
          return;
        }
        const length = client.recv(received.subarray(count));
        assert(length !== 0, `ended after ${count} bytes`);
        assert(length !== -2, client.error);
        count += Math.max(0, length);
        if (count < LENGTH) return;
        if (received.every((byte, i) => byte === data[i])) intact++;
        ended++;
        loop.remove(client);
        client.close();
      });
    };
    for (let i = 1; i <= CONNECTIONS; i++) start(i);
    await fixture.until(() => ended === CONNECTIONS, "every echo");
    assertEquals(intact, CONNECTIONS);
    await fixture.until(() => loop.size === 1, "every close");
    loop.modify(listener, POLL_NULL);
  },
);

contractTest(
  "EventLoop serves timers and signals while a pair is never idle",
  async (fixture) => {
    const { client, server } = await fixture.pair();
    const byte = new Uint8Array(1);
    let rounds = 0;
    for (const socket of [client, server]) {
      fixture.on(socket, POLL_IN, () => {
        if (socket.recv(byte) !== 1) return;
        assertEquals(socket.send(byte), 1);
        rounds++;
      });
    }
    client.send(byte);
    await fixture.until(() => rounds > 10, "the pair at work");
    const served: Record<string, number> = {};
    const signal = Deno.build.os === "windows" ? undefined : "SIGUSR2";
    const serve = (name: string) => (): void => {
      served[name] ??= rounds;
    };
    const onSignal = serve("signal");
    if (signal !== undefined) Deno.addSignalListener(signal, onSignal);
    const timer = setTimeout(serve("Deno's timer"), 5);
    fixture.after(5, serve("loop's timer"));
    fixture.after(5, () => {
      if (signal !== undefined) Deno.kill(Deno.pid, signal);
    });
    const expected = signal === undefined ? 2 : 3;
    const before = rounds;
    try {
      await fixture.until(
        () =>
          rounds > before + PATIENCE || Object.keys(served).length === expected,
        "everything served",
      );
    } finally {
      clearTimeout(timer);
      if (signal !== undefined) Deno.removeSignalListener(signal, onSignal);
    }
    assertEquals(
      Object.keys(served).length,
      expected,
      `after ${rounds} rounds only ${JSON.stringify(served)}`,
    );
    const after = rounds;
    await fixture.until(() => rounds > after + 10, "the pair still at work");
  },
);

contractTest(
  "EventLoop serves Deno's promises while a connection is never empty",
  async (fixture) => {
    // Reads that always find bytes end at once; they must not keep the
    // thread from Deno's own loop.
    const { client, server } = await fixture.pair();
    const data = seededBytes(65_536);
    const buffer = new Uint8Array(65_536);
    let received = 0;
    fixture.on(client, POLL_OUT, () => client.send(data));
    fixture.on(server, POLL_IN, () => {
      received += Math.max(0, server.recv(buffer));
    });
    let served = 0;
    const tick = (): void => {
      served++;
      timer = setTimeout(tick, 1);
    };
    let timer = setTimeout(tick, 1);
    try {
      await fixture.until(
        () => served >= 5 && received >= 16 * data.length,
        "five timers and a megabyte",
      );
    } finally {
      clearTimeout(timer);
    }
  },
);
