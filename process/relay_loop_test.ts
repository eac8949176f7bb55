/**
 * Tests of one loop from its start to its end.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { findMethod, openProviders } from "../crypto/mod.ts";
import { makePoller, SocketError } from "../loop/mod.ts";
import { freePort } from "../tests/support/ports.ts";
import { testConfig } from "./_config_fixture.ts";
import { RelayLoop } from "./relay_loop.ts";

// Libraries stay loaded: now, so that no test is said to leak them.
(await makePoller())[Symbol.dispose]();
await (await openProviders()).forMethod(findMethod("aes-256-gcm")!);

Deno.test("RelayLoop.start() listens nowhere when its end comes first", async () => {
  using relay = await RelayLoop.open(testConfig("sslocal"), {
    announce: false,
  });
  const started = relay.start();
  relay.terminate();
  await started;
  await relay.serve();
  assertEquals(relay.listening, []);
});

Deno.test("RelayLoop.start() serves nobody while other addresses are looked up", async () => {
  const dns = Deno.listenDatagram({
    hostname: "127.0.0.1",
    port: 0,
    transport: "udp",
  });
  const config = testConfig("sslocal");
  const [local] = config.locals;
  const port = freePort();
  const hosts = ["one.test", "two.test", "three.test", "none.test"];
  using relay = await RelayLoop.open({
    ...config,
    dnsServer: [{ host: "127.0.0.1", port: (dns.addr as Deno.NetAddr).port }],
    locals: [
      { ...local!, address: "127.0.0.1", port },
      ...hosts.map((address) => ({ ...local!, address, port: 0 })),
    ],
  }, { announce: false });
  const started = assertRejects(() => relay.start(), SocketError, "none.test");
  let client: Deno.TcpConn | undefined;
  const answering = (async (): Promise<void> => {
    for await (const [query, from] of dns) {
      // Version 5, one method: none (RFC 1928, section 3).
      if (client === undefined) {
        client = await Deno.connect({ hostname: "127.0.0.1", port });
        await client.write(Uint8Array.of(5, 1, 0));
      }
      await dns.send(answerTo(query), from);
    }
  })();
  await started;
  const reply = await client!.read(new Uint8Array(2)).catch(() => null);
  assertEquals(reply, null, "a client was greeted");
  client!.close();
  dns.close();
  await answering;
});

/** 127.0.0.1 for each name but `none.test`, which does not exist (RFC 1035). */
function answerTo(query: Uint8Array): Uint8Array {
  const name = new TextDecoder().decode(query);
  const end = 12 + query.subarray(12).indexOf(0) + 5;
  const answer = new Uint8Array(end + 16);
  answer.set(query.subarray(0, end));
  const isKnown = !name.includes("none");
  // Header: an answer, recursion available, NXDOMAIN is 3; no other records.
  answer.set([0x81, isKnown ? 0x80 : 0x83, 0, 1, 0, 0, 0, 0, 0, 0], 2);
  const isAddress = query[end - 3] === 1;
  if (!isKnown || !isAddress) return answer.subarray(0, end);
  answer[7] = 1;
  // The name of the question, type A, class IN, 60 s, 4 bytes.
  answer.set([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1], end);
  return answer;
}
