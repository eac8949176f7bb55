/**
 * The import rules on synthetic graphs.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { type Edge, edgesOf } from "./_graph.ts";
import { findViolations } from "./_layer_rules.ts";

type Pair = readonly [from: string, to: string];

/** Every import once as a value and once as a type; on line 7. */
const KINDS = ["code", "type"] as const;
const ROOT = "file:///r/";

/** The edges of a graph of such imports, as `deno info` would print it. */
function edges(pairs: readonly Pair[], kind: typeof KINDS[number]): Edge[] {
  const modules = pairs.map(([from, to]) => ({
    specifier: ROOT + from,
    dependencies: [{
      specifier: to,
      [kind]: {
        specifier: to.includes(":") ? to : ROOT + to,
        span: { start: { line: 6 } },
      },
    }],
  }));
  return edgesOf({ modules }, ROOT);
}

const ALLOWED: readonly Pair[] = [
  ["main.ts", "relay/mod.ts"],
  ["main.ts", "loop/mod.ts"],
  ["shadowsocks/edition.ts", "crypto/mod.ts"],
  ["shadowsocks/links.ts", "socks5/mod.ts"],
  ["dns/resolver.ts", "loop/mod.ts"],
  ["relay/tcp_relay.ts", "relay/_pipe.ts"],
  ["relay/tcp_relay.ts", "loop/mod.ts"],
  ["relay/connector.ts", "dns/mod.ts"],
  ["inbound/socks.ts", "relay/mod.ts"],
  ["inbound/socks.ts", "socks5/mod.ts"],
  ["inbound/http.ts", "http/mod.ts"],
  ["outbound/server.ts", "shadowsocks/mod.ts"],
  ["outbound/direct.ts", "dns/mod.ts"],
  ["accounts/user.ts", "relay/mod.ts"],
  ["control/manager.ts", "accounts/mod.ts"],
  ["control/api.ts", "loop/mod.ts"],
  ["config/parse.ts", "crypto/methods.ts"],
  ["config/address.ts", "loop/mod.ts"],
  ["process/run.ts", "config/mod.ts"],
  ["demo/mod.ts", "process/mod.ts"],
  ["loop/event_loop.ts", "npm:@logtape/logtape@2.4.2"],
  ["loop/event_loop_test.ts", "tests/_descriptors.ts"],
  ["loop/fakes.ts", "loop/_fake_poller.ts"],
  ["relay/tcp_relay_test.ts", "loop/fakes.ts"],
  ["dns/_fake_servers.ts", "loop/fakes.ts"],
  ["dns/resolver_test.ts", "dns/_fake_servers.ts"],
  ["relay/_test_udp.ts", "relay/_test_fixture.ts"],
  ["relay/udp_relay_test.ts", "relay/_test_udp.ts"],
  ["tests/e2e/x_test.ts", "crypto/openssl/provider.ts"],
  ["scripts/build.ts", "scripts/_modules.ts"],
  ["scripts/bench/bench.ts", "crypto/mod.ts"],
];

for (const kind of KINDS) {
  Deno.test(`findViolations() is content when imports (${kind}) go downward`, () => {
    assertEquals(findViolations(edges(ALLOWED, kind)), []);
  });
}

