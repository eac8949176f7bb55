/**
 * shadowsocks-libev as the other side.
 *
 * @module
 */

import { ChildProgram, freePort, isListening } from "../support/mod.ts";

/** What a peer is started with. */
export interface PeerOptions {
  /** A name of the method table. */
  readonly method: string;
  /** The password. */
  readonly password: string;
}

/** What a peer that uses a server is started with. */
export interface PeerClientOptions extends PeerOptions {
  /** The port of the server on 127.0.0.1. */
  readonly serverPort: number;
}

/** How long a peer may take until it listens, in milliseconds. */
const START = 5_000;

/** A running peer. */
export class Peer implements AsyncDisposable {
  /** Where it listens. */
  readonly port: number;
  readonly #program: ChildProgram;

  /**
   * @param program The process.
   * @param port Where it listens.
   */
  constructor(program: ChildProgram, port: number) {
    this.#program = program;
    this.port = port;
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
  }
}

/**
 * Starts `ss-server`.
 *
 * @param options Method and password.
 * @returns The peer, listening.
 * @throws {Error} If it is not installed or does not start.
 */
export function startPeerServer(options: PeerOptions): Promise<Peer> {
  const port = freePort();
  return startPeer("ss-server", port, [
    ...["-s", "127.0.0.1", "-p", `${port}`],
    ...common(options),
  ]);
}

/**
 * Starts `ss-local`.
 *
 * @param options Method, password and the port of the server.
 * @returns The peer, listening.
 * @throws {Error} If it is not installed or does not start.
 */
export function startPeerLocal(options: PeerClientOptions): Promise<Peer> {
  const port = freePort();
  return startPeer("ss-local", port, [
    ...["-s", "127.0.0.1", "-p", `${options.serverPort}`],
    ...["-b", "127.0.0.1", "-l", `${port}`],
    ...common(options),
  ]);
}

/**
 * Starts `ss-tunnel`.
 *
 * @param options Method, password, the port of the server, and the port on
 *   127.0.0.1 that the tunnel leads to.
 * @returns The peer, listening.
 * @throws {Error} If it is not installed or does not start.
 */
export function startPeerTunnel(
  options: PeerClientOptions & { readonly targetPort: number },
): Promise<Peer> {
  const port = freePort();
  return startPeer("ss-tunnel", port, [
    ...["-s", "127.0.0.1", "-p", `${options.serverPort}`],
    ...["-b", "127.0.0.1", "-l", `${port}`],
    ...["-L", `127.0.0.1:${options.targetPort}`],
    ...common(options),
  ]);
}

function common({ method, password }: PeerOptions): string[] {
  return ["-m", method, "-k", password, "-t", "60", "-u"];
}

async function startPeer(
  name: string,
  port: number,
  args: readonly string[],
): Promise<Peer> {
  let program: ChildProgram;
  try {
    program = new ChildProgram(name, { args });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(
      `Cannot start ${name}: it is not on PATH; install shadowsocks-libev`,
    );
  }
  const peer = new Peer(program, port);
  const deadline = performance.now() + START;
  while (!await isListening(port)) {
    if (performance.now() > deadline) {
      await peer[Symbol.asyncDispose]();
      throw new Error(
        `Cannot use ${name} ${args.join(" ")}: it does not listen on ` +
          `${port}; output:\n${program.output}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return peer;
}
