/**
 * Runs the demo.
 *
 * Server and local share one loop and one thread with the application and the
 * target, so the speed it prints is that of four programs on one core.
 *
 * @module
 */

import * as cli from "@std/cli/parse-args";
import {
  type Config,
  type ConfigSource,
  readConfig,
  type Role,
} from "../config/mod.ts";
import { formatToml, ssUrl } from "../config/format.ts";
import { openProviders } from "../crypto/mod.ts";
import { makeResolver } from "../dns/mod.ts";
import { EventLoop, makePoller, SocketAddress } from "../loop/mod.ts";
import { onSignals, Service } from "../process/mod.ts";
import { verifyTcp, verifyUdp } from "./_client.ts";
import { ProgressBar } from "./_progress.ts";
import { DemoTarget } from "./_target.ts";

/** What is used of the library, which comes without types. */
const parseArgs = cli.parseArgs as (args: string[], options: {
  readonly boolean: readonly string[];
  readonly string: readonly string[];
  readonly alias: Readonly<Record<string, string>>;
  readonly unknown: (arg: string) => boolean;
}) => {
  readonly once: boolean;
  readonly help: boolean;
  readonly "event-loop"?: string;
};

/** What {@linkcode runDemo} is given. */
export interface DemoOptions {
  /** What stands after `demo` on the command line. */
  readonly args: readonly string[];
  /** Writes to the terminal. */
  readonly write: (text: string) => void;
  /** Whether a line of the terminal can be drawn over. */
  readonly live: boolean;
  /** The columns of the terminal; absent: there is none. */
  readonly columns?: number | undefined;
}

const USAGE = `usage: shadowsocks demo [--once] [--event-loop epoll|deno]

Starts a server and a local on loopback, moves data through both, verifies
it, and goes on serving until Ctrl-C.

  --once                  end after the check
  --event-loop NAME       epoll or deno; default: the best of this system
  -h, --help              show this text
`;

const LOOPBACK = "127.0.0.1";
const METHOD = "aes-256-gcm";
const SERVER_PORT = 8388;
const LOCAL_PORT = 1080;
const KEY_BYTES = 24;
const TCP_BYTES = 64 * 1024 * 1024;
/** Less for a cipher without a native library, which is far slower. */
const TCP_BYTES_PORTABLE = 8 * 1024 * 1024;
const UDP_SIZES = [1, 64, 512, 1200, 1472, 4096, 9000, 32_000, 65_000];

interface Flags {
  readonly once: boolean;
  readonly help: boolean;
  readonly eventLoop: "epoll" | "deno" | undefined;
}

/**
 * Runs the demo.
 *
 * @param options The command line and the terminal.
 * @returns The exit code: 0 if the data came back as it was sent, 2 for a
 * wrong option.
 * @throws {Error} If it did not, or nothing could be started.
 */
