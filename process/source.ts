/**
 * The system as the configuration sees it.
 *
 * @module
 */

import type { ConfigSource } from "../config/mod.ts";

/** Files and environment of this process. */
export const DENO_SOURCE: ConfigSource = {
  readTextFile: (path) => Deno.readTextFileSync(path),
  fileMode: (path) => Deno.statSync(path).mode ?? undefined,
  env: (name) => Deno.env.get(name),
  isUnix: Deno.build.os !== "windows",
};
