/**
 * From a target and a route to an open way: groups and fast open.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { type FakeStream } from "../../loop/fakes.ts";
import {
  CONNECT_TIMEOUT,
  FIRST_PAYLOAD_WAIT,
  MEMBER_TIMEOUT,
} from "../../relay/constants.ts";
import { DirectOutbound } from "../../outbound/mod.ts";
import { ClassicEdition } from "../../shadowsocks/mod.ts";
import {
  CONNECTED,
  GREETING,
  GREETING_REPLY,
  opened,
  request,
  TARGET,
} from "./_flow_fixture.ts";
import { RelayFixture } from "./_relay_fixture.ts";
import {
  server,
  SERVER_HOSTS,
  TestGroup,
  TestRouter,
  ToldOutbound,
} from "./_routes_fixture.ts";
import { concat, text, utf8 } from "../support/bytes.ts";

/** A local whose way is a group of servers. */
class GroupFixture extends RelayFixture {
  readonly members: readonly ToldOutbound[];
  readonly group: TestGroup;

  constructor(fastOpen = false, count = SERVER_HOSTS.length) {
    const router = new TestRouter();
    super({ isLocal: true, settings: { fastOpen }, relay: { router } });
    const edition = new ClassicEdition(this.suite, false);
    this.members = SERVER_HOSTS.slice(0, count).map((host) =>
      server(edition, host, fastOpen)
    );
    this.group = new TestGroup(this.members);
    router.decide = () => ({ route: this.group, rule: "a rule" });
  }

  /** The servers that were connected to, in order. */
  get dialled(): string[] {
    return this.poller.connects.map(({ remoteAddress }) => remoteAddress.host);
  }

  /** What each member was told. */
  get told(): (readonly string[])[] {
    return this.members.map(({ told }) => told);
  }

  /** An application asks for the target. */
  async ask(payload = "hello"): Promise<FakeStream> {
    const app = await this.accept();
    app.bring(concat(GREETING, request(1), utf8(payload)));
    await this.settle();
    return app;
  }
}

/** No socket, timer or stream of a connection is left behind. */
function assertClean(fixture: GroupFixture): void {
  assertEquals(fixture.relay.connections, 0);
  const { closed } = fixture.relay;
  assertEquals(fixture.poller.watched, closed ? 0 : 1, "the listener");
  assertEquals(fixture.members.map(({ streams }) => streams), [0, 0, 0]);
}

Deno.test("Dialer tries the next member of a group when one refuses", async () => {
  using fixture = new GroupFixture();
  const app = await fixture.ask();
  fixture.poller.connects[0]!.fail("ECONNREFUSED");
  await fixture.settle();
  assertEquals(fixture.dialled, SERVER_HOSTS.slice(0, 2));
  assert(fixture.poller.connects[0]!.closed);
  assertEquals(app.sent, GREETING_REPLY, "not a word of it");
  await fixture.advance(0.1);
  fixture.poller.connects[1]!.establish();
  await fixture.settle();
  assertEquals(app.sent, concat(GREETING_REPLY, CONNECTED));
  assertEquals(opened(fixture, fixture.poller.connects[1]!.sent), "hello");
  assertEquals(fixture.group.picks, [[], [SERVER_HOSTS[0]!]]);
  const [refused, reached, idle] = fixture.told;
  assertEquals(refused, ["server_failed ECONNREFUSED"]);
  assertEquals(reached!.map((line) => Math.round(+line.slice(8))), [100]);
  assertEquals(idle, []);
  const [session] = fixture.opened;
  assertEquals([session!.outbound, session!.rule], [SERVER_HOSTS[1], "a rule"]);
  fixture.relay.destroy();
  assertClean(fixture);
});

