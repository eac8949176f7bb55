/**
 * The pid file of a daemon. It is locked for as long as the daemon serves, so
 * one that a dead process left behind is told from one in use.
 *
 * The lock belongs to the process and goes when it closes any descriptor of
 * the file: whoever holds it must not open the file a second time.
 *
 * @module
 */

import {
  cString,
  F_TEST,
  F_TLOCK,
  isAlone,
  O_CLOEXEC,
  O_RDWR,
  openPosix,
  statFd,
} from "./_posix.ts";
import { ProcessError, reasonOf } from "./errors.ts";

/** The longest text that is read: an id, and what others write around it. */
const MAX_BYTES = 4096;
/** How often a file that others replace is looked for. */
const ATTEMPTS = 8;

/** A pid file that this process has locked. */
export class PidFile implements Disposable {
  readonly #path: string;
  #fd: number;

  /**
   * Takes a file that is locked.
   *
   * @param path Its name.
   * @param fd Its descriptor, locked.
   */
  constructor(path: string, fd: number) {
    this.#path = path;
    this.#fd = fd;
  }

  /**
   * Locks the file, made if there is none, and writes the id of this process
   * into it.
   *
   * @param path The file.
   * @returns The lock; undefined if another process has it.
   * @throws {ProcessError} If the file cannot be opened or written, is a link
   * or has another name.
   */
  static lock(path: string): PidFile | undefined {
    const posix = openPosix();
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      makeFile(path);
      const fd = openFd(path);
      if (posix.lockf(fd, F_TLOCK, 0n) !== 0) {
        posix.close(fd);
        checkFile(path);
        return undefined;
      }
      // What is at the end of a link is not emptied.
      if (isAlone(path, fd)) {
        const file = new PidFile(path, fd);
        file.#write(`${Deno.pid}`);
        return file;
      }
      posix.close(fd);
      checkFile(path);
      // Its last owner removed it in this moment.
    }
    throw new ProcessError(
      `Cannot lock pid file ${path}: others replace it all the time`,
    );
  }

  /** Removes the file, or empties it where that is not allowed, and unlocks. */
  [Symbol.dispose](): void {
    if (this.#fd < 0) return;
    try {
      Deno.removeSync(this.#path);
    } catch {
      openPosix().ftruncate(this.#fd, 0n);
    }
    openPosix().close(this.#fd);
    this.#fd = -1;
  }

  #write(text: string): void {
    const posix = openPosix();
    const bytes = cString(text).subarray(0, -1);
    if (
      posix.ftruncate(this.#fd, 0n) !== 0 ||
      posix.write(this.#fd, bytes, bytes.length) !== bytes.length
    ) {
      this[Symbol.dispose]();
      throw new ProcessError(
        `Cannot write pid file ${this.#path}: the disk may be full`,
      );
    }
  }
}

/** What a pid file says. */
export interface PidFileState {
  /** The id in it; undefined: none. */
  readonly pid: number | undefined;
  /**
   * Whether another process holds its lock, and its owner may name that one.
   */
  readonly isLocked: boolean;
}

/**
 * Looks at a pid file.
 *
 * @param path The file.
 * @returns What it says; undefined if there is no such file.
 * @throws {ProcessError} If it cannot be read.
 */
export function readPidFile(path: string): PidFileState | undefined {
  let text: string;
  try {
    const { isFile, size } = Deno.lstatSync(path);
    // Nothing would end the reading of a FIFO or a device.
    if (!isFile || size > MAX_BYTES) return { pid: undefined, isLocked: false };
    text = Deno.readTextFileSync(path).trim();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new ProcessError(
      `Cannot read pid file ${path}: ${reasonOf(error)}`,
    );
  }
  const pid = /^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined;
  const posix = openPosix();
  const fd = openFd(path);
  // The lock of what a link leads to says nothing about a daemon of ours.
  const isLocked = posix.lockf(fd, F_TEST, 0n) !== 0 && isAlone(path, fd) &&
    (pid === undefined || mayName(fd, pid));
  posix.close(fd);
  return { pid, isLocked };
}

/**
 * Whether the owner of a file may say that a process is the daemon: else root
 * would end whatever process a user writes into a file of that user.
 *
 * @returns True also if the system does not tell.
 */
function mayName(fd: number, pid: number): boolean {
  if (Deno.build.os !== "linux") return true;
  try {
    const { uid } = statFd(fd);
    return uid === 0 || uid === Deno.statSync(`/proc/${pid}`).uid;
  } catch {
    return true;
  }
}

function openFd(path: string): number {
  const fd = openPosix().open(cString(path), O_RDWR | O_CLOEXEC);
  if (fd >= 0) return fd;
  checkFile(path);
  throw new ProcessError(`Cannot open pid file ${path}: permission denied`);
}

/** Makes the file if there is nothing; a link is not followed. */
function makeFile(path: string): void {
  try {
    Deno.openSync(path, { createNew: true, write: true, mode: 0o600 }).close();
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return;
    throw new ProcessError(
      `Cannot open pid file ${path}: ${reasonOf(error)}`,
    );
  }
}

/** @throws {ProcessError} If it is no file, or has another name. */
function checkFile(path: string): void {
  let info: Deno.FileInfo;
  try {
    info = Deno.lstatSync(path);
  } catch {
    return;
  }
  if (info.isFile && info.nlink === 1) return;
  throw new ProcessError(
    `Cannot use pid file ${path}: ` +
      (info.isSymlink
        ? "it is a link; name the file that it leads to, or remove it"
        : info.isFile
        ? "it has another name too; remove it"
        : "it is no file"),
  );
}
