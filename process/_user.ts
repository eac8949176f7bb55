/**
 * The user of the process: after the ports are bound, root is given up.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import {
  cString,
  isAlone,
  O_APPEND,
  O_CLOEXEC,
  O_WRONLY,
  openPosix,
  type PosixSymbols,
} from "./_posix.ts";
import { ProcessError } from "./errors.ts";

/** Offsets in `struct passwd` after its two pointers, on 64-bit systems. */
const PW_UID = 16;
const PW_GID = 20;

const logger = getLogger(["shadowsocks"]);

/**
 * Tells whether the system knows a user.
 *
 * @param name The name of the user.
 * @returns False if it does not; true also if it cannot be asked.
 */
export function isUser(name: string): boolean {
  try {
    return openPosix().getpwnam(cString(name)) !== null;
  } catch (error) {
    if (error instanceof ProcessError) return true;
    throw error;
  }
}

/**
 * Becomes another user, with the groups of that user, for good. libc does it
 * for every thread of the process.
 *
 * @param name The name of the user.
 * @param logs Files that are handed over, so that the user can open them again.
 * @throws {ProcessError} If there is no such user, or this one is not root.
 */
export function setUser(name: string, logs: readonly string[] = []): void {
  const posix = openPosix();
  const entry = posix.getpwnam(cString(name));
  if (entry === null) throw new ProcessError(`user not found: ${name}`);
  const view = new Deno.UnsafePointerView(entry);
  const uid = view.getUint32(PW_UID);
  const gid = view.getUint32(PW_GID);
  const current = Deno.uid();
  if (uid === current) return;
  if (current !== 0) {
    throw new ProcessError(
      `can not set user as nonroot user: start as root to become ${name}`,
    );
  }
  for (const path of logs) {
    if (handOver(posix, path, { uid, gid })) continue;
    logger.warn("cannot hand log file {path} over to user {name}", {
      path,
      name,
    });
  }
  const refused = posix.initgroups(cString(name), gid) !== 0
    ? "groups"
    : posix.setgid(gid) !== 0
    ? "group"
    : posix.setuid(uid) !== 0
    ? "user"
    : undefined;
  if (refused !== undefined) {
    throw new ProcessError(
      `Cannot become user ${name}: the system does not let the ${refused} change`,
    );
  }
  if (Deno.uid() !== uid || posix.setuid(0) === 0) {
    throw new ProcessError(`Cannot become user ${name}: root came back`);
  }
  logger.info("running as user {name}", { name });
}

/**
 * Gives a file to a user; false if that cannot be. Only a file that stands at
 * its path itself, and nowhere else: a link in a folder of that user could lead
 * to any file of root.
 */
function handOver(
  posix: PosixSymbols,
  path: string,
  { uid, gid }: { readonly uid: number; readonly gid: number },
): boolean {
  try {
    // What is no file, such as a terminal or a FIFO, belongs to others too.
    if (!Deno.statSync(path).isFile) return true;
  } catch {
    return false;
  }
  const fd = posix.open(cString(path), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (fd < 0) return false;
  const isGiven = isAlone(path, fd) && posix.fchown(fd, uid, gid) === 0;
  posix.close(fd);
  return isGiven;
}
