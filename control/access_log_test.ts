/**
 * Tests of the lines of the access log.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { SocketAddress } from "../loop/mod.ts";
import {
  type Session,
  Sessions,
  type Status,
  STREAM_DOWN,
  STREAM_UP,
  Target,
} from "../relay/mod.ts";
import { AccessLog, type AccessLogFormat } from "./access_log.ts";

/** 2026-01-31T12:00:00.250Z in milliseconds. */
const NOW = Date.UTC(2026, 0, 31, 12, 0, 0, 250);
const LISTENER = { protocol: "mixed", port: 1080 };

/** An access log, and the lines that it has written. */
class LogFixture {
  readonly lines: string[] = [];
  readonly #sessions: Sessions;

  constructor(format: AccessLogFormat) {
    this.#sessions = new Sessions([
      new AccessLog({
        format,
        write: (line) => this.lines.push(line),
        now: () => NOW,
      }),
    ]);
  }

  /** Begins a session of a client that sends 20 bytes. */
  open(network: Session["network"] = "tcp"): Session {
    const client = SocketAddress.parse("127.0.0.1", 4000);
    const session = this.#sessions.open(
      { listener: LISTENER, network, client },
      5000,
    );
    session.moved(STREAM_UP, 0, 20);
    return session;
  }

  /** The only line, without its end. */
  get line(): string {
    assertEquals(this.lines.length, 1);
    const [line = ""] = this.lines;
    assertMatch(line, /^[\x20-\x7e]*\n$/);
    return line.slice(0, -1);
  }
}

/** A session with a value in every field. */
function whole(fixture: LogFixture): void {
  const session = fixture.open();
  session.user = "alice";
  session.target = Target.of("example.com", 443);
  session.outbound = "tokyo";
  session.rule = "||example.com";
  session.moved(STREAM_UP, 517, 600);
  session.moved(STREAM_DOWN, 4000, 4100);
  session.moved(STREAM_DOWN, 96, 120);
  session.end("target_reset", 5120.4);
}

Deno.test("AccessLog.onEnd() writes every field as text", () => {
  const fixture = new LogFixture("text");
  whole(fixture);
  assertEquals(
    fixture.line,
    "2026-01-31T12:00:00.250Z mixed:1080 tcp alice 127.0.0.1:4000 " +
      "example.com:443 tokyo ||example.com up=517 down=4096 ms=120 " +
      "target_reset",
  );
});

Deno.test("AccessLog.onEnd() writes every field as JSON", () => {
  const fixture = new LogFixture("json");
  whole(fixture);
  const entry = JSON.parse(fixture.line);
  assertEquals(entry, {
    time: "2026-01-31T12:00:00.250Z",
    id: 1,
    listener: "mixed:1080",
    network: "tcp",
    user: "alice",
    client: "127.0.0.1:4000",
    target: "example.com:443",
    rule: "||example.com",
    outbound: "tokyo",
    up: 517,
    down: 4096,
    ms: 120,
    status: "target_reset",
  });
  assertEquals(Object.keys(entry).slice(0, 3), ["time", "id", "listener"]);
});

Deno.test("AccessLog.onEnd() writes a dash for what has no value", () => {
  const fixture = new LogFixture("text");
  fixture.open("udp").end("error", 5000);
  assertEquals(
    fixture.line,
    "2026-01-31T12:00:00.250Z mixed:1080 udp - 127.0.0.1:4000 - - - " +
      "up=0 down=0 ms=0 error",
  );
});

Deno.test("AccessLog.onEnd() writes empty strings for what has no value in JSON", () => {
  const fixture = new LogFixture("json");
  fixture.open().end("error", 5000);
  const { user, target, rule, outbound } = JSON.parse(fixture.line);
  assertEquals([user, target, rule, outbound], ["", "", "", ""]);
});

