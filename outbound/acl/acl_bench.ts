/**
 * Look-ups in an ACL of 100,000 rules: `deno bench outbound/acl_bench.ts`. The
 * part `acl` of `deno task bench` measures its memory too.
 *
 * @module
 */

import { parseIp } from "../../loop/mod.ts";
import { parseAcl } from "./parser.ts";

const RULES = 100_000;
const TEXT = Array.from(
  { length: RULES },
  (_, i) =>
    i % 2 === 0
      ? `||host-${i}.example`
      : `${1 + i % 200}.${(i >> 8) & 255}.${i & 255}.0/24`,
).join("\n");
const READING = parseAcl(TEXT, "bench.acl");
const ADDRESS = parseIp("203.0.113.9") ?? new Uint8Array(4);

Deno.bench("parse 100,000 rules", { n: 3, warmup: 1 }, () => {
  parseAcl(TEXT, "bench.acl");
});

if ("acl" in READING) {
  const { acl } = READING;
  Deno.bench("look up a name that has a rule", () => {
    acl.routeOfName("www.host-4242.example");
  });
  Deno.bench("look up a name that has none", () => {
    acl.routeOfName("www.some-other-site.example");
  });
  Deno.bench("look up an address", () => {
    acl.routeOfAddress(ADDRESS);
  });
}