const FORBIDDEN: readonly { readonly pair: Pair; readonly rule: string }[] = [
  {
    pair: ["loop/event_loop.ts", "dns/mod.ts"],
    rule: "loop/ may not import upward",
  },
  {
    pair: ["relay/tcp_relay.ts", "main.ts"],
    rule: "relay/ may not import upward",
  },
  {
    pair: ["relay/tcp_relay.ts", "config/mod.ts"],
    rule: "relay/ may not import upward",
  },
  {
    pair: ["socks5/address.ts", "loop/mod.ts"],
    rule: "socks5/ may not import sideways",
  },
  {
    pair: ["inbound/socks.ts", "outbound/mod.ts"],
    rule: "inbound/ may not import sideways",
  },
  {
    pair: ["relay/tcp_relay.ts", "crypto/mod.ts"],
    rule: "relay/ knows no cipher",
  },
  {
    pair: ["relay/tcp_relay.ts", "shadowsocks/mod.ts"],
    rule: "relay/ knows no protocol",
  },
  {
    pair: ["relay/tcp_relay_test.ts", "socks5/mod.ts"],
    rule: "relay/ knows no protocol",
  },
  {
    pair: ["relay/tcp_relay.ts", "http/mod.ts"],
    rule: "relay/ knows no protocol",
  },
  {
    pair: ["inbound/socks.ts", "crypto/mod.ts"],
    rule: "inbound/ may import relay, shadowsocks, socks5, http, dns, loop",
  },
  {
    pair: ["dns/resolver.ts", "socks5/mod.ts"],
    rule: "dns/ may import loop",
  },
  {
    pair: ["config/parse.ts", "crypto/mod.ts"],
    rule: "config/ may import loop, crypto/methods.ts, crypto/psk.ts",
  },
  {
    pair: ["control/page.ts", "outbound/mod.ts"],
    rule: "control/ may import relay, accounts, loop, dns",
  },
  {
    pair: ["extra/a.ts", "loop/mod.ts"],
    rule: "folder extra/ has no level",
  },
  {
    pair: ["process/run.ts", "extra/mod.ts"],
    rule: "folder extra/ has no level",
  },
  {
    pair: ["shadowsocks/edition.ts", "crypto/openssl/provider.ts"],
    rule: "across folders import crypto/mod.ts",
  },
  {
    pair: ["main.ts", "loop/_epoll.ts"],
    rule: "across folders import loop/mod.ts",
  },
  {
    pair: ["relay/tcp_relay_test.ts", "loop/_fake_poller.ts"],
    rule: "across folders import loop/mod.ts",
  },
  {
    pair: ["scripts/build.ts", "main.ts"],
    rule: "main.ts is imported by nobody",
  },
  {
    pair: ["relay/tcp_relay.ts", "tests/support/mod.ts"],
    rule: "tests/ is imported by tests only",
  },
  {
    pair: ["main.ts", "scripts/build.ts"],
    rule: "scripts/ is imported by nobody else",
  },
  {
    pair: ["loop/mod.ts", "loop/timers_test.ts"],
    rule: "a test is imported by nobody",
  },
  {
    pair: ["loop/mod.ts", "loop/fakes.ts"],
    rule: "a fixture is imported by tests only",
  },
  {
    pair: ["dns/mod.ts", "loop/fakes.ts"],
    rule: "a fixture is imported by tests only",
  },
  {
    pair: ["crypto/mod.ts", "crypto/_provider_fixture.ts"],
    rule: "a fixture is imported by tests only",
  },
];

for (const { pair, rule } of FORBIDDEN) {
  for (const kind of KINDS) {
    Deno.test(`findViolations() reports ${pair.join(" > ")} (${kind})`, () => {
      const [path, to] = pair;
      assertEquals(
        findViolations(edges([...ALLOWED, pair], kind)),
        [{ path, line: 7, to, rule }],
      );
    });
  }
}

Deno.test("findViolations() reports asserts in product code", () => {
  const edge = (from: string): Edge => ({
    from,
    to: "npm:deno-std@1.4.0/assert/mod.js",
    specifier: "@std/assert",
    line: 7,
  });
  const found = findViolations([
    edge("loop/timers.ts"),
    edge("loop/x_test.ts"),
  ]);
  assertEquals(found.map(({ path, rule }) => [path, rule]), [
    ["loop/timers.ts", "asserts are for tests only"],
  ]);
});

const ROUNDS: readonly (readonly string[])[] = [
  ["loop/a.ts", "loop/b.ts"],
  ["loop/a.ts", "loop/b.ts", "loop/c.ts"],
  ["loop/_fake_a.ts", "loop/_fake_b.ts"],
  ["tests/a.ts", "tests/b.ts"],
];

for (const round of ROUNDS) {
  const pairs = round.map((from, i): Pair => [
    from,
    round[(i + 1) % round.length]!,
  ]);
  const expected = [`no cycles: ${[...round, round[0]].join(" > ")}`];

  Deno.test(`findViolations() names the round of ${round.join(", ")}`, () => {
    for (const kind of KINDS) {
      const found = findViolations(edges(pairs, kind));
      assertEquals(found.map(({ rule }) => rule), expected);
    }
  });

  Deno.test(`findViolations() names the round of ${round.join(", ")} closed by a type`, () => {
    const found = findViolations([
      ...edges(pairs.slice(0, -1), "code"),
      ...edges(pairs.slice(-1), "type"),
    ]);
    assertEquals(found.map(({ rule }) => rule), expected);
  });
}

Deno.test("edgesOf() skips the modules of others", () => {
  const found = edgesOf({ modules: [{ specifier: "npm:/other@1.0.0" }] }, ROOT);
  assertEquals(found, []);
});

Deno.test("edgesOf() throws when a module or an import is missing", () => {
  assertThrows(
    () =>
      edgesOf({
        modules: [{ specifier: `${ROOT}a.ts`, error: "not found" }],
      }, ROOT),
    Error,
    "Cannot load a.ts: not found",
  );
  assertThrows(
    () =>
      edgesOf({
        modules: [{
          specifier: `${ROOT}a.ts`,
          dependencies: [{ specifier: "./b.ts", code: { error: "no file" } }],
        }],
      }, ROOT),
    Error,
    'Cannot resolve "./b.ts" in a.ts:1: no file',
  );
});
