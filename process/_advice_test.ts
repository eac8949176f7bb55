/**
 * Tests of what is said about sockets that cannot be made.
 *
 * @module
 */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { SocketError } from "../loop/mod.ts";
import { withAdvice } from "./_advice.ts";

const CASES: readonly (readonly [
  message: string,
  code: string,
  advice: string | undefined,
])[] = [
  [
    "Cannot listen on 127.0.0.1:8388: EADDRINUSE",
    "EADDRINUSE",
    "another program uses TCP port 8388: stop it or choose another",
  ],
  [
    "Cannot bind UDP socket to [::1]:8388: EADDRINUSE",
    "EADDRINUSE",
    "another program uses UDP port 8388: stop it or choose another",
  ],
  [
    "Cannot listen on 0.0.0.0:81: EACCES",
    "EACCES",
    "ports below 1024 need root or CAP_NET_BIND_SERVICE",
  ],
  ["Cannot listen on 0.0.0.0:8388: EACCES", "EACCES", undefined],
  [
    "Cannot listen on 192.0.2.1:8388: EADDRNOTAVAIL",
    "EADDRNOTAVAIL",
    "this machine does not have that address: choose one of its own",
  ],
  [
    "Cannot bind unix socket to /none/s: ENOENT",
    "ENOENT",
    "its folder does not exist: make it or choose another path",
  ],
  [
    "Cannot make socket for 127.0.0.1:1: EMFILE",
    "EMFILE",
    "too many open files: raise the limit (ulimit -n)",
  ],
  // The other poller has said it already.
  [
    "Cannot bind UDP address 127.0.0.1:1: address in use; stop it (EADDRINUSE)",
    "EADDRINUSE",
    undefined,
  ],
  ['Cannot listen on "h": no such name', "ENOTFOUND", undefined],
];

Deno.test("withAdvice() leaves alone what has its advice", async () => {
  const error = new SocketError(
    "EADDRNOTAVAIL",
    "Cannot listen on 192.0.2.1:1: EADDRNOTAVAIL",
  );
  const once = await withAdvice(error);
  assertEquals(once, await withAdvice(new SocketError(error.code, once)));
});

for (const [message, code, advice] of CASES) {
  Deno.test(`withAdvice() keeps the words of ${message}`, async () => {
    const expected = advice === undefined ? message : `${message}: ${advice}`;
    const text = await withAdvice(new SocketError(code, message));
    assertEquals(text.slice(0, expected.length), expected);
    assertMatch(text.slice(expected.length), /^(; it (is|has) .*)?$/);
  });
}

Deno.test("withAdvice() names the addresses there are when one is not of this machine", async () => {
  const text = await withAdvice(
    new SocketError(
      "EADDRNOTAVAIL",
      "Cannot listen on 192.0.2.1:8388: EADDRNOTAVAIL",
    ),
  );
  assertMatch(text, /choose one of its own; it has .*\b127\.0\.0\.1\b/);
});

if (Deno.build.os === "linux") {
  for (const hostname of ["127.0.0.1", "::1"]) {
    Deno.test(`withAdvice() names the process that has the port (${hostname})`, async () => {
      using tcp = Deno.listen({ hostname, port: 0 });
      const udp = Deno.listenDatagram({ hostname, port: 0, transport: "udp" });
      const sockets = [["listen on", tcp], [
        "bind UDP socket to",
        udp,
      ]] as const;
      try {
        for (const [what, { addr }] of sockets) {
          const { port } = addr as Deno.NetAddr;
          const place = `Cannot ${what} ${hostname}:${port}: EADDRINUSE`;
          assertStringIncludes(
            await withAdvice(new SocketError("EADDRINUSE", place)),
            `, pid ${Deno.pid}`,
          );
        }
      } finally {
        udp.close();
      }
    });
  }
}
