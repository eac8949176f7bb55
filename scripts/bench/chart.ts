/**
 * Bar charts of a benchmark as one SVG file, readable on light and dark.
 *
 * @module
 */

import { type Column, formatNumber, type Row, type Table } from "./table.ts";

/** Lengths in pixels. */
const WIDTH = 760;
const MARGIN = 16;
const LABEL_WIDTH = 210;
const VALUE_WIDTH = 80;
const TITLE_HEIGHT = 30;
const BAR_HEIGHT = 16;
const BAR_STEP = 22;
const CHART_GAP = 18;

/**
 * Colours for light and dark: an SVG that a page embeds learns only by
 * `prefers-color-scheme` which of them the reader uses.
 */
const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #24292f; }
  .title { font-weight: 600; }
  .unit, .value { fill: #57606a; }
  .unit { font-weight: 400; }
  .bar { fill: #8c959f; }
  .ours { fill: #0969da; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .unit, .value { fill: #9198a1; }
    .bar { fill: #6e7681; }
    .ours { fill: #4493f8; }
  }
`;

/**
 * Draws every column that wants a chart, one below the other.
 *
 * @param tables The tables.
 * @returns The SVG file.
 */
export function drawCharts(tables: readonly Table[]): string {
  let y = MARGIN;
  const body: string[] = [];
  for (const table of tables) {
    for (const [i, column] of table.columns.entries()) {
      if (column.chart !== true) continue;
      const bars = table.rows.flatMap((row) => {
        const value = row.values[i];
        return value === undefined || !Number.isFinite(value)
          ? []
          : [{ row, value }];
      });
      if (bars.length === 0) continue;
      body.push(drawTitle(table.title, column, y));
      y += TITLE_HEIGHT;
      const most = Math.max(...bars.map(({ value }) => value));
      for (const { row, value } of bars) {
        body.push(drawBar(row, { value, share: share(value, most), y }));
        y += BAR_STEP;
      }
      y += CHART_GAP;
    }
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" ` +
    `viewBox="0 0 ${WIDTH} ${y}" role="img">\n` +
    `<title>Benchmark</title>\n<style>${STYLE}</style>\n` +
    `${body.join("")}</svg>\n`;
}

function drawTitle(title: string, column: Column, y: number): string {
  const unit = `${column.name}, ${column.unit}; ${column.better} is better`;
  return `<text class="title" x="${MARGIN}" y="${y + 16}">${escape(title)} ` +
    `<tspan class="unit">${escape(unit)}</tspan></text>\n`;
}

function drawBar(
  row: Row,
  { value, share, y }: {
    readonly value: number;
    readonly share: number;
    readonly y: number;
  },
): string {
  const room = WIDTH - 2 * MARGIN - LABEL_WIDTH - VALUE_WIDTH;
  const width = Math.max(1, Math.round(room * share));
  const x = MARGIN + LABEL_WIDTH;
  const base = y + 13;
  return `<text x="${MARGIN}" y="${base}">${escape(row.name)}</text>` +
    `<rect class="${row.ours ? "ours" : "bar"}" x="${x}" y="${y}" ` +
    `width="${width}" height="${BAR_HEIGHT}" rx="2"/>` +
    `<text class="value" x="${x + width + 6}" y="${base}">` +
    `${formatNumber(value)}</text>\n`;
}

/** Between 0 and 1; memory may even have shrunk. */
function share(value: number, most: number): number {
  return most > 0 ? Math.max(0, value / most) : 0;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}
