/**
 * Tests of finding the end of a head.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  HEAD_INCOMPLETE,
  HEAD_TOO_LONG,
  HeadBuffer,
  MAX_HEAD_SIZE,
} from "./head_buffer.ts";
import { bytesOf, stringOf } from "../tests/support/bytes.ts";

function found(head: HeadBuffer): string {
  return stringOf(head.bytes.subarray(head.start, head.end));
}

Deno.test("HeadBuffer.find() finds the same head when it comes in pieces", () => {
  const head = "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n";
  for (const before of ["", "\r\n", "\r\n\r\n\r\n"]) {
    const text = `${before}${head}body`;
    const bytes = bytesOf(text);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const buffer = new HeadBuffer();
      const first = buffer.find(bytes.slice(0, cut), 0, cut);
      const end = before.length + head.length;
      if (cut >= end) {
        assertEquals(first, end);
      } else {
        assertEquals(first, HEAD_INCOMPLETE);
        assertEquals(buffer.find(bytes, cut, bytes.length), end);
      }
      assertEquals(found(buffer), head);
      buffer.clear();
      assertEquals(buffer.isEmpty, true);
    }
  }
});

Deno.test("HeadBuffer.find() gives the same answer again until clear()", () => {
  const buffer = new HeadBuffer();
  assertEquals(buffer.find(bytesOf("A: b\r"), 0, 5), HEAD_INCOMPLETE);
  const rest = bytesOf("\nC: d\r\n\r\nmore");
  for (let i = 0; i < 2; i++) {
    assertEquals(buffer.find(rest, 0, rest.length), 9);
    assertEquals(found(buffer), "A: b\r\nC: d\r\n\r\n");
  }
});

Deno.test("HeadBuffer.find() ends a head whose lines end in LF alone", () => {
  const buffer = new HeadBuffer();
  const bytes = bytesOf("A: b\n\nrest");
  assertEquals(buffer.find(bytes, 0, bytes.length), 6);
});

Deno.test("HeadBuffer.find() takes 64 KiB and no more, however they come", () => {
  const fits = bytesOf(`A:${"b".repeat(MAX_HEAD_SIZE - 6)}\r\n\r\n`);
  const tooLong = bytesOf(`A:${"b".repeat(MAX_HEAD_SIZE - 5)}\r\n\r\n`);
  for (const step of [1, 7, 4096, 70_000]) {
    for (const bytes of [fits, tooLong]) {
      const buffer = new HeadBuffer();
      let result: number = HEAD_INCOMPLETE;
      for (let at = 0; at < bytes.length; at += step) {
        const end = Math.min(at + step, bytes.length);
        result = buffer.find(bytes, at, end);
        if (result !== HEAD_INCOMPLETE) break;
      }
      assertEquals(result, bytes === fits ? MAX_HEAD_SIZE : HEAD_TOO_LONG);
    }
  }
});
