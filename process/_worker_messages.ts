/**
 * What the main thread and its workers tell each other.
 *
 * @module
 */

import { type Config, type HostPort, IpNetworks } from "../config/mod.ts";

/** To a worker. */
export type WorkerCommand =
  | {
    /** Listen; the first message. */
    readonly kind: "start";
    readonly config: PlainConfig;
    /** Where the first worker listens; absent for the first itself. */
    readonly listening: readonly HostPort[] | undefined;
    /** Whether reads are counted. */
    readonly counts: boolean;
  }
  | { readonly kind: "serve" | "drain" | "terminate" };

/** From a worker. */
export type WorkerReport =
  | { readonly kind: "log"; readonly text: string }
  | { readonly kind: "listening"; readonly listening: readonly HostPort[] }
  | {
    /** Bytes read on each port since the last such report. */
    readonly kind: "stats";
    readonly bytes: ReadonlyMap<number, number>;
  }
  | { readonly kind: "failed"; readonly reason: string }
  /** It listens no more; it has ended. */
  | { readonly kind: "closed" | "ended" };

/** A configuration that can be sent to another thread. */
export type PlainConfig = Omit<Config, "forbiddenIp"> & {
  readonly forbiddenIp: readonly string[];
};

/**
 * Makes a configuration ready to be sent.
 *
 * @param config The configuration.
 * @returns The same as plain data.
 */
export function toPlain(config: Config): PlainConfig {
  return { ...config, forbiddenIp: config.forbiddenIp.cidrs };
}

/**
 * Makes a configuration of what was sent.
 *
 * @param plain The plain data.
 * @returns The configuration.
 */
export function fromPlain(plain: PlainConfig): Config {
  return { ...plain, forbiddenIp: new IpNetworks(plain.forbiddenIp) };
}
