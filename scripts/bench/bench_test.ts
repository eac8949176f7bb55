/**
 * The command line, tables and charts of the benchmark.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { drawCharts } from "./chart.ts";
import { type BenchOptions, parseOptions } from "./options.ts";
import { formatMarkdown, formatNumber, formatText } from "./table.ts";
import type { Table } from "./table.ts";

const TABLE: Table = {
  title: "Bulk <up>",
  columns: [
    { name: "rate", unit: "MB/s", better: "higher", chart: true },
    { name: "CPU", unit: "s/GB", better: "lower" },
  ],
  rows: [
    { name: "ours", values: [1234.4, 0.5], ours: true },
    { name: "a|b", values: [617.2, undefined], ours: false },
  ],
};

Deno.test("parseOptions() has defaults, shorter when brief", () => {
  const whole = parseOptions([]) as BenchOptions;
  const brief = parseOptions(["--brief"]) as BenchOptions;
  assertEquals(whole.parts, [
    "crypto",
    "acl",
    "salts",
    "users",
    "loop",
    "relay",
  ]);
  assert(brief.methods.length < whole.methods.length);
  assert(brief.seconds < whole.seconds);
});

Deno.test("parseOptions() takes every option", () => {
  const args = "--brief --report out --methods aes-128-gcm,rc4-md5 " +
    "--only loop,crypto --seconds 0.5";
  assertEquals(parseOptions(args.split(" ")), {
    brief: true,
    report: "out",
    methods: ["aes-128-gcm", "rc4-md5"],
    parts: ["loop", "crypto"],
    seconds: 0.5,
  });
  assertEquals(parseOptions(["-h"]), "help");
});

Deno.test("parseOptions() says what is wrong", () => {
  for (
    const [args, text] of [
      ["--fast", "--fast not recognized"],
      ["--methods=rot13", '"rot13": there is no such method'],
      [
        "--only=disk",
        '"disk": expected crypto, acl, salts, users, loop, relay',
      ],
      ["--seconds=0", '"0": expected more than 0'],
      ["--seconds=x", '"x": expected more than 0'],
      ["--report=", "--report needs a folder"],
    ] as const
  ) {
    const error = parseOptions([args]);
    assert(error instanceof Error, args);
    assert(`${error}`.includes(text), `${error}`);
  }
});

Deno.test("formatNumber() keeps three digits and groups thousands", () => {
  const cases: readonly (readonly [number | undefined, string])[] = [
    [undefined, "–"],
    [NaN, "–"],
    [0, "0"],
    [0.128, "0.13"],
    [12.34, "12.3"],
    [1234.5, "1,235"],
  ];
  for (const [value, text] of cases) assertEquals(formatNumber(value), text);
});

Deno.test("formatText() aligns the columns", () => {
  assertEquals(
    formatText(TABLE),
    "Bulk <up>\n" +
      "        rate, MB/s  CPU, s/GB\n" +
      "  ours       1,234       0.50\n" +
      "  a|b          617          –\n",
  );
});

Deno.test("formatMarkdown() escapes what would end a cell", () => {
  assertMatch(formatMarkdown(TABLE), /^\| a\\\|b \| 617 \| – \|$/m);
});

Deno.test("drawCharts() draws the columns asked for, to one scale", () => {
  const svg = drawCharts([TABLE]);
  const widths = [...svg.matchAll(/<rect class="(\w+)".* width="(\d+)"/g)]
    .map(([, kind, width]) => [kind, Number(width)] as const);
  assertEquals(widths.map(([kind]) => kind), ["ours", "bar"]);
  assertEquals(widths[1]![1], Math.round(widths[0]![1] / 2));
  assertMatch(svg, /Bulk &lt;up&gt;/);
  assertMatch(svg, /prefers-color-scheme: dark/);
});
