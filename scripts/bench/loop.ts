/**
 * What the event loop itself costs: timers, round trips over a loopback
 * connection, and datagrams, with each poller of this system.
 *
 * Both ends live in one loop, so a round trip is two of everything.
 *
 * @module
 */

import {
  type DatagramSocket,
  EventLoop,
  makePoller,
  POLL_IN,
  POLL_OUT,
  type Poller,
  SocketAddress,
  type StreamSocket,
} from "../../loop/mod.ts";
import type { Column, Row, Table } from "./table.ts";

/** Options of {@linkcode benchLoop}. */
export interface LoopBenchOptions {
  /** How long each figure is measured. */
  readonly seconds: number;
  /** Told what is measured now. */
  readonly progress: (text: string) => void;
}

const LOOPBACK = SocketAddress.parse("127.0.0.1", 0);
const MESSAGE = 64;
const PACKET = 1200;
/** Datagrams on their way at once. */
const WINDOW = 16;
/**
 * Milliseconds after which datagrams that did not come back are given up: on
 * loopback an echo takes less than one, so they are lost.
 */
const LOST_AFTER = 200;
/** Timers that are set while one more is set and cancelled, a busy server's. */
const TIMERS = 10_000;
/** Their delay in milliseconds: the usual time-out of a connection. */
const TIMEOUT = 300_000;

const COLUMNS: readonly Column[] = [
  { name: "timer set and cancelled", unit: "ns", better: "lower" },
  {
    name: `round trip, ${MESSAGE} B`,
    unit: "µs",
    better: "lower",
    chart: true,
  },
  { name: `UDP echo, ${PACKET} B`, unit: "µs", better: "lower", chart: true },
];

/**
 * Measures every poller that this system has.
 *
 * @param options How long, and whom to tell.
 * @returns One table.
 * @throws {Error} If a socket fails.
 */
export async function benchLoop(options: LoopBenchOptions): Promise<Table[]> {
  const rows: Row[] = [];
  for (const name of ["epoll", "deno"] as const) {
    using poller = await tryPoller(name);
    if (poller === undefined) continue;
    const { seconds } = options;
    options.progress(`loop: ${name}, timers`);
    const timers = measureTimers(poller, seconds);
    options.progress(`loop: ${name}, round trips`);
    const trips = await measureTrips(poller, seconds);
    options.progress(`loop: ${name}, datagrams`);
    const datagrams = await measureDatagrams(poller, seconds);
    rows.push({ name, ours: true, values: [timers, trips, datagrams] });
  }
  return [{ title: "Event loop", columns: COLUMNS, rows }];
}

async function tryPoller(
  name: Poller["name"],
): Promise<Poller | undefined> {
  try {
    return await makePoller(name);
  } catch {
    return undefined; // this system does not have it
  }
}

function measureTimers(poller: Poller, seconds: number): number {
  const loop = new EventLoop(poller);
  const nothing = (): void => {};
  for (let i = 0; i < TIMERS; i++) loop.addTimer(TIMEOUT, nothing);
  const start = performance.now();
  let count = 0;
  while (performance.now() - start < seconds * 1000) {
    for (let i = 0; i < 1000; i++) loop.addTimer(TIMEOUT, nothing).cancel();
    count += 1000;
  }
  return (performance.now() - start) * 1e6 / count;
}

/** Runs the loop for a while. */
async function run(loop: EventLoop, seconds: number): Promise<number> {
  const start = performance.now();
  loop.addTimer(seconds * 1000, () => loop.stop());
  await loop.run();
  return performance.now() - start;
}

async function measureTrips(poller: Poller, seconds: number): Promise<number> {
  const loop = new EventLoop(poller);
  using stack = new DisposableStack();
  const watch = (socket: StreamSocket, onMessage: () => void): void => {
    const buffer = new Uint8Array(MESSAGE);
    let received = 0;
    loop.add(socket, POLL_IN, {
      handleEvent: () => {
        const length = socket.recv(buffer.subarray(received));
        if (length <= 0) return;
        received += length;
        if (received < MESSAGE) return;
        received = 0;
        onMessage();
      },
    });
    stack.defer(() => {
      loop.remove(socket);
      socket.close();
    });
  };
  const [client, server] = await connectPair(loop);
  const message = new Uint8Array(MESSAGE);
  let count = 0;
  watch(server, () => server.send(message));
  watch(client, () => {
    count++;
    client.send(message);
  });
  client.send(message);
  const elapsed = await run(loop, seconds);
  return elapsed * 1000 / atLeastOne(count);
}

async function connectPair(
  loop: EventLoop,
): Promise<readonly [StreamSocket, StreamSocket]> {
  const listener = loop.poller.listenTcp(LOOPBACK);
  const client = loop.poller.connectTcp(listener.localAddress);
  let connected = false;
  let server: StreamSocket | undefined;
  let failure = "";
  const look = (): void => {
    if (failure !== "" || (connected && server !== undefined)) loop.stop();
  };
  loop.add(listener, POLL_IN, {
    handleEvent: () => {
      server ??= listener.accept();
      look();
    },
  });
  loop.add(client, POLL_OUT, {
    handleEvent: () => {
      failure = client.takeError();
      connected = true;
      loop.modify(client, 0);
      look();
    },
  });
  await loop.run();
  loop.remove(listener);
  loop.remove(client);
  listener.close();
  if (server === undefined) {
    client.close();
    throw new Error(`Cannot connect to itself: ${failure}`);
  }
  return [client, server];
}

async function measureDatagrams(
  poller: Poller,
  seconds: number,
): Promise<number> {
  const loop = new EventLoop(poller);
  using stack = new DisposableStack();
  const buffer = new Uint8Array(2048);
  const bind = (
    onDatagram: (socket: DatagramSocket) => void,
  ): DatagramSocket => {
    const socket = poller.bindUdp(LOOPBACK, { batch: true });
    loop.add(socket, POLL_IN, {
      handleEvent: () => {
        for (let i = 0; i < WINDOW; i++) {
          if (socket.recvFrom(buffer) < 0) return;
          onDatagram(socket);
        }
      },
    });
    stack.defer(() => {
      loop.remove(socket);
      socket.close();
    });
    return socket;
  };
  const packet = new Uint8Array(PACKET);
  const echo = bind((socket) => socket.sendTo(packet, socket.sender));
  let count = 0;
  const client = bind((socket) => {
    count++;
    socket.sendTo(packet, echo.localAddress);
  });
  let seen = -1;
  const refill = (): void => {
    if (count === seen) sendWindow();
    seen = count;
    loop.addTimer(LOST_AFTER, refill);
  };
  const sendWindow = (): void => {
    for (let i = 0; i < WINDOW; i++) client.sendTo(packet, echo.localAddress);
  };
  sendWindow();
  refill();
  const elapsed = await run(loop, seconds);
  return elapsed * 1000 / atLeastOne(count);
}

function atLeastOne(count: number): number {
  if (count === 0) {
    throw new Error("Cannot measure the loop: nothing came back");
  }
  return count;
}
