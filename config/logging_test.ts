/**
 * Tests of the lines of the log, and of what keeps them few.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { getLogger, type LogLevel, resetSync } from "@logtape/logtape";
import { FakeClock } from "../loop/fakes.ts";
import { LogLimiter } from "./log_limiter.ts";
import {
  escapeControls,
  formatNotice,
  LOG_CATEGORY,
  setUpLog,
} from "./logging.ts";

/** Logs into a list of writes. */
function logInto(verbose: number, log: () => void): string[] {
  const written: string[] = [];
  setUpLog({ write: (text) => written.push(text) }, { verbose });
  try {
    log();
  } finally {
    resetSync();
  }
  return written;
}

const LOGGER = getLogger(LOG_CATEGORY);

Deno.test("setUpLog() writes time, padded level and message", () => {
  const written = logInto(2, () => {
    LOGGER.info("connecting {host}:{port}", { host: "h", port: 1 });
    LOGGER.trace`x ${1}`;
    LOGGER.debug("d");
    LOGGER.warning("w");
    getLogger([...LOG_CATEGORY, "udp"]).error("e {error}", {
      error: new TypeError("cause"),
    });
  });
  const time = "\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d";
  const lines = [
    "INFO     connecting h:1\n",
    "VERBOSE  x 1\n",
    "DEBUG    d\n",
    "WARNING  w\n",
    "ERROR    e cause\n",
  ];
  assertEquals(written.length, lines.length);
  for (const [i, line] of lines.entries()) {
    assertMatch(written[i]!, new RegExp(`^${time} ${line}`));
  }
});

Deno.test("setUpLog() keeps to the level of verbose", () => {
  const levels: LogLevel[] = ["trace", "debug", "info", "warning", "error"];
  const table = [[3, 5], [2, 5], [1, 4], [0, 3], [-1, 2], [-2, 1], [-3, 1]];
  for (const [verbose, count] of table) {
    const written = logInto(verbose!, () => {
      for (const level of levels) LOGGER[level as "info"]("x");
    });
    assertEquals(written.length, count, `verbose ${verbose}`);
  }
});

Deno.test("setUpLog() writes the stack of an error only when verbose", () => {
  const log = (): void => {
    LOGGER.error("failed: {error}", { error: new Error("a\nERROR forged") });
  };
  const [quiet] = logInto(0, log);
  assertMatch(quiet!, /ERROR {4}failed: a\\nERROR forged\n$/);
  const [verbose] = logInto(1, log);
  const [first, ...frames] = verbose!.trimEnd().split("\n");
  assertEquals(`${first}\n`.slice(19), quiet!.slice(19));
  assertEquals(frames.length > 0, true);
  for (const frame of frames) assertMatch(frame, /^ {2}at /);
});

Deno.test("setUpLog() keeps one record on one line whatever is in it", () => {
  const evil = "a\r\n2026-01-01 00:00:00 ERROR forged\x1b[2J\0\x7f\x85\u2028";
  const [line] = logInto(0, () => LOGGER.info("connecting {evil}", { evil }));
  assertEquals(line!.split("\n").length, 2);
  // deno-lint-ignore no-control-regex
  assertEquals(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028]/.test(line!), false);
  assertEquals(
    line!.slice(29),
    "connecting a\\r\\n2026-01-01 00:00:00 ERROR forged" +
      "\\u{1b}[2J\\u{0}\\u{7f}\\u{85}\\u{2028}\n",
  );
});

Deno.test("escapeControls() escapes what moves or hides text, no more", () => {
  const table = [
    ["plain é 漢 😀 \\n", "plain é 漢 😀 \\n"],
    ["\t", "\\t"],
    ["\u202e\u200b\ufeff", "\\u{202e}\\u{200b}\\u{feff}"],
    ["\ud800x", "\\u{d800}x"],
  ] as const;
  for (const [text, expected] of table) {
    assertEquals(escapeControls(text), expected);
  }
});

Deno.test("formatNotice() has a form for each style", () => {
  const notice = { level: "error", text: "a\nb" } as const;
  const time = new Date(2026, 0, 2, 3, 4, 5).getTime();
  assertEquals(formatNotice({ ...notice, style: "plain" }, time), "a\\nb\n");
  assertEquals(
    formatNotice({ ...notice, style: "early" }, time),
    "ERROR: a\\nb\n",
  );
  assertEquals(
    formatNotice({ ...notice, style: "log" }, time),
    "2026-01-02 03:04:05 ERROR    a\\nb\n",
  );
});

