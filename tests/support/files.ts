/**
 * Folders and files that processes under test write.
 *
 * @module
 */

import { withTimeout } from "./timeout.ts";

/** A folder for one test; disposing of it removes it. */
export class TempFolder implements AsyncDisposable {
  /** Its absolute path. */
  readonly path: string;

  /** Makes the folder. */
  constructor() {
    this.path = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "ss-test-" }));
  }

  /**
   * Names a file in it.
   *
   * @param name The file.
   * @returns Its absolute path.
   */
  file(name: string): string {
    return `${this.path}/${name}`;
  }

  /** Removes it with all that it holds. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

/**
 * Waits until a file has a match.
 *
 * @param path The file; it need not exist yet, but its folder must.
 * @param pattern What to look for.
 * @returns The text of the file.
 * @throws {Error} If it takes too long.
 */
export async function waitForFile(
  path: string,
  pattern: RegExp,
): Promise<string> {
  const folder = path.slice(0, path.lastIndexOf("/"));
  using watcher = Deno.watchFs(folder, { recursive: false });
  async function look(): Promise<string> {
    for (;;) {
      const text = await Deno.readTextFile(path).catch(() => undefined);
      if (text !== undefined && pattern.test(text)) return text;
      await watcher[Symbol.asyncIterator]().next();
    }
  }
  const looking = look();
  looking.catch(() => {});
  return await withTimeout(looking, `${pattern} in ${path}`);
}
