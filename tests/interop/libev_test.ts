/**
 * Both our roles against shadowsocks-libev in the other role, with every
 * method that it has.
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

/** One method over one poller of ours. */
interface Row {
  readonly method: string;
  readonly poller: "epoll" | "deno";
}

/** Every method of shadowsocks-libev 3.3.5. */
const METHODS: readonly string[] = [
  "aes-128-gcm",
  "aes-192-gcm",
  "aes-256-gcm",
  "chacha20-ietf-poly1305",
  "xchacha20-ietf-poly1305",
  "rc4",
  "rc4-md5",
  "aes-128-cfb",
  "aes-192-cfb",
  "aes-256-cfb",
  "aes-128-ctr",
  "aes-192-ctr",
  "aes-256-ctr",
  "camellia-128-cfb",
  "camellia-192-cfb",
  "camellia-256-cfb",
  "bf-cfb",
  "salsa20",
  "chacha20",
  "chacha20-ietf",
];

/** Without an IV each packet is a replay to libev, which drops all but one. */
const TCP_ONLY: ReadonlySet<string> = new Set(["rc4"]);

/** The poller of this system for all, the other for one of each kind. */
const ROWS: readonly Row[] = [
  ...METHODS.map((method): Row => ({
    method,
    poller: Deno.build.os === "linux" ? "epoll" : "deno",
  })),
  { method: "aes-256-gcm", poller: "deno" },
  { method: "aes-256-cfb", poller: "deno" },
];

const PASSWORD = "correct horse battery staple";
const FILE = 2 * 1024 * 1024;
/** Around the sizes of chunks, buffers and segments. */
const EDGES = [1, 2, 15, 16, 17, 1459, 1460, 16_383, 16_384, 32_768];
const DATAGRAMS = [1, 2, 100, 512, 1200, 1392, 2000];

for (const { method, poller } of ROWS) {
  Deno.test(`sslocal relays over ${poller} when ss-server speaks ${method}`, async () => {
    await using server = await startPeerServer({ method, password: PASSWORD });
    await using local = await spawnRole("sslocal", {
      config: {
        server: "127.0.0.1",
        server_port: server.port,
        local_address: "127.0.0.1",
        local_port: 0,
        password: PASSWORD,
        method,
        event_loop: poller,
      },
    });
    await exercise(local.port, method);
  });

  Deno.test(`ssserver relays over ${poller} when ss-local speaks ${method}`, async () => {
    await using server = await spawnRole("ssserver", {
      config: {
        server: "127.0.0.1",
        server_port: 0,
        password: PASSWORD,
        method,
        forbidden_ip: "",
        event_loop: poller,
      },
    });
    await using local = await startPeerLocal({
      method,
      password: PASSWORD,
      serverPort: server.port,
    });
    await exercise(local.port, method);
  });
}

async function exercise(proxyPort: number, method: string): Promise<void> {
  await echoPieces(proxyPort, [...EDGES, ...randomSizes(20)]);
  await echoFile(proxyPort, FILE);
  if (!TCP_ONLY.has(method)) await echoDatagrams(proxyPort, DATAGRAMS);
}

/** Sizes from 1 to 65,536 that are the same in every run. */
function randomSizes(count: number): number[] {
  const bytes = seededBytes(2 * count, count);
  return Array.from(
    { length: count },
    (_, i) => 1 + (bytes[2 * i]! << 8 | bytes[2 * i + 1]!),
  );
}
