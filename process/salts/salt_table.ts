/**
 * How the threads of a process tell each other of the table of salts that they
 * share.
 *
 * @module
 */

/** A table as threads can tell each other of it. */
export interface SaltTable {
  /** Its memory, where that belongs to the process. */
  readonly buffer?: SharedArrayBuffer | undefined;
  /** Which chunks of it are to be saved. */
  readonly marks?: SharedArrayBuffer | undefined;
  /** Where it is mapped. */
  readonly address?: bigint | undefined;
}

/** A table that is kept. */
export interface SharedSalts extends Disposable {
  /** The table. */
  readonly table: SaltTable;
}
