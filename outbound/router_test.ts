/**
 * Tests of the router: what the rules of an ACL say about clients and targets.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { SocketAddress } from "../loop/mod.ts";
import { type Decision, Target } from "../relay/mod.ts";
import {
  addressOf,
  DIRECT,
  PROXY,
  RouterFixture,
  textOf,
  ZoneResolver,
} from "./_router_fixture.ts";
import { makeRouter, OpenRouter } from "./router.ts";
import { LogCapture } from "../tests/support/logs.ts";

/** Names that can be looked up. */
const ZONE: Readonly<Record<string, readonly string[]>> = {
  "home.example": ["10.0.0.1"],
  "both.example": ["8.8.8.8", "10.0.0.1"],
  "world.example": ["8.8.8.8"],
  "six.example": ["2001:db8::1"],
};

const BYPASS_HOME = "[bypass_list]\n10.0.0.0/8\n2001:db8::/32\n";
const PROXY_HOME = "[bypass_all]\n[proxy_list]\n10.0.0.0/8\n2001:db8::/32\n";
const BLOCK_HOME = "[outbound_block_list]\n10.0.0.0/8\n||bad.example\n";
const ALLOW_HOME =
  "[outbound_block_all]\n[outbound_allow_list]\n10.0.0.0/8\n||good.example\n";

