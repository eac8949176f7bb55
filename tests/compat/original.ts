/**
 * Both roles against the original, shadowsocks 3.0.0 in Python, in the other
 * role: every method, TCP and UDP, and one-time authentication.
 *
 * Usage: `deno run -A --unstable-net tests/compat/original.ts FOLDER [--only
 * METHOD,…] [OPTION…]`. FOLDER holds a checkout of the original; the options
 * are given to it, such as `--libopenssl=/usr/lib/…/libcrypto.so.3`, which it
 * needs where it does not find its libraries. Python must be on PATH as
 * `python3`. With `SS_EXECUTABLE` the executable is checked instead of the
 * source. Prints a table; exits 1 if anything in it is not ok.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a script talks to its terminal

import { methodNames } from "../../crypto/methods.ts";
import {
  ChildProgram,
  type ConfigValues,
  echoDatagrams,
  echoFile,
  echoPieces,
  freePort,
  isListening,
  PASSWORD,
  spawnRole,
  TempFolder,
} from "../support/mod.ts";

/** One line of the table. */
interface Row {
  readonly method: string;
  readonly oneTimeAuth: boolean;
}

/** Where the original is, and what it is told besides the configuration. */
interface Original {
  readonly folder: string;
  readonly options: readonly string[];
}

/** Milliseconds until the original listens. */
const START = 10_000;
const FILE = 512 * 1024;
const PIECES = [1, 2, 15, 16, 17, 1459, 1460, 8191, 16_383, 16_384, 32_768];
const DATAGRAMS = [1, 2, 100, 512, 1200, 1392, 2000, 8192];

/** The original sends and expects packets of these without their tags. */
const TCP_ONLY: ReadonlySet<string> = new Set(
  ["128", "192", "256"].map((bits) => `mbedtls:aes-${bits}-gcm`),
);

/** Methods that are tried with one-time authentication too. */
const ONE_TIME_AUTH = [
  "aes-256-cfb",
  "rc4-md5",
  "chacha20",
  "aes-256-gcm",
  "chacha20-ietf-poly1305",
];

/** Starts a module of the original with the name that Python 3.10 removed. */
const LAUNCHER = [
  "import collections, collections.abc, runpy, sys",
  "collections.MutableMapping = collections.abc.MutableMapping",
  "sys.argv = sys.argv[1:]",
  "runpy.run_path(sys.argv[0], run_name='__main__')",
].join("\n");

async function startOriginal(
  original: Original,
  options: {
    readonly module: "local" | "server";
    readonly port: number;
    readonly config: ConfigValues;
    readonly folder: TempFolder;
  },
): Promise<ChildProgram> {
  const file = options.folder.file(`${options.module}.json`);
  await Deno.writeTextFile(file, JSON.stringify(options.config));
  const program = new ChildProgram("python3", {
    args: [
      "-c",
      LAUNCHER,
      `${original.folder}/shadowsocks/${options.module}.py`,
      ...["-c", file],
      ...options.module === "server" ? ["--forbidden-ip="] : [],
      ...original.options,
    ],
    cwd: options.folder.path,
    env: { PYTHONPATH: original.folder },
  });
  let hasEnded = false;
  program.ended.then(() => hasEnded = true);
  const deadline = performance.now() + START;
  while (!await isListening(options.port)) {
    if (hasEnded || performance.now() > deadline) {
      await program[Symbol.asyncDispose]();
      throw new Error(`the original says: ${program.lines.at(-1)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return program;
}

function agreed({ method, oneTimeAuth }: Row): ConfigValues {
  return { password: PASSWORD, method, one_time_auth: oneTimeAuth };
}

async function ourLocal(original: Original, row: Row): Promise<string> {
  await using folder = new TempFolder();
  const port = freePort();
  await using _server = await startOriginal(original, {
    module: "server",
    port,
    folder,
    config: { server: "127.0.0.1", server_port: port, ...agreed(row) },
  });
  await using local = await spawnRole("sslocal", {
    config: {
      server: "127.0.0.1",
      server_port: port,
      local_address: "127.0.0.1",
      local_port: 0,
      ...agreed(row),
    },
  });
  return await exercise(local.port, row);
}

async function ourServer(original: Original, row: Row): Promise<string> {
  await using folder = new TempFolder();
  await using server = await spawnRole("ssserver", {
    config: {
      server: "127.0.0.1",
      server_port: 0,
      forbidden_ip: "",
      ...agreed(row),
    },
  });
  const port = freePort();
  await using _local = await startOriginal(original, {
    module: "local",
    port,
    folder,
    config: {
      server: "127.0.0.1",
      server_port: server.port,
      local_address: "127.0.0.1",
      local_port: port,
      ...agreed(row),
    },
  });
  return await exercise(port, row);
}

/** Says for TCP and UDP whether everything came back. */
async function exercise(proxyPort: number, row: Row): Promise<string> {
  const tcp = await verdict(async () => {
    await echoPieces(proxyPort, PIECES);
    await echoFile(proxyPort, FILE);
  });
  if (TCP_ONLY.has(row.method)) return tcp;
  const udp = await verdict(() => echoDatagrams(proxyPort, DATAGRAMS));
  return tcp === "ok" && udp === "ok" ? "ok" : `TCP ${tcp}, UDP ${udp}`;
}

async function verdict(work: () => Promise<unknown>): Promise<string> {
  try {
    const result = await work();
    return typeof result === "string" ? result : "ok";
  } catch (error) {
    return String(error).split("\n", 1)[0]!;
  }
}

async function main(args: readonly string[]): Promise<number> {
  const [folder, ...rest] = args;
  if (folder === undefined) {
    console.error("Cannot compare: the folder of the original is not named");
    return 2;
  }
  const at = rest.indexOf("--only");
  const only = at < 0 ? undefined : rest[at + 1]?.split(",") ?? [];
  const original = {
    folder: await Deno.realPath(folder),
    options: at < 0 ? rest : rest.toSpliced(at, 2),
  };
  const rows: Row[] = [
    ...methodNames().map((method) => ({ method, oneTimeAuth: false })),
    ...ONE_TIME_AUTH.map((method) => ({ method, oneTimeAuth: true })),
  ].filter(({ method }) => only === undefined || only.includes(method));
  let failed = 0;
  console.log("| method | our local, its server | its local, our server |");
  console.log("| --- | --- | --- |");
  for (const row of rows) {
    const results = [
      await verdict(() => ourLocal(original, row)),
      await verdict(() => ourServer(original, row)),
    ];
    failed += results.filter((result) => result !== "ok").length;
    const name = row.oneTimeAuth ? `${row.method} with -a` : row.method;
    console.log(`| ${name} | ${results.join(" | ")} |`);
  }
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
