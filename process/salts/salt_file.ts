/**
 * The file `replay` in `state_dir`: the table of salts, which all processes
 * that use it have mapped at once. It outlives them, also when they are
 * killed. Where nothing can be mapped, the table is read at the start and what
 * changes is written once a second.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import {
  CHUNK_BYTES,
  CHUNKS,
  formatTable,
  HEADER_BYTES,
  TABLE_BYTES,
  tableProblem,
} from "../../shadowsocks/salt_table.ts";
import { allocate, isSameFile, makePrivate, mapFile } from "./_mapped_file.ts";
import { reasonOf } from "../errors.ts";
import type { SharedSalts } from "./salt_table.ts";

/** Milliseconds between two writes, where nothing can be mapped. */
const SAVE_INTERVAL = 1000;
/** How often a file that others replace is looked for. */
const ATTEMPTS = 8;

const logger = getLogger(["shadowsocks"]);

/** Variables of the environment, and the system. */
export interface StateSurroundings {
  /** Gives a variable of the environment. */
  readonly env: (name: string) => string | undefined;
  /** The system. */
  readonly os: typeof Deno.build.os;
}

/**
 * Names the folder for what outlives the process.
 *
 * @param configured What the configuration says.
 * @param surroundings Where it looks; default: this process.
 * @returns The path; systemd's variable may name several, of which it is the
 * first.
 */
export function stateDir(
  configured: string | undefined,
  { env, os }: StateSurroundings = {
    env: (name) => Deno.env.get(name),
    os: Deno.build.os,
  },
): string {
  if (configured !== undefined) return configured;
  const given = env("STATE_DIRECTORY")?.split(":")[0];
  if (given) return given;
  const home = env("XDG_STATE_HOME") ||
    (os === "windows" ? env("LOCALAPPDATA") : undefined);
  return home ? `${home}/shadowsocks` : "/var/lib/shadowsocks";
}

/**
 * Opens the file, or makes it. What is said of it is logged once.
 *
 * @param configured `state_dir` of the configuration.
 * @param isMapped False: it is read and written though it could be mapped.
 * @returns The table; undefined: there can be no such file here.
 */
export function openSaltFile(
  configured: string | undefined,
  isMapped = true,
): SharedSalts | undefined {
  const folder = stateDir(configured);
  const path = `${folder}/replay`;
  try {
    Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const salts = tryOpen(path, isMapped);
      if (salts === undefined) continue;
      logger.info("remembering used salts in {path}", { path });
      return salts;
    }
    throw new Error("others replace it all the time");
  } catch (error) {
    logger.warn(
      "cannot keep used salts in {path}: {reason}; a restart forgets them: set state_dir to a folder that can be written, or replay to memory",
      { path, reason: reasonOf(error) },
    );
    return undefined;
  }
}

/**
 * The folder may belong to a user who puts a link to a file of root there at
 * any moment: whatever is changed is the file that was opened and looked at,
 * never what its name leads to by then.
 *
 * @returns undefined: there is another file by now.
 */
function tryOpen(path: string, isMapped: boolean): SharedSalts | undefined {
  const before = infoOf(path);
  const complaint = before && complaintAbout(before);
  if (complaint !== undefined) {
    replace(path, complaint);
    return undefined;
  }
  using stack = new DisposableStack();
  const file = before === undefined ? makeFile(path) : openFile(path, before);
  if (file === undefined) return undefined;
  stack.use(file);
  // So that one of several processes makes the table.
  file.lockSync(true);
  const opened = file.statSync();
  const named = infoOf(path);
  if (
    named === undefined || !isSameFile(named, opened) ||
    complaintAbout(opened) !== undefined
  ) return undefined;
  const { size } = opened;
  if (size > 0) {
    const problem = problemOf(file, size);
    if (problem !== undefined) {
      replace(path, problem);
      return undefined;
    }
  } else makeTable(path, file);
  makePrivate(path, file);
  const address = isMapped ? mapFile(path, file, TABLE_BYTES) : undefined;
  if (address !== undefined) {
    return { table: { address }, [Symbol.dispose]: (): void => {} };
  }
  const saved = new SavedTable(path, file);
  stack.move();
  return saved;
}

