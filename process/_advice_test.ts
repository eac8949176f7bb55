/**
 * Tests of what is said about sockets that cannot be made.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
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

for (const [message, code, advice] of CASES) {
  Deno.test(`withAdvice() keeps the words of ${message}`, () => {
    assertEquals(
      withAdvice(new SocketError(code, message)),
      advice === undefined ? message : `${message}: ${advice}`,
    );
  });
}
