/**
 * Tests of the way to a host: look-up, happy eyeballs, the end.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { FakeResolver } from "../dns/fakes.ts";
import { FakeNet, type FakeStream } from "../loop/fakes.ts";
import {
  type EventHandler,
  type Socket,
  type SocketAddress,
  type StreamSocket,
} from "../loop/mod.ts";
import {
  Connector,
  type ConnectorOptions,
  type ConnectorOwner,
} from "./connector.ts";
import { ATTEMPT_DELAY, CONNECT_TIMEOUT } from "./constants.ts";
import type { Failure } from "./status.ts";
import { Target } from "./target.ts";

/** A connector, its owner, and all that happened. */
class Attempt implements ConnectorOwner, EventHandler {
  readonly net = new FakeNet();
  readonly resolver = new FakeResolver();
  /** Addresses that must not be connected to. */
  readonly forbidden = new Set<string>();
  /** What the owner was told, one word a call. */
  readonly told: string[] = [];
  readonly connector: Connector;

  constructor(options: ConnectorOptions = {}) {
    const { loop } = this.net;
    const context = { loop, resolver: this.resolver, handler: this };
    this.connector = new Connector(context, this, options);
  }

  /** Begins with a name, whose addresses are known at once. */
  async start(...addresses: readonly string[]): Promise<void> {
    this.connector.start(Target.of("name.example", 443));
    this.resolver.answer(...addresses);
    await this.net.settle();
  }

  /** The connects so far. */
  get connects(): readonly FakeStream[] {
    return this.net.poller.connects;
  }

  /** The hosts connected to, in order. */
  get hosts(): string[] {
    return this.connects.map(({ remoteAddress }) => remoteAddress.host);
  }

  handleEvent(socket: Socket, _fd: number, event: number): void {
    this.connector.handleEvent(socket, event);
  }

  onUnresolved(reason: string): void {
    this.told.push(reason);
  }

  forbids(address: SocketAddress): boolean {
    return this.forbidden.has(address.host);
  }

  onSocket(): void {}

  onSocketFailed(socket: StreamSocket): void {
    this.told.push(`failed ${socket.remoteAddress.host}`);
    this.net.loop.remove(socket);
    socket.close();
  }

  onConnected(socket: StreamSocket): void {
    this.told.push(`connected ${socket.remoteAddress.host}`);
    this.net.loop.remove(socket);
  }

  onConnectFailed({ status, code }: Failure): void {
    this.told.push(`${status} ${code}`);
  }
}

Deno.test("Connector.start() connects to an address without asking anybody", async () => {
  const attempt = new Attempt();
  attempt.connector.start(Target.of("192.0.2.1", 443));
  assertEquals(attempt.resolver.asked, []);
  assertEquals(`${attempt.connects[0]!.remoteAddress}`, "192.0.2.1:443");
  attempt.connects[0]!.establish();
  await attempt.net.settle();
  assertEquals(attempt.told, ["connected 192.0.2.1"]);
  assertEquals(attempt.connects.length, 1);
});

Deno.test("Connector.start() takes a socket that is connected at once", async () => {
  const attempt = new Attempt();
  attempt.net.poller.onConnect = (stream) => stream.establish();
  await attempt.start("192.0.2.1", "192.0.2.2");
  assertEquals(attempt.told, ["connected 192.0.2.1"]);
  await attempt.net.advance(CONNECT_TIMEOUT);
  assertEquals(attempt.hosts, ["192.0.2.1"]);
  assertEquals(attempt.net.poller.watched, 0);
});

Deno.test("Connector says why when the name has no address", async () => {
  const attempt = new Attempt();
  await attempt.start();
  assertEquals(attempt.told, [
    "Cannot resolve name.example: not found",
    "name_failed not-found",
  ]);
  assertEquals(attempt.connects.length, 0);
});