Deno.test("Dialer tries the next member after MEMBER_TIMEOUT when one never answers", async () => {
  using fixture = new GroupFixture();
  await fixture.ask();
  for (const [index, host] of SERVER_HOSTS.entries()) {
    assertEquals(fixture.dialled.at(-1), host);
    await fixture.advance((MEMBER_TIMEOUT - 1) / 1000);
    assertEquals(fixture.dialled.length, index + 1);
    if (index < 2) await fixture.advance(0.001);
  }
  fixture.poller.connects[2]!.establish();
  await fixture.settle();
  assertEquals(opened(fixture, fixture.poller.connects[2]!.sent), "hello");
  assertEquals(fixture.told.slice(0, 2), [
    ["server_failed ETIMEDOUT"],
    ["server_failed ETIMEDOUT"],
  ]);
  assertEquals(
    fixture.logs.of("warning"),
    SERVER_HOSTS.slice(0, 2).map((host) =>
      `cannot connect to ${host} (${host}:8388) for ${TARGET.host}:${TARGET.port} ` +
      `from ${fixture.opened[0]!.client}: ETIMEDOUT`
    ),
    "one line for each server that was left",
  );
});

Deno.test("Dialer gives a way that is no group CONNECT_TIMEOUT", async () => {
  using fixture = new RelayFixture({ isLocal: true });
  const app = await fixture.accept();
  app.bring(concat(GREETING, request(1)));
  await fixture.settle();
  await fixture.advance((CONNECT_TIMEOUT - 1) / 1000);
  assert(!app.closed);
  await fixture.advance(0.001);
  assert(app.closed);
});

Deno.test("Dialer refuses the client when every member is dead", async () => {
  using fixture = new GroupFixture();
  const app = await fixture.ask();
  for (const code of ["ECONNRESET", "EHOSTUNREACH", "ECONNREFUSED"]) {
    assert(!app.closed);
    fixture.poller.connects.at(-1)!.fail(code);
    await fixture.settle();
  }
  assertEquals(fixture.dialled, SERVER_HOSTS);
  assertEquals(fixture.group.picks.at(-1), SERVER_HOSTS);
  assertEquals(app.sent[3], 5, "the last one has refused");
  assertEquals([app.closed, app.wasReset], [true, false]);
  assertEquals(fixture.ended.map(({ status }) => status), ["server_failed"]);
  assertClean(fixture);
});

Deno.test("Dialer tries the next member when the first one's name has no address", async () => {
  const router = new TestRouter();
  using fixture = new RelayFixture({ isLocal: true, relay: { router } });
  const edition = new ClassicEdition(fixture.suite, false);
  const members = [
    server(edition, "gone.example"),
    server(edition, SERVER_HOSTS[1]!),
  ];
  const route = new TestGroup(members);
  router.decide = () => ({ route, rule: "" });
  const app = await fixture.accept();
  app.bring(concat(GREETING, request(1)));
  await fixture.settle();
  fixture.resolver.answer();
  fixture.poller.connects[0]!.establish();
  await fixture.settle();
  assertEquals(app.sent, concat(GREETING_REPLY, CONNECTED));
  assertEquals(members[0]!.told, ["server_failed not-found"]);
});

Deno.test("Dialer gives up when the client resets between two members", async () => {
  using fixture = new GroupFixture();
  const app = await fixture.ask();
  fixture.poller.connects[0]!.fail("ECONNREFUSED");
  await fixture.settle();
  app.fail("ECONNRESET");
  await fixture.settle();
  assert(fixture.poller.connects[1]!.closed);
  await fixture.advance(30);
  assertEquals(fixture.dialled.length, 2);
  assertEquals(fixture.ended.map(({ status }) => status), ["client_reset"]);
  assertClean(fixture);
});

Deno.test("Dialer asks the router about addresses of the target, not of a server", async () => {
  for (const isDirect of [false, true]) {
    const router = new TestRouter();
    router.forbidden.add(SERVER_HOSTS[0]!).add(TARGET.host);
    using fixture = new RelayFixture({ isLocal: true, relay: { router } });
    const edition = new ClassicEdition(fixture.suite, false);
    const route = isDirect
      ? new DirectOutbound()
      : server(edition, SERVER_HOSTS[0]!);
    router.decide = () => ({ route, rule: "" });
    const app = await fixture.accept();
    app.bring(concat(GREETING, request(1)));
    await fixture.settle();
    assertEquals(fixture.poller.connects.length, isDirect ? 0 : 1);
    assertEquals(app.closed, isDirect);
    const place = `${TARGET.host}:${TARGET.port}`;
    assertEquals(router.asked, isDirect ? [`${place} of ${place}`] : []);
  }
});

