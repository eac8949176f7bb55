/**
 * This program as one that can be started again.
 *
 * @module
 */

import process from "node:process";

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
    process.kill(pid, 0);
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
  try {
    const words = Deno.readTextFileSync("/proc/self/cmdline").split("\0");
    return words.slice(1, words.length - 1 - Deno.args.length);
  } catch {
    return ["run", "--allow-all", "--unstable-net", Deno.mainModule];
  }
}
