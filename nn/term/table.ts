/** Tables for a screen: columns that line up, numbers to the right, within a width as far as that can be. */
import { padEnd, padStart, widthOf } from "./style.ts";

/** A column of a table. */
export interface Column {
  readonly head: string;
  /** @default "left" */
  readonly align?: "left" | "right";
  /** Whether its texts may be cut where the table is too wide for the screen. @default false */
  readonly cut?: boolean;
}

export interface TableOptions {
  /** Columns of the screen. @default unlimited */
  readonly columns?: number;
  /** Lines beneath the table, such as its total. */
  readonly foot?: readonly (readonly string[])[];
}

const GAP = "  ";

/** Characters that stay of a text that is cut. */
const LEAST = 8;

/** The rows of a table: its heads, a rule, its lines, and another rule with the foot where there is one. */
export function tableRows(
  heads: readonly Column[],
  lines: readonly (readonly string[])[],
  { columns = Infinity, foot = [] }: TableOptions = {},
): string[] {
  const all = [heads.map(({ head }) => head), ...lines, ...foot];
  const widths = fit(
    heads,
    heads.map((_, c) => Math.max(...all.map((cells) => widthOf(cells[c])))),
    columns,
  );
  const row = (cells: readonly string[]) =>
    cells.map((cell, c) => {
      const text = clip(cell, widths[c]);
      return heads[c].align === "right"
        ? padStart(text, widths[c])
        : padEnd(text, widths[c]);
    }).join(GAP).trimEnd();
  const rule = "─".repeat(
    widths.reduce((sum, width) => sum + width, 0) +
      GAP.length * (widths.length - 1),
  );
  const [head, ...rest] = all.map(row);
  const body = rest.slice(0, lines.length);
  const end = rest.slice(lines.length);
  return [head, rule, ...body, ...(end.length > 0 ? [rule, ...end] : [])];
}

/** Widths that add up to the screen's, taken from the widest of the columns that may be cut. */
function fit(
  heads: readonly Column[],
  wanted: readonly number[],
  columns: number,
): number[] {
  const widths = [...wanted];
  let over = widths.reduce((sum, width) => sum + width + GAP.length, 0) -
    GAP.length - columns;
  for (; over > 0; over--) {
    let widest = -1;
    heads.forEach(({ cut }, c) => {
      if (!cut || widths[c] <= LEAST) return;
      if (widest < 0 || widths[c] > widths[widest]) widest = c;
    });
    if (widest < 0) break;
    widths[widest]--;
  }
  return widths;
}

/** `text`, with an ellipsis at the end of what fits where it is too wide. */
function clip(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  return [...text].slice(0, width - 1).join("") + "…";
}