/** Rules of a client, a target, the decision, and whether it was looked up. */
const CLIENT: readonly (readonly [string, string, string, boolean?])[] = [
  // Without rules, and modes alone.
  ["", "example.com", "proxy: "],
  ["", "10.0.0.1", "proxy: "],
  ["[proxy_all]", "example.com", "proxy: "],
  ["[accept_all]", "10.0.0.1", "proxy: "],
  ["[bypass_all]", "example.com", "direct: bypass_all"],
  ["[reject_all]", "10.0.0.1", "direct: bypass_all"],
  ["[bypass_all]\n[proxy_all]", "example.com", "proxy: "],
  // Exact names.
  ["[bypass_list]\n|example.com", "example.com", "direct: |example.com"],
  ["[bypass_list]\n|example.com", "www.example.com", "proxy: "],
  ["[bypass_list]\n|example.com", "EXAMPLE.Com", "direct: |example.com"],
  ["[bypass_list]\n|EXAMPLE.com.", "example.com.", "direct: |example.com"],
  ["[black_list]\n|localhost", "localhost", "direct: |localhost"],
  // Names and those below.
  ["[bypass_list]\n||example.com", "example.com", "direct: ||example.com"],
  ["[bypass_list]\n||example.com", "a.b.example.com", "direct: ||example.com"],
  ["[bypass_list]\n||example.com", "notexample.com", "proxy: "],
  ["[bypass_list]\n||example.com", "example.com.evil", "proxy: "],
  ["[bypass_list]\n||cn", "www.example.cn", "direct: ||cn"],
  // Expressions.
  ["[bypass_list]\ngoogle", "www.google.com", "direct: google"],
  [
    "[bypass_list]\n^[a-z]{5}\\.baidu\\.com",
    "abcde.baidu.com",
    "direct: ^[a-z]{5}\\.baidu\\.com",
  ],
  ["[bypass_list]\n^[a-z]{5}\\.baidu\\.com", "abcd.baidu.com", "proxy: "],
  [
    "[bypass_list]\n(^|\\.)gmail\\.com$",
    "mail.gmail.com",
    "direct: ||gmail.com",
  ],
  ["[bypass_list]\n(^|\\.)gmail\\.com$", "notgmail.com", "proxy: "],
  ["[bypass_list]\nGOOGLE", "Google.com", "direct: GOOGLE"],
  ["[bypass_list]\n.*", "anything.example", "direct: .*"],
  ["[bypass_list]\n.*", "8.8.8.8", "proxy: "],
  // Internationalized names, as text and as the bytes of UTF-8.
  [
    "[bypass_list]\n||bücher.example",
    "xn--bcher-kva.example",
    "direct: ||xn--bcher-kva.example",
  ],
  [
    "[bypass_list]\n||xn--bcher-kva.example",
    "www.BÜCHER.example",
    "direct: ||xn--bcher-kva.example",
  ],
  [
    "[bypass_list]\n||xn--bcher-kva.example",
    "b\u00c3\u00bccher.example",
    "direct: ||xn--bcher-kva.example",
  ],
  ["[bypass_list]\n|xn----dqo34k.com", "☃-⌘.com", "direct: |xn----dqo34k.com"],
  // Addresses.
  ["[bypass_list]\n1.2.3.4", "1.2.3.4", "direct: 1.2.3.4/32"],
  ["[bypass_list]\n1.2.3.4", "1.2.3.5", "proxy: "],
  ["[bypass_list]\n127.0.0.1/8", "127.255.0.1", "direct: 127.0.0.0/8"],
  ["[bypass_list]\n::1", "::1", "direct: ::1/128"],
  ["[bypass_list]\nfc00::/7", "fdab::1", "direct: fc00::/7"],
  ["[bypass_list]\n10.0.0.0/8", "::ffff:10.1.2.3", "direct: 10.0.0.0/8"],
  ["[bypass_list]\n::ffff:10.0.0.0/104", "10.1.2.3", "direct: 10.0.0.0/8"],
  ["[bypass_list]\n::/0", "10.1.2.3", "proxy: "],
  ["[bypass_list]\n0.0.0.0/0", "2001:db8::1", "proxy: "],
  ["[bypass_list]\n10.0.0.0/8", "64:ff9b::10.0.0.1", "proxy: "],
  ["[bypass_list]\n10.0.0.1", "10.0.0.1.", "direct: 10.0.0.1/32"],
  ["[bypass_list]\n10.0.0.1", "１0.0.0.1", "direct: 10.0.0.1/32"],
  // The lists against each other: addresses black first, names white first.
  [
    "[bypass_list]\n10.0.0.0/8\n[proxy_list]\n10.1.0.0/16",
    "10.1.0.1",
    "direct: 10.0.0.0/8",
  ],
  [
    "[bypass_all]\n[proxy_list]\n10.0.0.0/8\n[bypass_list]\n10.1.0.0/16",
    "10.1.0.1",
    "direct: 10.1.0.0/16",
  ],
  [
    "[bypass_all]\n[proxy_list]\n10.0.0.0/8\n[bypass_list]\n10.1.0.0/16",
    "10.2.0.1",
    "proxy: 10.0.0.0/8",
  ],
  [
    "[bypass_list]\n||example.com\n[proxy_list]\n|www.example.com",
    "www.example.com",
    "proxy: |www.example.com",
  ],
  [
    "[bypass_list]\n||example.com\n[proxy_list]\n|www.example.com",
    "a.example.com",
    "direct: ||example.com",
  ],
  [
    "[bypass_all]\n[proxy_list]\n||google.com\n8.8.8.8",
    "www.google.com",
    "proxy: ||google.com",
  ],
  [
    "[bypass_all]\n[proxy_list]\n||google.com\n8.8.8.8",
    "8.8.8.8",
    "proxy: 8.8.8.8/32",
  ],
  [
    "[bypass_all]\n[proxy_list]\n||google.com",
    "example.com",
    "direct: bypass_all",
  ],
  [
    "[white_list]\n||a.example\n[black_list]\n||b.example",
    "b.example",
    "direct: ||b.example",
  ],
  // Names that must be looked up.
  [BYPASS_HOME, "home.example", "direct: 10.0.0.0/8", true],
  [BYPASS_HOME, "both.example", "direct: 10.0.0.0/8", true],
  [BYPASS_HOME, "world.example", "proxy: ", true],
  [BYPASS_HOME, "six.example", "direct: 2001:db8::/32", true],
  [BYPASS_HOME, "unknown.example", "proxy: ", true],
  [`${BYPASS_HOME}||home.example`, "home.example", "direct: ||home.example"],
  [
    `${BYPASS_HOME}[proxy_list]\n||home.example`,
    "home.example",
    "proxy: ||home.example",
  ],
  [PROXY_HOME, "home.example", "proxy: 10.0.0.0/8", true],
  [PROXY_HOME, "world.example", "direct: bypass_all", true],
  [PROXY_HOME, "unknown.example", "direct: bypass_all", true],
  [
    "[bypass_all]\n[bypass_list]\n10.0.0.0/8",
    "home.example",
    "direct: bypass_all",
  ],
  ["[proxy_all]\n[proxy_list]\n10.0.0.0/8", "home.example", "proxy: "],
  // Forbidden targets.
  [BLOCK_HOME, "10.1.1.1", "blocked: 10.0.0.0/8"],
  [BLOCK_HOME, "www.bad.example", "blocked: ||bad.example"],
  [
    `${BLOCK_HOME}[bypass_list]\n||bad.example`,
    "bad.example",
    "blocked: ||bad.example",
  ],
  [BLOCK_HOME, "home.example", "blocked: 10.0.0.0/8", true],
  [BLOCK_HOME, "world.example", "proxy: ", true],
  [
    `${BLOCK_HOME}[bypass_list]\n||home.example`,
    "home.example",
    "direct: ||home.example",
  ],
  [ALLOW_HOME, "world.example", "blocked: outbound_block_all", true],
  [ALLOW_HOME, "good.example", "proxy: ||good.example"],
  [
    `[bypass_all]\n${BLOCK_HOME}[proxy_list]\n8.0.0.0/8`,
    "both.example",
    "blocked: 10.0.0.0/8",
    true,
  ],
];

