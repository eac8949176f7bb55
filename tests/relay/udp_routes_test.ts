/**
 * Which way datagrams take: groups whose members die, several ways in one
 * association, targets and clients that are refused.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { SocketAddress } from "../../loop/mod.ts";
import {
  BlockOutbound,
  DirectOutbound,
  HttpProxyHandshake,
  ProxyOutbound,
} from "../../outbound/mod.ts";
import { ClassicEdition } from "../../shadowsocks/mod.ts";
import { type Outbound, Target } from "../../relay/mod.ts";
import { header } from "./_relay_fixture.ts";
import {
  server,
  SERVER_HOSTS,
  TestGroup,
  TestRouter,
  type ToldOutbound,
} from "./_routes_fixture.ts";
import {
  client,
  type Place,
  UdpFixture,
  type UdpFixtureOptions,
} from "./_udp_fixture.ts";
import { concat, text, utf8 } from "../support/bytes.ts";

const TARGET = { host: "198.51.100.77", port: 53 };
const OTHER = { host: "198.51.100.78", port: 123 };
/** Milliseconds without an answer after which the next member is tried. */
const ANSWER_TIMEOUT = 2000;

/** RSV FRAG address data. */
function datagram(target: Place, data: string): Uint8Array {
  return concat(new Uint8Array(3), header(target), utf8(data));
}

/** A local whose datagrams go by a group of servers, or as the test says. */
class RouteFixture extends UdpFixture {
  readonly router: TestRouter;
  readonly members: readonly ToldOutbound[];
  readonly group: TestGroup;

  constructor(options: UdpFixtureOptions = {}) {
    const router = new TestRouter();
    super({ isLocal: true, ...options, relay: { router, ...options.relay } });
    this.router = router;
    const edition = new ClassicEdition(this.suite, false);
    this.members = SERVER_HOSTS.map((host) => server(edition, host));
    this.group = new TestGroup(this.members);
    router.decide = () => ({ route: this.group, rule: "" });
  }

  /** A client sends; what goes out then, each as `to data`. */
  async send(target: Place, data: string, from = client(1)): Promise<string[]> {
    const before = this.outgoing.map(({ sends }) => sends.length);
    await this.fromClient(datagram(target, data), from);
    return this.outgoing.flatMap(({ sends }, i) =>
      sends.slice(before[i] ?? 0).map((sent) => this.#shown(sent.data, sent.to))
    );
  }

  /** A server answers. */
  async answer(host: string, data: string, from = TARGET): Promise<void> {
    const socket = this.outgoing[0]!;
    const server = SocketAddress.parse(host, 8388);
    socket.bring(this.seal(from, utf8(data)), server);
    await this.settle();
  }

  /** The data of what the clients got. */
  get answers(): string[] {
    return this.listener.sends.map(({ data }) =>
      text(data.subarray(data.length - 3))
    );
  }

  #shown(data: Uint8Array, to: SocketAddress): string {
    return to.port === 8388
      ? `${to.host} ${text(this.open(data).data)}`
      : `${to} ${text(data)}`;
  }
}

Deno.test("UDPRelay stays with a member of a group that answers", async () => {
  using fixture = new RouteFixture();
  for (let i = 0; i < 5; i++) {
    assertEquals(await fixture.send(TARGET, `${i}`), [
      `${SERVER_HOSTS[0]} ${i}`,
    ]);
    await fixture.advance(1.5);
    await fixture.answer(SERVER_HOSTS[0]!, "yes");
    await fixture.advance(60);
  }
  assertEquals(fixture.answers.length, 5);
  assertEquals(fixture.group.picks, [[]]);
  assertEquals(fixture.members.map(({ packets }) => packets), [1, 0, 0]);
});

