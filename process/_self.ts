/**
 * This program as one that can be started again.
 *
 * @module
 */

import { nodeProcess } from "./_node.ts";

/** The environment variable that tells a process it is a daemon. */
const MARKER = "SHADOWSOCKS_DAEMON";

/** A command line, and what its environment has besides. */
export interface SelfCommand {
  /** The executable. */
  readonly program: string;
  /** Its arguments. */
  readonly args: readonly string[];
  /** Variables to add. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Finds the name that an executable was started by: its own, or that of a
 * link to it.
 *
 * @returns The name without folders and `.exe`; empty when it runs from source.
 */
export function programName(): string {
  if (!Deno.build.standalone) return "";
  const [path = ""] = commandLine() ?? [nodeProcess().argv0];
  return path.replace(/^.*[\\/]/s, "").replace(/\.exe$/i, "");
}

/**
 * Tells whether this process was started to become a daemon. The first
 * argument of such a process is its role, whatever its own name is.
 *
 * @returns True in the background, false in the foreground.
 */
export function isDaemon(): boolean {
  return Deno.env.get(MARKER) !== undefined;
}

/**
 * Makes the command that starts this program again, as a daemon: compiled or
 * from source, with the same options of the runtime.
 *
 * @param role The role.
 * @param args The arguments of the role.
 * @returns The command.
 */
export function daemonCommand(
  role: string,
  args: readonly string[],
): SelfCommand {
  const before = Deno.build.standalone ? [] : runtimeArguments();
  return {
    program: Deno.execPath(),
    args: [...before, role, ...args],
    env: { [MARKER]: "1" },
  };
}

/**
 * Tells whether a process exists and has not ended yet.
 *
 * @param pid Its id.
 * @returns False once it is gone, or waits only to be buried by its parent.
 */
export function isAlive(pid: number): boolean {
  try {
    nodeProcess().kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  if (Deno.build.os !== "linux") return true;
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return !/^\) [ZX]/.test(stat.slice(stat.lastIndexOf(")")));
  } catch {
    return true;
  }
}

/** What stands between `deno` and the arguments of the program. */
function runtimeArguments(): string[] {
  const words = commandLine();
  if (words === undefined) {
    return ["run", "--allow-all", "--unstable-net", Deno.mainModule];
  }
  return words.slice(1, words.length - Deno.args.length);
}

/** The words that started this process, on Linux. */
function commandLine(): string[] | undefined {
  try {
    const text = Deno.readTextFileSync("/proc/self/cmdline");
    return text.split("\0").slice(0, -1);
  } catch {
    return undefined;
  }
}
