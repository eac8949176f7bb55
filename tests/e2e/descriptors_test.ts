/**
 * Programs that have few descriptors: they serve who comes new, and end when
 * they are told to.
 *
 * @module
 */

import { assert, assertMatch } from "@std/assert";
import { pollers } from "../_loop_fixture.ts";
import {
  echoTarget,
  PASSWORD,
  readExactly,
  seededBytes,
  socks5Connect,
  spawnRole,
  type TcpTarget,
  withTimeout,
  writeAll,
} from "../support/mod.ts";

const KEYS = { password: PASSWORD, method: "aes-256-gcm" } as const;
/** Milliseconds within which a new client has to be served. */
const SOON = 1000;

/** Connections that say nothing, more than the server has descriptors. */
async function bareConnections(
  port: number,
  count: number,
): Promise<DisposableStack> {
  const stack = new DisposableStack();
  const conns = await Promise.all(
    Array.from(
      { length: count },
      () => Deno.connect({ hostname: "127.0.0.1", port }),
    ),
  );
  for (const conn of conns) stack.use(conn);
  return stack;
}

/** Has a new client talk to a target. */
async function serve(port: number, target: TcpTarget): Promise<void> {
  const start = performance.now();
  using conn = await socks5Connect(port, target);
  const bytes = seededBytes(100, 1);
  await writeAll(conn, bytes);
  await withTimeout(readExactly(conn, bytes.length), "the echo");
  const took = performance.now() - start;
  assert(took < SOON, `it was served after ${Math.round(took)} ms`);
}

if (Deno.build.os === "linux") {
  Deno.test("ssserver raises its soft limit of descriptors to the hard one", async () => {
    await using server = await spawnRole("ssserver", {
      shell: "ulimit -S -n 64 && ulimit -H -n 256",
      config: { ...KEYS, server: "127.0.0.1", server_port: 0 },
    });
    const limits = await Deno.readTextFile(
      `/proc/${server.program.pid}/limits`,
    );
    assertMatch(limits, /^Max open files +256 +256 /m);
  });

  for (const event_loop of pollers()) {
    Deno.test(`ssserver recovers over ${event_loop} when bare connections have used its descriptors`, async () => {
      await using target = echoTarget();
      await using server = await spawnRole("ssserver", {
        shell: "ulimit -n 64",
        config: {
          ...KEYS,
          server: "127.0.0.1",
          server_port: 0,
          forbidden_ip: "",
          event_loop,
        },
      });
      await using local = await spawnRole("sslocal", {
        config: {
          ...KEYS,
          server: "127.0.0.1",
          server_port: server.port,
          local_port: 0,
        },
      });
      {
        using _conns = await bareConnections(server.port, 80);
        await server.program.waitFor(/EMFILE/);
        await serve(local.port, target);
      }
      await serve(local.port, target);
      using _conns = await bareConnections(server.port, 80);
      const { code } = await server.program.stop();
      assert(code === 0, server.program.output);
    });
  }
}
