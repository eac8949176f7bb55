/**
 * The program curl, as a user of the proxies under test.
 *
 * @module
 */

import { withTimeout } from "./timeout.ts";

/** How a run of curl ended. */
export interface CurlResult {
  /** Its exit code: 0, or why not. */
  readonly code: number;
  /** The status of the last answer; 0: there was none. */
  readonly status: number;
  /** The status of the proxy's answer to CONNECT; 0: there was none. */
  readonly connectStatus: number;
  /** What it has fetched. */
  readonly body: string;
  /** What it says about a failure. */
  readonly error: string;
}

/**
 * Tells whether there is a curl, and says so in a line if there is none.
 *
 * @returns Whether it can be run.
 */
export function hasCurl(): boolean {
  try {
    const { success } = new Deno.Command("curl", {
      args: ["--version"],
      stdout: "null",
      stderr: "null",
    }).outputSync();
    if (success) return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  // deno-lint-ignore no-console -- says why tests are missing
  console.warn("skipped: the tests with curl, which is not installed");
  return false;
}

/**
 * Runs curl without a configuration and without proxies of the environment.
 *
 * @param args Its arguments.
 * @returns How it ended.
 */
export async function curl(...args: readonly string[]): Promise<CurlResult> {
  const child = new Deno.Command("curl", {
    args: [
      "--disable",
      "--silent",
      "--show-error",
      "--noproxy",
      "",
      "--max-time",
      "15",
      "--write-out",
      "\n%{http_code} %{http_connect}",
      ...args,
    ],
    clearEnv: true,
    env: { PATH: Deno.env.get("PATH") ?? "" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const { code, stdout, stderr } = await withTimeout(child, "curl");
  const output = new TextDecoder().decode(stdout);
  const end = output.lastIndexOf("\n");
  const [status, connectStatus] = output.slice(end + 1).split(" ").map(Number);
  return {
    code,
    status: status ?? 0,
    connectStatus: connectStatus ?? 0,
    body: output.slice(0, end),
    error: new TextDecoder().decode(stderr).trim(),
  };
}
