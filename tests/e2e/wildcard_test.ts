/**
 * Servers that listen on every address of the machine.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  type ConfigValues,
  echoTarget,
  freePort,
  ManagerClient,
  PASSWORD,
  readExactly,
  seededBytes,
  socks5Connect,
  socks5UdpAssociate,
  spawnRole,
  UdpEcho,
  withTimeout,
  writeAll,
} from "../support/mod.ts";

const METHOD = "aes-256-gcm";
const POLLERS = Deno.build.os === "linux" ? ["epoll", "deno"] : ["deno"];

/** A way to have a server listen on both unspecified addresses. */
interface Row {
  readonly server: readonly string[];
  /** The keys that give it its port. */
  readonly keys: (port: number) => ConfigValues;
  /** Whether a manager adds the port. */
  readonly isManaged?: boolean;
}

const one = (port: number): ConfigValues => ({
  server_port: port,
  password: PASSWORD,
});
const ROWS: readonly Row[] = [
  { server: ["0.0.0.0", "::"], keys: one },
  { server: ["::0", "0.0.0.0"], keys: one },
  {
    server: ["0.0.0.0", "::"],
    keys: (port) => ({ port_password: { [port]: PASSWORD } }),
  },
  { server: ["::", "0.0.0.0"], keys: () => ({}), isManaged: true },
];

for (const event_loop of POLLERS) {
  for (const { server, keys, isManaged = false } of ROWS) {
    const what = `${server} (${isManaged ? "manager" : Object.keys(keys(1))})`;
    Deno.test(`ssserver serves both IP versions at ${what} over ${event_loop}`, async () => {
      const port = freePort();
      const control = freePort();
      const managed = { manager_address: `127.0.0.1:${control}` };
      await using _server = await spawnRole("ssserver", {
        config: {
          server: [...server],
          method: METHOD,
          forbidden_ip: "",
          event_loop,
          ...isManaged ? managed : {},
          ...keys(port),
        },
      });
      if (isManaged) {
        using client = new ManagerClient(control);
        const add = { server_port: port, password: PASSWORD };
        assertEquals(await client.ask(`add: ${JSON.stringify(add)}`), "ok");
      }
      await assertServed("127.0.0.1", port);
      await assertServed("::1", port);
    });
  }
}

/** Relays by a server over TCP and over UDP. */
async function assertServed(server: string, port: number): Promise<void> {
  await using tcp = echoTarget();
  await using udp = new UdpEcho();
  await using local = await spawnRole("sslocal", {
    config: {
      server,
      server_port: port,
      local_address: "127.0.0.1",
      local_port: 0,
      password: PASSWORD,
      method: METHOD,
    },
  });
  using conn = await socks5Connect(local.port, tcp);
  const data = seededBytes(1000);
  await writeAll(conn, data);
  assertEquals(await readExactly(conn, data.length), data);
  using datagrams = await socks5UdpAssociate(local.port);
  await datagrams.send(udp, data);
  const answer = await withTimeout(datagrams.receive(), `UDP of ${server}`);
  assertEquals(answer.payload, data);
}
