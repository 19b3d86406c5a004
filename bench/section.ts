/** Parts of Markdown files that commands write. */

/** Puts text between the lines `<!-- begin NAME -->` and `<!-- end NAME -->` of a file. */
export async function replaceSection(
  file: URL,
  name: string,
  text: string,
): Promise<void> {
  const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`];
  const page = await Deno.readTextFile(file);
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) {
    throw new Error(
      `Cannot write the section ${name}: ${file.pathname} has no lines "${begin}" and "${end}"`,
    );
  }
  const head = page.slice(0, from + begin.length);
  await Deno.writeTextFile(file, `${head}\n\n${text}\n\n${page.slice(to)}`);
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
