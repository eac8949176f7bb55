/**
 * The import rules on synthetic graphs.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { type Edge, findViolations } from "./_layer_rules.ts";
import { edgesOf } from "./check_layers.ts";

function edge(from: string, to: string, typeOnly = false): Edge {
  return { from, to, specifier: to, line: 7, typeOnly };
}

const ALLOWED: readonly Edge[] = [
  edge("main.ts", "relay/mod.ts"),
  edge("main.ts", "loop/mod.ts"),
  edge("relay/tcp_relay.ts", "relay/_handler.ts"),
  edge("relay/tcp_relay.ts", "crypto/mod.ts"),
  edge("relay/tcp_relay.ts", "dns/mod.ts"),
  edge("relay/tcp_relay.ts", "config/mod.ts", true),
  edge("relay/tcp_relay_test.ts", "config/mod.ts"),
  edge("config/parse.ts", "crypto/methods.ts"),
  edge("dns/resolver.ts", "loop/mod.ts"),
  edge("loop/event_loop.ts", "npm:@logtape/logtape@2.4.2"),
  edge("loop/event_loop_test.ts", "tests/_descriptors.ts"),
  edge("process/run.ts", "relay/mod.ts"),
  edge("demo/mod.ts", "process/mod.ts"),
  edge("dns/resolver_test.ts", "dns/_fake_net.ts"),
  edge("relay/_test_udp.ts", "relay/_test_fixture.ts"),
  edge("relay/udp_relay_test.ts", "relay/_test_udp.ts"),
  edge("dns/_fake_net.ts", "dns/types.ts"),
  edge("tests/e2e/x_test.ts", "crypto/_openssl.ts"),
  edge("scripts/build.ts", "scripts/_modules.ts"),
  edge("scripts/bench.ts", "crypto/mod.ts"),
];

Deno.test("findViolations() is content when imports go downward", () => {
  assertEquals(findViolations(ALLOWED), []);
});

const FORBIDDEN: readonly { readonly edge: Edge; readonly rule: string }[] = [
  {
    edge: edge("loop/event_loop.ts", "dns/mod.ts"),
    rule: "loop/ may not import upward",
  },
  {
    edge: edge("crypto/aead.ts", "relay/mod.ts", true),
    rule: "crypto/ may not import upward",
  },
  {
    edge: edge("config/parse.ts", "dns/mod.ts"),
    rule: "config/ may not import sideways",
  },
  {
    edge: edge("socks5/address.ts", "loop/mod.ts"),
    rule: "socks5/ may not import sideways",
  },
  {
    edge: edge("relay/tcp_relay.ts", "config/mod.ts"),
    rule: "relay/ may import types only from config/",
  },
  {
    edge: edge("relay/tcp_relay.ts", "crypto/_openssl.ts"),
    rule: "across folders import crypto/mod.ts",
  },
  {
    edge: edge("dns/resolver.ts", "loop/event_loop.ts"),
    rule: "across folders import loop/mod.ts",
  },
  {
    edge: edge("main.ts", "loop/_epoll.ts"),
    rule: "across folders import loop/mod.ts",
  },
  {
    edge: edge("relay/tcp_relay.ts", "main.ts"),
    rule: "relay/ may not import upward",
  },
  {
    edge: edge("scripts/bench.ts", "main.ts"),
    rule: "main.ts is imported by nobody",
  },
  {
    edge: edge("relay/tcp_relay.ts", "tests/support/mod.ts"),
    rule: "tests/ is imported by tests only",
  },
  {
    edge: edge("main.ts", "scripts/build.ts"),
    rule: "scripts/ is imported by nobody else",
  },
  {
    edge: edge("loop/mod.ts", "loop/timers_test.ts"),
    rule: "a test is imported by nobody",
  },
  {
    edge: edge("dns/mod.ts", "dns/_fake_net.ts"),
    rule: "a fixture is imported by tests only",
  },
  {
    edge: edge("crypto/mod.ts", "crypto/_provider_fixture.ts"),
    rule: "a fixture is imported by tests only",
  },
  {
    edge: edge("relay/mod.ts", "process/mod.ts"),
    rule: "relay/ may not import upward",
  },
  {
    edge: edge("extra/a.ts", "loop/mod.ts"),
    rule: "folder extra/ has no level",
  },
  {
    edge: edge("relay/tcp_relay.ts", "extra/mod.ts"),
    rule: "folder extra/ has no level",
  },
  {
    edge: {
      ...edge("loop/timers.ts", "npm:deno-std@1.4.0/assert/mod.js"),
      specifier: "@std/assert",
    },
    rule: "asserts are for tests only",
  },
];

for (const row of FORBIDDEN) {
  Deno.test(`findViolations() reports ${row.edge.from} > ${row.edge.to}`, () => {
    assertEquals(findViolations([...ALLOWED, row.edge]), [{
      path: row.edge.from,
      line: 7,
      to: row.edge.to,
      rule: row.rule,
    }]);
  });
}

Deno.test("findViolations() names the round of a cycle", () => {
  const found = findViolations([
    edge("loop/a.ts", "loop/b.ts"),
    edge("loop/b.ts", "loop/c.ts"),
    edge("loop/c.ts", "loop/a.ts"),
  ]);
  assertEquals(found.map((violation) => violation.rule), [
    "no cycles: loop/a.ts > loop/b.ts > loop/c.ts > loop/a.ts",
  ]);
});

Deno.test("findViolations() lets types refer to each other", () => {
  const found = findViolations([
    edge("loop/a.ts", "loop/b.ts"),
    edge("loop/b.ts", "loop/a.ts", true),
  ]);
  assertEquals(found, []);
});

Deno.test("edgesOf() tells types from code and counts lines from 1", () => {
  const span = { start: { line: 4 } };
  const edges = edgesOf({
    modules: [{
      specifier: "file:///r/a/x.ts",
      dependencies: [
        {
          specifier: "./y.ts",
          code: { specifier: "file:///r/a/y.ts", span },
        },
        {
          specifier: "./z.ts",
          type: { specifier: "file:///r/a/z.ts", span },
        },
      ],
    }, { specifier: "npm:/other@1.0.0" }],
  }, "file:///r/");
  assertEquals(edges, [
    {
      from: "a/x.ts",
      to: "a/y.ts",
      specifier: "./y.ts",
      line: 5,
      typeOnly: false,
    },
    {
      from: "a/x.ts",
      to: "a/z.ts",
      specifier: "./z.ts",
      line: 5,
      typeOnly: true,
    },
  ]);
});

Deno.test("edgesOf() throws when a module is missing", () => {
  assertThrows(
    () =>
      edgesOf({
        modules: [{ specifier: "file:///r/a.ts", error: "not found" }],
      }, "file:///r/"),
    Error,
    "Cannot load a.ts: not found",
  );
});