/** Addresses as the resolver gives them, and in the order of the connects. */
const ORDERS: readonly {
  readonly given: readonly string[];
  readonly order: readonly string[];
}[] = [
  { given: ["a::1"], order: ["a::1"] },
  {
    given: ["a::1", "a::2", "a::3", "10.0.0.1", "10.0.0.2"],
    order: ["a::1", "10.0.0.1", "a::2", "10.0.0.2", "a::3"],
  },
  {
    given: ["10.0.0.1", "10.0.0.2", "a::1"],
    order: ["10.0.0.1", "a::1", "10.0.0.2"],
  },
  {
    given: ["10.0.0.3", "10.0.0.1", "10.0.0.2"],
    order: ["10.0.0.3", "10.0.0.1", "10.0.0.2"],
  },
];
for (const { given, order } of ORDERS) {
  Deno.test(`Connector lets the families take turns when it gets ${given}`, async () => {
    const attempt = new Attempt();
    await attempt.start(...given);
    assertEquals(attempt.hosts, order.slice(0, 1));
    for (let i = 2; i <= order.length + 1; i++) {
      await attempt.net.advance(ATTEMPT_DELAY - 1);
      assertEquals(attempt.hosts, order.slice(0, i - 1), "too early");
      await attempt.net.advance(1);
      assertEquals(attempt.hosts, order.slice(0, i));
    }
    assert(attempt.connects.every(({ closed }) => !closed));
    assert(
      attempt.connects.every(({ remoteAddress: { port } }) => port === 443),
    );
  });
}

for (const winner of [0, 1, 2]) {
  Deno.test(`Connector closes all others when connect ${winner} is the first to succeed`, async () => {
    const attempt = new Attempt();
    await attempt.start("a::1", "10.0.0.1", "a::2", "10.0.0.2");
    await attempt.net.advance(ATTEMPT_DELAY);
    await attempt.net.advance(ATTEMPT_DELAY);
    assertEquals(attempt.hosts, ["a::1", "10.0.0.1", "a::2"]);
    attempt.connects[winner]!.establish();
    await attempt.net.settle();
    assertEquals(
      attempt.connects.map(({ closed }) => closed),
      [0, 1, 2].map((index) => index !== winner),
    );
    assertEquals(attempt.told.at(-1), `connected ${attempt.hosts[winner]}`);
    await attempt.net.advance(2 * CONNECT_TIMEOUT);
    assertEquals(attempt.connects.length, 3, "no more connects");
    assertEquals(attempt.told.length, 2 + 1);
  });
}

Deno.test("Connector goes on at once when a connect fails", async () => {
  const attempt = new Attempt();
  await attempt.start("a::1", "10.0.0.1", "a::2");
  attempt.connects[0]!.fail("ECONNREFUSED");
  await attempt.net.settle();
  assertEquals(attempt.hosts, ["a::1", "10.0.0.1"]);
  assert(attempt.connects[0]!.closed);
  // The delay counts from the newest connect.
  await attempt.net.advance(ATTEMPT_DELAY - 1);
  assertEquals(attempt.connects.length, 2);
  await attempt.net.advance(1);
  assertEquals(attempt.connects.length, 3);
});

Deno.test("Connector skips an address that cannot be connected to at all", async () => {
  const attempt = new Attempt();
  attempt.net.poller.connectErrors.push("ENETUNREACH");
  await attempt.start("a::1", "10.0.0.1");
  assertEquals(attempt.hosts, ["10.0.0.1"]);
});

Deno.test("Connector fails with the last error when every address has failed", async () => {
  const attempt = new Attempt();
  await attempt.start("a::1", "10.0.0.1", "a::2");
  await attempt.net.advance(ATTEMPT_DELAY);
  await attempt.net.advance(ATTEMPT_DELAY);
  for (
    const [index, code] of [[2, "EHOSTUNREACH"], [0, "ECONNRESET"]] as const
  ) {
    attempt.connects[index]!.fail(code);
    await attempt.net.settle();
    assert(attempt.connects[index]!.closed);
  }
  assertEquals(attempt.told.length, 2, "one is still under way");
  attempt.connects[1]!.fail("ECONNREFUSED");
  await attempt.net.settle();
  assertEquals(attempt.told.at(-1), "dial_failed ECONNREFUSED");
  assertEquals(attempt.net.poller.open, []);
});

Deno.test("Connector fails with the last error when no connect could begin", async () => {
  const attempt = new Attempt();
  attempt.net.poller.connectErrors.push("ENETUNREACH", "EMFILE");
  await attempt.start("a::1", "10.0.0.1");
  assertEquals(attempt.told, ["dial_failed EMFILE"]);
});

