/**
 * Programs that have few descriptors: they serve who comes new, and end when
 * they are told to.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { pollers } from "../_loop_fixture.ts";
import {
  echoTarget,
  PASSWORD,
  readExactly,
  runRole,
  seededBytes,
  socks5Connect,
  socks5UdpAssociate,
  spawnRole,
  type TcpTarget,
  UdpEcho,
  withTimeout,
  writeAll,
} from "../support/mod.ts";

const KEYS = { password: PASSWORD, method: "aes-256-gcm" } as const;
/** Milliseconds within which a new client has to be served. */
const SOON = 1000;
/**
 * Milliseconds of five turns of Deno's own loop: nobody outside is told of
 * those, and one of them has to meet descriptors that are used up.
 */
const TURNS = 100;
/** Milliseconds after which a datagram is sent again. */
const AGAIN = 200;

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

/** Sends a datagram until it is answered, since the system may lose some. */
async function ask(
  send: () => Promise<unknown>,
  receive: () => Promise<unknown>,
): Promise<void> {
  await send();
  const again = setInterval(send, AGAIN);
  try {
    await withTimeout(receive(), "the answer", SOON);
  } finally {
    clearInterval(again);
  }
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

  Deno.test("ssserver refuses to start with descriptors for nobody, instead of a panic of the runtime", async () => {
    const { code, output } = await runRole("ssserver", {
      shell: "ulimit -n 22",
      config: { ...KEYS, server: "127.0.0.1", server_port: 0 },
    });
    assertEquals(code, 1, output);
    assertMatch(output, /Cannot start with \d+ descriptors left: .*ulimit -n/);
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
        // Before anybody was served, so that all is done for the first time.
        using _conns = await bareConnections(server.port, 80);
        await server.program.waitFor(/EMFILE/);
        await new Promise((resolve) => setTimeout(resolve, TURNS));
      }
      await serve(local.port, target);
      {
        using _conns = await bareConnections(server.port, 80);
        await serve(local.port, target);
      }
      await serve(local.port, target);
      using _conns = await bareConnections(server.port, 80);
      const { code } = await server.program.stop();
      assert(code === 0, server.program.output);
    });

    Deno.test(`ssserver serves TCP over ${event_loop} when 600 UDP sources have used their descriptors`, async () => {
      await using target = echoTarget();
      await using datagrams = new UdpEcho();
      await using server = await spawnRole("ssserver", {
        shell: "ulimit -n 256",
        config: {
          ...KEYS,
          server: "127.0.0.1",
          server_port: 0,
          forbidden_ip: "",
          mode: "tcp_and_udp",
          event_loop,
        },
      });
      const client = {
        ...KEYS,
        server: "127.0.0.1",
        server_port: server.port,
        local_port: 0,
        mode: "tcp_and_udp",
        udp_max_associations: 2000,
      };
      await using local = await spawnRole("sslocal", { config: client });
      // Each source of a tunnel has an association there, and that a source of
      // its own at the server.
      await using tunnel = await spawnRole("sstunnel", {
        config: {
          ...client,
          tunnel_port: 0,
          tunnel_remote: "127.0.0.1",
          tunnel_remote_port: datagrams.port,
        },
      });
      using sources = new DisposableStack();
      for (let i = 0; i < 600; i++) {
        const source = Deno.listenDatagram({
          transport: "udp",
          hostname: "127.0.0.1",
          port: 0,
        });
        sources.defer(() => source.close());
        const to = {
          transport: "udp",
          hostname: "127.0.0.1",
          port: tunnel.port,
        } as const;
        await ask(
          () => source.send(seededBytes(20, i + 1), to),
          () => source.receive(),
        );
        if (i % 50 === 49) await serve(local.port, target);
      }
      // The newest is served, so the oldest have given way.
      using association = await socks5UdpAssociate(local.port);
      await ask(
        () => association.send(datagrams, seededBytes(70, 1)),
        () => association.receive(),
      );
      await serve(local.port, target);
      await server.program.waitFor(/oldest UDP association ends/);
      const { code } = await server.program.stop();
      assert(code === 0, server.program.output);
    });
  }
}
