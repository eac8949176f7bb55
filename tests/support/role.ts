/**
 * Our own program in one of its roles as a child process: from source, or as
 * the executable that the environment variable `SS_EXECUTABLE` names.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import {
  type ConfigFormat,
  type ConfigValues,
  formatConfig,
} from "./config_file.ts";
import { type ChildOptions, ChildProgram } from "./process.ts";
import { withTimeout } from "./timeout.ts";

/** The roles that the tests start. */
export type TestedRole =
  | "sslocal"
  | "ssserver"
  | "sstunnel"
  | "ssmanager"
  | "demo"
  | "genkey";

/** Which native libraries the process may find. */
export type NativeLibraries = "all" | "no ciphers" | "none";

/** How to start a role. */
export interface RoleOptions {
  /** Written to a file that is given with `--config`. */
  readonly config?: ConfigValues;
  /** The language of that file, default TOML. */
  readonly format?: ConfigFormat;
  /** Further arguments. */
  readonly args?: readonly string[];
  /** Default all. */
  readonly libraries?: NativeLibraries;
  /** Further variables for the process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Commands that a shell does before it, such as `ulimit -n 64`. */
  readonly shell?: string;
}

/** The executable under test; undefined: the source is. */
export const EXECUTABLE: string | undefined = Deno.env.get("SS_EXECUTABLE");

const MAIN = new URL("../../main.ts", import.meta.url).href;
const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));
const STARTED = /starting [a-z ]+ at \S+?:(\d+)(?=\s)/g;
const LISTENING = /starting manager at \/|starting [a-z ]+ at \S+?:(\d+)(?=\s)/;

/**
 * Names of the cipher libraries. To hide one, an empty file of its name, which
 * no loader takes for a library, stands first on the search path.
 */
const CIPHER_LIBRARIES = [
  "libcrypto.so",
  "libcrypto.so.3",
  "libcrypto.so.1.1",
  "libsodium.so",
  "libsodium.so.23",
  "libsodium.so.26",
  "libmbedcrypto.so",
  "libmbedcrypto.so.3",
  "libmbedcrypto.so.7",
  "libmbedcrypto.so.16",
];

/** One role that runs, with a folder of its own. */
export class RoleProcess implements AsyncDisposable {
  /** The process. */
  readonly program: ChildProgram;
  /** The port of its first listener; 0 if it has none, or is not known. */
  readonly port: number;
  readonly #folder: string;

  /**
   * @param program The process.
   * @param folder Removed at the end.
   * @param port Where it listens.
   */
  constructor(program: ChildProgram, folder: string, port: number) {
    this.program = program;
    this.port = port;
    this.#folder = folder;
  }

  /** Ends the process at once if it still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.program[Symbol.asyncDispose]();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/**
 * Starts a role and waits until it listens.
 *
 * @param role Which.
 * @param options How.
 * @returns The process, to be disposed of.
 * @throws {Error} If it ends before it listens.
 */
export async function spawnRole(
  role: TestedRole,
  options: RoleOptions = {},
): Promise<RoleProcess> {
  const process = await startRole(role, options);
  try {
    const match = await process.program.waitFor(LISTENING);
    return new RoleProcess(
      process.program,
      process.folder,
      Number(match[1] ?? 0),
    );
  } catch (error) {
    await new RoleProcess(process.program, process.folder, 0)
      [Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * Waits until a role has opened several listeners.
 *
 * @param process The role.
 * @param count How many it has.
 * @returns Their ports, in the order of the configuration.
 */
export async function listeningPorts(
  { program }: RoleProcess,
  count: number,
): Promise<readonly number[]> {
  return await program.waitUntil(`${count} listeners`, (output) => {
    const ports = Array.from(
      output.matchAll(STARTED),
      (match) => Number(match[1]),
    );
    return ports.length < count ? undefined : ports;
  });
}

/** What a role that ends by itself leaves behind. */
export interface RoleResult {
  /** The exit code. */
  readonly code: number;
  /** Both outputs. */
  readonly output: string;
  /** Their lines that are not empty. */
  readonly lines: readonly string[];
}

/**
 * Starts a role that is expected to end by itself.
 *
 * @param role Which.
 * @param options How.
 * @returns How it ended.
 */
export async function runRole(
  role: TestedRole,
  options: RoleOptions = {},
): Promise<RoleResult> {
  const { program, folder } = await startRole(role, options);
  await using _process = new RoleProcess(program, folder, 0);
  const { code } = await withTimeout(program.ended, `the end of ${role}`);
  return { code, output: program.output, lines: program.lines };
}

async function startRole(
  role: TestedRole,
  options: RoleOptions,
): Promise<{ readonly program: ChildProgram; readonly folder: string }> {
  const folder = await Deno.makeTempDir({ prefix: "ss-test-" });
  const args: string[] = [];
  if (options.config !== undefined) {
    const format = options.format ?? "toml";
    const file = `${folder}/config.${format}`;
    await Deno.writeTextFile(file, formatConfig(options.config, format), {
      mode: 0o600,
    });
    args.push("--config", file);
  }
  args.push(...options.args ?? []);
  const env = {
    STATE_DIRECTORY: `${folder}/state`,
    ...await environment(folder, options.libraries ?? "all"),
    ...options.env,
  };
  const { shell } = options;
  const program = EXECUTABLE === undefined
    ? startProgram(Deno.execPath(), shell, {
      args: [
        "run",
        "--allow-all",
        ...options.libraries === "none" ? ["--deny-ffi"] : [],
        "--unstable-net",
        "--config",
        CONFIG,
        MAIN,
        role,
        ...args,
      ],
      cwd: folder,
      env,
    })
    : await startExecutable(EXECUTABLE, folder, { role, args, env, shell });
  return { program, folder };
}

/** Links the executable under the name of the role, as users do. */
async function startExecutable(
  file: string,
  folder: string,
  options: {
    readonly role: TestedRole;
    readonly args: readonly string[];
    readonly env: Readonly<Record<string, string>>;
    readonly shell: string | undefined;
  },
): Promise<ChildProgram> {
  const { role, args, shell } = options;
  const env = { ...options.env, PATH: folder, HOME: folder };
  const isWord = role === "demo" || role === "genkey";
  if (isWord || Deno.build.os === "windows") {
    return startProgram(file, shell, {
      args: [role, ...args],
      cwd: folder,
      env,
    });
  }
  const link = `${folder}/${role}`;
  await Deno.symlink(await Deno.realPath(file), link);
  return startProgram(link, shell, { args, cwd: folder, env, clearEnv: true });
}

/** Starts a program, in a shell that has done something before. */
function startProgram(
  file: string,
  shell: string | undefined,
  options: ChildOptions,
): ChildProgram {
  if (shell === undefined) return new ChildProgram(file, options);
  return new ChildProgram("/bin/sh", {
    ...options,
    args: ["-c", `${shell} && exec "$0" "$@"`, file, ...options.args],
  });
}

/** Hides the cipher libraries behind empty files of their names. */
async function environment(
  folder: string,
  libraries: NativeLibraries,
): Promise<Record<string, string>> {
  if (libraries !== "no ciphers") return {};
  const hidden = `${folder}/lib`;
  await Deno.mkdir(hidden);
  for (const name of CIPHER_LIBRARIES) {
    await Deno.writeTextFile(`${hidden}/${name}`, "");
  }
  return { LD_LIBRARY_PATH: hidden };
}