for (const timeout of [undefined, 1000]) {
  Deno.test(`Connector leaves each address after ${timeout ?? CONNECT_TIMEOUT} ms`, async () => {
    const attempt = new Attempt({ timeout });
    const limit = timeout ?? CONNECT_TIMEOUT;
    await attempt.start("a::1", "10.0.0.1");
    await attempt.net.advance(ATTEMPT_DELAY);
    await attempt.net.advance(limit - ATTEMPT_DELAY - 1);
    assertEquals(attempt.told, []);
    await attempt.net.advance(1);
    assertEquals(attempt.told, ["failed a::1"]);
    await attempt.net.advance(ATTEMPT_DELAY - 1);
    assertEquals(attempt.told.length, 1);
    await attempt.net.advance(1);
    assertEquals(attempt.told.slice(1), [
      "failed 10.0.0.1",
      "dial_failed ETIMEDOUT",
    ]);
  });
}

Deno.test("Connector skips addresses that are forbidden", async () => {
  const attempt = new Attempt();
  for (const host of ["a::1", "10.0.0.1", "10.0.0.2"]) {
    attempt.forbidden.add(host);
  }
  await attempt.start("a::1", "10.0.0.1", "a::2", "10.0.0.2");
  assertEquals(attempt.hosts, ["a::2"]);
  attempt.connects[0]!.fail("ECONNREFUSED");
  await attempt.net.settle();
  assertEquals(attempt.hosts, ["a::2"]);
  assertEquals(attempt.told.at(-1), "dial_failed ECONNREFUSED");
});

Deno.test("Connector connects to a mapped address as to IPv4", async () => {
  const attempt = new Attempt();
  attempt.forbidden.add("10.0.0.1");
  await attempt.start("::ffff:10.0.0.1", "::ffff:10.0.0.2");
  assertEquals(attempt.hosts, ["10.0.0.2"]);
  attempt.connector.cancel();
});

Deno.test("Connector is blocked when every address is forbidden", async () => {
  const attempt = new Attempt();
  attempt.forbidden.add("a::1").add("10.0.0.1");
  await attempt.start("a::1", "10.0.0.1");
  assertEquals(attempt.hosts, []);
  assertEquals(attempt.told.at(-1), "blocked forbidden");
});

Deno.test("Connector is not blocked when the system refuses with EACCES", async () => {
  const attempt = new Attempt();
  await attempt.start("10.0.0.1");
  attempt.connects[0]!.fail("EACCES");
  await attempt.net.settle();
  assertEquals(attempt.told.at(-1), "dial_failed EACCES");
});

Deno.test("Connector tries one address after the other when it has first data", async () => {
  const fastOpenData = Uint8Array.of(1, 2, 3);
  const attempt = new Attempt({ fastOpenData });
  await attempt.start("a::1", "10.0.0.1");
  await attempt.net.advance(CONNECT_TIMEOUT - 1);
  assertEquals(attempt.hosts, ["a::1"], "no race");
  await attempt.net.advance(1);
  assertEquals(attempt.hosts, ["a::1", "10.0.0.1"]);
  assert(attempt.connects[0]!.closed);
  for (const connect of attempt.connects) {
    assertEquals(connect.fastOpenData, fastOpenData);
  }
});

Deno.test("Connector.cancel() takes the question back", async () => {
  const attempt = new Attempt();
  attempt.connector.start(Target.of("name.example", 443));
  assertEquals(attempt.resolver.asked.length, 1);
  attempt.connector.cancel();
  assertEquals(attempt.resolver.asked, []);
  await attempt.net.advance(CONNECT_TIMEOUT);
  assertEquals(attempt.told, []);
});

Deno.test("Connector.cancel() closes every socket, and nobody is told any more", async () => {
  const attempt = new Attempt();
  await attempt.start("a::1", "10.0.0.1", "a::2");
  await attempt.net.advance(ATTEMPT_DELAY);
  attempt.connector.cancel();
  assertEquals(attempt.connects.map(({ closed }) => closed), [true, true]);
  const told = attempt.told.length;
  await attempt.net.advance(2 * CONNECT_TIMEOUT);
  assertEquals([attempt.connects.length, attempt.told.length], [2, told]);
  assertEquals(attempt.net.poller.watched, 0);
});