/** @returns undefined: another has just made it, or a link. */
function makeFile(path: string): Deno.FsFile | undefined {
  try {
    return Deno.openSync(path, {
      read: true,
      write: true,
      createNew: true,
      mode: 0o600,
    });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return undefined;
    throw error;
  }
}

/** @returns undefined: it is not the file that was there. */
function openFile(
  path: string,
  before: Deno.FileInfo,
): Deno.FsFile | undefined {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path, { read: true, write: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  // Asked before the lock, which others may hold of a file that they can read.
  if (isSameFile(before, file.statSync())) return file;
  file.close();
  return undefined;
}

/** Whether it is a link, a folder, or a file that another may cut short. */
function complaintAbout(
  { isFile, uid, nlink }: Deno.FileInfo,
): string | undefined {
  const user = Deno.uid();
  if (!isFile || user !== null && uid !== null && uid !== user) {
    return "it is no file of this user";
  }
  return (nlink ?? 1) > 1 ? "it has another name too" : undefined;
}

/** What stands at a path itself; undefined: nothing. */
function infoOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function problemOf(file: Deno.FsFile, size: number): string | undefined {
  const head = new Uint8Array(HEADER_BYTES);
  let length = 0;
  while (length < head.length) {
    const count = file.readSync(head.subarray(length));
    if (count === null) break;
    length += count;
  }
  return tableProblem(head.subarray(0, length)) ??
    (size < TABLE_BYTES ? "it was cut" : undefined);
}

/** Never in place: another process may have it mapped. */
function replace(path: string, reason: string): void {
  Deno.removeSync(path);
  logger.warn("replaced {path}, which has no used salts: {reason}", {
    path,
    reason,
  });
}

/** The head comes last: without it the file counts as broken. */
function makeTable(path: string, file: Deno.FsFile): void {
  try {
    allocate(path, file, TABLE_BYTES);
    const head = new Uint8Array(HEADER_BYTES);
    formatTable(head);
    file.seekSync(0, Deno.SeekMode.Start);
    writeAll(file, head);
  } catch (error) {
    Deno.removeSync(path);
    throw error;
  }
}

/** A table in memory, whose changes are written now and then. */
class SavedTable implements SharedSalts {
  readonly table;
  readonly #path: string;
  /** Open, since another user may not open it. */
  readonly #file: Deno.FsFile;
  readonly #memory: Uint8Array;
  readonly #marks: Uint8Array;
  readonly #timer: ReturnType<typeof setInterval>;

  /**
   * Reads the table.
   *
   * @param path Its file.
   * @param file The same, open and locked; owned from now on.
   */
  constructor(path: string, file: Deno.FsFile) {
    const buffer = new SharedArrayBuffer(TABLE_BYTES);
    const marks = new SharedArrayBuffer(CHUNKS);
    this.table = { buffer, marks };
    this.#path = path;
    this.#file = file;
    this.#memory = new Uint8Array(buffer);
    this.#marks = new Uint8Array(marks);
    file.seekSync(0, Deno.SeekMode.Start);
    const chunk = new Uint8Array(CHUNK_BYTES * 128);
    for (let at = 0; at < TABLE_BYTES;) {
      const count = file.readSync(chunk);
      if (count === null) break;
      this.#memory.set(
        chunk.subarray(0, Math.min(count, TABLE_BYTES - at)),
        at,
      );
      at += count;
    }
    // Others may open it as long as this one is.
    file.unlockSync();
    this.#timer = setInterval(() => this.#save(), SAVE_INTERVAL);
    Deno.unrefTimer(Number(this.#timer));
  }

  /** Writes what is left. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#save();
    this.#file.close();
  }

  #save(): void {
    if (!this.#marks.includes(1)) return;
    try {
      const file = this.#file;
      for (let i = 0; i < CHUNKS; i++) {
        if (this.#marks[i] === 0) continue;
        this.#marks[i] = 0;
        const at = i * CHUNK_BYTES;
        file.seekSync(at, Deno.SeekMode.Start);
        writeAll(file, this.#memory.slice(at, at + CHUNK_BYTES));
      }
    } catch (error) {
      logger.warn("cannot write used salts to {path}: {reason}", {
        path: this.#path,
        reason: reasonOf(error),
      });
    }
  }
}

function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    at += file.writeSync(bytes.subarray(at));
  }
}
