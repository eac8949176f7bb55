/**
 * Tests of the resolver that lets the runtime ask.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { FakeNet } from "../loop/fakes.ts";
import { makeResolver } from "./choose.ts";
import { textOf } from "./_resolver_fixture.ts";
import { DNSResolver } from "./resolver.ts";
import { type ResolveDns, SystemResolver } from "./system_resolver.ts";

const resolveDns: ResolveDns = (name, type) => {
  const known: Record<string, readonly string[]> = {
    "both.example A": ["192.0.2.1", "junk", "2001:db8::9"],
    "both.example AAAA": ["2001:db8::1"],
    "six.example AAAA": ["2001:db8::6"],
    "empty.example A": [],
  };
  if (name === "down.example") return Promise.reject(new Error("network"));
  const found = known[`${name} ${type}`];
  return found === undefined
    ? Promise.reject(new Deno.errors.NotFound("no record"))
    : Promise.resolve(found);
};

Deno.test("SystemResolver.resolve() answers what the runtime finds", async () => {
  const rows = [
    ["both.example", "192.0.2.1 2001:db8::1"],
    ["six.example", "2001:db8::6"],
    ["empty.example", "no-address"],
    ["nobody.example", "no-address"],
    ["down.example", "failed"],
    ["127.0.0.1", "127.0.0.1"],
    ["localhost", "127.0.0.1 ::1"],
    ["127.1", "invalid-name"],
  ] as const;
  const readFile = (): undefined => undefined;
  for (const [name, expected] of rows) {
    const loop = new FakeNet().loop;
    using resolver = new SystemResolver(loop, { resolveDns, readFile });
    let text = "";
    resolver.resolve(name, (answer) => {
      text = textOf(answer);
      loop.stop();
    });
    if (text === "") await loop.run();
    assertEquals(text.split(" ")[0], expected.split(" ")[0], name);
  }
});

Deno.test("SystemResolver.close() aborts what is under way", async () => {
  const loop = new FakeNet().loop;
  const signals: AbortSignal[] = [];
  const resolver = new SystemResolver(loop, {
    readFile: () => undefined,
    resolveDns: (_name, _type, signal) => {
      signals.push(signal);
      const { promise, reject } = Promise.withResolvers<readonly string[]>();
      signal.addEventListener("abort", () => reject(signal.reason));
      return promise;
    },
  });
  resolver.resolve("a.example", () => {
    throw new Error("called");
  });
  resolver.close();
  assertEquals(signals.map(({ aborted }) => aborted), [true, true]);
  loop.addTimer(100, () => loop.stop());
  await loop.run();
});

Deno.test("makeResolver() asks servers itself when they are given", () => {
  const servers = [{ host: "192.0.2.1", port: 53 }];
  using resolver = makeResolver(new FakeNet().loop, { servers });
  assertEquals(resolver instanceof DNSResolver, true);
  using plain = makeResolver(new FakeNet().loop);
  const windows = Deno.build.os === "windows";
  assertEquals(plain instanceof DNSResolver, !windows);
});
