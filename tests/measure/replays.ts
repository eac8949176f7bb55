/**
 * Counts how many replays of connections are served: of each flight that was
 * served once, at the same port, at another port with the same key, by another
 * worker, and after a kill.
 *
 * Usage: `deno run -A --unstable-net tests/measure/replays.ts [flights]
 * [method]`, by default 2500 and aes-256-gcm: four times as many replays.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a script talks to its terminal

import { openProviders } from "../../crypto/mod.ts";
import { encodeAll } from "../../shadowsocks/fakes.ts";
import { openEdition } from "../../shadowsocks/mod.ts";
import {
  freePort,
  listeningPorts,
  seededBytes,
  spawnRole,
  TcpTarget,
  TempFolder,
  toBase64,
  writeAll,
} from "../support/mod.ts";

/** Milliseconds that a server has to serve a flight, if it does. */
const WAIT = 50;
/** Connections at once. */
const AT_ONCE = 32;

async function sendAll(
  flights: readonly Uint8Array[],
  port: number,
): Promise<void> {
  const rest = flights.values();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (const flight of rest) {
      using conn = await Deno.connect({ hostname: "127.0.0.1", port });
      await writeAll(conn, flight).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, WAIT));
    }
  }));
}

if (import.meta.main) {
  const count = Number(Deno.args[0] ?? 2500);
  const method = Deno.args[1] ?? "aes-256-gcm";
  const password = toBase64(seededBytes(method.includes("128") ? 16 : 32));
  await using target = new TcpTarget(async () => {});
  await using state = new TempFolder();
  const start = (workers: number, ports: readonly number[]) =>
    spawnRole("ssserver", {
      config: {
        ...{ server: "127.0.0.1", server_port: ports, method, password },
        ...{ workers, state_dir: `${state.path}/state`, forbidden_ip: "" },
      },
    });
  using providers = await openProviders();
  using edition = await openEdition({ method, password }, { providers });
  const bytes = Uint8Array.of(127, 0, 0, 1);
  const flights = Array.from({ length: count }, () => {
    using stream = edition.newClientStream({ bytes, port: target.port });
    return encodeAll(stream, seededBytes(50));
  });
  const told = async (what: string, use: () => Promise<void>) => {
    const before = target.accepted;
    await use();
    console.log(`${what}: ${target.accepted - before} of ${count} served`);
  };
  {
    await using server = await start(1, [freePort(), freePort()]);
    const [port, other] = await listeningPorts(server, 2);
    await told("once", () => sendAll(flights, port!));
    await told("again", () => sendAll(flights, port!));
    await told("at another port", () => sendAll(flights, other!));
    server.program.kill("SIGKILL");
    await server.program.ended;
  }
  await using server = await start(4, [0]);
  await told(
    "after a kill, by four workers",
    () => sendAll(flights, server.port),
  );
  await told("once more", () => sendAll(flights, server.port));
  Deno.exit();
}