Deno.test("LogLimiter.allow() lets so many of a kind through per second", () => {
  const clock = new FakeClock();
  const lines: string[] = [];
  const limiter = new LogLimiter((line) => lines.push(line), {
    clock,
    perSecond: 2,
  });
  const ask = (kind: string, times: number): number => {
    let allowed = 0;
    for (let i = 0; i < times; i++) allowed += limiter.allow(kind) ? 1 : 0;
    return allowed;
  };
  assertEquals(ask("a", 1000), 2);
  assertEquals(ask("b", 1), 1);
  clock.advance(999);
  assertEquals(ask("a", 10), 0);
  assertEquals(lines, []);
  clock.advance(1);
  assertEquals(ask("a", 3), 2);
  assertEquals(lines, ["… and 1008 more: a"]);
});

Deno.test("LogLimiter.allow() counts as one what comes after so many kinds", () => {
  const clock = new FakeClock();
  const lines: string[] = [];
  const limiter = new LogLimiter((line) => lines.push(line), {
    clock,
    perSecond: 1,
  });
  let allowed = 0;
  for (let i = 0; i < 100_000; i++) allowed += limiter.allow(`${i}`) ? 1 : 0;
  assertEquals(allowed, 512 + 1);
  clock.advance(1000);
  limiter.flush();
  assertEquals(lines, [`… and ${100_000 - allowed} more: other lines`]);
});

Deno.test("LogLimiter.flush() writes counts once, when their second is over", () => {
  const clock = new FakeClock();
  const lines: string[] = [];
  const limiter = new LogLimiter((line) => lines.push(line), { clock });
  for (let i = 0; i < 15; i++) limiter.allow("a");
  limiter.flush();
  assertEquals(lines, []);
  clock.advance(1000);
  limiter.flush();
  limiter.flush();
  assertEquals(lines, ["… and 5 more: a"]);
});

Deno.test("setUpLog() holds back a flood of one kind of error", () => {
  const written = logInto(0, () => {
    for (let i = 0; i < 1000; i++) {
      LOGGER.error("refused {client}", { client: `192.0.2.1:${i}` });
      LOGGER.info("connecting {i}", { i });
    }
    LOGGER.error("another kind");
  });
  const refused = written.filter((line) => line.includes("refused 192"));
  assertEquals(refused.length < 100, true, `${refused.length} lines`);
  assertEquals(written.filter((line) => line.includes("INFO")).length, 1000);
  assertMatch(written.at(-1)!, /another kind/);
});

Deno.test("LogLimiter.allow() lets the first line about each address through while others flood", () => {
  const clock = new FakeClock();
  const lines: string[] = [];
  const limiter = new LogLimiter((line) => lines.push(line), { clock });
  const count = (address: string, times: number): number => {
    let allowed = 0;
    for (let i = 0; i < times; i++) {
      allowed += limiter.allow("a", () => address) ? 1 : 0;
    }
    return allowed;
  };
  // Ten of the second, and one more: only a flood has addresses remembered.
  assertEquals(count("192.0.2.1", 1000), 11);
  for (let i = 2; i < 200; i++) {
    assertEquals(count(`192.0.2.${i}`, 3), 1, `${i}`);
  }
  clock.advance(1000);
  assertEquals(count("192.0.2.1", 20), 10);
  assertEquals(count("192.0.2.2", 1), 0);
  assertEquals(lines, [`… and ${989 + 198 * 2} more: a`]);
});

Deno.test("LogLimiter.allow() counts when too many addresses are new", () => {
  const limiter = new LogLimiter(() => {}, { clock: new FakeClock() });
  let allowed = 0;
  for (let i = 0; i < 100_000; i++) {
    allowed += limiter.allow("a", () => `${i}`) ? 1 : 0;
  }
  assertEquals(allowed, 1010);
});

Deno.test("setUpLog() writes the first line about an address however another floods", () => {
  const written = logInto(0, () => {
    const fail = (ip: string): void =>
      LOGGER.warn("failed to handshake with {ip}: replay", () => ({ ip }));
    for (let i = 0; i < 1000; i++) fail("192.0.2.1");
    for (let i = 0; i < 10; i++) fail("2001:db8::2");
    for (let i = 0; i < 20; i++) {
      LOGGER.error("refused {client}", { client: `[2001:db8::3]:${i}` });
    }
    LOGGER.error("refused {client}", { client: "[2001:db8::4]:1" });
  });
  const count = (part: string): number =>
    written.filter((line) => line.includes(part)).length;
  assertEquals(count("with 192.0.2.1:"), 11);
  assertEquals(count("with 2001:db8::2:"), 1);
  assertEquals(count("[2001:db8::3]"), 11);
  assertEquals(count("[2001:db8::4]"), 1);
});
