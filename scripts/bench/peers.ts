/**
 * Everybody whom the benchmark can measure: this program from source and as
 * the executable in `dist/`, and others found on PATH.
 *
 * @module
 */

import { ROOT } from "../_modules.ts";
import { V8_FLAGS } from "../_v8_flags.ts";

/** Either end of a pair. */
export type End = "local" | "server";

/** What a pair is to do. */
export interface PairConfig {
  /** The method. */
  readonly method: string;
  /** The port of the server, on 127.0.0.1. */
  readonly serverPort: number;
  /** The port of the local, on 127.0.0.1. */
  readonly localPort: number;
}

/** An implementation of both ends. */
export interface Peer {
  /** Its name in tables. */
  readonly name: string;
  /** Name and version. */
  readonly version: string;
  /** Whether it is this program. */
  readonly ours: boolean;
  /** The command that starts an end from the file of its configuration. */
  readonly command: (end: End, file: string) => readonly string[];
  /** What stands in that file. */
  readonly config: (end: End, config: PairConfig) => unknown;
}

const PASSWORD = "benchmark";
const HOST = "127.0.0.1";

/**
 * Finds everybody.
 *
 * @returns This program first.
 */
export async function findPeers(): Promise<Peer[]> {
  const flags = `--v8-flags=${V8_FLAGS}`;
  const deno = [Deno.execPath(), "run", "-A", "--unstable-net", flags];
  const source = [...deno, new URL("main.ts", ROOT).href];
  const peers = [
    await ours("ours, source", source),
    await oursInDist(),
    await libev(),
    await rust(),
    await singBox(),
  ];
  return peers.filter((peer) => peer !== undefined);
}

async function ours(name: string, prefix: string[]): Promise<Peer | undefined> {
  const text = await output([...prefix, "sslocal", "--version"]);
  if (text === undefined) return undefined;
  return {
    name,
    version: `${name}: ${text.split("\n")[0]}`,
    ours: true,
    command: (end, file) => [...prefix, `ss${end}`, "-c", file, "-qq"],
    // The target is on loopback, which our server refuses unless told.
    config: (end, config) => ({ ...common(end, config), forbidden_ip: "" }),
  };
}

async function oursInDist(): Promise<Peer | undefined> {
  const suffix = Deno.build.os === "windows" ? ".exe" : "";
  const file = new URL(`dist/shadowsocks-${Deno.build.target}${suffix}`, ROOT);
  const path = decodeURIComponent(file.pathname);
  return await ours("ours, compiled", [
    Deno.build.os === "windows" ? path.slice(1) : path,
  ]);
}

async function libev(): Promise<Peer | undefined> {
  const version = /shadowsocks-libev \S+/.exec(
    await output(["ss-server", "-h"]) ?? "",
  )?.[0];
  if (version === undefined) return undefined;
  return {
    name: "libev",
    version,
    ours: false,
    command: (end, file) => [`ss-${end}`, "-c", file, "-u"],
    config: (end, config) => ({ ...common(end, config), mode: "tcp_and_udp" }),
  };
}

/** Ours has the same names and says so with a capital. */
async function rust(): Promise<Peer | undefined> {
  const version = /^shadowsocks (\S+)/.exec(
    await output(["ssserver", "--version"]) ?? "",
  )?.[1];
  if (version === undefined) return undefined;
  return {
    name: "rust",
    version: `shadowsocks-rust ${version}`,
    ours: false,
    command: (end, file) => [`ss${end}`, "-c", file],
    config: (end, config) => ({ ...common(end, config), mode: "tcp_and_udp" }),
  };
}

async function singBox(): Promise<Peer | undefined> {
  const version = /sing-box version \S+/.exec(
    await output(["sing-box", "version"]) ?? "",
  )?.[0].replace("version ", "");
  if (version === undefined) return undefined;
  return {
    name: "sing-box",
    version,
    ours: false,
    command: (_end, file) => ["sing-box", "run", "-c", file],
    config: singBoxConfig,
  };
}

function singBoxConfig(end: End, config: PairConfig): unknown {
  const { method, serverPort, localPort } = config;
  const server = { type: "shadowsocks", method, password: PASSWORD };
  const log = { level: "error" };
  return end === "server"
    ? {
      log,
      inbounds: [{ ...server, listen: HOST, listen_port: serverPort }],
      outbounds: [{ type: "direct" }],
    }
    : {
      log,
      inbounds: [{ type: "socks", listen: HOST, listen_port: localPort }],
      outbounds: [{ ...server, server: HOST, server_port: serverPort }],
    };
}

/** The configuration that all but sing-box have in common. */
function common(end: End, config: PairConfig): Record<string, unknown> {
  return {
    server: HOST,
    server_port: config.serverPort,
    ...(end === "local"
      ? { local_address: HOST, local_port: config.localPort }
      : {}),
    password: PASSWORD,
    method: config.method,
    timeout: 300,
  };
}

/** What a program prints; undefined if it is not there. */
async function output(command: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await new Deno.Command(command[0]!, {
      args: command.slice(1),
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    return (decoder.decode(stdout) + decoder.decode(stderr)).trim();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
