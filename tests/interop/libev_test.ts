/**
 * Both our roles against shadowsocks-libev in the other role.
 *
 * @module
 */

import {
  echoDatagrams,
  echoFile,
  echoPieces,
  seededBytes,
  spawnRole,
} from "../support/mod.ts";
import { startPeerLocal, startPeerServer } from "./_libev.ts";

/** Every method that both sides know. */
const METHODS: readonly string[] = [
  "aes-128-gcm",
  "aes-192-gcm",
  "aes-256-gcm",
  "chacha20-ietf-poly1305",
  "xchacha20-ietf-poly1305",
];

const PASSWORD = "correct horse battery staple";
const FILE = 4 * 1024 * 1024;
/** Around the sizes of chunks, buffers and segments. */
const EDGES = [1, 2, 15, 16, 17, 1459, 1460, 16_383, 16_384, 32_768];
const DATAGRAMS = [1, 2, 100, 512, 1200, 1392, 2000];

for (const method of METHODS) {
  Deno.test(`sslocal relays when ss-server speaks ${method}`, async () => {
    await using server = await startPeerServer({ method, password: PASSWORD });
    await using local = await spawnRole("sslocal", {
      config: {
        server: "127.0.0.1",
        server_port: server.port,
        local_address: "127.0.0.1",
        local_port: 0,
        password: PASSWORD,
        method,
      },
    });
    await exercise(local.port);
  });

  Deno.test(`ssserver relays when ss-local speaks ${method}`, async () => {
    await using server = await spawnRole("ssserver", {
      config: {
        server: "127.0.0.1",
        server_port: 0,
        password: PASSWORD,
        method,
        forbidden_ip: "",
      },
    });
    await using local = await startPeerLocal({
      method,
      password: PASSWORD,
      serverPort: server.port,
    });
    await exercise(local.port);
  });
}

async function exercise(proxyPort: number): Promise<void> {
  await echoPieces(proxyPort, [...EDGES, ...randomSizes(20)]);
  await echoFile(proxyPort, FILE);
  await echoDatagrams(proxyPort, DATAGRAMS);
}

/** Sizes from 1 to 65,536 that are the same in every run. */
function randomSizes(count: number): number[] {
  const bytes = seededBytes(2 * count, count);
  return Array.from(
    { length: count },
    (_, i) => 1 + (bytes[2 * i]! << 8 | bytes[2 * i + 1]!),
  );
}
