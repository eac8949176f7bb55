/**
 * Tests of the manager's unix socket, and of what hostile requests do.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { SocketError } from "../../loop/mod.ts";
import { pollers } from "../_loop_fixture.ts";
import { freePort } from "../support/mod.ts";
import { hostileRequests } from "./_hostile_requests_fixture.ts";
import { ManagerFixture, managerTest } from "./_manager_fixture.ts";

const POLLERS = Deno.build.os === "windows" ? [] : pollers();

for (const poller of POLLERS) {
  const options = { poller, transport: "unix" } as const;

  Deno.test(`Manager makes a unix socket for its owner alone and removes it (${poller})`, async () => {
    await using fixture = await ManagerFixture.start(options);
    const { isSocket, mode } = await Deno.lstat(fixture.path);
    assert(isSocket);
    assertEquals(mode! & 0o777, 0o600);
    fixture.service.destroy();
    await assertRejects(() => Deno.lstat(fixture.path), Deno.errors.NotFound);
  });

  Deno.test(`Manager.start() replaces a unix socket that nobody listens on (${poller})`, async () => {
    await using fixture = await ManagerFixture.make(options);
    Deno.listenDatagram({ transport: "unixpacket", path: fixture.path })
      .close();
    assert((await Deno.lstat(fixture.path)).isSocket);
    await fixture.start();
    assertEquals(await fixture.client().ask("ping"), "pong");
  });

  Deno.test(`Manager.start() fails when somebody listens on the unix socket (${poller})`, async () => {
    await using fixture = await ManagerFixture.make(options);
    const other = Deno.listenDatagram({
      transport: "unixpacket",
      path: fixture.path,
    });
    await assertRejects(() => fixture.start(), SocketError, fixture.path);
    assertEquals(fixture.logs.of("error"), ["can not bind to manager address"]);
    assert((await Deno.lstat(fixture.path)).isSocket);
    other.close();
  });

  Deno.test(`Manager.start() leaves a file alone that is no socket (${poller})`, async () => {
    await using fixture = await ManagerFixture.make(options);
    await Deno.writeTextFile(fixture.path, "kept");
    await assertRejects(() => fixture.start(), SocketError, fixture.path);
    assertEquals(await Deno.readTextFile(fixture.path), "kept");
  });
}

Deno.test("Manager.start() warns when strangers can reach it", async () => {
  await using open = await ManagerFixture.make({
    address: { host: "0.0.0.0", port: 0 },
  });
  await open.start();
  assertEquals(open.logs.with("who can send there can open ports").length, 1);
});

/** Processes that this one has started; undefined where it cannot be seen. */
async function children(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  const task = `/proc/${Deno.pid}/task/${Deno.pid}/children`;
  return await Deno.readTextFile(task);
}

managerTest(
  "Manager goes on, and starts nothing, when 1,000 requests are hostile",
  {},
  async (fixture) => {
    const client = fixture.client();
    const before = await children();
    const { watched } = fixture;
    const port = freePort();
    let sent = 0;
    for (const request of hostileRequests(1000, port)) {
      await client.send(request);
      // Sockets hold few datagrams: the manager must keep up.
      if (++sent % 5 === 0) assertEquals(await client.ask("ping"), "pong");
    }
    assertEquals(sent, 1000);
    assertEquals(await client.ask("list"), "[\n]");
    assertEquals(fixture.watched, watched);
    assertEquals(await children(), before);
    assertEquals(fixture.logs.with("Unexpected"), []);
    assertEquals(({} as Record<string, unknown>).polluted, undefined);
    assertEquals(
      await client.ask(`add: {"server_port":${port},"password":"still fine"}`),
      "ok",
    );
  },
);