/** What somebody may put into a name, and how its text is written. */
const HOSTILE: readonly (readonly [string, string])[] = [
  ["a b", '"a b"'],
  ["a\nb", '"a\\nb"'],
  ["a\r\nb", '"a\\r\\nb"'],
  ["a\0\x1b[31mb", '"a\\u0000\\u001b[31mb"'],
  ["a\x7fb", '"a\\u007fb"'],
  // The ends of lines of Unicode.
  ["a\x85b\u2028c\u2029", '"a\\u0085b\\u2028c\\u2029"'],
  ["\u202etxt", '"\\u202etxt"'],
  ["b\u00fccher", '"b\\u00fccher"'],
  ["\u{1f4a3}", '"\\ud83d\\udca3"'],
  ["\ud800", '"\\ud800"'],
  ['a"b', '"a\\"b"'],
  // Would be read as "there is none".
  ["-", '"-"'],
  ["a\\nb", "a\\nb"],
  ["--", "--"],
];

for (const [name, text] of HOSTILE) {
  Deno.test(`AccessLog.onEnd() keeps ${text} in one field of one line`, () => {
    for (const field of ["user", "rule", "outbound"] as const) {
      const fixture = new LogFixture("text");
      const session = fixture.open();
      session[field] = name;
      session.end("ok", 5000);
      const place = { user: 3, outbound: 6, rule: 7 }[field];
      const expected =
        "2026-01-31T12:00:00.250Z mixed:1080 tcp - 127.0.0.1:4000 - - - " +
        "up=0 down=0 ms=0 ok";
      assertEquals(
        fixture.line,
        expected.split(" ").with(place, text).join(" "),
      );
    }
  });

  Deno.test(`AccessLog.onEnd() keeps ${text} in one line of JSON`, () => {
    const fixture = new LogFixture("json");
    const session = fixture.open();
    session.user = session.rule = session.outbound = name;
    session.target = Target.of(name, 1);
    session.end("ok", 5000);
    const { user, rule, outbound, target } = JSON.parse(fixture.line);
    assertEquals([user, rule, outbound], [name, name, name]);
    assertEquals(target, `${name}:1`);
  });
}

Deno.test("AccessLog.onEnd() keeps a hostile target in one field of one line", () => {
  const fixture = new LogFixture("text");
  const session = fixture.open();
  session.target = Target.of("evil\n2026 ok", 80);
  session.end("name_failed", 5000);
  assertMatch(fixture.line, / "evil\\n2026 ok:80" - - up=0 /);
});

Deno.test("AccessLog.onEnd() writes the brackets of IPv6 addresses", () => {
  const fixture = new LogFixture("text");
  const session = fixture.open();
  session.target = Target.of("2001:db8::1", 443);
  session.end("ok", 5000);
  assertMatch(fixture.line, / \[2001:db8::1\]:443 /);
});

Deno.test("AccessLog.onEnd() writes a line without bytes if a rule refused the client alone", () => {
  const statuses: readonly Status[] = [
    "ok",
    "client_reset",
    "timeout",
    "shutdown",
    "blocked",
    "error",
  ];
  for (const status of statuses) {
    const lines: string[] = [];
    const log = new AccessLog({
      format: "text",
      write: (line) => lines.push(line),
    });
    const session = new Sessions([log]).open({
      listener: LISTENER,
      network: "tcp",
      client: SocketAddress.parse("127.0.0.1", 4000),
    }, 0);
    session.end(status, 1);
    assertEquals(lines.length, status === "blocked" ? 1 : 0, status);
  }
});

Deno.test("AccessLog.onEnd() writes one line however often a session is ended", () => {
  const fixture = new LogFixture("text");
  const session = fixture.open();
  session.end("ok", 5000);
  session.end("shutdown", 6000);
  assertMatch(fixture.line, / ok$/);
});

Deno.test("AccessLog reads the clock of the system unless it is given another", () => {
  const lines: string[] = [];
  const log = new AccessLog({
    format: "json",
    write: (line) => lines.push(line),
  });
  const before = Date.now();
  const session = new Sessions([log]).open({
    listener: LISTENER,
    network: "tcp",
    client: SocketAddress.parse("127.0.0.1", 4000),
  }, 0);
  session.moved(STREAM_UP, 1, 1);
  session.end("ok", 1);
  const time = Date.parse(JSON.parse(lines[0]!).time);
  assertEquals(before <= time && time <= Date.now(), true);
});
