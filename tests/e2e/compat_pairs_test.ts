/**
 * What configurations written for the original mean: lists of servers and
 * ports, passwords of ports, options on the command line.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import {
  type ConfigValues,
  echoDatagrams,
  echoFile,
  echoTarget,
  freePort,
  PASSWORD,
  readUntilClosed,
  request,
  type RoleProcess,
  runRole,
  seededBytes,
  socks5Connect,
  Socks5Refused,
  socks5UdpAssociate,
  spawnPair,
  spawnRole,
  UdpEcho,
  withTimeout,
  writeAll,
} from "../support/mod.ts";

const FILE = 1024 * 1024;

/** Every exercise that each pair passes. */
async function exercise({ port }: RoleProcess): Promise<void> {
  await echoFile(port, FILE);
  await request(port, { count: 20, parallel: 5 });
  await echoDatagrams(port, [1, 100, 1200]);
}

/** Keys of each side, as the original's own tests have them. */
const PAIRS: readonly {
  readonly name: string;
  readonly both: ConfigValues;
  readonly local?: ConfigValues;
}[] = [
  {
    name: "the server is a list",
    both: { method: "aes-256-cfb" },
    local: { server: ["127.0.0.1", "127.0.0.1"] },
  },
  { name: "the method is in capitals", both: { method: "AES-256-CFB" } },
  { name: "the method is table", both: { method: "table" } },
  {
    name: "one_time_auth is true",
    both: { method: "rc4-md5", one_time_auth: true },
  },
  {
    name: "fast_open is true",
    both: { method: "aes-256-cfb", fast_open: true },
  },
  { name: "timeout is 30", both: { method: "aes-256-cfb", timeout: 30 } },
];

for (const { name, both, local = {} } of PAIRS) {
  Deno.test(`both roles relay when ${name}`, async () => {
    await using pair = await spawnPair({ format: "json", both, local });
    await exercise(pair.local);
  });
}

Deno.test("both roles relay on every port when server_port is a list", async () => {
  const ports = [freePort(), freePort(), freePort()];
  await using pair = await spawnPair({
    format: "json",
    both: { server_port: ports },
  });
  await pair.server.program.waitFor(new RegExp(`server at .*:${ports[2]}`));
  await exercise(pair.local);
  for (const port of ports) {
    await using local = await spawnLocal({ server_port: port });
    await exercise(local);
  }
});

Deno.test("ssserver gives each port its password when there is port_password", async () => {
  const passwords: [port: number, password: string][] = [
    [freePort(), "first correct horse"],
    [freePort(), "second correct horse"],
  ];
  const port_password = Object.fromEntries(passwords);
  await using server = await spawnRole("ssserver", {
    format: "json",
    config: { server: "127.0.0.1", port_password, forbidden_ip: "" },
  });
  await server.program.waitFor(new RegExp(`server at .*:${passwords[1]![0]}`));
  for (const [port, password] of passwords) {
    await using local = await spawnLocal({ server_port: `${port}`, password });
    await exercise(local);
  }
});

function spawnLocal(config: ConfigValues): Promise<RoleProcess> {
  return spawnRole("sslocal", {
    format: "json",
    config: {
      server: "127.0.0.1",
      local_port: 0,
      password: PASSWORD,
      method: "aes-256-gcm",
      ...config,
    },
  });
}

/** Options for a server and a local, without a file. */
const COMMANDS: readonly (readonly [server: string, local: string])[] = [
  ["-m rc4-md5 -k testrc4", "-m rc4-md5 -k testrc4 -vv"],
  [
    "-m aes-256-cfb -k testrc4 --workers 1",
    "-m aes-256-cfb -k testrc4 -t 30 -b 127.0.0.1",
  ],
  ["-m aes-128-gcm -k testrc4 -a -v", "-m aes-128-gcm -k testrc4 -a"],
];

for (const [server, local] of COMMANDS) {
  Deno.test(`both roles relay when started with ${server}`, async () => {
    await using far = await spawnRole("ssserver", {
      args: ["-s", "127.0.0.1", "-p", "0", "--forbidden-ip="]
        .concat(server.split(" ")),
    });
    await using near = await spawnRole("sslocal", {
      args: ["-s", "127.0.0.1", "-p", `${far.port}`, "-l", "0"]
        .concat(local.split(" ")),
    });
    await exercise(near);
  });
}

Deno.test("ssserver refuses loopback when --forbidden-ip has it", async () => {
  await using target = echoTarget();
  await using server = await spawnRole("ssserver", {
    args: ["-s", "127.0.0.1", "-p", "0", "-k", PASSWORD]
      .concat("--forbidden-ip=127.0.0.1,::1,8.8.8.8"),
  });
  await using local = await spawnLocal({ server_port: server.port });
  let conn: Deno.TcpConn;
  try {
    conn = await socks5Connect(local.port, target);
  } catch (error) {
    if (error instanceof Socks5Refused) return;
    throw error;
  }
  using _ = conn;
  await writeAll(conn, seededBytes(10, 1));
  const { bytes } = await withTimeout(readUntilClosed(conn), "the end");
  assertEquals([bytes.length, target.accepted], [0, 0]);
});

for (
  const [library, method] of [
    ["libopenssl", "aes-256-cfb"],
    ["libsodium", "chacha20-ietf"],
    ["libmbedtls", "mbedtls:aes-256-cfb128"],
  ]
) {
  Deno.test(`both roles exit 1 when --${library} is no library`, async () => {
    for (const [role, port] of [["sslocal", 8388], ["ssserver", 0]] as const) {
      const result = await runRole(role, {
        args: `-s 127.0.0.1 -p ${port} -k testrc4 -m ${method}`.split(" ")
          .concat(`--${library}=invalid_path`),
      });
      assertEquals(result.code, 1, result.output);
      assertMatch(result.output, /ERROR .*invalid_path/);
    }
  });
}

Deno.test("ssserver sends to two targets from one port of one client", async () => {
  await using pair = await spawnPair({ both: { method: "aes-256-cfb" } });
  await using one = new UdpEcho();
  await using two = new UdpEcho();
  using association = await socks5UdpAssociate(pair.local.port);
  for (const target of [one, two]) {
    await association.send(target, seededBytes(4, 1));
    await withTimeout(association.receive(), "the answer");
  }
  assertEquals([...one.sources], [...two.sources]);
});
