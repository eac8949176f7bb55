/**
 * A relay that takes an identity header away (SIP023), between a local and a
 * server as processes: the relay has the first key, the server the second, and
 * the user's key is the server's alone.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  accessLines,
  accessLinesOf,
  echoDatagrams,
  echoFile,
  halfCloseByClient,
  halfCloseByTarget,
  seededBytes,
  serverFirst,
  spawnRole,
  toBase64,
} from "../support/mod.ts";

const METHOD = "2022-blake3-aes-256-gcm";
const HERE = {
  ...{ server: "127.0.0.1", server_port: 0, method: METHOD },
  ...{ forbidden_ip: "", access_log: { file: "-", format: "json" } },
} as const;

function key(seed: number): string {
  return toBase64(seededBytes(32, seed));
}

Deno.test("ssserver passes connections on to the server that an identity header names", async () => {
  const [first, second, bob, carol] = [key(1), key(2), key(3), key(4)];
  await using server = await spawnRole("ssserver", {
    config: {
      ...HERE,
      password: second,
      users: [{ name: "bob", password: bob }],
    },
  });
  const behind = { server: "127.0.0.1", server_port: server.port };
  await using relay = await spawnRole("ssserver", {
    config: {
      ...HERE,
      password: first,
      users: [
        { name: "carol", password: carol },
        { name: "behind", password: second, ...behind },
      ],
    },
  });
  for (const password of [`${first}:${second}:${bob}`, `${first}:${carol}`]) {
    await using local = await spawnRole("sslocal", {
      config: {
        ...{ server: "127.0.0.1", server_port: relay.port, mode: "tcp_only" },
        ...{ local_address: "127.0.0.1", local_port: 0 },
        ...{ method: METHOD, password },
      },
    });
    await echoFile(local.port, 2 * 1024 * 1024);
    await halfCloseByClient(local.port);
    await halfCloseByTarget(local.port);
    await serverFirst(local.port);
  }
  const ended = [[relay, "behind"], [relay, "carol"], [server, "bob"]] as const;
  for (const [{ program }, user] of ended) {
    await accessLinesOf(program, { user }, 4);
  }
});

Deno.test("ssserver passes datagrams on to the server that an identity header names", async () => {
  const [first, second, bob] = [key(1), key(2), key(3)];
  await using server = await spawnRole("ssserver", {
    config: {
      ...HERE,
      password: second,
      users: [{ name: "bob", password: bob }],
    },
  });
  const behind = { server: "127.0.0.1", server_port: server.port };
  await using relay = await spawnRole("ssserver", {
    config: {
      ...HERE,
      password: first,
      users: [{ name: "behind", password: second, ...behind }],
    },
  });
  await using local = await spawnRole("sslocal", {
    config: {
      ...{ server: "127.0.0.1", server_port: relay.port },
      ...{ local_address: "127.0.0.1", local_port: 0 },
      ...{ method: METHOD, password: `${first}:${second}:${bob}` },
    },
  });
  await echoDatagrams(local.port, [1, 100, 1200, 1392, 16_000]);
  // The associations end with their programs.
  for (const [each, user] of [[relay, "behind"], [server, "bob"]] as const) {
    await each.program.stop();
    const lines = accessLines(each.program.output);
    assertEquals(
      lines.map(({ network, user }) => [network, user]),
      [["udp", user]],
    );
  }
});
