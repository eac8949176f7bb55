/**
 * Tests of ACL files: what is wrong with them, and where.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { aclOf } from "../_router_fixture.ts";
import type { AclRemark } from "./acl.ts";
import { parseAcl } from "./parser.ts";

function problemsOf(text: string): readonly AclRemark[] {
  const reading = parseAcl(text, "test.acl");
  return "problems" in reading ? reading.problems : [];
}

/** A text, the place of its one problem, and a part of what is said. */
const BAD: readonly (readonly [string, string, string])[] = [
  // Sections.
  [
    "[bypass_lst]",
    "1:1",
    "no section [bypass_lst]: did you mean [bypass_list]?",
  ],
  ["[proxy-list]", "1:1", "did you mean [proxy_list]?"],
  ["[Proxy_List]", "1:1", "did you mean [proxy_list]?"],
  ["[ bypass_all ]", "1:1", "did you mean [bypass_all]?"],
  ["[blacklist]", "1:1", "did you mean [black_list]?"],
  ["[white list]", "1:1", "did you mean [white_list]?"],
  ["[outbound_blok_list]", "1:1", "did you mean [outbound_block_list]?"],
  ["[outbound_allow]", "1:1", "there is no section [outbound_allow]"],
  ["[reject]", "1:1", "there is no section [reject]"],
  ["[]", "1:1", "there is no section []"],
  ["[general]", "1:1", "there is no section [general]"],
  ["\n\n  [proxy_lists]", "3:3", "did you mean [proxy_list]?"],
  [
    "bypass_list",
    "1:1",
    '"bypass_list" is not a rule: did you mean [bypass_list]?',
  ],
  ["[proxy_all", "1:1", "did you mean [proxy_all]?"],
  ["outbound_block_list]", "1:1", "did you mean [outbound_block_list]?"],
  // Rules before their list.
  [
    "[bypass_all]\n||example.com\n|a.b",
    "2:1",
    "put [proxy_list] or [white_list] above",
  ],
  ["[reject_all]\n10.0.0.0/8", "2:1", "put [proxy_list] or [white_list] above"],
  ["[outbound_block_all]\n1.2.3.4", "2:1", "put [outbound_allow_list] above"],
  // Addresses.
  ["10.0.0.0/33", "1:1", '"10.0.0.0/33" is not an address or a network'],
  ["10.0.0.0/255.0.0.0", "1:1", "is not an address or a network"],
  ["10.0.0.256", "1:1", "is not an address or a network"],
  ["10.0.0", "1:1", "is not an address or a network"],
  ["::1/129", "1:1", "is not an address or a network"],
  ["fe80:::1", "1:1", "is not an address or a network"],
  ["1.2.3.4:80", "1:1", "a rule has no port"],
  ["10.0.0.0/8 10.1.0.0/16", "1:1", "is not an address or a network"],
  ["[::1]", "1:1", "there is no section [::1]"],
  // Names.
  ["|", "1:2", '"" is not a host name'],
  ["||", "1:3", '"" is not a host name'],
  ["||.example.com", "1:3", "is not a host name: write ||example.com"],
  ["||*.example.com", "1:3", "is not a host name: write ||example.com"],
  ["||example.com^", "1:3", "is not a host name: write ||example.com"],
  ["|exa mple.com", "1:2", "is not a host name"],
  ["|a..b", "1:2", "is not a host name"],
  ["||127.0.0.1", "1:1", 'is an address: write it without "||"'],
  ["|::1", "1:1", 'is an address: write it without "|"'],
  [`||${"a".repeat(64)}.com`, "1:3", "is not a host name"],
  ["|||example.com", "1:3", "is not a host name"],
  // Expressions.
  ["  (a", "1:3", 'cannot read the expression "(a": "(" without a ")"'],
  ["good\n^(?!google)", "2:2", "look-around"],
  ["*.example.com", "1:1", "write ||example.com"],
  ["a**", "1:3", "a repetition of a repetition"],
  ["(a{200}){200}", "1:1", "it is too large"],
  ["https://example.com/a", "1:1", "a rule is not a URL: write ||example.com"],
  ["example.com/path", "1:1", "neither a path nor a URL: write ||example.com"],
  ["example.com:443", "1:1", "a rule has no port"],
  ["two words", "1:1", "a rule has no spaces"],
  ["bücher.example", "1:1", "write ||xn--bcher-kva.example"],
  ["^b(ü|u)cher$", "1:1", "xn--"],
  ["x".repeat(5000), "1:1", "at most 4096 characters"],
];

for (const [text, place, message] of BAD) {
  const name = text.slice(0, 40).replaceAll("\n", "⏎");
  Deno.test(`parseAcl() tells what is wrong with ${name}`, () => {
    const problems = problemsOf(text);
    assertEquals(problems.length, 1, JSON.stringify(problems));
    const [problem] = problems;
    assertEquals(`${problem?.line}:${problem?.column}`, place);
    assert(problem?.message.includes(message), problem?.message);
  });
}

