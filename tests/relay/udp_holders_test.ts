/**
 * Whose a datagram is where users hold associations by connections.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { SocksPackets } from "../../inbound/mod.ts";
import { SocketAddress } from "../../loop/mod.ts";
import type { Status } from "../../relay/mod.ts";
import { concat, utf8 } from "../support/bytes.ts";
import { header } from "./_relay_fixture.ts";
import { client, UdpFixture } from "./_udp_fixture.ts";

const TARGET = { host: "198.51.100.77", port: 53 };
const DATAGRAM = concat(new Uint8Array(3), header(TARGET), utf8("x"));

/** A relay of a local with users. */
class HeldFixture extends UdpFixture {
  constructor() {
    const inbound = new SocksPackets({ hasUsers: true });
    super({ isLocal: true, relay: { inbound } });
  }

  /** A client sends; whether it is passed on. */
  async send(from: SocketAddress): Promise<boolean> {
    const count = (): number =>
      this.outgoing.reduce((sum, { sends }) => sum + sends.length, 0);
    const before = count();
    await this.fromClient(DATAGRAM, from);
    return count() > before;
  }
}

/** Without users, where an association needs no connection. */
function withoutUsers(timeout = 300): UdpFixture {
  return new UdpFixture({ isLocal: true, settings: { timeout } });
}

/** User and status of each session, in the order of their beginnings. */
function sessionsOf(fixture: UdpFixture): readonly string[] {
  return fixture.opened.map(({ user, status }) => `${user} ${status ?? "on"}`);
}

Deno.test("UDPRelay takes datagrams from the port alone that an association names", async () => {
  using fixture = new HeldFixture();
  const { host } = client(1);
  const end = fixture.relay.associate(host, "alice", 1);
  assertEquals(await fixture.send(client(2)), false);
  assertEquals(await fixture.send(client(1)), true);
  const endOther = fixture.relay.associate(host, "bob", 0);
  await fixture.send(client(2));
  await fixture.send(client(1));
  assertEquals(sessionsOf(fixture), ["alice on", "bob on"]);
  endOther();
  assertEquals(sessionsOf(fixture), ["alice on", "bob ok"]);
  assertEquals(await fixture.send(client(2)), false);
  end();
  assertEquals(sessionsOf(fixture), ["alice ok", "bob ok"]);
});

Deno.test("UDPRelay gives a port to the user who names it last", async () => {
  using fixture = new HeldFixture();
  const { host } = client(1);
  fixture.relay.associate(host, "alice", 0);
  await fixture.send(client(1));
  fixture.relay.associate(host, "bob", 1);
  assertEquals(sessionsOf(fixture), ["alice ok"]);
  await fixture.send(client(1));
  assertEquals(sessionsOf(fixture), ["alice ok", "bob on"]);
});

Deno.test("UDPRelay knows no user of a connection that has ended", async () => {
  using fixture = new HeldFixture();
  const { host } = client(1);
  const endAlice = fixture.relay.associate(host, "alice", 0);
  const endBob = fixture.relay.associate(host, "bob", 0);
  await fixture.send(client(1));
  assertEquals(sessionsOf(fixture), ["bob on"]);
  endBob();
  endBob();
  assertEquals(sessionsOf(fixture), ["bob ok"]);
  await fixture.send(client(1));
  assertEquals(sessionsOf(fixture), ["bob ok", "alice on"]);
  // Another connection of the same user takes over.
  const endAgain = fixture.relay.associate(host, "alice", 0);
  endAlice();
  assertEquals(sessionsOf(fixture), ["bob ok", "alice on"]);
  endAgain();
  assertEquals(sessionsOf(fixture), ["bob ok", "alice ok"]);
});

Deno.test("UDPRelay takes datagrams of clients that hold an association when there are users", async () => {
  using fixture = new HeldFixture();
  assertEquals(await fixture.send(client(1)), false);
  assertEquals(fixture.opened, []);
  const end = fixture.relay.associate(client(1).host, "alice");
  assertEquals(await fixture.send(client(1)), true);
  assertEquals(await fixture.send(client(1, "198.51.100.2")), false);
  assertEquals(sessionsOf(fixture), ["alice on"]);
  end();
  assertEquals(sessionsOf(fixture), ["alice ok"]);
  assertEquals(await fixture.send(client(1)), false);
  assertEquals(fixture.opened.length, 1);
});

Deno.test("UDPRelay ends with a connection what came by it, and nothing else of that host", async () => {
  using fixture = withoutUsers();
  const { host } = client(1);
  // An application that holds nothing.
  await fixture.fromClient(DATAGRAM, client(1));
  const endFirst = fixture.relay.associate(host, "", 2);
  await fixture.fromClient(DATAGRAM, client(2));
  const endOther = fixture.relay.associate(host, "", 0);
  await fixture.fromClient(DATAGRAM, client(3));
  endFirst();
  assertEquals(sessionsOf(fixture), [" on", " ok", " on"]);
  endOther();
  assertEquals(sessionsOf(fixture), [" on", " ok", " ok"]);
  // Nor what was there before the host's first connection of all.
  fixture.relay.associate(host, "", 0)();
  assertEquals(sessionsOf(fixture), [" on", " ok", " ok"]);
  await fixture.fromClient(DATAGRAM, client(1));
  assertEquals(fixture.opened.length, 3);
});

Deno.test("UDPRelay ends an association that its client is silent in, whatever others send", async () => {
  for (const isLocal of [true, false]) {
    using fixture = new UdpFixture({ isLocal, settings: { timeout: 30 } });
    await fixture.fromClient(
      isLocal ? DATAGRAM : fixture.seal(TARGET, utf8("x")),
      client(1),
    );
    const from = isLocal
      ? SocketAddress.parse("192.0.2.1", 8388)
      : SocketAddress.parse("203.0.113.9", 9);
    const [outgoing] = fixture.outgoing;
    const ends: (Status | undefined)[] = [];
    for (let i = 0; i < 4; i++) {
      await fixture.advance(10);
      ends.push(fixture.opened[0]!.status);
      if (outgoing?.closed !== false) continue;
      outgoing.bring(fixture.seal(TARGET, utf8("x")), from);
      await fixture.settle();
    }
    assertEquals(ends, [undefined, undefined, "ok", "ok"]);
    assertEquals(fixture.listener.sends.length, 2, "answers are passed on");
  }
});
