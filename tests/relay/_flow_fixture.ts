/**
 * For tests: connections brought to a certain stage on fakes.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { FakeStream } from "../../loop/fakes.ts";
import { CipherPeer, header, type RelayFixture } from "./_relay_fixture.ts";
import type { TCPRelayHandler } from "../../relay/mod.ts";
import { concat, text } from "../support/bytes.ts";

/** The target of the tests. */
export const TARGET = { host: "192.0.2.7", port: 80 };
/** A greeting that offers no authentication. */
export const GREETING: Uint8Array = Uint8Array.of(5, 1, 0);
/** The answer to it. */
export const GREETING_REPLY: Uint8Array = Uint8Array.of(5, 0);
/** The answer to a CONNECT that succeeded. */
export const CONNECTED: Uint8Array = Uint8Array.of(
  5,
  0,
  0,
  1,
  0,
  0,
  0,
  0,
  0,
  0,
);

/**
 * Opens what a server gets.
 *
 * @param fixture Has the cipher.
 * @param sent The stream, in pieces; its header names {@linkcode TARGET}.
 * @returns The payload.
 */
export function opened(
  fixture: RelayFixture,
  ...sent: readonly Uint8Array[]
): string {
  using peer = new CipherPeer(fixture.suite);
  const plain = peer.open(concat(...sent));
  const head = header(TARGET);
  assertEquals(plain.subarray(0, head.length), head);
  return text(plain.subarray(head.length));
}

/** A connection of the server and its two other ends. */
export interface ServerFlow {
  /** Towards the client. */
  readonly local: FakeStream;
  /** Towards the target; not there before the target is connected to. */
  readonly remote: FakeStream;
  /** The client's cipher. */
  readonly client: CipherPeer;
  /** The handler. */
  readonly handler: TCPRelayHandler;
}

/** A client of the server that has sent its header. */
export async function serverFlow(
  fixture: RelayFixture,
  options: {
    readonly target?: { readonly host: string; readonly port: number };
    readonly payload?: Uint8Array;
    /** Default true: the target is connected. */
    readonly established?: boolean;
  } = {},
): Promise<ServerFlow> {
  const client = new CipherPeer(fixture.suite);
  const local = await fixture.accept();
  const handler = fixture.handlerOf(local);
  const payload = options.payload ?? new Uint8Array(0);
  local.bring(client.seal(header(options.target ?? TARGET), payload));
  await fixture.settle();
  const remote = fixture.poller.connects.at(-1)!;
  if (options.established ?? true) {
    remote.establish();
    await fixture.settle();
  }
  return { local, remote, client, handler };
}

/** A request of SOCKS5. */
export function request(
  command: number,
  target: { readonly host: string; readonly port: number } = TARGET,
): Uint8Array {
  const address = header(target);
  const out = new Uint8Array(3 + address.length);
  out.set([5, command, 0]);
  out.set(address, 3);
  return out;
}

/** A connection of the local and its two other ends. */
export interface LocalFlow {
  /** Towards the application. */
  readonly app: FakeStream;
  /** Towards the server. */
  readonly remote: FakeStream;
  /** The server's cipher. */
  readonly server: CipherPeer;
  /** The handler. */
  readonly handler: TCPRelayHandler;
}

/** An application of the local that has asked for a connection. */
export async function localFlow(
  fixture: RelayFixture,
  options: {
    readonly payload?: Uint8Array;
    /** Default true: the server is connected. */
    readonly established?: boolean;
  } = {},
): Promise<LocalFlow> {
  const app = await fixture.accept();
  const handler = fixture.handlerOf(app);
  app.bring(GREETING);
  await fixture.settle();
  app.bring(concat(request(1), options.payload ?? new Uint8Array(0)));
  await fixture.settle();
  const remote = fixture.poller.connects.at(-1)!;
  if (options.established ?? true) {
    remote.establish();
    await fixture.settle();
  }
  return { app, remote, server: new CipherPeer(fixture.suite), handler };
}
