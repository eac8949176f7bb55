/**
 * Names and addresses of servers and targets of datagrams: who waits for
 * whom, which address is used, and when another one is.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { SocketAddress } from "../../loop/mod.ts";
import { concat, text, utf8 } from "../support/bytes.ts";
import { header } from "./_relay_fixture.ts";
import { client, UdpFixture } from "./_udp_fixture.ts";

const TARGET = { host: "198.51.100.77", port: 53 };

/** A server, or a local of a server with a name. */
class NameFixture extends UdpFixture {
  /** Addresses that the system refuses to send to at once. */
  readonly unreachable = new Set<string>();
  readonly #isLocal: boolean;

  constructor(isLocal: boolean, timeout = 300) {
    super({
      isLocal,
      settings: { timeout, servers: [{ host: "ss.example", port: 8388 }] },
    });
    this.#isLocal = isLocal;
    this.poller.onBind = (socket) =>
      socket.onSendTo = (_data, { host }) => !this.unreachable.has(host);
  }

  /** A client sends to a target: where the relay sends that. */
  async send(host = TARGET.host, from = client(1)): Promise<string[]> {
    const before = this.outgoing.map(({ sends }) => sends.length);
    const place = { host, port: 53 };
    await this.fromClient(
      this.#isLocal
        ? concat(new Uint8Array(3), header(place), utf8("x"))
        : this.seal(place, utf8("x")),
      from,
    );
    return this.outgoing.flatMap(({ sends }, i) =>
      sends.slice(before[i] ?? 0).map(({ to }) => to.host)
    );
  }

  /** The server answers by one of its addresses, to the newest client. */
  async answer(host: string): Promise<void> {
    this.outgoing.at(-1)!.bring(
      this.seal(TARGET, utf8("yes")),
      SocketAddress.parse(host, 8388),
    );
    await this.settle();
  }

  /** Names that are being asked for. */
  get asked(): string[] {
    return this.resolver.asked.map(({ hostname }) => hostname);
  }
}

Deno.test("UDPRelay serves other clients and known names while one floods it with dead names", async () => {
  using fixture = new NameFixture(false);
  fixture.resolver.known.set("known.example", ["192.0.2.9"]);
  await fixture.send("slow.example", client(1, "198.51.100.2"));
  for (let i = 0; i < 300; i++) {
    await fixture.send(`dead${i}.example`, client(1 + i));
  }
  assertEquals(fixture.resolver.asked.length, 256);
  assertEquals(await fixture.send("known.example"), ["192.0.2.9"]);
  assertEquals(await fixture.send("192.0.2.7"), ["192.0.2.7"]);
  await fixture.send("fresh.example", client(2, "198.51.100.2"));
  assertEquals(fixture.resolver.asked.length, 256);
  assertEquals([fixture.asked[0], fixture.asked.at(-1)], [
    "slow.example",
    "fresh.example",
  ]);
  fixture.resolver.answer("192.0.2.8");
  assertEquals(fixture.outgoing.at(-1)!.sends.map(({ to }) => to.host), [
    "192.0.2.8",
  ]);
});

Deno.test("UDPRelay takes the look-ups of an association back when that ends", async () => {
  for (const isLocal of [false, true]) {
    using fixture = new NameFixture(isLocal, 30);
    await fixture.send("a.example");
    await fixture.send("b.example");
    await fixture.send("c.example", client(2));
    assertEquals(fixture.resolver.asked.length, 3);
    fixture.clock.advance(25_000);
    fixture.resolver.known.set("d.example", ["192.0.2.1"]);
    await fixture.send("d.example", client(2));
    await fixture.advance(10);
    assertEquals(fixture.relay.associations, 1);
    assertEquals(fixture.asked.length, isLocal ? 2 : 1);
    fixture.relay.close();
    assertEquals(fixture.asked, []);
  }
});

Deno.test("UDPRelay finds a server that has moved as the name's time to live says", async () => {
  using fixture = new NameFixture(true);
  await fixture.send();
  fixture.resolver.answer("192.0.2.1");
  await fixture.advance(0.9);
  assertEquals(await fixture.send(), ["192.0.2.1"]);
  assertEquals(fixture.asked, [], "no answer is kept for less than a second");
  for (const next of ["192.0.2.1", "192.0.2.2", "2001:db8::1"]) {
    await fixture.advance(1);
    const [old] = await fixture.send();
    assertEquals(fixture.asked, ["ss.example"]);
    assertEquals(await fixture.send(), [old], "what is known goes on");
    assertEquals(fixture.asked, ["ss.example"]);
    fixture.resolver.answer(next);
    assertEquals(await fixture.send(), [next]);
    await fixture.answer(next);
  }
  await fixture.advance(1);
  await fixture.send();
  fixture.resolver.answer();
  assertEquals(await fixture.send(), ["2001:db8::1"], "without an answer too");
  assertEquals(fixture.listener.sends.length, 3);
  // A new association begins with the address that the others have found.
  assertEquals(await fixture.send(TARGET.host, client(2)), ["2001:db8::1"]);
});

