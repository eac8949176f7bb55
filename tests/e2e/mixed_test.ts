/**
 * The mixed port: SOCKS4, 4a, 5 and HTTP by a real client, UDP of users, and
 * several ports of different protocols in one process.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  accessLine,
  accessLinesOf,
  curl,
  echoTarget,
  hasCurl,
  HttpConn,
  HttpOrigin,
  listeningPorts,
  PASSWORD,
  readExactly,
  seededBytes,
  socks5Connect,
  Socks5Datagrams,
  socks5UdpAssociate,
  spawnRole,
  staysPending,
  UdpEcho,
  withTimeout,
  writeAll,
} from "../support/mod.ts";
import {
  ALICE,
  OPEN_PORT,
  SERVER_KEYS,
  spawnMixedPair,
} from "./_mixed_fixture.ts";

/** How curl reaches the proxy, and what it can do without a password. */
const SCHEMES = ["socks4", "socks4a", "socks5", "socks5h", "http", "CONNECT"];

/** Long enough for a loopback answer, should there be one. */
const SILENCE = 400;

if (hasCurl()) {
  Deno.test("sslocal serves curl by every protocol of a mixed port", async (t) => {
    await using pair = await spawnMixedPair();
    await using origin = new HttpOrigin();
    const runs = SCHEMES.map((scheme) => ({
      scheme,
      args: scheme === "CONNECT"
        ? ["--proxytunnel", "--proxy", `http://127.0.0.1:${pair.open}`]
        : ["--proxy", `${scheme}://127.0.0.1:${pair.open}`],
      login: `${ALICE.name}:${ALICE.password}`,
      hasPassword: !scheme.startsWith("socks4"),
    }));
    for (const { scheme, args } of runs) {
      await t.step(`${scheme}, without users`, async () => {
        const got = await curl(...args, "-d", "ping", `${origin.url}/x?y`);
        assertEquals(got.error, "");
        assertEquals(got.body, "origin POST /x?y ping");
        if (scheme === "CONNECT") assertEquals(got.connectStatus, 200);
      });
    }
    for (const { scheme, args, login, hasPassword } of runs) {
      const closed = args.map((each) =>
        each.replace(`:${pair.open}`, `:${pair.closed}`)
      );
      await t.step(`${scheme}, with users`, async () => {
        const got = await curl(...closed, "-U", login, `${origin.url}/u`);
        assertEquals(got.code === 0, hasPassword, got.error);
        if (hasPassword) assertEquals(got.body, "origin GET /u ");
      });
      await t.step(`${scheme}, with a wrong password`, async () => {
        const got = await curl(...closed, "-U", "alice:x", `${origin.url}/w`);
        assertEquals(got.body.includes("origin"), false, got.body);
        if (scheme === "http") assertEquals(got.status, 407);
        else assert(got.code !== 0);
        if (scheme === "CONNECT") assertEquals(got.connectStatus, 407);
      });
    }
    const { local } = pair;
    assertEquals(origin.requests.length, SCHEMES.length + 4);
    // socks4 and socks4a are refused twice each, the rest once.
    const refused = await accessLinesOf(
      local.program,
      { status: "auth_failed" },
      2 * SCHEMES.length - 4,
    );
    for (const { user, target } of refused) {
      assertEquals([user, target], ["", ""]);
    }
    const served = await accessLinesOf(
      local.program,
      { user: ALICE.name, status: "ok" },
      4,
    );
    for (const { target } of served) assertEquals(target, origin.authority);
    assert(
      !local.program.output.includes(ALICE.password),
      "a password is logged",
    );
  });
}

Deno.test("sslocal relays datagrams only while an association of a user is held", async () => {
  await using pair = await spawnMixedPair();
  await using target = new UdpEcho();
  const payload = seededBytes(200, 1);
  const relay = {
    transport: "udp",
    hostname: "127.0.0.1",
    port: pair.closed,
  } as const;

  using before = new Socks5Datagrams(undefined, relay);
  await before.send(target, payload);
  await assertRejects(() => socks5UdpAssociate(pair.closed), Error, "chose");
  await assertRejects(
    () => socks5UdpAssociate(pair.closed, { name: "alice", password: "x" }),
    Error,
    "refuses the user",
  );
  await before.send(target, payload);
  {
    using held = await socks5UdpAssociate(pair.closed, ALICE);
    await held.send(target, payload);
    const answer = await withTimeout(held.receive(), "the echo");
    assertEquals(answer.payload, payload);
    if (Deno.build.os === "linux") {
      using stranger = new Socks5Datagrams(undefined, relay, "127.0.0.2");
      await stranger.send(target, payload);
      const echo = stranger.receive();
      assert(await staysPending(echo, SILENCE), "a stranger was served");
      echo.catch(() => {});
    }
  }
  const line = await accessLine(pair.local.program, {
    network: "udp",
    user: ALICE.name,
  });
  assertEquals(line.status, "ok");
  assertEquals(line.target, `127.0.0.1:${target.port}`);
  assertEquals([line.up, line.down], [payload.length, payload.length]);

  using after = new Socks5Datagrams(undefined, relay);
  await after.send(target, payload);
  const echo = after.receive();
  assert(await staysPending(echo, SILENCE), "served without an association");
  echo.catch(() => {});
  assertEquals(target.received, 1);
});

