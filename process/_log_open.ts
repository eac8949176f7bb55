/**
 * Log files as root opens them. The folder of a log may belong to the user that
 * serves, who could put a link there to any file of root, and has a word in
 * what is logged: root follows no link of another user.
 *
 * @module
 */

/** Appends, and makes the file readable for the group if there is none. */
const APPEND: Deno.OpenOptions = { append: true, create: true, mode: 0o640 };
/** Makes the file; follows no link. */
const NEW: Deno.OpenOptions = { append: true, createNew: true, mode: 0o640 };
const EXISTING: Deno.OpenOptions = { append: true };

/** How often a file that others make or remove is looked for. */
const ATTEMPTS = 3;

const OTHERS_LINK = "it is a link of another user, which root does not follow";
const REPLACED = "it was replaced just now";

/**
 * Opens a log file to append to it.
 *
 * @param path The file; made if there is none.
 * @returns The file.
 * @throws {Error} If it cannot be opened, or root must not write to it.
 */
export function openLog(path: string): Deno.FsFile {
  if (!isRoot()) return Deno.openSync(path, APPEND);
  for (let attempt = 1;; attempt++) {
    try {
      const file = Deno.openSync(path, optionsFor(lookAt(path)));
      return checked(file, lookAt(path), file.statSync());
    } catch (error) {
      if (!isRace(error) || attempt === ATTEMPTS) throw error;
    }
  }
}

/**
 * Does the same without waiting for a disk.
 *
 * @param path The file; made if there is none.
 * @returns The file.
 * @throws {Error} If it cannot be opened, or root must not write to it.
 */
export async function openLogLater(path: string): Promise<Deno.FsFile> {
  if (!isRoot()) return await Deno.open(path, APPEND);
  const look = (): Promise<Deno.FileInfo | undefined> =>
    Deno.lstat(path).catch(onlyMissing);
  for (let attempt = 1;; attempt++) {
    try {
      const file = await Deno.open(path, optionsFor(await look()));
      // At once: what was just opened is in memory, and whoever has waited for
      // the new file to be there takes it for the one in use.
      return checked(file, lookAt(path), file.statSync());
    } catch (error) {
      if (!isRace(error) || attempt === ATTEMPTS) throw error;
    }
  }
}

/**
 * Tells why a file that was opened is not to be written to.
 *
 * @param named What stands at its path now; undefined: nothing.
 * @param opened What was opened.
 * @returns undefined: it may be.
 */
export function refusesLog(
  named: Deno.FileInfo | undefined,
  opened: Deno.FileInfo,
): string | undefined {
  if (!isRoot()) return undefined;
  if (named?.isSymlink) return named.uid === 0 ? undefined : OTHERS_LINK;
  const isSame = named?.dev === opened.dev && named.ino === opened.ino;
  return isSame ? undefined : REPLACED;
}

function isRoot(): boolean {
  const sys = Deno.permissions.querySync({ name: "sys", kind: "uid" });
  return sys.state === "granted" && Deno.uid() === 0;
}

function optionsFor(named: Deno.FileInfo | undefined): Deno.OpenOptions {
  if (named === undefined) return NEW;
  if (!named.isSymlink) return EXISTING;
  if (named.uid === 0) return APPEND;
  throw new Error(OTHERS_LINK);
}

function checked(
  file: Deno.FsFile,
  named: Deno.FileInfo | undefined,
  opened: Deno.FileInfo,
): Deno.FsFile {
  const reason = refusesLog(named, opened);
  if (reason === undefined) return file;
  file.close();
  throw new Error(reason);
}

/** Whether somebody has made or removed the file in this moment. */
function isRace(error: unknown): boolean {
  return error instanceof Deno.errors.AlreadyExists ||
    error instanceof Deno.errors.NotFound;
}

function lookAt(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    return onlyMissing(error);
  }
}

function onlyMissing(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
