/**
 * Measures what a port costs a server: many ports by `port_password`, which
 * must all serve, then ports that a manager adds and removes.
 *
 * Usage: `deno run -A --unstable-net tests/measure/ports_memory.ts [count]`;
 * Linux only, for the resident set is read from `/proc`. With `SS_EXECUTABLE`
 * the executable is measured instead of the source.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a script talks to its terminal

import {
  freePort,
  ManagerClient,
  PASSWORD,
  request,
  type RoleProcess,
  spawnRole,
} from "../support/mod.ts";

/** Milliseconds in which freed memory goes back to the system. */
const SETTLE = 2_000;
/** Ports that come and go before the first look: the heap finds its size. */
const WARM_UP = 5_000;
/** Ports that come and go between two looks. */
const CHURN = 5_000;
/** Ports that are added to see what one costs: many, since heaps jump. */
const FURTHER = 400;
/** How many ports serve at the same time. */
const AT_ONCE = 5;

const COMMON = {
  server: "127.0.0.1",
  password: PASSWORD,
  method: "aes-256-gcm",
} as const;

async function residentKiB(role: RoleProcess): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, SETTLE));
  const path = `/proc/${role.program.pid}/status`;
  const status = await Deno.readTextFile(path);
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
}

function freePorts(count: number): number[] {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(freePort());
  return [...ports];
}

async function startServer(
  ports: readonly number[],
  managerPort: number,
): Promise<RoleProcess> {
  const role = await spawnRole("ssserver", {
    config: {
      server: COMMON.server,
      method: COMMON.method,
      forbidden_ip: "",
      manager_address: `127.0.0.1:${managerPort}`,
      port_password: Object.fromEntries(
        ports.map((port) => [port, COMMON.password]),
      ),
    },
  });
  await role.program.waitFor(
    new RegExp(`starting server at .*:${ports.at(-1)}`),
  );
  return role;
}

/** Relays through a port. */
async function serve(port: number): Promise<void> {
  await using local = await spawnRole("sslocal", {
    config: {
      ...COMMON,
      server_port: port,
      local_address: "127.0.0.1",
      local_port: 0,
    },
  });
  await request(local.port, { count: 2, parallel: 2 });
}

if (import.meta.main) {
  const count = Number(Deno.args[0] ?? 50);
  const [managerPort, churn] = [freePort(), freePort()];
  const ports = freePorts(count);
  const further = freePorts(FURTHER);
  await using server = await startServer(ports, managerPort);
  using client = new ManagerClient(managerPort);
  const command = (name: string, port: number): Promise<string> =>
    client.ask(
      `${name}: ${
        JSON.stringify({ server_port: port, password: COMMON.password })
      }`,
    );
  const cycle = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) {
      await command("add", churn);
      await command("remove", churn);
    }
  };
  for (let i = 0; i < count; i += AT_ONCE) {
    await Promise.all(ports.slice(i, i + AT_ONCE).map(serve));
  }
  console.log(`${count} of ${count} ports have served`);
  const before = await residentKiB(server);
  for (const port of further) await command("add", port);
  const after = await residentKiB(server);
  console.log(
    `${((after - before) / FURTHER).toFixed(1)} KiB for each of ${FURTHER} ` +
      `further ports, ${(after / 1024).toFixed(0)} MiB with ` +
      `${count + FURTHER} ports`,
  );
  await cycle(WARM_UP);
  const warm = await residentKiB(server);
  await cycle(CHURN);
  const churned = await residentKiB(server);
  console.log(
    `${churned - warm} KiB more after ${CHURN} ports came and went`,
  );
}
