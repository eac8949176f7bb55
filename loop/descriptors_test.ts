/**
 * A test that needs a process of its own: one that has too few descriptors.
 *
 * @module
 */

import { assert } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { pollers } from "../tests/_loop_fixture.ts";

const FOLDER = dirname(fromFileUrl(import.meta.url));

for (const name of pollers()) {
  Deno.test(`ListenerSocket.accept() says EMFILE and recovers (${name})`, async () => {
    // Other systems have other limits, and other ways to set them.
    if (Deno.build.os !== "linux") return;
    const script = join(FOLDER, "..", "tests", "_descriptor_limit.ts");
    const { success, stdout, stderr } = await new Deno.Command("sh", {
      args: [
        "-c",
        'ulimit -n 64 && exec "$@"',
        "sh",
        Deno.execPath(),
        "run",
        "-A",
        "--no-check",
        script,
        name,
      ],
      env: { NO_COLOR: "1" },
    }).output();
    const decoder = new TextDecoder();
    assert(success, decoder.decode(stdout) + decoder.decode(stderr));
  });
}