/** The same of a server. */
const SERVER: typeof CLIENT = [
  ["", "example.com", "direct: "],
  // These two lists are about clients.
  ["[bypass_list]\n||example.com\n10.0.0.0/8", "example.com", "direct: "],
  ["[bypass_list]\n||example.com\n10.0.0.0/8", "10.0.0.1", "direct: "],
  ["[reject_all]\n[white_list]\n10.0.0.0/8", "8.8.8.8", "direct: "],
  // Targets.
  [BLOCK_HOME, "10.1.1.1", "blocked: 10.0.0.0/8"],
  [BLOCK_HOME, "::ffff:10.1.1.1", "blocked: 10.0.0.0/8"],
  [BLOCK_HOME, "64:ff9b::10.0.0.1", "blocked: 10.0.0.0/8"],
  [BLOCK_HOME, "2002:a00:1::1", "blocked: 10.0.0.0/8"],
  [BLOCK_HOME, "8.8.8.8", "direct: "],
  [BLOCK_HOME, "bad.example", "blocked: ||bad.example"],
  [BLOCK_HOME, "BAD.example.", "blocked: ||bad.example"],
  [BLOCK_HOME, "home.example", "direct: "],
  [
    "[outbound_block_list]\n127.0.0.1/8\n::1\n^[a-z]{5}\\.baidu\\.com",
    "abcde.baidu.com",
    "blocked: ^[a-z]{5}\\.baidu\\.com",
  ],
  [
    "[outbound_block_list]\n::ffff:127.0.0.1/104",
    "127.1.1.1",
    "blocked: 127.0.0.0/8",
  ],
  [
    "[outbound_block_list]\n10.0.0.0/8\n[outbound_allow_list]\n10.1.0.0/16",
    "10.1.0.1",
    "blocked: 10.0.0.0/8",
  ],
  [
    "[outbound_block_list]\n||a.example\n[outbound_allow_list]\n|b.a.example",
    "b.a.example",
    "blocked: ||a.example",
  ],
  ["[outbound_block_all]", "example.com", "blocked: outbound_block_all"],
  ["[outbound_block_all]", "8.8.8.8", "blocked: outbound_block_all"],
  ["[outbound_block_all]\n[outbound_allow_all]", "8.8.8.8", "direct: "],
  [ALLOW_HOME, "10.1.1.1", "direct: 10.0.0.0/8"],
  [ALLOW_HOME, "8.8.8.8", "blocked: outbound_block_all"],
  [ALLOW_HOME, "64:ff9b::10.0.0.1", "blocked: outbound_block_all"],
  [ALLOW_HOME, "www.good.example", "direct: ||good.example"],
  [ALLOW_HOME, "home.example", "direct: 10.0.0.0/8", true],
  [ALLOW_HOME, "world.example", "blocked: outbound_block_all", true],
  [ALLOW_HOME, "unknown.example", "blocked: outbound_block_all", true],
  [
    "[outbound_block_all]\n[outbound_allow_list]\n||good.example",
    "home.example",
    "blocked: outbound_block_all",
  ],
];

for (const [role, table] of [["client", CLIENT], ["server", SERVER]] as const) {
  for (const [acl, host, expected, isLookedUp = false] of table) {
    const rules = acl.trim().replaceAll("\n", " ⏎ ");
    Deno.test(`AclRouter.route() of a ${role} sends ${host} where "${rules}" says`, () => {
      const fixture = new RouterFixture({ role, acl, zone: ZONE });
      assertEquals(fixture.ask(host), expected);
      assertEquals(fixture.resolver.asked.length, isLookedUp ? 1 : 0);
    });
  }
}

