/** Parts of Markdown files that commands write. */

/** Puts text between the lines `<!-- begin NAME -->` and `<!-- end NAME -->` of a file. */
export async function replaceSection(
  file: URL,
  name: string,
  text: string,
): Promise<void> {
  const page = await Deno.readTextFile(file);
  const [from, to] = boundsOf(file, page, name);
  const [head, tail] = [page.slice(0, from), page.slice(to)];
  await Deno.writeTextFile(file, `${head}\n\n${text}\n\n${tail}`);
}

/** Where a section's text begins and ends. */
function boundsOf(file: URL, page: string, name: string): [number, number] {
  const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`];
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) {
    throw new Error(
      `Cannot write the section ${name}: ${file.pathname} has no lines "${begin}" and "${end}"`,
    );
  }
  return [from + begin.length, to];
}

/** A table whose rows are made one at a time. */
export interface GrowingTable {
  readonly heads: readonly string[];
  /** How many of the first cells tell a row from others. */
  readonly keys: number;
  /** The first cells of all rows that there may be, in order. */
  readonly order: readonly (readonly string[])[];
}

/** Puts a row into a section's table, in the place of the one that was there: other rows stay as earlier runs made them. */
export async function replaceRow(
  file: URL,
  name: string,
  { heads, keys, order }: GrowingTable,
  row: readonly string[],
): Promise<void> {
  const page = await Deno.readTextFile(file);
  const rows = new Map<string, readonly string[]>();
  const keyOf = (cells: readonly string[]) => cells.slice(0, keys).join("|");
  for (const line of page.slice(...boundsOf(file, page, name)).split("\n")) {
    if (!line.startsWith("|")) continue;
    const cells = line.split("|").slice(1, -1).map((cell) => cell.trim());
    rows.set(keyOf(cells), cells);
  }
  rows.set(keyOf(row), row);
  const kept = order.map((cells) => rows.get(keyOf(cells)))
    .filter((cells) => cells !== undefined);
  await replaceSection(file, name, tableOf(heads, kept));
}

/** A Markdown table, its columns as wide as their longest cell. */
export function tableOf(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const widths = heads.map((head, i) =>
    Math.max(head.length, ...rows.map((row) => row[i].length))
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(" | ")} |`;
  const rule = widths.map((width) => "-".repeat(width));
  return [heads, rule, ...rows].map(line).join("\n");
}