Deno.test("UDPRelay tries the next member when one has not answered for 2 s", async () => {
  using fixture = new RouteFixture();
  assertEquals(await fixture.send(TARGET, "a"), [`${SERVER_HOSTS[0]} a`]);
  await fixture.advance(ANSWER_TIMEOUT / 1000 - 0.001);
  assertEquals(await fixture.send(TARGET, "b"), [`${SERVER_HOSTS[0]} b`]);
  await fixture.advance(0.001);
  assertEquals(await fixture.send(TARGET, "c"), [`${SERVER_HOSTS[1]} c`]);
  await fixture.answer(SERVER_HOSTS[1]!, "yes");
  await fixture.advance(10);
  assertEquals(
    await fixture.send(TARGET, "d"),
    [`${SERVER_HOSTS[1]} d`],
    "stays",
  );
  assertEquals(fixture.group.picks, [[], [SERVER_HOSTS[0]!]]);
  assertEquals(fixture.opened[0]!.outbound, SERVER_HOSTS[1]);
  assertEquals(fixture.answers, ["yes"]);
});

Deno.test("UDPRelay begins again with the first member when none has answered", async () => {
  using fixture = new RouteFixture();
  const seen: string[] = [];
  for (let i = 0; i < 5; i++) {
    const [sent] = await fixture.send(TARGET, "x");
    seen.push(sent!.split(" ")[0]!);
    await fixture.advance(2);
  }
  assertEquals(seen, [...SERVER_HOSTS, ...SERVER_HOSTS.slice(0, 2)]);
});

Deno.test("UDPRelay passes on a late answer of a member that it has left", async () => {
  using fixture = new RouteFixture();
  await fixture.send(TARGET, "a");
  await fixture.advance(2);
  assertEquals(await fixture.send(TARGET, "b"), [`${SERVER_HOSTS[1]} b`]);
  await fixture.answer(SERVER_HOSTS[0]!, "old");
  assertEquals(fixture.answers, ["old"]);
  // The first member works after all: it is the next one to be tried.
  await fixture.advance(2);
  assertEquals(await fixture.send(TARGET, "c"), [`${SERVER_HOSTS[0]} c`]);
});

Deno.test("UDPRelay leaves a silent member also when targets take turns", async () => {
  using fixture = new RouteFixture();
  const seen: string[] = [];
  for (let i = 0; i < 4; i++) {
    const [sent] = await fixture.send(i % 2 === 0 ? TARGET : OTHER, "x");
    seen.push(sent!.split(" ")[0]!);
    await fixture.advance(1);
  }
  assertEquals(seen, [
    SERVER_HOSTS[0],
    SERVER_HOSTS[0],
    SERVER_HOSTS[1],
    SERVER_HOSTS[1],
  ]);
});

Deno.test("UDPRelay reaches the last member while another way of the association answers", async () => {
  using fixture = new RouteFixture();
  const direct = new DirectOutbound();
  fixture.router.decide = ({ port }) => ({
    route: port === OTHER.port ? direct : fixture.group,
    rule: "",
  });
  const seen: string[] = [];
  for (let i = 0; i < 3; i++) {
    await fixture.send(OTHER, "direct");
    fixture.outgoing[0]!.bring(
      utf8("yes"),
      SocketAddress.parse(OTHER.host, OTHER.port),
    );
    await fixture.settle();
    const [sent] = await fixture.send(TARGET, "x");
    seen.push(sent!.split(" ")[0]!);
    await fixture.advance(2);
  }
  assertEquals(seen, SERVER_HOSTS);
});

Deno.test("UDPRelay leaves a member at once when it is known to be down", async () => {
  using fixture = new RouteFixture();
  await fixture.send(TARGET, "a");
  await fixture.answer(SERVER_HOSTS[0]!, "yes");
  fixture.members[0]!.isUp = false;
  assertEquals(await fixture.send(TARGET, "b"), [`${SERVER_HOSTS[1]} b`]);
});

Deno.test("UDPRelay stays with a server that is no member of a group", async () => {
  using fixture = new RouteFixture();
  const route = fixture.members[1]!;
  fixture.router.decide = () => ({ route, rule: "" });
  for (let i = 0; i < 3; i++) {
    assertEquals(await fixture.send(TARGET, "x"), [`${SERVER_HOSTS[1]} x`]);
    await fixture.advance(10);
  }
});

