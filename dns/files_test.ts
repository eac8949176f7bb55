/**
 * Tests of the hosts file, resolv.conf and the cache.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { formatIp } from "../loop/mod.ts";
import { WatchedFile } from "./_watched_file.ts";
import { cacheKey, DnsCache } from "./cache.ts";
import { defaultHostsPath, HostsFile, parseHosts } from "./hosts.ts";
import { parseResolvConf, ResolvConf } from "./resolv_conf.ts";

const ONE = { addresses: [new Uint8Array([192, 0, 2, 1])], exists: true };
const NONE = { addresses: [], exists: false };

Deno.test("parseHosts() reads addresses and names", () => {
  const table = parseHosts([
    "# a comment",
    "127.0.0.1 localhost loopback # and one behind",
    "192.0.2.1\tA.example  a\r",
    "2001:db8::1 a.example.",
    "::ffff:192.0.2.7 mapped",
    "999.1.1.1 bad",
    "0x7f.1 bad",
    "fe80::1%lo0 bad",
    "192.0.2.9",
    "192.0.2.2 a.example",
    "",
  ].join("\n"));
  const seen = [...table].map(([name, ips]) => [name, ...ips.map(formatIp)]);
  assertEquals(seen, [
    ["localhost", "127.0.0.1"],
    ["loopback", "127.0.0.1"],
    ["a.example", "192.0.2.1", "2001:db8::1", "192.0.2.2"],
    ["a", "192.0.2.1"],
    ["mapped", "192.0.2.7"],
  ]);
});

Deno.test("HostsFile.lookup() knows localhost without a file", () => {
  const hosts = new HostsFile("/none", { read: () => undefined });
  for (const name of ["localhost", "a.localhost"]) {
    const got = hosts.lookup(name, 0)?.map(formatIp);
    assertEquals(got, ["127.0.0.1", "::1"]);
  }
  assertEquals(hosts.lookup("notlocalhost", 0), undefined);
  assertEquals(defaultHostsPath().endsWith("hosts"), true);
});

Deno.test("HostsFile.lookup() reads the file again after a while", () => {
  let text: string | undefined = "192.0.2.1 a";
  let reads = 0;
  const hosts = new HostsFile("/h", {
    read: () => {
      reads++;
      return text;
    },
  });
  const at = (now: number): string[] | undefined =>
    hosts.lookup("a", now)?.map(formatIp);
  assertEquals(at(100), ["192.0.2.1"]);
  text = "192.0.2.2 a";
  assertEquals(at(104.9), ["192.0.2.1"]);
  assertEquals(reads, 1);
  assertEquals(at(105), ["192.0.2.2"]);
  text = undefined;
  assertEquals(at(111), undefined);
});

Deno.test("WatchedFile.get() reads only when the stamp has changed", () => {
  let stamp = "1";
  let reads = 0;
  const file = new WatchedFile({
    path: "/f",
    interval: 1,
    source: { read: () => `text ${++reads}`, stamp: () => stamp },
    parse: (text) => text,
  });
  assertEquals([0, 0.5, 1, 2, 3].map((now) => file.get(now)).at(-1), "text 1");
  stamp = "2";
  assertEquals(file.get(3.5), "text 1");
  assertEquals(file.get(4), "text 2");
});

Deno.test("parseResolvConf() reads servers and options", () => {
  const rows = [
    { text: "nameserver 192.0.2.1\n", expected: ["192.0.2.1:53"] },
    {
      text: "search a b\ndomain c\n  nameserver\t2001:db8::1  # x\r\n",
      expected: ["[2001:db8::1]:53"],
    },
    { text: "nameserver fe80::1%7\n", expected: ["[fe80::1%7]:53"] },
    { text: "nameserver fe80::1%no-such-one\n", expected: [] },
    { text: "#nameserver 1.1.1.1\n;nameserver 1.1.1.1\n", expected: [] },
    { text: "nameserver\nnameserver x\nnameserverx 1.1.1.1", expected: [] },
    {
      text: [1, 2, 3, 4].map((i) => `nameserver 192.0.2.${i}`).join("\n"),
      expected: ["192.0.2.1:53", "192.0.2.2:53", "192.0.2.3:53"],
    },
  ];
  for (const { text, expected } of rows) {
    assertEquals(parseResolvConf(text).servers.map(String), expected, text);
  }
  const options = [
    { text: "", expected: [1000, 3] },
    { text: "options timeout:2 attempts:1", expected: [2000, 1] },
    { text: "options rotate timeout:99 attempts:99", expected: [5000, 5] },
    { text: "options timeout:0 attempts:0", expected: [1000, 1] },
    { text: "options timeout:x timeout attempts:-1", expected: [1000, 3] },
  ];
  for (const { text, expected } of options) {
    const { timeout, attempts } = parseResolvConf(text);
    assertEquals([timeout, attempts], expected, text);
  }
});

Deno.test("ResolvConf.settings() falls back, follows changes, keeps what it knew", () => {
  let text: string | undefined;
  const file = new ResolvConf("/r", { read: () => text });
  const at = (now: number): string =>
    file.settings(now).servers.map((server) => server.host).join();
  assertEquals(at(0), "8.8.8.8,8.8.4.4");
  text = "nameserver 192.0.2.1";
  assertEquals(at(0.5), "8.8.8.8,8.8.4.4");
  assertEquals(at(1), "192.0.2.1");
  text = "";
  assertEquals(at(2), "192.0.2.1");
  text = "nameserver 192.0.2.2";
  assertEquals(at(3), "192.0.2.2");
});

Deno.test("DnsCache.get() keeps an entry as long as its TTL, within bounds", () => {
  const rows = [
    { entry: ONE, ttl: 0, lasts: 1 },
    { entry: ONE, ttl: 30, lasts: 30 },
    { entry: ONE, ttl: 1e9, lasts: 3600 },
    { entry: NONE, ttl: 0, lasts: 1 },
    { entry: NONE, ttl: 1e9, lasts: 60 },
    { entry: NONE, ttl: Infinity, lasts: 60 },
  ];
  for (const { entry, ttl, lasts } of rows) {
    const cache = new DnsCache(8);
    const key = cacheKey("a", 1);
    cache.set(key, entry, { ttl, now: 100 });
    assertEquals(cache.get(key, 100 + lasts - 0.01)?.exists, entry.exists);
    assertEquals(cache.get(cacheKey("a", 28), 100), undefined);
    assertEquals(cache.get(key, 100 + lasts), undefined);
  }
});

Deno.test("DnsCache.set() drops the least recently used when full", () => {
  const cache = new DnsCache(2);
  const time = { ttl: 10, now: 0 };
  cache.set("a", ONE, time);
  cache.set("b", ONE, time);
  cache.get("a", 1);
  cache.set("a", ONE, time);
  cache.set("c", ONE, time);
  assertEquals(
    ["a", "b", "c"].map((key) => cache.get(key, 1) !== undefined),
    [true, false, true],
  );
  cache.sweep(10);
  assertEquals(cache.size, 0);
  const off = new DnsCache(0);
  off.set("a", ONE, time);
  assertEquals(off.size, 0);
});