export async function runDemo(options: DemoOptions): Promise<number> {
  const flags = parseFlags(options.args);
  if (typeof flags === "string" || flags.help) {
    options.write(typeof flags === "string" ? `${flags}\n${USAGE}` : USAGE);
    return typeof flags === "string" ? 2 : 0;
  }
  using stack = new DisposableStack();
  const providers = stack.use(await openProviders());
  const poller = stack.use(await makePoller(flags.eventLoop));
  const loop = new EventLoop(poller, { cooperative: true });
  const resolver = stack.use(makeResolver(loop));
  const signals = onSignals({ terminate: () => loop.stop() });
  stack.use(signals);
  const running = loop.run();
  const password = randomKey();
  const start = async (
    role: Role,
    ports: readonly [number, number],
  ): Promise<readonly [Service, Config]> => {
    for (const port of ports) {
      const config = await makeConfig(role, port, password, serverPort);
      const service = new Service(config, { loop, resolver, providers });
      try {
        await service.start();
        stack.defer(() => service.destroy());
        return [service, config];
      } catch (error) {
        if (port === 0) throw error;
      }
    }
    throw new Error("Cannot find a free port");
  };
  let serverPort = SERVER_PORT;
  const [server] = await start("ssserver", [SERVER_PORT, 0]);
  serverPort = server.listening[0]!.port;
  const [local] = await start("sslocal", [LOCAL_PORT, 0]);
  const localPort = local.listening[0]!.port;
  const target = stack.use(new DemoTarget(loop));
  const portable = providers.fallbackReason !== undefined;
  options.write(
    `server 127.0.0.1:${serverPort}, local 127.0.0.1:${localPort}, ` +
      `${server.ciphers.join(", ")}, event loop ${poller.name}\n`,
  );
  if (portable) {
    options.write(
      "portable crypto, slower: OpenSSL 3 or libsodium makes it fast\n",
    );
  }
  const proxy = SocketAddress.parse(LOOPBACK, localPort);
  const echo = SocketAddress.parse(LOOPBACK, target.port);
  const bytes = portable ? TCP_BYTES_PORTABLE : TCP_BYTES;
  const tcp = new ProgressBar("TCP", { ...options, total: bytes });
  await verifyTcp(proxy, echo, {
    bytes,
    onProgress: (done) => tcp.update(done),
  });
  tcp.finish();
  const sizes = [...UDP_SIZES, ...UDP_SIZES, ...UDP_SIZES];
  const udp = new ProgressBar("UDP", {
    ...options,
    total: sizes.reduce((a, b) => a + b),
  });
  await verifyUdp(loop, proxy, {
    target: echo,
    sizes,
    onProgress: (done) => udp.update(done),
  });
  udp.finish();
  options.write("every byte came back as it was sent, both ways\n");
  options.write(howToUse(
    await makeConfig("ssserver", serverPort, password, serverPort),
    await makeConfig("sslocal", localPort, password, serverPort),
    flags.once ? undefined : { localPort, targetPort: target.port },
  ));
  if (flags.once) loop.stop();
  else options.write("Serving until Ctrl-C.\n");
  await running;
  return 0;
}

function parseFlags(args: readonly string[]): Flags | string {
  let unknown: string | undefined;
  const { once, help, "event-loop": name } = parseArgs([...args], {
    boolean: ["once", "help"],
    string: ["event-loop"],
    alias: { h: "help" },
    unknown: (arg) => {
      unknown ??= arg;
      return false;
    },
  });
  if (unknown !== undefined) return `option ${unknown} not recognized`;
  if (name !== undefined && name !== "epoll" && name !== "deno") {
    return `option --event-loop is "${name}": expected epoll or deno`;
  }
  return { once, help, eventLoop: name };
}

/** Goes the way a user goes: through the command line. */
async function makeConfig(
  role: Role,
  port: number,
  password: string,
  serverPort: number,
): Promise<Config> {
  const isLocal = role === "sslocal";
  const result = await readConfig([
    "-s",
    LOOPBACK,
    "-p",
    `${isLocal ? serverPort : port}`,
    "-k",
    password,
    "-m",
    METHOD,
    ...(isLocal
      ? ["-b", LOOPBACK, "-l", `${port}`]
      // The target of the demo is on loopback, which servers refuse.
      : ["--forbidden-ip="]),
  ], { role, source: NO_FILES });
  if (result.kind !== "config") throw new Error(`Cannot configure ${role}`);
  return result.config;
}

const NO_FILES: ConfigSource = {
  readTextFile: (path) => {
    throw new Deno.errors.NotFound(path);
  },
};

function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-").replaceAll("/", "_");
}

function howToUse(
  server: Config,
  local: Config,
  serving: { localPort: number; targetPort: number } | undefined,
): string {
  // Nothing serves after a check.
  const trial = serving === undefined ? "" : `
Try it:
  curl --socks5-hostname 127.0.0.1:${serving.localPort} http://127.0.0.1:${serving.targetPort}/
`;
  return `${trial}
server.toml, for: ssserver --config server.toml
${indent(formatToml(server))}
local.toml, for: sslocal --config local.toml
${indent(formatToml(local))}
As a link, for: sslocal 'ss://…', and for other clients
  ${ssUrl(local)}

`;
}

function indent(text: string): string {
  return text.trimEnd().split("\n").map((line) => `  ${line}\n`).join("");
}
