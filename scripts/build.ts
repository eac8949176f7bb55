/**
 * Makes the executables: one file per target, with their SHA-256 sums.
 *
 * Usage: `deno task compile [target…]`, all six targets by default.
 *
 * Environment: `DENO_COMPILE` names the deno to bundle and compile with, this
 * one by default. `DENORT_BIN` names the runtime to embed instead of the one that
 * deno fetches; it can only serve the target it was made for, so only the
 * target of this machine may be built with it.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a script talks to its terminal

import { bundle } from "./_bundle.ts";
import { ROOT } from "./_modules.ts";
import { V8_FLAGS } from "./_v8_flags.ts";

/** Everything that `deno compile` can build for. */
export const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
  "aarch64-pc-windows-msvc",
] as const;

/** One of {@linkcode TARGETS}. */
export type Target = typeof TARGETS[number];

/** The program, and the module that it loads by name for each worker. */
const MAIN = "main.ts";
const WORKER = "process/_worker.ts";

/** Where executables come to lie. */
const DIST = new URL("dist/", ROOT);

/**
 * Chooses what to build.
 *
 * @param names The targets named on the command line.
 * @param own The only target that can be built; undefined: any.
 * @returns The targets, in the order given.
 * @throws {Error} If a name is unknown or cannot be built here.
 */
export function chooseTargets(
  names: readonly string[],
  own: string | undefined,
): Target[] {
  const wanted = names.length > 0 ? names : own !== undefined ? [own] : TARGETS;
  return wanted.map((name) => {
    const target = TARGETS.find((known) => known === name);
    if (target === undefined) {
      throw new Error(
        `Cannot build "${name}": known targets are ${TARGETS.join(", ")}`,
      );
    }
    if (own !== undefined && target !== own) {
      throw new Error(
        `Cannot build "${name}": DENORT_BIN is a runtime of ${own}; ` +
          "unset it to build for other targets",
      );
    }
    return target;
  });
}

/**
 * Names the executable of a target.
 *
 * @param target What it is built for.
 * @returns The file name within `dist/`.
 */
export function fileName(target: Target): string {
  return `shadowsocks-${target}${target.includes("windows") ? ".exe" : ""}`;
}

/** What is compiled into an executable. */
interface Program {
  readonly main: string;
  readonly worker: string;
  /** Options of `deno compile` that go with them. */
  readonly options: readonly string[];
}

/** Bundles, if that is possible; else the modules as they are. */
async function makeProgram(deno: string, folder: string): Promise<Program> {
  try {
    await bundle(deno, [MAIN, WORKER], folder);
    const main = `${folder}/main.js`;
    // Beside the file in which the code is that looks for it (worker_pool.ts).
    const worker = `${folder}/_worker.js`;
    await Deno.writeTextFile(worker, 'import "./process/_worker.js";\n');
    return { main, worker, options: ["--no-config"] };
  } catch (error) {
    console.error(
      `${(error as Error).message}; compiling the modules as they are, ` +
        "with which the executable starts slower",
    );
    const options = ["--node-modules-dir=none"];
    return { main: MAIN, worker: WORKER, options };
  }
}

async function build(
  deno: string,
  target: Target,
  { main, worker, options }: Program,
): Promise<void> {
  const { success } = await new Deno.Command(deno, {
    args: [
      "compile",
      "--quiet",
      "--allow-all",
      "--no-check",
      // Deno would read the code cache from the folder for temporary files,
      // where anybody with an account on the machine could have put it.
      "--no-code-cache",
      "--unstable-net",
      `--v8-flags=${V8_FLAGS}`,
      ...options,
      "--include",
      worker,
      "--target",
      target,
      "--output",
      `dist/${fileName(target)}`,
      main,
    ],
    cwd: ROOT,
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn().status;
  if (!success) throw new Error(`Cannot build ${target}: deno compile failed`);
}

/** Writes the sums of every executable in `dist/`, as `sha256sum` does. */
async function writeSums(): Promise<void> {
  const lines: string[] = [];
  for (const target of TARGETS) {
    const file = fileName(target);
    const bytes = await Deno.readFile(new URL(file, DIST)).catch((error) => {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    });
    if (bytes === undefined) continue;
    const digest = await crypto.subtle.digest("SHA-256", bytes);
    const sum = Array.from(
      new Uint8Array(digest),
      (byte) => byte.toString(16).padStart(2, "0"),
    ).join("");
    lines.push(`${sum}  ${file}\n`);
  }
  await Deno.writeTextFile(new URL("SHA256SUMS", DIST), lines.join(""));
}

if (import.meta.main) {
  try {
    const own = Deno.env.has("DENORT_BIN") ? Deno.build.target : undefined;
    const targets = chooseTargets(Deno.args, own);
    if (own !== undefined) {
      console.log(`DENORT_BIN is set: only ${own} can be built with it`);
    }
    await Deno.mkdir(DIST, { recursive: true });
    const deno = Deno.env.get("DENO_COMPILE") ?? Deno.execPath();
    const folder = await Deno.makeTempDir({ prefix: "shadowsocks-" });
    try {
      const program = await makeProgram(deno, folder);
      for (const target of targets) await build(deno, target, program);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
    for (const target of targets) {
      const { size } = await Deno.stat(new URL(fileName(target), DIST));
      console.log(
        `dist/${fileName(target)} (${(size / 1e6).toFixed(0)} MB)`,
      );
    }
    await writeSums();
    console.log("dist/SHA256SUMS");
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  }
}
