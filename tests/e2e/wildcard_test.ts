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
  Socks5Datagrams,
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

/** An address of this machine that no answer leaves from by itself. */
const ASKED = "127.0.0.5";

/** Sends datagrams on, and notes who answers. */
class Forwarder implements Disposable {
  /** The hosts that answers came from. */
  readonly answered: string[] = [];
  readonly #socket = Deno.listenDatagram({
    transport: "udp",
    hostname: "127.0.0.1",
    port: 0,
  });

  /** @param port The port of {@linkcode ASKED} that datagrams are for. */
  constructor(port: number) {
    this.#run(port);
  }

  /** Where it takes datagrams. */
  get port(): number {
    return (this.#socket.addr as Deno.NetAddr).port;
  }

  async #run(port: number): Promise<void> {
    let client: Deno.Addr | undefined;
    for await (const [data, from] of this.#socket) {
      const { hostname, port: source } = from as Deno.NetAddr;
      if (source === port) {
        this.answered.push(hostname);
        if (client !== undefined) await this.#socket.send(data, client);
        continue;
      }
      client = from;
      const to = { transport: "udp", hostname: ASKED, port } as const;
      await this.#socket.send(data, to);
    }
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

for (const host of ["0.0.0.0", "::"]) {
  Deno.test({
    name: `sslocal and ssserver at ${host} answer UDP from what was asked`,
    ignore: !POLLERS.includes("epoll"),
    fn: async () => {
      await using udp = new UdpEcho();
      await using server = await spawnRole("ssserver", {
        config: {
          server: host,
          server_port: 0,
          password: PASSWORD,
          method: METHOD,
          forbidden_ip: "",
          event_loop: "epoll",
        },
      });
      using between = new Forwarder(server.port);
      await using local = await spawnRole("sslocal", {
        config: {
          server: "127.0.0.1",
          server_port: between.port,
          local_address: host,
          local_port: 0,
          password: PASSWORD,
          method: METHOD,
          event_loop: "epoll",
        },
      });
      using control = await socks5UdpAssociate(local.port);
      const { port } = control.relay;
      using client = new Forwarder(port);
      const relay = { transport: "udp", hostname: "127.0.0.1" } as const;
      using asking = new Socks5Datagrams(
        undefined,
        { ...relay, port: client.port },
      );
      for (const size of [100, 1200, 30_000]) {
        const data = seededBytes(size);
        await asking.send(udp, data);
        const answer = await withTimeout(asking.receive(), `${size} bytes`);
        assertEquals(answer.payload, data);
      }
      assertEquals(between.answered, Array(3).fill(ASKED));
      assertEquals(client.answered, Array(3).fill(ASKED));
    },
  });
}
