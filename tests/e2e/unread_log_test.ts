/**
 * Logs that nobody reads: neither what is relayed nor signals wait for them. A
 * FIFO without a reader stands for a disk that stalls.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  type ConfigValues,
  echoFile,
  request,
  spawnPair,
  TempFolder,
  withTimeout,
} from "../support/mod.ts";

/** Windows has no FIFOs. */
const WAYS: readonly ConfigValues[] = Deno.build.os === "linux"
  ? [{ event_loop: "epoll" }, { event_loop: "deno" }, { workers: 2 }]
  : Deno.build.os === "windows"
  ? []
  : [{}];

/**
 * Connections whose lines, some 600 bytes each, are more than the pipe, the
 * streams of the test (64 KiB each) and the queue (256 KiB twice) hold.
 */
const COUNT = 2000;

for (const way of WAYS) {
  const name = Object.entries(way).map((each) => each.join("=")).join(", ");

  Deno.test(`sslocal relays and ends when nobody reads its log (${name})`, async () => {
    await using folder = new TempFolder();
    const file = folder.file("access.log");
    await new Deno.Command("mkfifo", { args: [file] }).output();
    using _fifo = await Deno.open(file, { read: true, write: true });
    await using pair = await spawnPair({
      local: { ...way, access_log: { file, format: "json" } },
    });
    await using noisy = await spawnPair({
      local: { ...way, verbose: 2, access_log: { file: "-", format: "json" } },
    });
    await request(pair.local.port, { count: COUNT / 4, parallel: 20 });
    await echoFile(pair.local.port, 300_000);
    assertEquals((await pair.local.program.stop()).code, 0);

    const { program, port } = noisy.local;
    program.pause();
    await request(port, { count: COUNT, parallel: 20 });
    await echoFile(port, 300_000);
    program.resume();
    const lost = await program.waitFor(
      /WARNING +lines of the log were lost, since it could not be written: (\d+)$/m,
    );
    assert(Number(lost[1]) > 0);
    program.pause();
    await request(port, { count: COUNT / 2, parallel: 20 });
    program.kill("SIGTERM");
    const { code } = await withTimeout(program.exited, "the end");
    assertEquals(code, 0);
  });
}
