/**
 * Tests of sets of networks: the spellings of targets, and the sorted table.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  type Cidr,
  DEFAULT_FORBIDDEN,
  expandForbidden,
  formatCidr,
  formatIp,
  parseCidr,
  parseIp,
} from "../../loop/mod.ts";
import { IpNetworks } from "./ip_networks.ts";
import { randomOf } from "../../tests/support/bytes.ts";

function bytes(text: string): Uint8Array {
  const address = parseIp(text);
  if (address === undefined) throw new TypeError(`No address: ${text}`);
  return address;
}

function isIn(networks: IpNetworks, address: Uint8Array): boolean {
  return networks.find(address) !== undefined;
}

/** Spellings of targets inside; each must be refused. */
const INSIDE: readonly string[] = [
  "224.0.0.1",
  "239.255.255.250",
  "255.255.255.255",
  "::ffff:224.0.0.1",
  "ff02::1",
  "ff05::2",
  "127.0.0.1",
  "127.0.0.0",
  "127.1.2.3",
  "127.255.255.255",
  "0.0.0.0",
  "0.0.0.1",
  "0.255.255.255",
  "169.254.0.0",
  "169.254.169.254",
  "100.100.100.200",
  "168.63.129.16",
  "::ffff:168.63.129.16",
  "192.0.0.192",
  "fd00:ec2::254",
  "fd20:ce::254",
  "169.254.255.255",
  "::1",
  "::",
  "0:0:0:0:0:0:0:1",
  "0000:0000:0000:0000:0000:0000:0000:0000",
  "::0.0.0.1",
  "fe80::",
  "fe80::1",
  "fe80::1234:5678:9abc:def0",
  "FEBF:FFFF::1",
  "::ffff:127.0.0.1",
  "::FFFF:7F00:1",
  "0:0:0:0:0:ffff:127.0.0.1",
  "::ffff:0.0.0.0",
  "::ffff:169.254.169.254",
  "::ffff:a9fe:a9fe",
  "::127.0.0.1",
  "::7f00:1",
  "::169.254.169.254",
  "::ffff:0:127.0.0.1",
  "::ffff:0:a9fe:a9fe",
  "64:ff9b::127.0.0.1",
  "64:ff9b::7f00:1",
  "64:ff9b::169.254.169.254",
  "64:ff9b::0.0.0.0",
  "64:ff9b:1:7f00:0:100::", // /48: bytes 6, 7, 9, 10
  "64:ff9b:1:a9fe:a9:fe00::",
  "64:ff9b:1:7f:0:1::", // /56: byte 7, then 9 to 11
  "64:ff9b:1:abcd:7f:0:100:0", // /64: bytes 9 to 12
  "64:ff9b:1::127.0.0.1", // /96
  "64:ff9b:1:abcd::169.254.169.254",
  "2002:7f00:1::",
  "2002:7f00:0001::1",
  "2002:a9fe:a9fe::",
  "2002:0:0::",
  "2002:7fff:ffff:1:2:3:4:5",
];

/** Targets that only the word `private` refuses. */
const PRIVATE: readonly string[] = [
  "10.0.0.1",
  "10.255.255.255",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.0.1",
  "192.168.255.255",
  "100.64.0.1",
  "100.127.255.255",
  "fc00::1",
  "fd12:3456::1",
  "fdff:ffff::1",
  "fec0::1",
  "::ffff:10.0.0.1",
  "::ffff:192.168.1.1",
  "::10.1.2.3",
  "64:ff9b::192.168.1.1",
  "64:ff9b:1:a00:0:100::",
  "64:ff9b:1:c0a8:1:100::",
  "64:ff9b:1:c0:a8:101::", // /56
  "2002:a00:1::1",
  "2002:c0a8:101::",
];

/** Neighbours of the above, and the world. */
const OUTSIDE: readonly string[] = [
  "1.0.0.0",
  "8.8.8.8",
  "9.255.255.255",
  "11.0.0.0",
  "100.63.255.255",
  "100.128.0.0",
  "126.255.255.255",
  "128.0.0.0",
  "169.253.255.255",
  "169.255.0.0",
  "172.15.255.255",
  "172.32.0.0",
  "192.167.255.255",
  "192.169.0.0",
  "::ffff:8.8.8.8",
  "64:ff9b::8.8.8.8",
  "64:ff9b:1::8.8.8.8",
  "64:ff9b:1:808:8:800::",
  "64:ff9b:2::127.0.0.1",
  "2002:808:808::",
  "2001:db8::7f00:1",
  "2606:4700::1111",
  "fe7f::1",
  "fb00::1",
];

const DEFAULTS = IpNetworks.of(
  expandForbidden(DEFAULT_FORBIDDEN).networks,
);
const WITH_PRIVATE = IpNetworks.of(expandForbidden("private").networks);

for (const address of INSIDE) {
  Deno.test(`IpNetworks.find() forbids ${address} by default`, () => {
    assert(isIn(DEFAULTS, bytes(address)));
    assert(isIn(WITH_PRIVATE, bytes(address)));
  });
}

for (const address of PRIVATE) {
  Deno.test(`IpNetworks.find() forbids ${address} when private`, () => {
    assert(isIn(WITH_PRIVATE, bytes(address)));
    assert(!isIn(DEFAULTS, bytes(address)));
  });
}