Deno.test("parseAcl() tells of every wrong line, and stops after 20", () => {
  const text = "[bypass_list]\n(a\n||ok.example\n[b]\n10.0.0.0/99\r\n|\n";
  assertEquals(problemsOf(text).map(({ line }) => line), [2, 4, 5, 6]);
  assertEquals(problemsOf("(a\n".repeat(100)).length, 20);
});

Deno.test("parseAcl() takes what is no problem", () => {
  const good = [
    "",
    "\n\n",
    "# only a comment",
    "\ufeff[bypass_all]\r\n[proxy_list]\r\n||example.com\r\n",
    "[proxy_all] # a comment\n[bypass_list]\t# and one\n1.2.3.4 # one more",
    "||example.com",
    "10.0.0.0/8\n[bypass_all]\n[proxy_list]\n1.1.1.1",
    "[bypass_all]\n[proxy_all]\n1.2.3.4",
    "[accept_all]\n1.2.3.4",
    "[outbound_allow_all]\n[outbound_block_list]\n::ffff:127.0.0.1/104",
    "[black_list]\n[a-z]+[0-9]\n58\\.com",
    "[bypass_list]",
    `# ${"x".repeat(10_000)}`,
    "||bücher.example\n|☃-⌘.com\n(^|\\.)faß\\.de$",
  ];
  for (const text of good) assertEquals(problemsOf(text), [], text);
});

Deno.test("parseAcl() keeps the path and the defaults", () => {
  const usual = aclOf("");
  assertEquals(usual.path, "test.acl");
  assertEquals([usual.bypassAll, usual.outboundBlockAll], [false, false]);
  const other = aclOf("[reject_all]\n[outbound_block_all]");
  assertEquals([other.bypassAll, other.outboundBlockAll], [true, true]);
  const last = aclOf(
    "[bypass_all]\n[accept_all]\n[outbound_block_all]\n[outbound_allow_all]",
  );
  assertEquals([last.bypassAll, last.outboundBlockAll], [false, false]);
});

/** A text, and what a server is told of it. */
const CLIENT_NAMES: readonly (readonly [string, string | undefined])[] = [
  ["", undefined],
  ["[black_list]\n10.0.0.0/8\n[white_list]\n::1", undefined],
  ["[outbound_block_list]\n||a.example\n[outbound_allow_list]\nb", undefined],
  [
    "# x\n[black_list]\n10.0.0.0/8\n  ||a.example",
    "4:3: 1 rule for names in [black_list] has",
  ],
  ["||a.example\n[a-z]+", "1:1: 2 rules for names in [black_list] have"],
  [
    `[white_list]\n${"||a.example\n".repeat(999)}[bypass_list]\nb`,
    "2:1: 1000 rules for names in [white_list] and [black_list] have",
  ],
];

for (const [text, expected] of CLIENT_NAMES) {
  const name = text.slice(0, 40).replaceAll("\n", "⏎");
  Deno.test(`parseAcl() sees rules that a server has no use for in "${name}"`, () => {
    const remark = aclOf(text).clientNames;
    const { line, column, message } = remark ?? {};
    assertEquals(
      remark && `${line}:${column}: ${message}`,
      expected && `${expected} no effect on a server: clients are known by ` +
          "their addresses",
    );
  });
}

/** Expressions that say no more than a name does: the rule that they become. */
const FORMS: readonly (readonly [string, string, string])[] = [
  ["(^|\\.)example\\.com$", "example.com", "||example.com"],
  ["(?:^|\\.)example\\.com$", "a.example.com", "||example.com"],
  ["(\\.|^)example\\.com$", "a.example.com", "||example.com"],
  ["^(.*\\.)?example\\.com$", "example.com", "||example.com"],
  ["^(?:.+\\.)?exa\\-mple\\.com$", "a.exa-mple.com", "||exa-mple.com"],
  ["^example\\.com$", "example.com", "|example.com"],
  ["^Example\\.COM$", "example.com", "|example.com"],
  ["\\.cn$", "www.cn", "\\.cn$"],
  [".*\\.example\\.com$", "a.example.com", "\\.example\\.com$"],
  ["^.*\\.example\\.com$", "a.example.com", "\\.example\\.com$"],
  ["^.+\\.example\\.com$", "a.example.com", "\\.example\\.com$"],
  // These say more, and stay what they are.
  ["(^|\\.)example.com$", "a.example.com", "(^|\\.)example.com$"],
  ["(^|\\.)example\\.com", "example.com.hk", "(^|\\.)example\\.com"],
  ["^example\\.com", "example.com.hk", "^example\\.com"],
  ["example\\.com$", "notexample.com", "example\\.com$"],
  ["example", "www.example.com", "example"],
];

for (const [text, host, rule] of FORMS) {
  Deno.test(`parseAcl() sees what ${text} says`, () => {
    assertEquals(aclOf(text).routeOfName(host), { list: "black", rule });
  });
}