Deno.test("UDPRelay sends directly and by a server within one association", async () => {
  using fixture = new RouteFixture();
  const direct = new DirectOutbound();
  fixture.router.decide = ({ port }) => ({
    route: port === OTHER.port ? direct : fixture.group,
    rule: port === OTHER.port ? "bypass" : "",
  });
  assertEquals(await fixture.send(TARGET, "one"), [`${SERVER_HOSTS[0]} one`]);
  assertEquals(fixture.opened[0]!.outbound, SERVER_HOSTS[0]);
  assertEquals(await fixture.send(OTHER, "two"), [
    `${OTHER.host}:${OTHER.port} two`,
  ]);
  const [session] = fixture.opened;
  assertEquals([session!.outbound, session!.rule], ["direct", "bypass"]);
  assertEquals(await fixture.send(TARGET, "three"), [
    `${SERVER_HOSTS[0]} three`,
  ]);
  assertEquals([session!.outbound, session!.rule], [SERVER_HOSTS[0], ""]);
  assertEquals(fixture.outgoing.length, 1, "one socket for both");
  await fixture.answer(SERVER_HOSTS[0]!, "by server");
  const source = SocketAddress.parse(OTHER.host, OTHER.port);
  fixture.outgoing[0]!.bring(utf8("directly"), source);
  await fixture.settle();
  assertEquals(fixture.listener.sends.map(({ data }) => text(data)), [
    text(datagram(TARGET, "by server")),
    text(datagram(OTHER, "directly")),
  ]);
  assertEquals([session!.up, session!.down], [11, 17]);
  fixture.relay.close();
  assertEquals(fixture.members[0]!.packets, 0, "disposed of");
});

Deno.test("UDPRelay drops datagrams for targets that are blocked, and relays the others", async () => {
  using fixture = new RouteFixture();
  const blocked = new BlockOutbound();
  fixture.router.decide = ({ port }) =>
    port === 1
      ? { blocked: "rule 1" }
      : { route: port === 2 ? blocked : fixture.group, rule: "" };
  assertEquals(await fixture.send({ host: "10.0.0.1", port: 1 }, "x"), []);
  assertEquals(fixture.opened[0]!.rule, "rule 1");
  assertEquals(await fixture.send({ host: "10.0.0.1", port: 2 }, "x"), []);
  assertEquals(fixture.outgoing.length, 0);
  assertEquals(await fixture.send(TARGET, "x"), [`${SERVER_HOSTS[0]} x`]);
  assertEquals(await fixture.send({ host: "10.0.0.1", port: 1 }, "x"), []);
  assertEquals(await fixture.send({ host: "10.0.0.1", port: 2 }, "x"), []);
  assertEquals(await fixture.send(TARGET, "y"), [`${SERVER_HOSTS[0]} y`]);
  fixture.relay.close("ok");
  assertEquals(fixture.ended.map(({ status }) => status), ["ok"]);
});

Deno.test("UDPRelay ends an association blocked when all its targets were", async () => {
  for (const route of [undefined, new BlockOutbound()]) {
    using fixture = new RouteFixture();
    fixture.router.decide = () =>
      route === undefined ? { blocked: "all" } : { route, rule: "" };
    await fixture.send(TARGET, "x");
    fixture.relay.close("ok");
    assertEquals(fixture.ended.map(({ status }) => status), ["blocked"]);
  }
});

/** A server behind a proxy, which has no UDP. */
function proxied(
  fixture: UdpFixture,
  name: string,
): Outbound {
  const inner = server(new ClassicEdition(fixture.suite, false), name);
  return new ProxyOutbound(inner, [{
    target: Target.of("192.0.2.200", 1080),
    handshake: () => new HttpProxyHandshake(Target.of("192.0.2.7", 80)),
  }]);
}

