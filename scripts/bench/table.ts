/**
 * The tables of a benchmark, and how they look in a terminal and in Markdown.
 *
 * @module
 */

/** One kind of figure. */
export interface Column {
  /** What is measured, such as `CPU of the local`. */
  readonly name: string;
  /** Its unit, such as `s/GB`. */
  readonly unit: string;
  /** Which figure is the good one, for the title of its chart. */
  readonly better: "higher" | "lower";
  /** Whether the report draws it. */
  readonly chart?: boolean;
}

/** The figures of one contestant. */
export interface Row {
  /** Who it is. */
  readonly name: string;
  /** One for each column; undefined where there is none. */
  readonly values: readonly (number | undefined)[];
  /** Whether it is this program, which charts draw in a colour of its own. */
  readonly ours: boolean;
}

/** One measured workload. */
export interface Table {
  /** The workload, such as `Bulk down, aes-256-gcm`. */
  readonly title: string;
  /** What was measured. */
  readonly columns: readonly Column[];
  /** Who was measured; grows while the benchmark runs. */
  readonly rows: Row[];
}

/**
 * Writes a number with three significant digits, and groups of thousands.
 *
 * @param value The number; undefined where nothing could be measured.
 * @returns The text; a dash for undefined.
 */
export function formatNumber(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return value.toLocaleString("en-US", {
    minimumFractionDigits: size === 0 ? 0 : digits,
    maximumFractionDigits: digits,
  });
}

/**
 * Lays a table out for a terminal.
 *
 * @param table The table.
 * @returns Lines, each ended by a newline.
 */
export function formatText(table: Table): string {
  const cells = cellsOf(table);
  const widths = cells[0]!.map((_, i) =>
    Math.max(...cells.map((row) => row[i]!.length))
  );
  const lines = cells.map((row) =>
    row.map((cell, i) =>
      i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)
    ).join("  ").trimEnd()
  );
  return [table.title, ...lines.map((line) => `  ${line}`), ""].join("\n");
}

/**
 * Writes a table in Markdown, under a heading of the third level.
 *
 * @param table The table.
 * @returns Lines, each ended by a newline.
 */
export function formatMarkdown(table: Table): string {
  const [head, ...rows] = cellsOf(table);
  const rule = head!.map((_, i) => i === 0 ? "---" : "---:");
  const lines = [head!, rule, ...rows].map((row) =>
    `| ${row.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`
  );
  return [`### ${table.title}`, "", ...lines, ""].join("\n");
}

function cellsOf({ columns, rows }: Table): string[][] {
  return [
    ["", ...columns.map(({ name, unit }) => `${name}, ${unit}`)],
    ...rows.map(({ name, values }) => [name, ...values.map(formatNumber)]),
  ];
}
