/**
 * Proves the import directions of the repository: asks `deno info` for every
 * edge of the module graph and prints each one that a rule forbids.
 *
 * Usage: `deno run -A scripts/check_layers.ts`; exit 1 if a rule is broken.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a script talks to its terminal

import { edgesOf, readGraph } from "./_graph.ts";
import { findViolations } from "./_layer_rules.ts";
import { listModules, ROOT } from "./_modules.ts";

if (import.meta.main) {
  const modules = await listModules();
  const violations = findViolations(
    edgesOf(await readGraph(modules), ROOT.href),
  );
  for (const { path, line, to, rule } of violations) {
    console.error(`${path}:${line}: imports ${to}: ${rule}`);
  }
  if (violations.length > 0) Deno.exit(1);
  console.log(`${modules.length} modules, every import goes downward`);
}
