/**
 * The access log of running programs: every status, both forms, rotation,
 * workers.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  accessLine,
  accessLines,
  accessLinesOf,
  echoTarget,
  Forwarder,
  freePort,
  listeningPorts,
  PASSWORD,
  readExactly,
  readUntilClosed,
  request,
  seededBytes,
  serveDatagrams,
  socks5Connect,
  Socks5Refused,
  socks5UdpAssociate,
  spawnPair,
  spawnRole,
  type Target,
  TcpTarget,
  TempFolder,
  UdpEcho,
  waitForFile,
  withTimeout,
  writeAll,
} from "../support/mod.ts";
import {
  ALICE,
  CLOSED_PORT,
  OPEN_PORT,
  SERVER_KEYS,
} from "./_mixed_fixture.ts";

const JSON_LOG = { file: "-", format: "json" } as const;

/** A name server that knows no name. */
class NoNames implements AsyncDisposable {
  readonly #socket: Deno.DatagramConn;
  readonly #serving: Promise<void>;

  constructor() {
    this.#socket = Deno.listenDatagram({
      transport: "udp",
      hostname: "127.0.0.1",
      port: 0,
    });
    this.#serving = serveDatagrams(this.#socket, (query) => {
      const answer = query.slice();
      // RFC 1035, section 4.1.1: a response, and the code for "no such name".
      answer[2] = answer[2]! | 0x80;
      answer[3] = 3;
      return answer;
    });
  }

  get port(): number {
    return (this.#socket.addr as Deno.NetAddr).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await this.#serving;
  }
}

/** Closes with bytes unread, which resets the connection. */
function resettingTarget(): TcpTarget {
  return new TcpTarget(async (conn) => {
    await readExactly(conn, 1);
  });
}

/** Sends until it is reset, so that no buffers on the way can hold it all. */
function floodingTarget(): TcpTarget {
  return new TcpTarget(async (conn) => {
    const piece = seededBytes(64 * 1024, 1);
    for (;;) await writeAll(conn, piece);
  });
}

/** A connection that does nothing but to send a few bytes and to wait. */
async function exchange(
  port: number,
  target: Target,
  length = 50,
): Promise<void> {
  try {
    using conn = await socks5Connect(port, target);
    await writeAll(conn, seededBytes(length, 1));
    await withTimeout(readUntilClosed(conn), "the end");
  } catch (error) {
    if (!(error instanceof Socks5Refused)) throw error;
  }
}

/** Sends bytes to a port, and its end. */
async function throwAt(port: number, bytes: Uint8Array): Promise<void> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await writeAll(conn, bytes);
  await conn.closeWrite();
  await withTimeout(readUntilClosed(conn), "the end");
}