Deno.test("UDPRelay sends to a server's next address when the first cannot be sent to", async () => {
  using fixture = new NameFixture(true);
  fixture.unreachable.add("2001:db8::1");
  await fixture.send();
  fixture.resolver.answer("2001:db8::1", "192.0.2.1");
  assertEquals(await fixture.send(), ["192.0.2.1"]);
  assertEquals(fixture.outgoing.map(({ sends }) => sends.length), [0, 2]);
  // The system may say so only later.
  const [, ipv4] = fixture.outgoing;
  fixture.unreachable.clear();
  ipv4!.onAloneFailed!(utf8("late"));
  const [ipv6] = fixture.outgoing;
  assertEquals(ipv6!.sends.map(({ data }) => text(data)), ["late"]);
  assertEquals(await fixture.send(), ["2001:db8::1"]);
});

Deno.test("UDPRelay asks for the other family of a server at once when one is known", async () => {
  using fixture = new NameFixture(true);
  await fixture.send();
  fixture.resolver.answerPartly("2001:db8::1");
  await fixture.send();
  assertEquals(fixture.resolver.asked[0]!.options.isWhole, true);
  fixture.unreachable.add("2001:db8::1");
  fixture.resolver.answer("2001:db8::1", "192.0.2.1");
  assertEquals(await fixture.send(), ["192.0.2.1"]);
});

Deno.test("UDPRelay leaves an address of a server that is silent to everybody for 2 s", async () => {
  using fixture = new NameFixture(true);
  const addresses = ["192.0.2.1", "192.0.2.2"] as const;
  fixture.resolver.known.set("ss.example", addresses);
  assertEquals(await fixture.send(), ["192.0.2.1"]);
  await fixture.advance(1.9);
  assertEquals(await fixture.send(), ["192.0.2.1"]);
  await fixture.advance(0.1);
  assertEquals(await fixture.send(), ["192.0.2.2"]);
  await fixture.answer("192.0.2.2");
  assertEquals(await fixture.send(TARGET.host, client(2)), ["192.0.2.2"]);
  // The targets of one client are silent; others are answered.
  for (let i = 0; i < 5; i++) {
    await fixture.answer("192.0.2.2");
    assertEquals(await fixture.send(), ["192.0.2.2"]);
    await fixture.advance(1.5);
  }
  // An answer that comes late by the address before is passed on.
  const before = fixture.listener.sends.length;
  await fixture.answer("192.0.2.1");
  assertEquals(fixture.listener.sends.length, before + 1);
});

Deno.test("UDPRelay sends many datagrams at a time once an address has answered", async () => {
  using fixture = new NameFixture(true);
  fixture.resolver.known.set("ss.example", ["192.0.2.1", "192.0.2.2"]);
  await fixture.send();
  await fixture.answer("192.0.2.1");
  for (let i = 0; i < 5; i++) await fixture.send();
  assertEquals(fixture.outgoing[0]!.alone, 1);
});

Deno.test("UDPRelay sends to a target's next address at once when one cannot be sent to", async () => {
  using fixture = new NameFixture(false);
  const addresses = ["2001:db8::1", "192.0.2.1"] as const;
  fixture.resolver.known.set("two.example", addresses);
  fixture.unreachable.add("2001:db8::1");
  for (let i = 0; i < 3; i++) {
    assertEquals(await fixture.send("two.example"), ["192.0.2.1"]);
  }
  const [ipv6, ipv4] = fixture.outgoing;
  assertEquals([ipv6!.alone, ipv4!.alone], [1, 1], "then with others");
  await fixture.advance(1);
  assertEquals(await fixture.send("two.example"), ["192.0.2.1"]);
  assertEquals([ipv6!.alone, ipv4!.alone], [1, 2], "the known one is first");
  // The system may say so only later.
  fixture.unreachable.clear();
  ipv4!.onAloneFailed!(utf8("late"));
  assertEquals(ipv6!.sends.map(({ data }) => text(data)), ["late"]);
  assertEquals(await fixture.send("two.example"), ["2001:db8::1"]);
});

Deno.test("UDPRelay waits for a target's other family when the first cannot be sent to", async () => {
  using fixture = new NameFixture(false);
  fixture.unreachable.add("2001:db8::1");
  await fixture.send("two.example");
  fixture.resolver.answerPartly("2001:db8::1");
  assertEquals(fixture.resolver.asked[0]!.options.isWhole, true);
  fixture.resolver.answer("2001:db8::1", "192.0.2.1");
  assertEquals(
    fixture.outgoing.map(({ sends }) => sends.map(({ to }) => to.host)),
    [[], ["192.0.2.1"]],
  );
});
