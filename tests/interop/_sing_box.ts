/**
 * sing-box as the other side.
 *
 * @module
 */

import { ChildProgram, freePort, TempFolder } from "../support/mod.ts";

/**
 * Finds sing-box: the program that `SS_SING_BOX` names, or one on PATH.
 *
 * @returns Its path; undefined, and a line that says so: it is not installed.
 */
export function findSingBox(): string | undefined {
  const named = Deno.env.get("SS_SING_BOX");
  const files = named !== undefined
    ? [named]
    : (Deno.env.get("PATH") ?? "").split(":").map((dir) => `${dir}/sing-box`);
  const found = files.find((file) => {
    try {
      return Deno.statSync(file).isFile;
    } catch {
      return false;
    }
  });
  if (found !== undefined) return found;
  // deno-lint-ignore no-console -- says why tests are missing
  console.warn(
    "skipped: the tests with sing-box: SS_SING_BOX names none, and there is " +
      "none on PATH",
  );
  return undefined;
}

/** A running sing-box. */
export interface SingBox extends AsyncDisposable {
  /** Where its inbound listens. */
  readonly port: number;
}

/**
 * Starts sing-box with one inbound.
 *
 * @param file The program.
 * @param inbound The inbound's keys, without its address and port.
 * @param outbound The outbound's keys.
 * @param port Where the inbound listens. Default: at a free port.
 * @returns It, listening.
 */
export async function startSingBox(
  file: string,
  inbound: Readonly<Record<string, unknown>>,
  outbound: Readonly<Record<string, unknown>> = { type: "direct" },
  port: number = freePort(),
): Promise<SingBox> {
  const folder = new TempFolder();
  const place = { listen: "127.0.0.1", listen_port: port };
  const path = folder.file("config.json");
  const config = {
    log: { level: "info" },
    inbounds: [{ ...inbound, ...place }],
    outbounds: [outbound],
  };
  await Deno.writeTextFile(path, JSON.stringify(config));
  const program = new ChildProgram(file, { args: ["run", "-c", path] });
  const end = async (): Promise<void> => {
    await program[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  };
  try {
    await program.waitFor(/sing-box started/);
  } catch (error) {
    await end();
    throw error;
  }
  return { port, [Symbol.asyncDispose]: end };
}