Deno.test("the access log has a line of every status", async (t) => {
  await using folder = new TempFolder();
  await using echo = echoTarget();
  await using resetting = resettingTarget();
  await using flooding = floodingTarget();
  await using names = new NoNames();
  const acl = folder.file("server.acl");
  await Deno.writeTextFile(acl, "[outbound_block_list]\n127.0.0.9\n");
  await using server = await spawnRole("ssserver", {
    config: { ...SERVER_KEYS, acl, access_log: JSON_LOG },
  });
  await using recorder = new Forwarder(server.port);
  const common = { server: "127.0.0.1", password: PASSWORD };
  const dead = freePort();
  await using local = await spawnRole("sslocal", {
    config: {
      method: "aes-256-gcm",
      access_log: JSON_LOG,
      dns_server: `127.0.0.1:${names.port}`,
      servers: [
        { ...common, name: "alive", server_port: recorder.port },
        { ...common, name: "dead", server_port: dead },
      ],
      locals: [
        { ...OPEN_PORT, outbound: "alive" },
        { ...CLOSED_PORT, outbound: "alive" },
        { ...OPEN_PORT, outbound: "direct" },
        { ...OPEN_PORT, outbound: "dead" },
      ],
    },
  });
  const [alive, closed, direct, nowhere] = await listeningPorts(local, 4);
  await using idle = await spawnRole("sslocal", {
    config: {
      timeout: 1,
      access_log: JSON_LOG,
      locals: [{ ...OPEN_PORT, outbound: "direct" }],
    },
  });
  using idling = await socks5Connect(idle.port, echo);

  await t.step("ok", async () => {
    using conn = await socks5Connect(closed!, echo, ALICE);
    await writeAll(conn, seededBytes(300, 1));
    await readExactly(conn, 300);
    await conn.closeWrite();
    const line = await accessLine(local.program, { user: ALICE.name });
    assertEquals(
      { ...line, time: "", id: 0, ms: 0 },
      {
        time: "",
        id: 0,
        listener: `mixed:${closed}`,
        network: "tcp",
        user: ALICE.name,
        client: `127.0.0.1:${conn.localAddr.port}`,
        target: `127.0.0.1:${echo.port}`,
        rule: "",
        outbound: "alive",
        up: 300,
        down: 300,
        ms: 0,
        status: "ok",
      },
    );
    assertMatch(line.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const far = await accessLine(server.program, { status: "ok" });
    assertEquals([far.listener, far.outbound, far.up, far.down], [
      `shadowsocks:${server.port}`,
      "direct",
      300,
      300,
    ]);
  });
  await t.step("ok, of an association", async () => {
    await using datagrams = new UdpEcho();
    {
      using association = await socks5UdpAssociate(direct!);
      await association.send(datagrams, seededBytes(70, 1));
      await withTimeout(association.receive(), "the echo");
    }
    const line = await accessLine(local.program, { network: "udp" });
    assertEquals([line.up, line.down, line.status], [70, 70, "ok"]);
    assertEquals(line.outbound, "direct");
  });
  await t.step("replay", async () => {
    // A probe of the group may have gone the same way at the same time.
    for (const sent of recorder.takeSent()) await throwAt(server.port, sent);
    const line = await accessLine(server.program, { status: "replay" });
    assertEquals([line.target, line.up], ["", 0]);
  });
  await t.step("auth_failed", async () => {
    await throwAt(closed!, Uint8Array.of(5, 1, 2, 1, 1, 97, 1, 97));
    await throwAt(server.port, seededBytes(400, 1));
    await accessLine(local.program, { status: "auth_failed" });
    await accessLine(server.program, { status: "auth_failed" });
  });
  await t.step("error", async () => {
    await throwAt(alive!, Uint8Array.of(1, 2, 3));
    await accessLine(local.program, { status: "error" });
  });
  await t.step("target_reset", async () => {
    await exchange(direct!, resetting);
    const line = await accessLine(local.program, { status: "target_reset" });
    assertEquals(line.target, `127.0.0.1:${resetting.port}`);
  });
  await t.step("client_reset", async () => {
    {
      using conn = await socks5Connect(direct!, flooding);
      await readExactly(conn, 1);
    }
    await accessLine(local.program, { status: "client_reset" });
  });
  await t.step("dial_failed", async () => {
    await exchange(alive!, { hostname: "127.0.0.1", port: dead });
    const line = await accessLine(server.program, { status: "dial_failed" });
    assertEquals(line.target, `127.0.0.1:${dead}`);
  });
  await t.step("server_failed", async () => {
    await exchange(nowhere!, echo);
    const line = await accessLine(local.program, { status: "server_failed" });
    assertEquals(line.outbound, "dead");
  });
  await t.step("name_failed", async () => {
    await exchange(direct!, { hostname: "no.such.name", port: 80 });
    const line = await accessLine(local.program, { status: "name_failed" });
    assertEquals(line.target, "no.such.name:80");
  });
  await t.step("blocked", async () => {
    await exchange(alive!, { hostname: "127.0.0.9", port: 80 });
    const line = await accessLine(server.program, { status: "blocked" });
    assertEquals([line.target, line.rule], ["127.0.0.9:80", "127.0.0.9/32"]);
  });
  await t.step("timeout", async () => {
    const line = await accessLine(idle.program, { status: "timeout" });
    assertEquals(line.client, `127.0.0.1:${idling.localAddr.port}`);
    await withTimeout(readUntilClosed(idling), "the end");
  });
  await t.step("shutdown", async () => {
    await using datagrams = new UdpEcho();
    using conn = await socks5Connect(alive!, echo);
    using association = await socks5UdpAssociate(direct!);
    await association.send(datagrams, seededBytes(70, 1));
    await withTimeout(association.receive(), "the echo");
    await local.program.stop();
    const lines = accessLines(local.program.output)
      .filter(({ status }) => status === "shutdown");
    assertEquals(lines.map(({ network }) => network).sort(), [
      "tcp",
      "tcp",
      "udp",
    ]);
    await readUntilClosed(conn);
  });
});

if (Deno.build.os === "linux") {
  Deno.test("the access log says connections when the descriptors run out", async () => {
    await using server = await spawnRole("ssserver", {
      shell: "ulimit -n 64",
      config: { ...SERVER_KEYS, access_log: JSON_LOG },
    });
    using conns = new DisposableStack();
    for (let i = 0; i < 80; i++) {
      const conn = conns.use(
        await Deno.connect({ hostname: "127.0.0.1", port: server.port }),
      );
      await writeAll(conn, Uint8Array.of(1));
    }
    const line = await accessLine(server.program, { status: "connections" });
    assertEquals(line.listener, `shadowsocks:${server.port}`);
  });
}

Deno.test("the access log keeps a name with control characters on one line", async () => {
  await using names = new NoNames();
  for (const format of ["json", "text"]) {
    await using local = await spawnRole("sslocal", {
      config: {
        access_log: { file: "-", format },
        dns_server: `127.0.0.1:${names.port}`,
        locals: [{ ...OPEN_PORT, outbound: "direct" }],
      },
    });
    const evil = 'a\r\n{"status":"ok"}\x1b[2J\u2028 \x7f';
    await exchange(local.port, { hostname: evil, port: 80 });
    await exchange(local.port, { hostname: "next", port: 80 });
    const { program } = local;
    await program.waitFor(/next:80.*name_failed/);
    assert(!/^\{"status"/m.test(program.output), program.output);
    // deno-lint-ignore no-control-regex -- looks for control characters
    assert(!/[\0-\x09\x0b-\x1f\x7f\u2028]/.test(program.output));
    if (format === "json") {
      assertEquals(accessLines(program.output).length, 2);
    }
  }
});

Deno.test("the access log is text unless the configuration says otherwise", async () => {
  await using folder = new TempFolder();
  await using echo = echoTarget();
  const file = folder.file("access.log");
  await using pair = await spawnPair({ local: { access_log: { file } } });
  using conn = await socks5Connect(pair.local.port, echo);
  await writeAll(conn, seededBytes(40, 1));
  await readExactly(conn, 40);
  await conn.closeWrite();
  const text = await waitForFile(file, /\n/);
  const { port } = conn.localAddr;
  assertMatch(
    text,
    new RegExp(
      `^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z ` +
        `mixed:${pair.local.port} tcp - 127\\.0\\.0\\.1:${port} ` +
        `127\\.0\\.0\\.1:${echo.port} 127\\.0\\.0\\.1:${pair.server.port} - ` +
        `up=40 down=40 ms=\\d+ ok\\n$`,
    ),
  );
  assert(!pair.local.program.output.includes("up=40"), "also in the log");
});

if (Deno.build.os !== "windows") {
  for (const workers of [1, 2]) {
    Deno.test(`the access log is opened again at SIGHUP when there are ${workers} of workers`, async () => {
      await using folder = new TempFolder();
      const file = folder.file("access.log");
      await using pair = await spawnPair({
        local: { workers, access_log: { file, format: "json" } },
      });
      await request(pair.local.port, { count: 3, parallel: 1 });
      await waitForFile(file, /(.*\n){3}/);
      const rotated = folder.file("access.log.1");
      await Deno.rename(file, rotated);
      pair.local.program.kill("SIGHUP");
      await waitForFile(file, /^/);
      // The file is there a moment before it is the one in use.
      let more = 0;
      while (await Deno.readTextFile(file) === "") {
        await request(pair.local.port, { count: 1, parallel: 1 });
        more++;
      }
      const old = accessLines(await Deno.readTextFile(rotated)).length;
      assert(old >= 3 && old < 3 + more, `${old}`);
      const rest = 3 + more - old;
      const text = await waitForFile(file, new RegExp(`(.*\\n){${rest}}`));
      assertEquals(accessLines(text).length, rest);
    });
  }

  Deno.test("the access log gets the lines of all workers", async () => {
    await using folder = new TempFolder();
    const file = folder.file("access.log");
    await using pair = await spawnPair({
      server: { workers: 2, access_log: JSON_LOG },
      local: { workers: 2, access_log: { file, format: "json" } },
    });
    const count = 60;
    await request(pair.local.port, { count, parallel: 10 });
    const near = accessLines(
      await waitForFile(file, new RegExp(`(.*\\n){${count}}`)),
    );
    const far = await accessLinesOf(
      pair.server.program,
      { status: "ok" },
      count,
    );
    for (const lines of [near, far]) {
      assertEquals(lines.length, count);
      for (const { status } of lines) assertEquals(status, "ok");
      assertEquals(new Set(lines.map(({ client }) => client)).size, count);
      // Each thread counts its sessions from 1 on.
      const firsts = lines.filter(({ id }) => id === 1);
      assertEquals(firsts.length, 2, "both workers have served");
    }
  });
}
