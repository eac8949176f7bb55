/**
 * Tests of greeting, request and UDP header: tables, cuts, mutations.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import {
  CMD_CONNECT,
  CMD_UDP_ASSOCIATE,
  greetingReply,
  METHOD_NO_ACCEPTABLE,
  METHOD_NOAUTH,
  parseGreeting,
  parseRequest,
  parseUdpHeader,
  reply,
  REPLY_ADDRESS_TYPE_NOT_SUPPORTED,
  REPLY_COMMAND_NOT_SUPPORTED,
  REPLY_GENERAL_FAILURE,
  REPLY_HOST_UNREACHABLE,
  REPLY_SUCCEEDED,
  udpHeaderLength,
  writeUdpHeader,
} from "./mod.ts";
import { bytesOf, randomOf } from "../tests/support/bytes.ts";

const IPV4_TARGET = bytesOf(1, 1, 2, 3, 4, 0, 80);
const IPV6_TARGET = bytesOf(4, new Uint8Array(16).fill(7), 0, 80);
const NAME_TARGET = bytesOf(3, 11, "example.com", 1, 187);
const TARGETS = [IPV4_TARGET, IPV6_TARGET, NAME_TARGET];

Deno.test("parseGreeting() reads every count of methods, whole and cut", () => {
  for (const count of [0, 1, 2, 3, 127, 254, 255]) {
    const methods = Uint8Array.from({ length: count }, (_, i) => 255 - i);
    const bytes = bytesOf(5, count, methods);
    for (let length = 0; length < bytes.length; length++) {
      assertEquals(
        parseGreeting(bytes.subarray(0, length)).status,
        "need-more",
      );
    }
    for (const pipelined of ["", "\x05", "\x05\x01\x00\x01more"]) {
      assertEquals(parseGreeting(bytesOf(bytes, pipelined)), {
        status: "ok",
        methods,
        offersNoAuth: false,
        length: 2 + count,
      });
    }
  }
});

Deno.test("parseGreeting() finds the method 0 at any place", () => {
  for (const methods of [[0], [2, 0], [0, 2], [1, 2, 0, 3]]) {
    const got = parseGreeting(bytesOf(5, methods.length, ...methods));
    assertEquals(got.status === "ok" && got.offersNoAuth, true);
  }
});

Deno.test("parseGreeting() names the version when it is not 5", () => {
  for (const version of [0, 4, 0x16, "G".charCodeAt(0), 0xff]) {
    for (const rest of [[], [1, 0]]) {
      assertEquals(parseGreeting(bytesOf(version, ...rest)), {
        status: "invalid",
        message: `version ${version}, not 5`,
      });
    }
  }
});

Deno.test("greetingReply() writes the method", () => {
  assertEquals(greetingReply(METHOD_NOAUTH), bytesOf(5, 0));
  assertEquals(greetingReply(METHOD_NO_ACCEPTABLE), bytesOf(5, 255));
});

Deno.test("parseRequest() reads every command and address, whole and cut", () => {
  for (const command of [CMD_CONNECT, CMD_UDP_ASSOCIATE]) {
    for (const target of TARGETS) {
      const bytes = bytesOf(5, command, 0, target);
      for (let length = 0; length < bytes.length; length++) {
        const cut = parseRequest(bytes.subarray(0, length));
        assertEquals(cut.status, "need-more");
      }
      for (const pipelined of ["", "x", "GET / HTTP/1.1\r\n"]) {
        const got = parseRequest(bytesOf(bytes, pipelined));
        if (got.status !== "ok") throw new Error(got.status);
        assertEquals(got.command, command);
        assertEquals(got.length, bytes.length);
        assertEquals(got.address.hostOffset, target[0] === 3 ? 5 : 4);
        assertEquals(
          got.address.domain,
          target === NAME_TARGET ? "example.com" : "",
        );
      }
    }
  }
});

Deno.test("parseRequest() refuses with the code of RFC 1928", () => {
  const rows = [
    { sent: bytesOf(4), code: REPLY_GENERAL_FAILURE },
    { sent: bytesOf(0), code: REPLY_GENERAL_FAILURE },
    { sent: bytesOf(5, 2, 0, IPV4_TARGET), code: REPLY_COMMAND_NOT_SUPPORTED },
    { sent: bytesOf(5, 0, 0, NAME_TARGET), code: REPLY_COMMAND_NOT_SUPPORTED },
    { sent: bytesOf(5, 9, 0, 2), code: REPLY_COMMAND_NOT_SUPPORTED },
    { sent: bytesOf(5, 1, 0, 2), code: REPLY_ADDRESS_TYPE_NOT_SUPPORTED },
    { sent: bytesOf(5, 1, 0, 0x11), code: REPLY_ADDRESS_TYPE_NOT_SUPPORTED },
    { sent: bytesOf(5, 1, 0, 0x13), code: REPLY_ADDRESS_TYPE_NOT_SUPPORTED },
    { sent: bytesOf(5, 1, 0, 3, 0), code: REPLY_GENERAL_FAILURE },
    {
      sent: bytesOf(5, 1, 0, 3, 3, "a\nb", 0, 80),
      code: REPLY_GENERAL_FAILURE,
    },
  ];
  for (const { sent, code } of rows) {
    const got = parseRequest(sent);
    assertEquals(got.status === "invalid" && got.reply, code, `${sent}`);
  }
});

Deno.test("parseRequest() waits for the whole request before refusing a command", () => {
  const bytes = bytesOf(5, 2, 0, NAME_TARGET);
  for (let length = 0; length < bytes.length; length++) {
    assertEquals(parseRequest(bytes.subarray(0, length)).status, "need-more");
  }
});

Deno.test("parseGreeting() and parseRequest() find both messages in any segments", () => {
  const random = randomOf(7);
  for (let round = 0; round < 2_000; round++) {
    const target = TARGETS[random(3)]!;
    const greeting = bytesOf(5, 2, 0, 2);
    const stream = bytesOf(greeting, 5, 1, 0, target, "payload");
    let received = new Uint8Array(0);
    let consumed = 0;
    let stage = 0;
    for (let at = 0; at < stream.length;) {
      const next = Math.min(stream.length, at + 1 + random(12));
      received = Uint8Array.from(stream.subarray(0, next));
      at = next;
      if (stage === 0) {
        const got = parseGreeting(received);
        if (got.status === "ok") {
          consumed = got.length;
          stage = 1;
        }
      }
      if (stage === 1) {
        const got = parseRequest(received.subarray(consumed));
        if (got.status === "ok") {
          consumed += got.length;
          stage = 2;
        }
      }
    }
    assertEquals(stage, 2);
    assertEquals(received.subarray(consumed), bytesOf("payload"));
  }
});

Deno.test("reply() writes the bound address", () => {
  assertEquals(
    reply(REPLY_SUCCEEDED, bytesOf(127, 0, 0, 1), 1080),
    bytesOf(5, 0, 0, 1, 127, 0, 0, 1, 4, 56),
  );
  const ipv6 = new Uint8Array(16).fill(3);
  assertEquals(
    reply(REPLY_SUCCEEDED, ipv6, 1),
    bytesOf(5, 0, 0, 4, ipv6, 0, 1),
  );
  assertEquals(
    reply(REPLY_HOST_UNREACHABLE),
    bytesOf(5, 4, 0, 1, 0, 0, 0, 0, 0, 0),
  );
  assertThrows(() => reply(0, new Uint8Array(3), 1), RangeError);
});

Deno.test("parseUdpHeader() reads a header and drops every prefix of it", () => {
  for (const target of TARGETS) {
    const bytes = bytesOf(0, 0, 0, target);
    for (let length = 0; length < bytes.length; length++) {
      assertEquals(parseUdpHeader(bytes.subarray(0, length)), {
        status: "drop",
        reason: "too-short",
      });
      assertEquals(parseUdpHeader(bytes, length).status, "drop");
      const shifted = bytesOf(9, 9, bytes);
      assertEquals(parseUdpHeader(shifted, 2 + length, 2).status, "drop");
    }
    for (const data of ["", "x", "y".repeat(1500)]) {
      const got = parseUdpHeader(bytesOf(bytes, data));
      assertEquals(got.status === "ok" && got.length, bytes.length);
      assertEquals(
        got.status === "ok" && got.address.hostOffset,
        target[0] === 3 ? 5 : 4,
      );
      const shifted = bytesOf(9, 9, bytes, data);
      const again = parseUdpHeader(shifted, shifted.length, 2);
      assertEquals(again.status === "ok" && again.length, bytes.length);
      assertEquals(
        again.status === "ok" && again.address.hostOffset,
        target[0] === 3 ? 7 : 6,
      );
    }
  }
});

Deno.test("parseUdpHeader() drops fragments and addresses that are refused", () => {
  for (let frag = 1; frag < 256; frag++) {
    assertEquals(parseUdpHeader(bytesOf(0, 0, frag, IPV4_TARGET)), {
      status: "drop",
      reason: "fragment",
    });
  }
  for (const address of [bytesOf(2, 1, 1), bytesOf(3, 0, 0, 0)]) {
    assertEquals(parseUdpHeader(bytesOf(0, 0, 0, address)), {
      status: "drop",
      reason: "address",
    });
  }
  const odd = parseUdpHeader(bytesOf(1, 2, 0, IPV4_TARGET));
  assertEquals(odd.status, "ok", "RSV is not looked at");
});

Deno.test("writeUdpHeader() writes what parseUdpHeader() reads", () => {
  const out = new Uint8Array(40).fill(0xee);
  const address = { domain: "example.com", port: 443 };
  const length = writeUdpHeader(out, 2, address);
  assertEquals(length, udpHeaderLength(address));
  assertEquals(out.subarray(2, 2 + length), bytesOf(0, 0, 0, NAME_TARGET));
  assertEquals(parseUdpHeader(out.subarray(2)).status, "ok");
});

Deno.test("every parser survives 100,000 mutations and never reads past the end", () => {
  const random = randomOf(99);
  const seeds = [
    bytesOf(5, 3, 0, 1, 2),
    ...TARGETS.map((target) => bytesOf(5, 1, 0, target)),
    ...TARGETS.map((target) => bytesOf(0, 0, 0, target, "data")),
  ];
  for (let round = 0; round < 100_000; round++) {
    const bytes = seeds[random(seeds.length)]!.slice();
    for (let flips = random(4); flips >= 0; flips--) {
      bytes[random(bytes.length)] = random(256);
    }
    const cut = bytes.subarray(0, random(bytes.length + 1));
    for (
      const got of [
        parseGreeting(cut),
        parseRequest(cut),
        parseUdpHeader(cut),
      ]
    ) {
      if (got.status === "ok" && got.length > cut.length) {
        throw new Error(`read past the end: ${cut}`);
      }
    }
  }
});