Deno.test("sslocal relays every datagram of a user when there are to be workers", async () => {
  await using pair = await spawnMixedPair({ workers: 2 });
  await pair.local.program.waitFor(/WARNING .*serving with one/);
  await using target = new UdpEcho();
  // Shared out to two workers, one of 256 ports chosen so would get no answer.
  for (let i = 0; i < 8; i++) {
    using held = await socks5UdpAssociate(pair.closed, ALICE);
    await held.send(target, seededBytes(10, i));
    const { payload } = await withTimeout(held.receive(), `echo ${i}`);
    assertEquals(payload, seededBytes(10, i));
  }
});

Deno.test("sslocal relays datagrams of everybody who asks when there are no users", async () => {
  await using pair = await spawnMixedPair();
  await using target = new UdpEcho();
  using association = await socks5UdpAssociate(pair.open);
  assertEquals(association.relay.port, pair.open);
  await association.send(target, seededBytes(100, 2));
  const { payload } = await withTimeout(association.receive(), "the echo");
  assertEquals(payload, seededBytes(100, 2));
});

Deno.test("sslocal serves several locals of different protocols and outbounds", async () => {
  await using echo = echoTarget();
  await using origin = new HttpOrigin();
  await using one = await spawnRole("ssserver", { config: SERVER_KEYS });
  await using two = await spawnRole("ssserver", { config: SERVER_KEYS });
  const common = {
    server: "127.0.0.1",
    password: PASSWORD,
    method: "aes-256-gcm",
  };
  await using local = await spawnRole("sslocal", {
    config: {
      access_log: { file: "-", format: "json" },
      servers: [
        { ...common, name: "one", server_port: one.port },
        { ...common, name: "two", server_port: two.port },
      ],
      locals: [
        { ...OPEN_PORT, protocol: "http", outbound: "one" },
        { ...OPEN_PORT, protocol: "socks", outbound: "two" },
        {
          ...OPEN_PORT,
          protocol: "tunnel",
          forward_address: echo.hostname,
          forward_port: echo.port,
          outbound: "direct",
        },
        { ...OPEN_PORT, disabled: true },
      ],
    },
  });
  const [http, socks, tunnel] = await listeningPorts(local, 3);
  {
    using conn = await HttpConn.open(http!);
    await conn.sendHead(`GET ${origin.url}/a HTTP/1.1`, "Host: x");
    assertEquals((await conn.answer()).body, "origin GET /a ");
  }
  using conns = new DisposableStack();
  for (
    const conn of [
      conns.use(await socks5Connect(socks!, echo)),
      conns.use(await Deno.connect({ hostname: "127.0.0.1", port: tunnel! })),
    ]
  ) {
    await writeAll(conn, seededBytes(300, 3));
    assertEquals(await readExactly(conn, 300), seededBytes(300, 3));
    await conn.closeWrite();
  }
  const { program } = local;
  for (
    const [listener, outbound, port] of [
      [`http:${http}`, "one", origin.port],
      [`socks:${socks}`, "two", echo.port],
      [`tunnel:${tunnel}`, "direct", echo.port],
    ] as const
  ) {
    const line = await accessLine(program, { listener });
    assertEquals(line.outbound, outbound);
    assertEquals(line.target, `127.0.0.1:${port}`);
    assertEquals(line.status, "ok");
  }
  // The HTTP port takes no SOCKS, and says so in HTTP or not at all.
  using wrong = await Deno.connect({ hostname: "127.0.0.1", port: http! });
  await writeAll(wrong, Uint8Array.of(5, 1, 0));
  const line = await accessLine(program, {
    listener: `http:${http}`,
    client: `127.0.0.1:${wrong.localAddr.port}`,
  });
  assertEquals(line.status, "error");
});