Deno.test("UDPRelay ends an association server_failed when its outbound has no UDP, and warns once", async () => {
  using fixture = new RouteFixture();
  fixture.router.decide = () => ({ route: proxied(fixture, "far"), rule: "" });
  for (const target of [TARGET, OTHER, TARGET]) {
    assertEquals(await fixture.send(target, "x"), []);
  }
  const [line, ...others] = fixture.logs.of("warning");
  assert(line!.includes("by far from "), line);
  assert(line!.includes("UDP is not carried by proxies"), line);
  assertEquals(others, []);
  fixture.relay.close("ok");
  assertEquals(
    fixture.ended.map(({ status, outbound }) => [status, outbound]),
    [["server_failed", "far"]],
  );
});

Deno.test("UDPRelay passes over members of a group that have no UDP", async () => {
  using fixture = new RouteFixture();
  const route = new TestGroup([
    proxied(fixture, "far"),
    fixture.members[0]!,
    proxied(fixture, "farther"),
  ]);
  fixture.router.decide = () => ({ route, rule: "" });
  assertEquals(await fixture.send(TARGET, "x"), [`${SERVER_HOSTS[0]} x`]);
  assertEquals(await fixture.send(TARGET, "y"), [`${SERVER_HOSTS[0]} y`]);
  assertEquals(route.picks, [[], ["far"]]);
  assertEquals(fixture.logs.of("warning"), []);
  fixture.relay.close("ok");
  assertEquals(fixture.ended.map(({ status }) => status), ["ok"]);
});

Deno.test("UDPRelay asks no member behind block", async () => {
  using fixture = new RouteFixture();
  const route = new TestGroup([new BlockOutbound(), fixture.members[0]!]);
  fixture.router.decide = () => ({ route, rule: "" });
  assertEquals(await fixture.send(TARGET, "x"), []);
  assertEquals(route.picks, [[]]);
  fixture.relay.close("ok");
  assertEquals(fixture.ended.map(({ status }) => status), ["blocked"]);
});

Deno.test("UDPRelay keeps the data while the router decides", async () => {
  using fixture = new RouteFixture();
  fixture.router.isLate = true;
  assertEquals(await fixture.send(TARGET, "first!"), []);
  assertEquals(await fixture.send(OTHER, "second"), []);
  fixture.router.release();
  assertEquals(
    fixture.outgoing[0]!.sends.map(({ data }) => {
      const { head, data: plain } = fixture.open(data);
      return `${head} ${text(plain)}`;
    }),
    [`${header(TARGET)} first!`, `${header(OTHER)} second`],
  );
});

Deno.test("UDPRelay does nothing when the router decides after the end", async () => {
  using fixture = new RouteFixture();
  fixture.router.isLate = true;
  await fixture.send(TARGET, "x");
  fixture.relay.close();
  fixture.router.release();
  assertEquals(fixture.outgoing.length, 0);
});

Deno.test("UDPRelay asks the router a bounded number of questions at once", async () => {
  using fixture = new RouteFixture();
  fixture.router.isLate = true;
  for (let port = 1; port <= 300; port++) {
    await fixture.send({ host: "10.0.0.1", port }, "x");
  }
  assertEquals(fixture.router.waiting.size, 256);
  fixture.router.release();
  await fixture.send({ host: "10.0.0.1", port: 301 }, "x");
  assertEquals(fixture.router.waiting.size, 1);
});

/** A server whose target is a name with several addresses. */
async function named(
  addresses: readonly string[],
  prepare: (fixture: UdpFixture, router: TestRouter) => void,
): Promise<string[]> {
  const router = new TestRouter(new DirectOutbound());
  using fixture = new UdpFixture({ relay: { router } });
  prepare(fixture, router);
  const name = { host: "name.example", port: 53 };
  await fixture.fromClient(fixture.seal(name, utf8("query")), client(1));
  fixture.resolver.answer(...addresses);
  const sent = fixture.outgoing.flatMap(({ sends }) =>
    sends.map(({ to, data }) => `${to} ${text(data)}`)
  );
  fixture.relay.close("ok");
  return [...sent, ...fixture.ended.map(({ status }) => `${status}`)];
}

