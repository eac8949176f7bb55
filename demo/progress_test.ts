/**
 * Tests of the progress bar on terminals of any width.
 *
 * @module
 */

import { assert, assertMatch } from "@std/assert";
import { ProgressBar } from "./_progress.ts";

for (const columns of [20, 40, 41, 80, 200]) {
  Deno.test(`ProgressBar.finish() leaves a column free of ${columns}`, () => {
    let text = "";
    const bar = new ProgressBar("TCP", {
      total: 64 * 1024 * 1024,
      write: (each) => text += each,
      live: true,
      columns,
    });
    bar.update(1);
    bar.update(64 * 1024 * 1024);
    bar.finish();
    for (
      const line of text.replaceAll("\x1b[K", "").trimEnd().split(/[\r\n]+/)
    ) {
      // The rate of a test has any number of digits: without room there is no
      // bar, and a terminal is hardly narrower than the rest.
      assert(line.length < columns || !line.includes("["), line);
    }
    // deno-lint-ignore no-control-regex -- it ends what is drawn over
    assertMatch(text, /67\.1 MB, \d+ MB\/s\x1b\[K\n$/);
  });
}
