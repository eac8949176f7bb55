/**
 * The memory of salts as a table of fixed size, for memory that threads and
 * processes share: a mapped file, or a buffer.
 *
 * ```text
 * 0     magic 8 ‖ version 4 ‖ bytes of the table 4 ‖ secret 16
 * 32    16 × { kind 4 ‖ offset 4 ‖ length 4 }      a kind of 0: room
 * 224   checksum 4 (FNV-1a over all before)
 * 4096  the regions, each a `RingSaltSet`; the last, of another form, a
 *       `RingRecentSalts`
 * ```
 *
 * Numbers are little endian, as on every system that the program runs on. A
 * region of another form gets a kind of its own, behind the others.
 *
 * @module
 */

import { RECENT_BUCKET_BYTES, RingRecentSalts } from "./_ring_recent_salts.ts";
import { BUCKET_BYTES, RingSaltSet } from "./_ring_salt_set.ts";
import { ReplayMemory, SECRET_BYTES } from "./replay_memory.ts";
import type { SaltSet } from "./salt_set.ts";

/** `SSreplay`. */
const MAGIC = new TextEncoder().encode("SSreplay");
const VERSION = 2;
/** Where the numbers of the header are. */
const AT = { version: 8, length: 12, secret: 16, regions: 32, checksum: 224 };
const REGION_BYTES = 12;
/** One page, so that the regions begin at one. */
export const HEADER_BYTES = 4096;

/**
 * The regions, by kind from 1 on, and their buckets. With ten and a half salts a
 * bucket a million of connections, a third of that of packets, a sixth of
 * methods that prove nothing, and a twelfth of our own are surely known.
 */
const REGIONS: readonly number[] = [
  // Seen, of connections.
  93 << 10,
  // Seen, of packets.
  32 << 10,
  // Seen, of methods that prove nothing.
  16 << 10,
  // Our own that are too short for a mark.
  8 << 10,
];

/** Where the region of another form begins. */
const RECENT_START: number = REGIONS.reduce(
  (sum, buckets) => sum + buckets * BUCKET_BYTES,
  HEADER_BYTES,
);
/**
 * Buckets for the connections of the 2022 edition. With ten and a half salts a
 * bucket those of 61 seconds are surely known at 4,900 connections a
 * second, half of them at thrice as many.
 */
const RECENT_BUCKETS = 28 << 10;
const RECENT_BYTES = RECENT_BUCKETS * RECENT_BUCKET_BYTES;

/** Bytes of a table: 37 MiB. */
export const TABLE_BYTES: number = RECENT_START + RECENT_BYTES;

/** Bytes of a part of a table that {@linkcode TableOptions.marks} is about. */
export const CHUNK_BYTES = 8192;
/** How many of them a table has. */
export const CHUNKS: number = Math.ceil(TABLE_BYTES / CHUNK_BYTES);

/** How {@linkcode tableMemory} uses a table. */
export interface TableOptions {
  /** Gets a 1 for each chunk that has changed. Default: nobody is told. */
  readonly marks?: Uint8Array | undefined;
}

/**
 * Makes the set of a table that remembers connections.
 *
 * @param memory A table.
 * @returns The set, without our own salts and without the hash.
 */
export function connectionSet(memory: Uint8Array): SaltSet {
  const length = REGIONS[0]! * BUCKET_BYTES;
  return new RingSaltSet(memory.subarray(HEADER_BYTES, HEADER_BYTES + length));
}

/**
 * Writes the head of a table. The rest is to be zero.
 *
 * @param memory {@linkcode TABLE_BYTES} bytes, or the first page of them.
 * @param secret Random bytes; default: drawn here.
 */
export function formatTable(
  memory: Uint8Array,
  secret: Uint8Array = crypto.getRandomValues(new Uint8Array(SECRET_BYTES)),
): void {
  const view = viewOf(memory);
  memory.set(MAGIC);
  view.setUint32(AT.version, VERSION, true);
  view.setUint32(AT.length, TABLE_BYTES, true);
  memory.set(secret, AT.secret);
  let offset = HEADER_BYTES;
  for (const [i, buckets] of REGIONS.entries()) {
    const at = AT.regions + i * REGION_BYTES;
    view.setUint32(at, i + 1, true);
    view.setUint32(at + 4, offset, true);
    view.setUint32(at + 8, buckets * BUCKET_BYTES, true);
    offset += buckets * BUCKET_BYTES;
  }
  const at = AT.regions + REGIONS.length * REGION_BYTES;
  view.setUint32(at, REGIONS.length + 1, true);
  view.setUint32(at + 4, RECENT_START, true);
  view.setUint32(at + 8, RECENT_BYTES, true);
  view.setUint32(AT.checksum, checksum(memory), true);
}

/**
 * Looks at the head of a table.
 *
 * @param memory The table, or its first page.
 * @returns What is wrong with it; undefined: nothing.
 */
export function tableProblem(memory: Uint8Array): string | undefined {
  if (memory.length < HEADER_BYTES) return "it is too short";
  if (MAGIC.some((byte, i) => memory[i] !== byte)) {
    return "it is no replay memory";
  }
  const view = viewOf(memory);
  const version = view.getUint32(AT.version, true);
  if (version !== VERSION) return `its version is ${version}, not ${VERSION}`;
  if (view.getUint32(AT.checksum, true) !== checksum(memory)) {
    return "its checksum is wrong";
  }
  // The sum is right, so the regions are those of this version.
  return undefined;
}

/**
 * Makes the memory of salts over a table.
 *
 * @param memory A table without {@linkcode tableProblem}, at the start of its
 * buffer.
 * @param options Who is told of changes.
 * @returns The memory, which others may have over the same table.
 */
export function tableMemory(
  memory: Uint8Array,
  options: TableOptions = {},
): ReplayMemory {
  const { marks } = options;
  const onChange = marks && ((start: number, end: number): void => {
    marks[Math.floor(start / CHUNK_BYTES)] = 1;
    marks[Math.floor((end - 1) / CHUNK_BYTES)] = 1;
  });
  const secret = memory.slice(AT.secret, AT.secret + SECRET_BYTES);
  let offset = HEADER_BYTES;
  const sets = REGIONS.map((buckets) => {
    const start = offset;
    offset += buckets * BUCKET_BYTES;
    return new RingSaltSet(memory.subarray(start, offset), onChange);
  });
  const [streams, packets, unproven, own] = sets;
  return new ReplayMemory(secret, {
    streams: streams!,
    packets: packets!,
    unproven: unproven!,
    own: own!,
    recent: new RingRecentSalts(
      memory.subarray(RECENT_START, RECENT_START + RECENT_BYTES),
      onChange,
    ),
  });
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/** FNV-1a of 32 bits over what stands before the checksum. */
function checksum(memory: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < AT.checksum; i++) {
    hash = Math.imul(hash ^ memory[i]!, 0x01000193);
  }
  return hash >>> 0;
}
