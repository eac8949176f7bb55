/**
 * shadowsocks-rust as the other side: its programs, its configurations with
 * free ports in them, and targets that tell which way a request has come.
 *
 * @module
 */

import {
  ChildProgram,
  freePort,
  listeningPorts,
  serveDatagrams,
  spawnRole,
  type Target,
  TempFolder,
  withTimeout,
} from "../support/mod.ts";

/** Who made a program. */
export type Maker = "rust" | "ours";

/** A password that the environment of every program has. */
const ENV = { SS_TEST_PASSWORD: "correct horse battery staple" };
/** The configurations of this folder. */
const CONFIGS = new URL("./rust/", import.meta.url);
/** What stands for the folder of a configuration's further files. */
const PLACE = "/etc/shadowsocks-rust/";
/** The keys whose ports are replaced. */
const PORTS = /"((?:server_|local_|forward_)?port)"(\s*:\s*)(\d+)/g;

/**
 * Finds shadowsocks-rust: the `sslocal` that `SS_RUST` names, or one on PATH
 * that says its version as rust's does; its `ssserver` is beside it.
 *
 * @returns The folder of the programs; undefined, and a line that says so: it
 * is not installed.
 */
export function findRust(): string | undefined {
  const named = Deno.env.get("SS_RUST");
  const files = named !== undefined
    ? [named]
    : (Deno.env.get("PATH") ?? "").split(":").map((dir) => `${dir}/sslocal`);
  const found = files.find(isRust);
  if (found !== undefined) return found.replace(/[^/]*$/, "");
  // deno-lint-ignore no-console -- says why tests are missing
  console.warn(
    "skipped: the tests with shadowsocks-rust: SS_RUST names no sslocal of " +
      "it, and there is none on PATH",
  );
  return undefined;
}

function isRust(file: string): boolean {
  try {
    const { stdout } = new Deno.Command(file, {
      args: ["--version"],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).outputSync();
    // The original says `Shadowsocks 3.0.0`, ours likewise.
    return /^shadowsocks \d/.test(new TextDecoder().decode(stdout));
  } catch {
    return false;
  }
}

/** A configuration of this folder with its ports replaced by free ones. */
export class RustConfig implements AsyncDisposable {
  /** Its file. */
  readonly path: string;
  readonly #folder: TempFolder;
  readonly #ports: ReadonlyMap<number, number>;

  private constructor(
    path: string,
    folder: TempFolder,
    ports: ReadonlyMap<number, number>,
  ) {
    this.path = path;
    this.#folder = folder;
    this.#ports = ports;
  }

  /**
   * Writes a configuration and the files that it names to a folder.
   *
   * @param name Its name without `.json`.
   * @param ports Ports that are known already, by those in the file.
   * @returns The configuration.
   */
  static async write(
    name: string,
    ports: Readonly<Record<number, number>> = {},
  ): Promise<RustConfig> {
    const folder = new TempFolder();
    const all = new Map(
      Object.entries(ports).map(([port, free]) => [Number(port), free]),
    );
    for await (const entry of Deno.readDir(CONFIGS)) {
      const text = await Deno.readTextFile(new URL(entry.name, CONFIGS));
      await Deno.writeTextFile(folder.file(entry.name), text, { mode: 0o600 });
    }
    const path = folder.file(`${name}.json`);
    const text = (await Deno.readTextFile(path))
      .replaceAll(PLACE, `${folder.path}/`)
      .replaceAll(PORTS, (_, key: string, colon: string, digits: string) => {
        const port = Number(digits);
        const free = all.get(port) ?? freePort();
        all.set(port, free);
        return `"${key}"${colon}${free}`;
      });
    await Deno.writeTextFile(path, text);
    return new RustConfig(path, folder, all);
  }

  /**
   * The free port that stands for one of the file.
   *
   * @param port The port in the file.
   * @returns The port that is used.
   * @throws {Error} If the file has no such port.
   */
  port(port: number): number {
    const free = this.#ports.get(port);
    if (free === undefined) throw new Error(`Cannot find port ${port}: none`);
    return free;
  }

  /** Removes the folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#folder[Symbol.asyncDispose]();
  }
}

/** How a program is started. */
export interface StartOptions {
  /** The folder of rust's programs. */
  readonly rust: string;
  /** Who made it. */
  readonly maker: Maker;
  /** Its arguments. */
  readonly args: readonly string[];
  /** How many listeners rust's program tells of, one for TCP, one for UDP. */
  readonly listeners: number;
  /** How many lines ours has for them, one for both. */
  readonly lines: number;
}

/**
 * Starts a program of either maker.
 *
 * @param role Which.
 * @param options How.
 * @returns The program, listening.
 */
export async function start(
  role: "sslocal" | "ssserver",
  options: StartOptions,
): Promise<{ readonly program: ChildProgram } & AsyncDisposable> {
  const { rust, maker, args, listeners, lines } = options;
  if (maker === "ours") {
    const process = await spawnRole(role, { args, env: ENV });
    await listeningPorts(process, lines);
    return process;
  }
  const program = new ChildProgram(`${rust}${role}`, { args, env: ENV });
  try {
    await program.waitFor(
      new RegExp(`(?:listening on [\\d.]+:\\d+[^]*){${listeners}}`),
    );
  } catch (error) {
    await program[Symbol.asyncDispose]();
    throw error;
  }
  return {
    program,
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

/**
 * A target for HTTP and for datagrams on one port, which answers with the
 * address that the request has come from.
 */
export class WayTarget implements AsyncDisposable, Target {
  /** Where it listens. */
  readonly hostname: string;
  /** Where it listens. */
  readonly port: number;
  readonly #server: Deno.HttpServer;
  readonly #socket: Deno.DatagramConn;
  readonly #serving: Promise<void>;

  /**
   * Starts it.
   *
   * @param hostname An address of the loopback network.
   * @param port Where; default: a free port.
   */
  constructor(hostname: string = "127.0.0.1", port: number = freePort()) {
    this.hostname = hostname;
    this.port = port;
    this.#server = Deno.serve(
      { hostname, port, onListen: () => {} },
      (_, { remoteAddr }) => new Response(remoteAddr.hostname),
    );
    this.#socket = Deno.listenDatagram({ transport: "udp", hostname, port });
    this.#serving = serveDatagrams(
      this.#socket,
      (_, from) => new TextEncoder().encode((from as Deno.NetAddr).hostname),
    );
  }

  /** Closes all of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await this.#serving;
    await withTimeout(this.#server.shutdown(), "the end of a target");
  }
}
