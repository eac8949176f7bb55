/**
 * A server and a local as two processes: every poller with every provider
 * carries every kind of traffic unchanged.
 *
 * @module
 */

import {
  echoDatagrams,
  echoFile,
  EXECUTABLE,
  halfCloseByClient,
  halfCloseByTarget,
  hasLibrary,
  type NativeLibraries,
  request,
  seededBytes,
  serverFirst,
  spawnPair,
  toBase64,
} from "../support/mod.ts";

/** One pair to try. */
interface Row {
  readonly poller: "epoll" | "deno";
  readonly provider: "openssl" | "sodium" | "portable";
  readonly libraries: NativeLibraries;
  readonly method: string;
  readonly format: "toml" | "json";
}

const ROWS: readonly Row[] = [
  {
    poller: "epoll",
    provider: "openssl",
    libraries: "all",
    method: "aes-256-gcm",
    format: "toml",
  },
  {
    poller: "deno",
    provider: "openssl",
    libraries: "all",
    method: "chacha20-ietf-poly1305",
    format: "json",
  },
  {
    poller: "epoll",
    provider: "sodium",
    libraries: "all",
    method: "xchacha20-ietf-poly1305",
    format: "json",
  },
  {
    poller: "deno",
    provider: "sodium",
    libraries: "all",
    method: "xchacha20-ietf-poly1305",
    format: "toml",
  },
  {
    poller: "epoll",
    provider: "portable",
    libraries: "no ciphers",
    method: "aes-128-gcm",
    format: "toml",
  },
  {
    poller: "deno",
    provider: "portable",
    libraries: "none",
    method: "aes-192-gcm",
    format: "json",
  },
  {
    poller: "epoll",
    provider: "openssl",
    libraries: "all",
    method: "2022-blake3-aes-256-gcm",
    format: "toml",
  },
  {
    poller: "deno",
    provider: "portable",
    libraries: "none",
    method: "2022-blake3-chacha20-poly1305",
    format: "json",
  },
];
/** Of 32 bytes, for the methods of 2022. */
const KEY = toBase64(seededBytes(32, 1));

const FILE = 8 * 1024 * 1024;
const DATAGRAMS = [1, 2, 100, 1200, 1472, 8192, 30_000, 65_000];

for (const row of ROWS.filter(isPossible)) {
  const { poller, provider, method, format } = row;
  Deno.test(`sslocal and ssserver relay over ${poller} when ${provider} serves ${method} (${format})`, async (t) => {
    await using pair = await spawnPair({
      method,
      format,
      libraries: row.libraries,
      both: {
        event_loop: poller,
        ...method.startsWith("2022-") && { password: KEY },
      },
    });
    for (const side of [pair.server, pair.local]) {
      await side.program.waitFor(new RegExp(provider, "i"));
    }
    const { port } = pair.local;
    await t.step("8 MiB both ways", () => echoFile(port, FILE));
    await t.step(
      "1,000 parallel requests",
      () => request(port, { count: 1000, parallel: 1000 }),
    );
    await t.step(
      "200 sequential requests",
      () => request(port, { count: 200, parallel: 1 }),
    );
    await t.step(
      "datagrams of 1 to 65,000 bytes",
      () => echoDatagrams(port, DATAGRAMS),
    );
    await t.step("half close by the client", () => halfCloseByClient(port));
    await t.step("half close by the target", () => halfCloseByTarget(port));
    await t.step("a target that speaks first", () => serverFirst(port));
  });
}

/** An executable has its permissions built in; others may lack a library. */
function isPossible({ poller, provider, libraries }: Row): boolean {
  if (poller === "epoll" && Deno.build.os !== "linux") return false;
  if (libraries === "none") return EXECUTABLE === undefined;
  return provider === "portable" || hasLibrary(provider);
}
