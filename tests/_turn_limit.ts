/**
 * Run by a test as a process of its own, with few descriptors to be had: takes
 * turns of Deno's own loop while none, one, two and three are left. Ends with
 * 0 if every turn has come to an end; a turn that does not is ended by whoever
 * started the process.
 *
 * Usage: `deno run -A tests/_turn_limit.ts`
 *
 * @module
 */

import { DenoTurns } from "../loop/_deno_turn.ts";

/** Opens files until the system refuses. */
function useUp(): Deno.FsFile[] {
  const files: Deno.FsFile[] = [];
  for (;;) {
    try {
      files.push(Deno.openSync("/dev/null"));
    } catch {
      return files;
    }
  }
}

for (const left of [0, 1, 2, 3]) {
  const files = useUp();
  for (let i = 0; i < left; i++) files.pop()?.close();
  using turns = new DenoTurns();
  await turns.take();
  for (const file of files) file.close();
}