/** Rules of a server, a client, and the rule that refuses it. */
const CLIENTS: readonly (readonly [string, string, string | undefined])[] = [
  ["", "1.2.3.4", undefined],
  ["[accept_all]", "1.2.3.4", undefined],
  ["[reject_all]", "1.2.3.4", "reject_all"],
  ["[bypass_all]", "1.2.3.4", "reject_all"],
  ["[black_list]\n1.2.3.4", "1.2.3.4", "1.2.3.4/32"],
  ["[black_list]\n1.2.3.4", "::ffff:1.2.3.4", "1.2.3.4/32"],
  ["[black_list]\n1.2.3.4", "1.2.3.5", undefined],
  ["1.2.3.0/24", "1.2.3.5", "1.2.3.0/24"],
  ["[bypass_list]\n2001:db8::/32", "2001:db8::5", "2001:db8::/32"],
  ["[accept_all]\n[white_list]\n1.2.3.4", "5.6.7.8", undefined],
  ["[reject_all]\n[white_list]\n1.2.3.0/24", "1.2.3.4", undefined],
  ["[reject_all]\n[white_list]\n1.2.3.0/24", "1.2.4.4", "reject_all"],
  [
    "[reject_all]\n[white_list]\n1.2.3.0/24\n[black_list]\n1.2.3.4",
    "1.2.3.4",
    "1.2.3.4/32",
  ],
  ["[black_list]\n1.2.3.0/24\n[white_list]\n1.2.3.4", "1.2.3.4", "1.2.3.0/24"],
  ["[outbound_block_list]\n1.2.3.4", "1.2.3.4", undefined],
  ["[outbound_block_all]", "1.2.3.4", undefined],
];

for (const [acl, client, rule] of CLIENTS) {
  const rules = acl.replaceAll("\n", " ⏎ ");
  Deno.test(`AclRouter.refusesClient() of ${client} is right when "${rules}"`, () => {
    using logs = new LogCapture();
    const address = SocketAddress.parse(client, 5000);
    const server = new RouterFixture({ role: "server", acl });
    assertEquals(server.router.refusesClient(address), rule);
    assertEquals(
      logs.lines,
      rule === undefined
        ? []
        : [`warning: client ${address} is refused by rule ${rule}`],
    );
    const local = new RouterFixture({ role: "client", acl });
    assertEquals(local.router.refusesClient(address), undefined);
  });
}

Deno.test("AclRouter.forbids() asks rules and networks about each address", () => {
  const acl = `${BLOCK_HOME}[outbound_allow_list]\n127.0.0.1`;
  const fixture = new RouterFixture({
    role: "server",
    acl,
    forbidden: "127.0.0.0/8,::1/128",
  });
  const table: readonly (readonly [string, string | undefined])[] = [
    ["8.8.8.8", undefined],
    ["10.0.0.1", "10.0.0.0/8"],
    ["64:ff9b::10.0.0.1", "10.0.0.0/8"],
    ["127.0.0.1", "forbidden_ip 127.0.0.0/8"],
    ["::ffff:127.0.0.1", "forbidden_ip 127.0.0.0/8"],
    ["::1", "forbidden_ip ::1/128"],
    ["2001:db8::1", undefined],
  ];
  using _logs = new LogCapture();
  for (const [host, rule] of table) {
    const address = new SocketAddress(addressOf(host), 80);
    const found = fixture.router.forbids(address, fixture.session());
    assertEquals(found, rule, host);
  }
});

Deno.test("AclRouter.forbids() wants a rule for each address when all is blocked", () => {
  const fixture = new RouterFixture({
    role: "server",
    acl: `${ALLOW_HOME}[outbound_block_list]\n8.8.4.4`,
    zone: ZONE,
  });
  using _logs = new LogCapture();
  const session = fixture.session("udp");
  const forbids = (ip: string, host?: string): unknown =>
    fixture.router.forbids(
      SocketAddress.parse(ip, 80),
      session,
      host === undefined ? undefined : Target.of(host, 80),
    );
  assertEquals(forbids("10.0.0.1"), undefined);
  assertEquals(forbids("8.8.8.8"), "outbound_block_all");
  // A name that a rule allows may have any address that is not forbidden.
  assertEquals(fixture.ask("good.example", session), "direct: ||good.example");
  assertEquals(forbids("8.8.8.8", "good.example"), undefined);
  assertEquals(forbids("8.8.8.8", "WWW.Good.Example."), undefined);
  assertEquals(forbids("8.8.4.4", "good.example"), "8.8.4.4/32");
  // Other targets of the session have no part in that.
  assertEquals(forbids("8.8.8.8"), "outbound_block_all");
  assertEquals(forbids("8.8.8.8", "8.8.8.8"), "outbound_block_all");
  assertEquals(forbids("8.8.8.8", "world.example"), "outbound_block_all");
  // One allowed address lets a name pass; its other ones stay forbidden.
  assertEquals(fixture.ask("both.example", session), "direct: 10.0.0.0/8");
  assertEquals(forbids("8.8.8.8", "both.example"), "outbound_block_all");
});

