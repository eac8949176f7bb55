/**
 * Tests of listeners for both IP versions.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { ServerConfig } from "../config/mod.ts";
import { testConfig } from "./_config_fixture.ts";
import { planFamilies } from "./families.ts";

/** A listener as `host mode port`, the last two if they are not the usual. */
function rowOf(text: string): ServerConfig {
  const [host = "", mode = "tcp_and_udp", port = "8388"] = text.split(" ");
  const servers = [{ name: text, host, port: Number(port), mode }] as never;
  return testConfig("ssserver", { servers }).servers[0]!;
}

function plan(hosts: readonly string[], splits: boolean): string[] {
  return planFamilies(hosts.map(rowOf), splits)
    .map(({ row, ipv6Only }) => `${row.host}${ipv6Only ? " alone" : ""}`);
}

Deno.test("planFamilies() has :: leave IPv4 to others of its port", () => {
  for (
    const [hosts, split, both] of [
      [["0.0.0.0", "::"], ["0.0.0.0", ":: alone"], ["::"]],
      [["::0", "0.0.0.0"], ["::0 alone", "0.0.0.0"], ["::0"]],
      [["::", "127.0.0.1"], [":: alone", "127.0.0.1"], undefined],
      [["localhost", "::"], ["localhost", ":: alone"], undefined],
      [["::"], ["::"], ["::"]],
      [["::", "::1"], ["::", "::1"], undefined],
      [["0.0.0.0", "2001:db8::1"], undefined, undefined],
      [["0.0.0.0 tcp_only", ":: udp_only"], ["0.0.0.0", "::"], undefined],
      [["0.0.0.0 tcp_only", "::"], ["0.0.0.0", ":: alone"], undefined],
      [["0.0.0.0 tcp_and_udp 1", ":: tcp_and_udp 2"], undefined, undefined],
    ] as const
  ) {
    const asGiven = hosts.map((host) => host.split(" ")[0]!);
    assertEquals(plan(hosts, true), [...split ?? asGiven]);
    assertEquals(plan(hosts, false), [...both ?? split ?? asGiven]);
  }
});

Deno.test("planFamilies() keeps both when they differ and cannot be split", () => {
  const [v4, v6] = ["0.0.0.0", "::"].map(rowOf);
  const rows = [v4!, { ...v6!, password: "another" }];
  assertEquals(planFamilies(rows, false).map(({ row }) => row), rows);
});
