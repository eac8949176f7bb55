/**
 * How fast each library seals and opens, in this thread, through the same
 * code that connections and UDP packets go through.
 *
 * @module
 */

import {
  CipherError,
  type CipherMethod,
  type CryptoProvider,
  findMethod,
  openProviders,
  type ProviderSet,
} from "../../crypto/mod.ts";
import { CipherSuite } from "../../shadowsocks/mod.ts";
import type { Column, Row, Table } from "./table.ts";

/** Options of {@linkcode benchCrypto}. */
export interface CryptoBenchOptions {
  /** The names of the methods. */
  readonly methods: readonly string[];
  /** How long each figure is measured. */
  readonly seconds: number;
  /** Told what is measured now. */
  readonly progress: (text: string) => void;
}

const PROVIDERS = ["openssl", "sodium", "mbedtls", "portable"];
/** Bytes given to a connection at once. */
const SIZES: readonly (readonly [string, number])[] = [
  ["64 B", 64],
  ["1 KiB", 1024],
  ["16 KiB", 16 * 1024],
  ["128 KiB", 128 * 1024],
];
/** Bytes of a UDP payload: the least of a first QUIC packet (RFC 9000, 14.1). */
const PACKET = 1200;
/**
 * Bytes sealed before the same bytes are opened: few enough for the second
 * cache of a processor, since traffic is opened while it is there.
 */
const BATCH = 256 * 1024;
const MICROSECONDS = 1000;

const COLUMNS: readonly Column[] = [
  ...SIZES.map(([name, size]): Column => ({
    name,
    unit: "MB/s",
    better: "higher",
    chart: size === 16 * 1024,
  })),
  { name: `packet of ${PACKET} B`, unit: "µs", better: "lower", chart: true },
];

/** Milliseconds of work, and how much was done in them. */
interface Tally {
  sealed: number;
  opened: number;
  count: number;
}

/**
 * Measures every method with every library that has it.
 *
 * @param options What to measure.
 * @returns One table per method.
 * @throws {Error} If what was sealed does not open.
 */
export async function benchCrypto(
  options: CryptoBenchOptions,
): Promise<Table[]> {
  using providers = await openProviders();
  const tables: Table[] = [];
  for (const name of options.methods) {
    const method = findMethod(name)!;
    const rows: Row[] = [];
    for (const provider of PROVIDERS) {
      const library = await findLibrary(providers, method, provider);
      if (library === undefined) continue;
      options.progress(`crypto: ${method.name}, ${library.version}`);
      rows.push(...measureLibrary(method, library, options.seconds));
    }
    tables.push({ title: `Crypto, ${method.name}`, columns: COLUMNS, rows });
  }
  return tables;
}

/**
 * Names the libraries of this machine, as they name themselves.
 *
 * @returns Such as `OpenSSL 3.0.19`; without the portable one.
 */
export async function libraryVersions(): Promise<string[]> {
  using providers = await openProviders();
  const method = findMethod("aes-256-gcm")!;
  const versions: string[] = [];
  for (const provider of PROVIDERS.slice(0, -1)) {
    const library = await findLibrary(providers, method, provider);
    if (library !== undefined) versions.push(library.version);
  }
  return versions;
}

/** A method that names its library is served by that one or not at all. */
async function findLibrary(
  providers: ProviderSet,
  method: CipherMethod,
  provider: string,
): Promise<CryptoProvider | undefined> {
  if (method.provider !== undefined && method.provider !== provider) {
    return undefined;
  }
  try {
    return await providers.forMethod({ ...method, provider });
  } catch (error) {
    if (error instanceof CipherError) return undefined;
    throw error;
  }
}

function measureLibrary(
  method: CipherMethod,
  library: CryptoProvider,
  seconds: number,
): Row[] {
  using suite = new CipherSuite(method, "benchmark", library);
  const streams = SIZES.map(([, size]) => measureStream(suite, size, seconds));
  const packets = measurePackets(suite, seconds);
  const row = (direction: "sealed" | "opened", verb: string): Row => ({
    name: `${library.name}, ${verb}`,
    ours: library.name === "openssl",
    values: [
      ...streams.map((tally, i) =>
        tally.count * SIZES[i]![1] / tally[direction] / 1000
      ),
      packets[direction] * MICROSECONDS / packets.count,
    ],
  });
  return [row("sealed", "seal"), row("opened", "open")];
}

/** The two ends of one connection that lasts as long as the measurement. */
function measureStream(
  suite: CipherSuite,
  size: number,
  seconds: number,
): Tally {
  using sender = suite.newCryptor();
  using receiver = suite.newCryptor();
  const plaintext = new Uint8Array(size);
  const perBatch = Math.max(1, Math.floor(BATCH / size));
  const opened = new Uint8Array(sender.encryptedLength(size));
  // The first message has the salt, which takes work of its own.
  const first = new Uint8Array(opened.length);
  receiver.decrypt(first.subarray(0, sender.encrypt(plaintext, first)), opened);
  const length = sender.encryptedLength(size);
  const messages = Array.from(
    { length: perBatch },
    () => new Uint8Array(length),
  );
  return measure(seconds, {
    count: perBatch,
    seal: () => {
      for (const message of messages) sender.encrypt(plaintext, message);
    },
    open: () => {
      for (const message of messages) {
        check(receiver.decrypt(message, opened), size);
      }
    },
  });
}

function measurePackets(suite: CipherSuite, seconds: number): Tally {
  const payload = new Uint8Array(PACKET);
  const length = PACKET + suite.packetOverhead;
  const opened = new Uint8Array(length);
  const packets = Array.from({ length: 64 }, () => new Uint8Array(length));
  return measure(seconds, {
    count: packets.length,
    seal: () => {
      for (const packet of packets) suite.sealPacket(payload, packet);
    },
    open: () => {
      for (const packet of packets) {
        check(suite.openPacket(packet, opened), PACKET);
      }
    },
  });
}

function measure(seconds: number, work: {
  readonly count: number;
  readonly seal: () => void;
  readonly open: () => void;
}): Tally {
  work.seal();
  work.open();
  const tally: Tally = { sealed: 0, opened: 0, count: 0 };
  const end = performance.now() + seconds * 1000;
  let now: number;
  do {
    const start = performance.now();
    work.seal();
    const middle = performance.now();
    work.open();
    now = performance.now();
    tally.sealed += middle - start;
    tally.opened += now - middle;
    tally.count += work.count;
  } while (now < end);
  return tally;
}

function check(length: number, expected: number): void {
  if (length !== expected) {
    throw new Error(
      `Cannot measure a cipher: ${expected} bytes opened as ${length}`,
    );
  }
}
