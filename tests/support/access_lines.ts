/**
 * The access log of a program under test, in its JSON form.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { ChildProgram } from "./process.ts";

/** A line, as the documentation has it. */
export interface AccessLine {
  /** RFC 3339. */
  readonly time: string;
  /** The number of the session. */
  readonly id: number;
  /** What it speaks, and its port. */
  readonly listener: string;
  /** `tcp` or `udp`. */
  readonly network: string;
  /** The user's name. */
  readonly user: string;
  /** Who came. */
  readonly client: string;
  /** What was asked for. */
  readonly target: string;
  /** The rule that decided. */
  readonly rule: string;
  /** The way. */
  readonly outbound: string;
  /** Bytes of payload to the target. */
  readonly up: number;
  /** Bytes of payload from the target. */
  readonly down: number;
  /** How long it took. */
  readonly ms: number;
  /** How it ended. */
  readonly status: string;
}

/** The fields of a line and their types, in their order. */
const FIELDS: readonly (readonly [keyof AccessLine, "string" | "number"])[] = [
  ["time", "string"],
  ["id", "number"],
  ["listener", "string"],
  ["network", "string"],
  ["user", "string"],
  ["client", "string"],
  ["target", "string"],
  ["rule", "string"],
  ["outbound", "string"],
  ["up", "number"],
  ["down", "number"],
  ["ms", "number"],
  ["status", "string"],
];

/**
 * Reads the access log out of an output or a file; lines that are no JSON are
 * passed over.
 *
 * @param text The text.
 * @returns Its sessions, each with exactly the fields that it should have.
 */
export function accessLines(text: string): readonly AccessLine[] {
  return text.split("\n")
    .filter((line) => line.startsWith("{") && line.endsWith("}"))
    .map((line) => {
      const entry: unknown = JSON.parse(line);
      assertEquals(
        Object.entries(entry as AccessLine)
          .map(([key, value]) => [key, typeof value]),
        FIELDS.map(([key, type]) => [key, type]),
        line,
      );
      return entry as AccessLine;
    });
}

/**
 * Waits for the line of a session in the output of a program whose access log
 * goes there.
 *
 * @param program The program.
 * @param wanted Fields that the line has.
 * @returns The line.
 * @throws {Error} If it does not come in time.
 */
export async function accessLine(
  program: ChildProgram,
  wanted: Partial<AccessLine>,
): Promise<AccessLine> {
  const [line] = await accessLinesOf(program, wanted, 1);
  return line!;
}

/**
 * The same for several sessions that are alike.
 *
 * @param program The program.
 * @param wanted Fields that the lines have.
 * @param count How many.
 * @returns The lines, in the order of their ends.
 * @throws {Error} If they do not come in time.
 */
export async function accessLinesOf(
  program: ChildProgram,
  wanted: Partial<AccessLine>,
  count: number,
): Promise<readonly AccessLine[]> {
  return await program.waitUntil(
    `${count} times ${JSON.stringify(wanted)}`,
    (output) => {
      const whole = output.slice(0, output.lastIndexOf("\n") + 1);
      const found = accessLines(whole).filter((line) =>
        FIELDS.every(([key]) =>
          wanted[key] === undefined || line[key] === wanted[key]
        )
      );
      return found.length < count ? undefined : found;
    },
  );
}