/** Begins with the addresses of one family; the others are not known yet. */
async function startPartly(
  attempt: Attempt,
  ...addresses: readonly string[]
): Promise<void> {
  attempt.connector.start(Target.of("name.example", 443));
  attempt.resolver.answerPartly(...addresses);
  await attempt.net.settle();
}

Deno.test("Connector tries the addresses that come late when the first ones fail", async () => {
  const attempt = new Attempt();
  attempt.net.poller.connectErrors.push("ENETUNREACH");
  await startPartly(attempt, "2001:db8::1");
  assertEquals(attempt.told, [], "another family may follow");
  assertEquals(attempt.resolver.asked.map(({ options }) => options.isWhole), [
    true,
  ]);
  await attempt.net.advance(70);
  attempt.resolver.answer("2001:db8::1", "192.0.2.1", "192.0.2.2");
  await attempt.net.settle();
  assertEquals(attempt.hosts, ["192.0.2.1"]);
  attempt.connects[0]!.fail("ECONNREFUSED");
  await attempt.net.settle();
  attempt.connects[1]!.establish();
  await attempt.net.settle();
  assertEquals(attempt.told, ["failed 192.0.2.1", "connected 192.0.2.2"]);
});

Deno.test("Connector fails when every answer is in and every address has failed", async () => {
  const answers = [
    ["2001:db8::1"],
    ["2001:db8::1", "192.0.2.1"],
    [],
  ];
  for (const answer of answers) {
    const attempt = new Attempt();
    attempt.net.poller.connectErrors.push("ENETUNREACH", "ECONNREFUSED");
    await startPartly(attempt, "2001:db8::1");
    assertEquals(attempt.told, []);
    attempt.resolver.answer(...answer);
    await attempt.net.settle();
    const code = answer.length > 1 ? "ECONNREFUSED" : "ENETUNREACH";
    assertEquals(attempt.told, [`dial_failed ${code}`]);
    assertEquals(attempt.net.poller.watched, 0);
  }
});

Deno.test("Connector tries the other family beside the first as soon as it is known", async () => {
  const attempt = new Attempt();
  await startPartly(attempt, "192.0.2.1", "192.0.2.2");
  attempt.resolver.answer("192.0.2.1", "192.0.2.2", "2001:db8::1");
  await attempt.net.advance(ATTEMPT_DELAY);
  await attempt.net.advance(ATTEMPT_DELAY);
  assertEquals(attempt.hosts, ["192.0.2.1", "2001:db8::1", "192.0.2.2"]);
  // One that comes after the delay does not wait any more.
  const late = new Attempt();
  await startPartly(late, "192.0.2.1");
  await late.net.advance(ATTEMPT_DELAY + 100);
  assertEquals(late.hosts, ["192.0.2.1"]);
  late.resolver.answer("192.0.2.1", "2001:db8::1");
  assertEquals(late.hosts, ["192.0.2.1", "2001:db8::1"]);
  // With data in the SYN only one of them may be under way.
  const fastOpen = new Attempt({ fastOpenData: new Uint8Array(1) });
  await startPartly(fastOpen, "192.0.2.1");
  await fastOpen.net.advance(ATTEMPT_DELAY + 100);
  fastOpen.resolver.answer("192.0.2.1", "2001:db8::1");
  assertEquals(fastOpen.hosts, ["192.0.2.1"]);
  fastOpen.connects[0]!.fail("ECONNREFUSED");
  await fastOpen.net.settle();
  assertEquals(fastOpen.hosts, ["192.0.2.1", "2001:db8::1"]);
});

Deno.test("Connector waits for no more addresses once it is connected or given up", async () => {
  const attempt = new Attempt();
  await startPartly(attempt, "192.0.2.1");
  attempt.connects[0]!.establish();
  await attempt.net.settle();
  assertEquals(attempt.told, ["connected 192.0.2.1"]);
  assertEquals(attempt.resolver.removed, 1);
  const other = new Attempt();
  await startPartly(other, "192.0.2.1");
  other.connector.cancel();
  assertEquals(other.resolver.removed, 1);
  assertEquals(other.told, ["failed 192.0.2.1"]);
});