for (const address of OUTSIDE) {
  Deno.test(`IpNetworks.find() allows ${address}`, () => {
    assert(!isIn(WITH_PRIVATE, bytes(address)));
    assert(!isIn(DEFAULTS, bytes(address)));
  });
}

Deno.test("IpNetworks.find() allows all when the list is empty", () => {
  for (const entries of ["", " , ", [], [""]]) {
    const none = IpNetworks.of(entries);
    assertEquals(none.size, 0);
    for (const address of [...INSIDE, ...PRIVATE, ...OUTSIDE]) {
      assert(!isIn(none, bytes(address)));
    }
  }
});

Deno.test("IpNetworks.find() forbids what is no address", () => {
  const none = new IpNetworks([]);
  for (const length of [0, 3, 5, 15, 17]) {
    assert(isIn(none, new Uint8Array(length)));
  }
});

Deno.test("IpNetworks.find() agrees with a bit-wise check at every prefix", () => {
  for (const text of ["170.170.85.85", "aaaa:5555:f0f0:0f0f::1234:5678"]) {
    const address = bytes(text);
    const size = address.length * 8;
    for (let prefix = 0; prefix <= size; prefix++) {
      const networks = IpNetworks.of(`${text}/${prefix}`);
      assert(isIn(networks, address), `${text}/${prefix}`);
      for (let bit = 0; bit < size; bit++) {
        const other = address.slice();
        other[bit >> 3]! ^= 0x80 >> (bit & 7);
        const message = `${formatIp(other)} in ${text}/${prefix}`;
        assertEquals(isIn(networks, other), bit >= prefix, message);
      }
    }
  }
});

Deno.test("IpNetworks.find() sees IPv4 when a network is IPv4-mapped", () => {
  const networks = IpNetworks.of("::ffff:10.0.0.0/104");
  assertEquals(networks.find(bytes("10.1.1.1")), "10.0.0.0/8");
  assert(isIn(networks, bytes("10.1.1.1")));
  assert(isIn(networks, bytes("::ffff:10.1.1.1")));
});

Deno.test("IpNetworks.find() names the outermost network", () => {
  const networks = IpNetworks.of(
    "10.1.0.0/16,10.0.0.0/8,10.0.0.0/9,11.0.0.0/32,2001:db8::/32,2001:db8:1::/48,::1/128",
  );
  assertEquals(networks.size, 4);
  const table: readonly (readonly [string, string | undefined])[] = [
    ["10.1.2.3", "10.0.0.0/8"],
    ["10.255.255.255", "10.0.0.0/8"],
    ["11.0.0.0", "11.0.0.0/32"],
    ["11.0.0.1", undefined],
    ["9.255.255.255", undefined],
    ["2001:db8:1::1", "2001:db8::/32"],
    ["2001:db9::", undefined],
    ["::1", "::1/128"],
    ["::ffff:10.0.0.1", "10.0.0.0/8"],
    ["64:ff9b::10.0.0.1", "10.0.0.0/8"],
  ];
  for (const [address, rule] of table) {
    assertEquals(networks.find(bytes(address)), rule, address);
  }
});

Deno.test("IpNetworks.findExactly() sees mapped addresses only", () => {
  const networks = IpNetworks.of("10.0.0.0/8,2001:db8::/32");
  const table: readonly (readonly [string, string | undefined])[] = [
    ["10.1.2.3", "10.0.0.0/8"],
    ["::ffff:10.1.2.3", "10.0.0.0/8"],
    ["::10.1.2.3", undefined],
    ["64:ff9b::10.1.2.3", undefined],
    ["2002:a01:203::", undefined],
    ["2001:db8::1", "2001:db8::/32"],
  ];
  for (const [address, rule] of table) {
    assertEquals(networks.findExactly(bytes(address)), rule, address);
    assertEquals(networks.containsExactly(bytes(address)), rule !== undefined);
  }
});

/** Few values a byte, so that networks hold each other and are hit. */
function randomAddress(
  random: (limit: number) => number,
  length: number,
): Uint8Array {
  return Uint8Array.from(
    { length },
    () => [0, 1, 127, 128, 255][random(5)]!,
  );
}

function holds(network: Cidr, address: Uint8Array): boolean {
  if (network.address.length !== address.length) return false;
  for (let bit = 0; bit < network.prefix; bit++) {
    const mask = 0x80 >> (bit & 7);
    const differs = network.address[bit >> 3]! ^ address[bit >> 3]!;
    if ((differs & mask) !== 0) return false;
  }
  return true;
}

for (const length of [4, 16]) {
  Deno.test(`IpNetworks.findExactly() agrees with a scan of ${length} bytes`, () => {
    const random = randomOf(length);
    for (let round = 0; round < 30; round++) {
      const networks: Cidr[] = [];
      for (let i = random(60); i >= 0; i--) {
        const text = formatIp(randomAddress(random, length));
        const prefix = random(length * 8 + 1);
        const network = parseCidr(`${text}/${prefix}`, { missing: "whole" });
        // An IPv6 text can be that of an IPv4-mapped address.
        if (network?.address.length === length) networks.push(network);
      }
      const set = new IpNetworks(networks);
      for (let i = 0; i < 200; i++) {
        const address = randomAddress(random, length);
        const holding = networks.filter((network) => holds(network, address));
        holding.sort((a, b) => a.prefix - b.prefix);
        const expected = holding[0] && formatCidr(holding[0]);
        assertEquals(set.findExactly(address), expected, formatIp(address));
      }
    }
  });
}
