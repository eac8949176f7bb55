/**
 * Users of a server as processes: keys out of files and variables, the access
 * log, and that no secret shows anywhere.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  accessLine,
  accessLinesOf,
  type ConfigValues,
  echoDatagrams,
  echoTarget,
  freePort,
  ManagerClient,
  request,
  type RoleProcess,
  runRole,
  seededBytes,
  socks5Connect,
  spawnRole,
  TempFolder,
  writeAll,
} from "../support/mod.ts";

/** A method, the key of its server, and those of three users. */
interface Keys {
  readonly method: string;
  /** Undefined: only users have keys. */
  readonly server: string | undefined;
  readonly alice: string;
  readonly bob: string;
  readonly carol: string;
}

const EDITIONS: readonly Keys[] = [
  {
    method: "aes-256-gcm",
    server: undefined,
    alice: "hunter2-of-alice",
    bob: "hunter2-of-bob-1",
    carol: "hunter2-of-carol",
  },
  {
    method: "2022-blake3-aes-256-gcm",
    server: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    alice: "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=",
    bob: "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI=",
    carol: "Q0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0M=",
  },
];

const COMMON: ConfigValues = {
  server: "127.0.0.1",
  access_log: { file: "-", format: "json" },
};

/** What the client of a user has as password. */
function clientKey({ server }: Keys, key: string): string {
  return server === undefined ? key : `${server}:${key}`;
}

function spawnClient(
  { method }: Keys,
  port: number,
  env: string,
): Promise<RoleProcess> {
  return spawnRole("sslocal", {
    config: {
      ...COMMON,
      method,
      server_port: port,
      local_port: 0,
      password: "${TEST_KEY}",
    },
    env: { TEST_KEY: env },
    args: ["-vv"],
  });
}

/** What everybody on a machine can read of a process. */
async function commandLine({ program }: RoleProcess): Promise<string> {
  return Deno.build.os === "linux"
    ? await Deno.readTextFile(`/proc/${program.pid}/cmdline`)
    : "";
}

for (const keys of EDITIONS) {
  Deno.test(`ssserver knows its users of ${keys.method}, and shows no key`, async () => {
    await using folder = new TempFolder();
    const file = folder.file("bob.txt");
    await Deno.writeTextFile(file, `${keys.bob}\n`, { mode: 0o600 });
    await using target = echoTarget();
    await using server = await spawnRole("ssserver", {
      config: {
        ...COMMON,
        server_port: 0,
        forbidden_ip: "",
        method: keys.method,
        ...(keys.server !== undefined && { password: "${SERVER_KEY}" }),
        users: [
          { name: "alice", password: keys.alice },
          { name: "bob", password_file: file },
          { name: "carol", password: "${CAROL_KEY}", disabled: true },
        ],
      },
      env: { SERVER_KEY: keys.server ?? "", CAROL_KEY: keys.carol },
      args: ["-vv"],
    });
    const outputs: string[] = [];
    for (const name of ["alice", "bob"] as const) {
      const key = clientKey(keys, keys[name]);
      await using local = await spawnClient(keys, server.port, key);
      await request(local.port, { count: 3, parallel: 2 });
      await echoDatagrams(local.port, [100]);
      const wanted = { user: name, network: "tcp", status: "ok" };
      await accessLinesOf(server.program, wanted, 3);
      outputs.push(local.program.output, await commandLine(local));
    }
    const key = clientKey(keys, keys.carol);
    await using local = await spawnClient(keys, server.port, key);
    using conn = await socks5Connect(local.port, target);
    await writeAll(conn, seededBytes(100, 1));
    await server.program.waitFor(/failed to handshake with 127\.0\.0\.1: /);
    assertEquals(target.accepted, 0);
    outputs.push(local.program.output, server.program.output);
    outputs.push(await commandLine(server));
    for (const secret of [keys.server, keys.alice, keys.bob, keys.carol]) {
      if (secret === undefined) continue;
      assert(!outputs.some((each) => each.includes(secret)), "no key shows");
    }
  });
}

Deno.test("a manager opens ports of 2022, with users, and refuses keys of another length", async () => {
  const [, keys] = EDITIONS;
  if (keys?.server === undefined) throw new TypeError("no keys");
  const { method, server: password, alice } = keys;
  const port = freePort();
  await using manager = await spawnRole("ssmanager", {
    config: {
      ...COMMON,
      forbidden_ip: "",
      manager_address: `127.0.0.1:${port}`,
    },
  });
  await using client = new ManagerClient(port);
  const server_port = freePort();
  const add = (values: ConfigValues): string =>
    `add: ${JSON.stringify({ server_port, method, ...values })}`;
  const { program } = manager;
  await client.send(add({ password: "hunter2-hunter2" }));
  await program.waitFor(
    /ERROR +.*the password cannot be used: it has 11 bytes/,
  );
  const users = [{ name: "alice", password: alice }];
  const twice = [...users, { name: "alice", password: keys.bob }];
  await client.send(add({ password, users: twice }));
  await program.waitFor(/ERROR +.*user "alice" is given twice/);
  assertEquals(await client.ask(add({ password, users })), "ok");
  await using local = await spawnClient(
    keys,
    server_port,
    clientKey(keys, alice),
  );
  await request(local.port, { count: 1, parallel: 1 });
  await accessLine(program, { user: "alice", status: "ok" });
  assert(!/hunter2|QUFB|AAEC/.test(program.output));
});

Deno.test("--check counts users and shows none of their keys", async () => {
  const result = await runRole("ssserver", {
    config: {
      method: "aes-256-gcm",
      users: [
        { name: "alice", password: "hunter2-of-alice" },
        { name: "bob", password: "hunter2-of-bob-1", disabled: true },
      ],
    },
    args: ["--check"],
  });
  assertEquals(result.code, 0);
  assertMatch(
    result.output,
    /INFO +2 users, 1 of them disabled\nthe configuration is valid\n$/,
  );
  assert(!result.output.includes("hunter2"));
});

Deno.test({
  name: "genkey prints a key and nothing else, and mistakes beside it",
  ignore: Deno.build.os === "windows",
  async fn(): Promise<void> {
    const key = await runRole("genkey", { args: ["2022-blake3-aes-128-gcm"] });
    assertEquals(key.code, 0);
    assertMatch(key.output, /^[A-Za-z0-9+/]{22}==\n$/);
    const wrong = await runRole("genkey", { args: ["aes-256-gmc"] });
    assertEquals(wrong.code, 2);
    assertMatch(wrong.output, /ERROR: .*did you mean aes-256-gcm\?\n$/);
    const aside = { args: ["aes-256-gmc"], shell: "exec 2>/dev/null" };
    assertEquals((await runRole("genkey", aside)).output, "");
  },
});
