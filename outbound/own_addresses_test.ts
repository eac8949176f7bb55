/**
 * Tests of the addresses of this machine, and of what forbids them.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { parseCidr, parseIp } from "../loop/mod.ts";
import { LogCapture } from "../tests/support/logs.ts";
import { ForbiddenNetworks } from "./forbidden_networks.ts";
import { type OwnAddress, OwnAddresses } from "./own_addresses.ts";

/** A machine whose addresses change, and how often it was asked for them. */
class Machine {
  addresses: OwnAddress[] = [
    { address: "127.0.0.1", netmask: "255.0.0.0" },
    { address: "192.0.2.2", netmask: "255.255.255.0" },
    { address: "2001:db8::2", netmask: "ffff:ffff:ffff:ffff::" },
    { address: "fe80::2%eth0", netmask: "ffff:ffff:ffff:ffff::" },
  ];
  now = 0;
  readings = 0;
  /** Milliseconds that a reading takes. */
  slowness = 0;
  readonly own = new OwnAddresses({
    read: () => {
      this.readings++;
      this.now += this.slowness;
      return this.addresses;
    },
    now: () => this.now,
  });

  has(address: string): boolean {
    return this.own.find(parseIp(address)!) !== undefined;
  }
}

Deno.test("OwnAddresses.find() finds each address of the machine in every form", () => {
  const machine = new Machine();
  for (
    const [address, isOwn] of [
      ["192.0.2.2", true],
      ["192.0.2.255", true],
      ["::ffff:192.0.2.2", true],
      ["64:ff9b::192.0.2.2", true],
      ["2001:db8::2", true],
      ["fe80::2", true],
      ["127.8.8.8", true],
      ["192.0.2.3", false],
      ["192.0.2.0", false],
      ["2001:db8::3", false],
      ["8.8.8.8", false],
    ] as const
  ) assertEquals(machine.has(address), isOwn, address);
  assertEquals(machine.readings, 1);
});

Deno.test("OwnAddresses.find() reads again after a second, and when the clock was set back", () => {
  const machine = new Machine();
  assertEquals(machine.has("203.0.113.9"), false);
  machine.addresses = [{ address: "203.0.113.9", netmask: "255.255.255.255" }];
  machine.now += 999;
  assertEquals(machine.has("203.0.113.9"), false);
  machine.now++;
  assertEquals(machine.has("203.0.113.9"), true);
  assertEquals(machine.has("192.0.2.2"), false);
  assertEquals(machine.readings, 2);
  machine.now = -1_000_000;
  machine.addresses = [];
  assertEquals(machine.has("203.0.113.9"), false);
});

Deno.test("OwnAddresses.find() finds what the system delivers to itself by routes", () => {
  const routes = ["203.0.113.64/26", "2001:db8:1::/128", "2001:db8:2::/64"]
    .map((text) => parseCidr(text, { missing: "whole" })!);
  const own = new OwnAddresses({
    read: () => [],
    routes: () => routes,
    now: () => 0,
  });
  for (
    const [address, isOwn] of [
      ["203.0.113.65", true],
      ["::ffff:203.0.113.127", true],
      ["203.0.113.128", false],
      ["2001:db8:1::", true],
      ["2001:db8:1::1", false],
      ["2001:db8:2::5", true],
    ] as const
  ) {
    const found = own.find(parseIp(address)!) !== undefined;
    assertEquals(found, isOwn, address);
  }
});

Deno.test("OwnAddresses.find() reads less often when that takes long", () => {
  const machine = new Machine();
  machine.slowness = 50;
  machine.has("192.0.2.2");
  machine.now += 5000;
  machine.has("192.0.2.2");
  assertEquals(machine.readings, 1);
  machine.now += 5000;
  machine.has("192.0.2.2");
  assertEquals(machine.readings, 2);
});

Deno.test("OwnAddresses.find() warns once when the addresses cannot be read", () => {
  using logs = new LogCapture();
  let now = 0;
  const own = new OwnAddresses({
    read: () => {
      throw new Deno.errors.NotCapable("no");
    },
    now: () => now += 2000,
  });
  for (let i = 0; i < 3; i++) {
    assertEquals(own.find(parseIp("192.0.2.2")!), undefined);
  }
  assertEquals(logs.of("warning").length, 1);
});

Deno.test("ForbiddenNetworks.find() names the network, or the word own", () => {
  const { own } = new Machine();
  for (
    const [entries, address, rule] of [
      ["default", "192.0.2.2", "own"],
      ["default", "127.0.0.1", "127.0.0.0/8"],
      ["default", "224.0.0.1", "224.0.0.0/4"],
      ["default", "8.8.8.8", undefined],
      ["allow-own", "192.0.2.2", undefined],
      ["allow-own", "127.0.0.1", "127.0.0.0/8"],
      ["allow-multicast", "ff02::1", undefined],
      ["allow-multicast", "192.0.2.2", "own"],
      ["", "192.0.2.2", undefined],
      ["own", "2001:db8::2", "own"],
    ] as const
  ) {
    const found = ForbiddenNetworks.of(entries, own).find(parseIp(address)!);
    assertEquals(found, rule, `${entries} ${address}`);
  }
  assertEquals(ForbiddenNetworks.of("", own).size, 0);
  assertEquals(ForbiddenNetworks.of("own", own).size, 1);
});

Deno.test("OwnAddresses asks the system when it is not told otherwise", () => {
  const own = new OwnAddresses();
  for (const { address } of Deno.networkInterfaces()) {
    const bytes = parseIp(address);
    if (bytes !== undefined) assertEquals(own.find(bytes), "own", address);
  }
});
