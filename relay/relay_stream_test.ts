/**
 * Tests of one direction of a connection.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { MIN_READ_SIZE, STREAM_BUF_SIZE, STREAM_UP } from "./constants.ts";
import { RelayStream } from "./relay_stream.ts";

Deno.test("RelayStream.adaptReadSize() doubles up to the limit while reads are full", () => {
  const stream = new RelayStream(STREAM_UP);
  const sizes: number[] = [];
  for (let i = 0; i < 6; i++) {
    sizes.push(stream.readSize / MIN_READ_SIZE);
    stream.adaptReadSize(stream.readSize, STREAM_BUF_SIZE);
  }
  assertEquals(sizes, [1, 2, 4, 8, 8, 8]);
  stream.adaptReadSize(stream.readSize - 1, STREAM_BUF_SIZE);
  assertEquals(stream.readSize, STREAM_BUF_SIZE);
});

Deno.test("RelayStream.adaptReadSize() starts anew when the sink is slow", () => {
  const stream = new RelayStream(STREAM_UP);
  while (stream.readSize < STREAM_BUF_SIZE) {
    stream.adaptReadSize(stream.readSize, STREAM_BUF_SIZE);
  }
  stream.hold(new Uint8Array(1));
  stream.adaptReadSize(stream.readSize, STREAM_BUF_SIZE);
  assertEquals(stream.readSize, MIN_READ_SIZE);
  stream.adaptReadSize(stream.readSize, STREAM_BUF_SIZE);
  assertEquals(stream.readSize, MIN_READ_SIZE);
});
