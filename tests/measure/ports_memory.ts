/**
 * Measures what a port costs a server: started with many by `port_password`,
 * and then added and removed by a manager. Every port must serve.
 *
 * Usage: `deno run -A --unstable-net tests/measure/ports_memory.ts [count]`;
 * Linux only, for the resident set is read from `/proc`. With `SS_EXECUTABLE`
 * the executable is measured instead of the source.
 *
 * @module
 */

// deno-lint-ignore-file no-console

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
const WARM_UP = 10_000;
/** Ports that come and go between two looks. */
const CHURN = 5_000;
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
  const ports = freePorts(count).sort((a, b) => a - b);
  const managerPort = freePort();
  let one: number;
  {
    await using server = await startServer(ports.slice(0, 1), managerPort);
    one = await residentKiB(server);
  }
  await using server = await startServer(ports, managerPort);
  const all = await residentKiB(server);
  const each = (all - one) / (count - 1);
  console.log(
    `${each.toFixed(1)} KiB for each of ${count} ports, ` +
      `${(all / 1024).toFixed(0)} MiB in all`,
  );
  using client = new ManagerClient(managerPort);
  const churn = freePort();
  const cycle = async (times: number): Promise<void> => {
    const json = JSON.stringify({
      server_port: churn,
      password: COMMON.password,
    });
    for (let i = 0; i < times; i++) {
      await client.ask(`add: ${json}`);
      await client.ask(`remove: ${json}`);
    }
  };
  await cycle(WARM_UP);
  const warm = await residentKiB(server);
  await cycle(CHURN);
  const grown = (await residentKiB(server)) - warm;
  console.log(`${grown} KiB more after ${CHURN} further ports came and went`);
  for (let i = 0; i < count; i += AT_ONCE) {
    await Promise.all(ports.slice(i, i + AT_ONCE).map(serve));
  }
  console.log(`${count} of ${count} ports have served`);
}
