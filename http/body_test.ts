/**
 * Tests of following bodies.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { BODY_CHUNKED, BODY_UNTIL_CLOSE, BodyFollower } from "./body.ts";
import { bytesOf, randomOf, stringOf } from "../tests/support/bytes.ts";

interface Followed {
  /** Bytes that belong to the body. */
  readonly count: number;
  readonly isDone: boolean;
  readonly failed: boolean;
  readonly data: string;
}

/** Follows `text` in pieces that end at `cuts`. */
function follow(
  text: string,
  options: { length?: number; isLenient?: boolean; cuts?: number[] } = {},
): Followed {
  const { length = BODY_CHUNKED, isLenient = false, cuts = [] } = options;
  const body = new BodyFollower({ isLenient });
  body.begin(length);
  const bytes = bytesOf(text);
  let at = 0;
  let data = "";
  for (const end of [...cuts, bytes.length]) {
    while (at < end && !body.isDone && !body.failed) {
      const { isAtData } = body;
      const next = body.step(bytes, at, end);
      if (isAtData) data += stringOf(bytes.subarray(at, next));
      at = next;
    }
  }
  return { count: at, isDone: body.isDone, failed: body.failed, data };
}

const CHUNKED: readonly [string, string][] = [
  ["0\r\n\r\n", ""],
  ["5\r\nhello\r\n0\r\n\r\n", "hello"],
  ["1\r\na\r\n00B\r\nbcdefghijkl\r\n000\r\n\r\n", "abcdefghijkl"],
  ["a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789"],
  ['3;x=y;z="a b"\r\n\r\n\0\r\n0;end\r\n\r\n', "\r\n\0"],
  ["1 \t;x\r\na\r\n0\r\n\r\n", "a"],
  ["1\r\na\r\n0\r\nA: b\r\nC:\r\n\r\n", "a"],
];

Deno.test("BodyFollower.follow() finds the end of a chunked body at every cut", () => {
  for (const [text, data] of CHUNKED) {
    for (let cut = 0; cut <= text.length; cut++) {
      const followed = follow(`${text}GET`, { cuts: [cut] });
      assertEquals(
        followed,
        { count: text.length, isDone: true, failed: false, data },
        JSON.stringify(text),
      );
    }
  }
});

Deno.test("BodyFollower.follow() stops at the first wrong byte", () => {
  const cases: [string, number][] = [
    ["\r\n", 0],
    ["x\r\n", 0],
    ["-1\r\n", 0],
    ["+1\r\n", 0],
    [" 1\r\n", 0],
    ["0x1\r\n", 1],
    [";x\r\n", 0],
    ["1\na", 1],
    ["1\r\r\n", 2],
    ["1 \r\na", 2],
    ["1 2\r\n", 2],
    ["1;x\ny", 3],
    ["1;\0\r\n", 2],
    ["1\r\nab", 4],
    ["1\r\na\n", 4],
    ["1\r\na\r0", 5],
    ["00000000000000\r\n", 13],
    ["FFFFFFFFFFFFFF\r\n", 13],
    ["0\r\n A: b\r\n", 3],
    ["0\r\nA: b\r\n c\r\n", 9],
    ["0\r\nA\r\n", 4],
    ["0\r\nA : b\r\n", 4],
    ["0\r\nA: \0\r\n", 6],
    ["0\r\nA: b\n\r\n", 7],
    ["0\r\n\n", 3],
    ["0\r\n\rX", 4],
    [`1;${"x".repeat(5000)}`, 4098],
  ];
  for (const [text, count] of cases) {
    for (let cut = 0; cut <= Math.min(20, text.length); cut++) {
      const followed = follow(text, { cuts: [cut] });
      assert(followed.failed, JSON.stringify(text));
      assertEquals(followed.count, count, JSON.stringify(text));
    }
  }
});

Deno.test("BodyFollower.follow() bounds the trailers", () => {
  const text = `0\r\n${"A: b\r\n".repeat(20_000)}\r\n`;
  assertEquals(follow(text).failed, true);
});

Deno.test("BodyFollower.follow() takes blanks behind a size when lenient", () => {
  const text = "1  \r\na\r\n0 \r\n\r\n";
  assertEquals(follow(text, { isLenient: true }).isDone, true);
  assertEquals(follow(text).failed, true);
});

Deno.test("BodyFollower.follow() counts a body of known length", () => {
  for (const length of [0, 1, 5]) {
    for (let cut = 0; cut <= 6; cut++) {
      const followed = follow("abcdef", { length, cuts: [cut] });
      assertEquals([followed.count, followed.isDone], [length, true]);
    }
  }
  assertEquals(follow("abc", { length: 4 }).isDone, false);
});

Deno.test("BodyFollower.endsCleanly is true for a body until close and a whole one", () => {
  const body = new BodyFollower({ isLenient: true });
  assertEquals(body.endsCleanly, true);
  body.begin(BODY_UNTIL_CLOSE);
  assertEquals(body.follow(bytesOf("abc"), 0, 3), 3);
  assertEquals([body.endsCleanly, body.isDone], [true, false]);
  body.begin(3);
  body.follow(bytesOf("ab"), 0, 2);
  assertEquals(body.endsCleanly, false);
  body.begin(BODY_CHUNKED);
  body.follow(bytesOf("1\r\na\r\n"), 0, 6);
  assertEquals(body.endsCleanly, false);
});

Deno.test("BodyFollower.follow() says the same of mutated bodies however they are cut", () => {
  const random = randomOf(2);
  const alphabet = "\r\n0129aF;: \tx\0";
  for (let round = 0; round < 5000; round++) {
    let text = CHUNKED[random(CHUNKED.length)]![0];
    const at = random(text.length);
    text = text.slice(0, at) + alphabet[random(alphabet.length)] +
      text.slice(at + random(2));
    const cuts = [random(text.length), random(text.length)].sort((a, b) =>
      a - b
    );
    assertEquals(follow(text, { cuts }), follow(text), JSON.stringify(text));
  }
});