for (const taken of [undefined, 0, 20, Infinity]) {
  Deno.test(`Dialer offers the first payload to the next member, sealed anew, when ${taken} bytes were taken`, async () => {
    using fixture = new GroupFixture(true);
    fixture.poller.fastOpenRoom = taken;
    const app = await fixture.ask("first payload");
    assertEquals(app.sent, concat(GREETING_REPLY, CONNECTED), "said before");
    fixture.poller.connects[0]!.fail("ECONNREFUSED");
    await fixture.settle();
    const [first, second] = fixture.poller.connects;
    second!.establish();
    await fixture.settle();
    const offers = [first!, second!].map(({ fastOpenData }) => fastOpenData!);
    for (const offer of offers) {
      assertEquals(opened(fixture, offer), "first payload");
    }
    assert(text(offers[0]!) !== text(offers[1]!), "another salt");
    app.bring(utf8(", more"));
    await fixture.settle();
    const syn = offers[1]!.subarray(0, second!.fastOpenTaken ?? 0);
    assertEquals(
      opened(fixture, syn, second!.sent),
      "first payload, more",
    );
    assertEquals(app.sent, concat(GREETING_REPLY, CONNECTED), "said once");
    assertEquals(fixture.opened[0]!.up, 19);
    fixture.relay.destroy();
    assertClean(fixture);
  });
}

Deno.test("Dialer waits for the first payload again when it goes to the next member without one", async () => {
  using fixture = new GroupFixture(true);
  fixture.poller.fastOpenRoom = Infinity;
  const app = await fixture.ask("");
  await fixture.advance(FIRST_PAYLOAD_WAIT / 1000);
  fixture.poller.connects[0]!.fail("ECONNREFUSED");
  await fixture.settle();
  assertEquals(fixture.dialled.length, 1);
  app.bring(utf8("at last"));
  await fixture.settle();
  assertEquals(
    opened(fixture, fixture.poller.connects[1]!.fastOpenData!),
    "at last",
  );
  assertEquals(app.sent, concat(GREETING_REPLY, CONNECTED), "said once");
});

Deno.test("Dialer sends the first payload after the connect when the next member has no fast open", async () => {
  const router = new TestRouter();
  using fixture = new RelayFixture({
    isLocal: true,
    settings: { fastOpen: true },
    relay: { router },
  });
  fixture.poller.fastOpenRoom = Infinity;
  const edition = new ClassicEdition(fixture.suite, false);
  const members = SERVER_HOSTS.map((host, i) => server(edition, host, i === 0));
  const route = new TestGroup(members);
  router.decide = () => ({ route, rule: "" });
  const app = await fixture.accept();
  app.bring(concat(GREETING, request(1), utf8("payload")));
  await fixture.settle();
  fixture.poller.connects[0]!.fail("ECONNREFUSED");
  await fixture.settle();
  const [, second] = fixture.poller.connects;
  assertEquals(second!.fastOpenData, undefined);
  second!.establish();
  await fixture.settle();
  assertEquals(opened(fixture, second!.sent), "payload");
  assertEquals(fixture.opened[0]!.up, 7);
});

Deno.test("Dialer resets the client when every member is dead after it was told of success", async () => {
  using fixture = new GroupFixture(true);
  const app = await fixture.ask();
  for (let i = 0; i < SERVER_HOSTS.length; i++) {
    fixture.poller.connects[i]!.fail("ECONNREFUSED");
    await fixture.settle();
  }
  assert(app.wasReset);
  assertEquals(fixture.ended.map(({ status }) => status), ["server_failed"]);
  assertEquals(fixture.ended[0]!.up, 0);
  assertClean(fixture);
});

Deno.test("Dialer asks no other member once a rule forbids the target", async () => {
  const router = new TestRouter();
  using fixture = new RelayFixture({ isLocal: true, relay: { router } });
  const edition = new ClassicEdition(fixture.suite, false);
  const route = new TestGroup([
    new DirectOutbound(),
    server(edition, SERVER_HOSTS[0]!),
  ]);
  router.decide = () => ({ route, rule: "" });
  router.forbidden.add(TARGET.host);
  const app = await fixture.accept();
  app.bring(concat(GREETING, request(1)));
  await fixture.settle();
  assertEquals(fixture.poller.connects.length, 0);
  assertEquals(fixture.ended.map(({ status }) => status), ["blocked"]);
  assert(app.closed);
});
