/**
 * The wire protocols of shadowsocks: bytes in, values out, no I/O. An
 * {@linkcode Edition} is one of them with the key of one port or server.
 *
 * @module
 */

export type {
  OpenPacketOptions,
  PacketPart,
  SealPacketOptions,
} from "./_framing.ts";
export type { SaltMarker, SaltPool } from "./_salt_pool.ts";
export * from "./classic_edition.ts";
export * from "./clock.ts";
export { Cryptor } from "./cryptor.ts";
export * from "./edition.ts";
export * from "./open_edition.ts";
export * from "./recent_salts.ts";
export * from "./replay_memory.ts";
export * from "./salt_filter.ts";
export * from "./salt_set.ts";
export * from "./suite.ts";
