/**
 * The rules of ACL files, each file read once: the check of a configuration and
 * the start that follows it share them.
 *
 * @module
 */

import type { TextFile } from "../config/mod.ts";
import type { AclReading } from "../outbound/acl/mod.ts";

/** Reads rules, and keeps them as long as somebody has the file. */
export class AclFiles {
  readonly #readings = new WeakMap<TextFile, AclReading>();

  /**
   * Reads the rules of a file.
   *
   * @param file The file.
   * @returns The rules, or what is wrong; for one object always the same.
   */
  async read(file: TextFile): Promise<AclReading> {
    const known = this.#readings.get(file);
    if (known !== undefined) return known;
    const { parseAcl } = await import("../outbound/acl/mod.ts");
    const reading = parseAcl(file.text, file.path);
    this.#readings.set(file, reading);
    return reading;
  }
}