Deno.test("UDPRelay sends to the first address of a name that can be sent to", async () => {
  const addresses = ["2001:db8::1", "192.0.2.1", "192.0.2.2"];
  const unreachable = (hosts: readonly string[]) => (fixture: UdpFixture) => {
    fixture.poller.onBind = (socket) => {
      socket.onSendTo = (_data, to) => !hosts.includes(to.host);
    };
  };
  assertEquals(await named(addresses, () => {}), [
    "[2001:db8::1]:53 query",
    "ok",
  ]);
  assertEquals(await named(addresses, unreachable(["2001:db8::1"])), [
    "192.0.2.1:53 query",
    "ok",
  ]);
  assertEquals(
    await named(addresses, unreachable(["2001:db8::1", "192.0.2.1"])),
    ["192.0.2.2:53 query", "ok"],
  );
  assertEquals(
    await named(addresses, (fixture) => {
      // No socket of that family can be had.
      fixture.poller.bindErrors.push("EAFNOSUPPORT");
    }),
    ["192.0.2.1:53 query", "ok"],
  );
});

Deno.test("UDPRelay skips the addresses of a name that are forbidden", async () => {
  const addresses = ["127.0.0.1", "192.0.2.1"];
  const forbid = (...hosts: readonly string[]) =>
  (
    _fixture: UdpFixture,
    router: TestRouter,
  ) => hosts.forEach((host) => router.forbidden.add(host));
  assertEquals(await named(addresses, forbid("127.0.0.1")), [
    "192.0.2.1:53 query",
    "ok",
  ]);
  assertEquals(await named(addresses, forbid(...addresses)), ["blocked"]);
});

Deno.test("UDPRelay asks about each address with the target it belongs to", async () => {
  using fixture = new RouteFixture();
  const route = new DirectOutbound();
  fixture.router.decide = () => ({ route, rule: "" });
  fixture.resolver.known.set("good.example", ["192.0.2.7"]);
  await fixture.send({ host: "good.example", port: 53 }, "a");
  await fixture.send(TARGET, "b");
  assertEquals(fixture.router.asked, [
    "192.0.2.7:53 of good.example:53",
    "198.51.100.77:53 of 198.51.100.77:53",
  ]);
});

Deno.test("UDPRelay makes no association for a client that is refused", async () => {
  using fixture = new RouteFixture();
  fixture.router.refused = "no clients";
  assertEquals(await fixture.send(TARGET, "x"), []);
  assertEquals([fixture.opened.length, fixture.relay.associations], [0, 0]);
  fixture.router.refused = undefined;
  assertEquals(await fixture.send(TARGET, "x"), [`${SERVER_HOSTS[0]} x`]);
});

Deno.test("UDPRelay drops an answer of a stranger when the method proves nothing", async () => {
  for (const checksSource of [false, true]) {
    using fixture = new RouteFixture();
    const [member] = fixture.members;
    const open = member!.openPackets.bind(member);
    member!.openPackets = (session) =>
      Object.assign(open(session), { checksSource });
    await fixture.send(TARGET, "x");
    await fixture.answer("203.0.113.66", "???");
    assertEquals(fixture.answers, checksSource ? [] : ["???"]);
    await fixture.answer(SERVER_HOSTS[0]!, "yes");
    assertEquals(fixture.answers.at(-1), "yes");
  }
});

Deno.test("UDPRelay looks a member's name up once", async () => {
  using fixture = new RouteFixture();
  const edition = new ClassicEdition(fixture.suite, false);
  const route = server(edition, "ss.example");
  fixture.router.decide = () => ({ route, rule: "" });
  await fixture.send(TARGET, "one");
  fixture.resolver.answer("192.0.2.9");
  assertEquals(
    `${Target.ofAddress(fixture.outgoing[0]!.sends[0]!.to)}`,
    "192.0.2.9:8388",
  );
  assertEquals(await fixture.send(TARGET, "two"), ["192.0.2.9 two"]);
  assert(fixture.resolver.asked.length === 0);
});
