/** Text in colours, and how much room text takes. */
import type { Colors } from "./screen.ts";

/** SGR codes of the styles. The colours are the terminal's own, so that they suit its background. */
const CODES = {
  bold: 1,
  dim: 2,
  red: 31,
  green: 32,
  yellow: 33,
  blue: 34,
  magenta: 35,
  cyan: 36,
} as const;

export type Style = keyof typeof CODES;

/** `text` in a style; as it is where there are no colours. */
export function paint(text: string, style: Style, colors: Colors): string {
  return colors === "none" ? text : `\x1b[${CODES[style]}m${text}\x1b[0m`;
}

// deno-lint-ignore no-control-regex -- the codes are what is looked for
const SGR = /\x1b\[[\d;]*m/g;

/** `text` without its styles. */
export function unpainted(text: string): string {
  return text.replace(SGR, "");
}

/** The columns that a text takes, not counting its colours. */
export function widthOf(text: string): number {
  return [...unpainted(text)].length;
}

/** `text` with blanks behind it up to a width. */
export function padEnd(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - widthOf(text)));
}

/** `text` with blanks before it up to a width. */
export function padStart(text: string, width: number): string {
  return " ".repeat(Math.max(0, width - widthOf(text))) + text;
}
