/** Text for the prompt: paragraphs, lists and tables within the width of a screen. */
import type { Screen } from "../../nn/term/screen.ts";
import { padEnd, paint, widthOf } from "../../nn/term/style.ts";

export type Look = Pick<Screen, "colors" | "columns">;

/** Wider rows are hard to read. */
const WIDEST = 100;

/** The columns that text takes on a screen. */
function widthOn({ columns }: Look): number {
  return Math.max(24, Math.min(columns, WIDEST));
}

/** Words in rows of limited width, all but the first behind `indent` blanks. The first row has `used` columns already. */
export function wrap(
  text: string,
  width: number,
  { indent = 0, used = 0 } = {},
): string[] {
  const rows: string[] = [];
  let row = "";
  let room = width - used;
  for (const word of text.split(/\s+/).filter((word) => word !== "")) {
    const longer = row === "" ? word : `${row} ${word}`;
    if (row !== "" && widthOf(longer) > room) {
      rows.push(row);
      row = word;
      room = width - indent;
    } else row = longer;
  }
  return [...rows, row].map((text, i) =>
    i === 0 ? text : " ".repeat(indent) + text
  );
}

/** A documentation text: paragraphs, with names in colour and links as the names that they show. */
export function prose(doc: string, look: Look, indent = 0): string[] {
  const width = widthOn(look) - indent;
  const paragraphs = plain(doc).trim().split(/\n\s*\n/);
  return paragraphs.flatMap((paragraph, i) => {
    const items = paragraph.split(/\n(?=- )/);
    const rows = items.flatMap((item) =>
      wrap(item, width, { indent: item.startsWith("- ") ? 2 : 0 })
    );
    const set = rows.map((row) => " ".repeat(indent) + row);
    return colourCode(i === 0 ? set : ["", ...set], look);
  });
}

/** The first sentence of a documentation text. */
export function firstSentence(doc: string | undefined): string {
  const [paragraph] = plain(doc ?? "").trim().split(/\n\s*\n/);
  const text = paragraph.replace(/\s+/g, " ").replace(/ ?@default .*$/, "");
  // A point inside brackets or an abbreviation ends nothing.
  const end = text.match(/^(?:`[^`]*`|\([^)]*\)|\bet al\.|[^`(])*?[.:](?= |$)/);
  return (end?.[0] ?? text).replace(/:$/, ".");
}

/** Links as the names that they show. */
export function plain(doc: string): string {
  return doc.replace(/\{@link(?:code|plain)? ([^}|]+)(?:\|([^}]+))?\}/g, (
    _,
    name: string,
    shown?: string,
  ) => shown ?? `\`${name.trim()}\``);
}

/** What stands between backticks in colour, also where it goes on in the next row; without the backticks where there are colours. */
export function colourCode(
  rows: readonly string[],
  { colors }: Look,
): readonly string[] {
  if (colors === "none") return rows;
  let code = false;
  return rows.map((row) =>
    row.split("`").map((part, i) => {
      if (i > 0) code = !code;
      return code && part !== "" ? paint(part, "cyan", colors) : part;
    }).join("")
  );
}

/** Names and what is said of each: in two columns, the second wrapped. */
export function definitions(
  rows: readonly (readonly [string, string])[],
  look: Look,
  indent = 2,
): string[] {
  const width = widthOn(look);
  const widest = Math.max(0, ...rows.map(([name]) => widthOf(name)));
  const column = Math.min(widest, Math.floor(width / 2) - 4);
  const at = indent + column + 2;
  return rows.flatMap(([name, text]) => {
    const lead = " ".repeat(indent) + paint(name, "bold", look.colors);
    // What is too long has a row for itself.
    const own = widthOf(name) > column;
    const [first = "", ...more] = colourCode(
      wrap(plain(text), width, { indent: at, used: at }),
      look,
    );
    return own
      ? [lead, ...(first === "" ? [] : [" ".repeat(at) + first]), ...more]
      : [`${padEnd(lead, at)}${first}`.trimEnd(), ...more];
  });
}

/** Names one behind the other, in as many rows as it takes. */
export function list(
  names: readonly string[],
  look: Look,
  indent = 2,
): string[] {
  const width = widthOn(look) - indent;
  return wrap(names.join(", "), width).map((row) => " ".repeat(indent) + row);
}
