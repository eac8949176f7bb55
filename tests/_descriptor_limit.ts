/**
 * Run by a test as a process of its own, with few descriptors to be had:
 * uses them up, and expects a listener to say so and to recover.
 *
 * Usage: `deno run -A tests/_descriptor_limit.ts deno|epoll`
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  makePoller,
  POLL_ERR,
  POLL_IN,
  POLL_NULL,
  POLL_OUT,
  type Poller,
  SocketError,
  type StreamSocket,
} from "../loop/mod.ts";
import { LOOPBACK, LoopFixture } from "./_loop_fixture.ts";

/** More connections than descriptors. */
const MANY = 1000;

/** Connects until the system refuses; returns those that are connected. */
async function useUp(
  fixture: LoopFixture,
  connect: () => StreamSocket,
): Promise<StreamSocket[]> {
  const connected: StreamSocket[] = [];
  let code = "";
  while (code === "" && connected.length < MANY) {
    let socket: StreamSocket;
    try {
      socket = connect();
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      code = error.code;
      break;
    }
    let done = false;
    fixture.on(socket, POLL_OUT, (event) => {
      done = true;
      if ((event & POLL_ERR) === 0) connected.push(socket);
      else code = socket.takeError();
      fixture.loop.remove(socket);
    });
    await fixture.until(() => done, "a connect");
  }
  assertEquals(code, "EMFILE");
  return connected;
}

async function main(name: Poller["name"]): Promise<void> {
  using fixture = new LoopFixture(await makePoller(name));
  const { loop, poller } = fixture;
  using listener = poller.listenTcp(LOOPBACK);
  const clients = await useUp(
    fixture,
    () => poller.connectTcp(listener.localAddress),
  );
  const codes: string[] = [];
  const accepted: StreamSocket[] = [];
  fixture.on(listener, POLL_IN, () => {
    let server: StreamSocket | undefined;
    while ((server = listener.accept()) !== undefined) accepted.push(server);
    if (listener.error === "") return;
    codes.push(listener.error);
    loop.modify(listener, POLL_NULL);
  });
  await fixture.until(() => codes.length > 0, "a refusal to accept");
  assertEquals(codes[0], "EMFILE");
  const before = accepted.length;
  let over = false;
  fixture.after(50, () => over = true);
  await fixture.until(() => over, "a pause");
  assertEquals(codes.length, 1, "no further try without POLL_IN");
  for (const client of clients.splice(0, 6)) client.close();
  loop.modify(listener, POLL_IN);
  await fixture.until(() => accepted.length > before, "an accept");
}

await main(Deno.args[0] as Poller["name"]);