Deno.test("AclRouter.route() asks more when a server goes by a proxy", () => {
  const fixture = new RouterFixture({
    role: "server",
    acl: BLOCK_HOME,
    forbidden: "127.0.0.0/8",
    isProxied: true,
    zone: ZONE,
  });
  using _logs = new LogCapture();
  assertEquals(fixture.ask("127.0.0.1"), "blocked: forbidden_ip 127.0.0.0/8");
  assertEquals(fixture.ask("127.0.0.1."), "blocked: forbidden_ip 127.0.0.0/8");
  assertEquals(fixture.ask("home.example"), "blocked: 10.0.0.0/8");
  assertEquals(fixture.ask("world.example"), "proxy: ");
  assertEquals(fixture.ask("8.8.8.8"), "proxy: ");
  const plain = new RouterFixture({
    role: "server",
    forbidden: "127.0.0.0/8",
    isProxied: true,
  });
  assertEquals(plain.ask("127.0.0.1"), "blocked: forbidden_ip 127.0.0.0/8");
  assertEquals(plain.ask("home.example"), "proxy: ");
});

Deno.test("AclRouter.route() leaves forbidden networks to forbids() when it is direct", () => {
  const fixture = new RouterFixture({
    role: "server",
    forbidden: "127.0.0.0/8",
  });
  const decisions: Decision[] = [];
  for (const host of ["127.0.0.1", "example.com", "8.8.8.8"]) {
    fixture.router.route(
      Target.of(host, 80),
      fixture.session(),
      (each) => decisions.push(each),
    );
  }
  assertEquals(decisions.map(textOf), ["direct: ", "direct: ", "direct: "]);
  // No decision is made anew.
  assertEquals(new Set(decisions).size, 1);
});

Deno.test("AclRouter.route() waits for the resolver", () => {
  const acl = BYPASS_HOME;
  const fixture = new RouterFixture({
    role: "client",
    acl,
    zone: ZONE,
    isSlow: true,
  });
  const answers: string[] = [];
  const cancel = fixture.router.route(
    Target.of("Home.Example", 80),
    fixture.session(),
    (decision) => answers.push(textOf(decision)),
  );
  assert(cancel !== undefined);
  assertEquals([answers, fixture.resolver.asked], [[], ["home.example"]]);
  fixture.resolver.answer();
  assertEquals(answers, ["direct: 10.0.0.0/8"]);
  cancel?.();
  assertEquals(answers.length, 1);
});

Deno.test("AclRouter.route() takes its question back when it is told to", () => {
  const acl = BYPASS_HOME;
  const fixture = new RouterFixture({
    role: "client",
    acl,
    zone: ZONE,
    isSlow: true,
  });
  let count = 0;
  const cancel = fixture.router.route(
    Target.of("home.example", 80),
    fixture.session(),
    () => count++,
  );
  cancel?.();
  assertEquals(fixture.resolver.waiting, 0);
  fixture.resolver.answer();
  assertEquals(count, 0);
});

Deno.test("makeRouter() makes a router that does nothing when there are no rules", () => {
  const options = {
    role: "client",
    routes: { default: PROXY, direct: DIRECT },
    resolver: new ZoneResolver({}),
  } as const;
  const router = makeRouter(options);
  assert(router instanceof OpenRouter);
  const decisions: Decision[] = [];
  const session = new RouterFixture({ role: "client" }).session();
  for (const host of ["127.0.0.1", "example.com"]) {
    router.route(Target.of(host, 80), session, (each) => decisions.push(each));
  }
  assertEquals(decisions.map(textOf), ["proxy: ", "proxy: "]);
  assert(decisions[0] === decisions[1]);
  assertEquals(
    router.forbids(SocketAddress.parse("127.0.0.1", 80), session),
    undefined,
  );
  assertEquals(
    router.refusesClient(SocketAddress.parse("127.0.0.1", 80)),
    undefined,
  );
});
