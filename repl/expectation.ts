/**
 * What a lesson says that a statement gives: the comment behind it, as in `c1.shape; // [ 1, 6, 28, 28 ]`. The player shows the value itself; the tests, and
 * `deno task lesson NAME --check`, compare the two.
 */
import { unpainted } from "../nn/term/style.ts";

/** The statements of a program that give nothing to be shown. A comment behind one is a note like any other. */
const SILENT =
  /^(?:const|let|var|using|class|abstract|function|async function|import|export|interface|type|enum|for|while|if|try|throw)\b/;

/** A statement, and what the comment behind it expects. */
export interface Expecting {
  /** As somebody would type it: without the expectation, and without the semicolon that would keep its value from being shown. */
  readonly text: string;
  readonly expected: string | undefined;
}

/** Takes the end off a statement: its last semicolon and, unless it is one that gives nothing, the comment behind that. */
export function expecting(statement: string): Expecting {
  if (SILENT.test(statement)) return { text: statement, expected: undefined };
  const [, text, expected] =
    /^([^]*);[ \t]*(?:\/\/ *(.*?))?\s*$/.exec(statement) ?? ["", statement];
  return { text, expected };
}

/** A number as it is printed. */
const NUMBER = /-?(?:\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]?\d+)?|Infinity|NaN)/gi;

/**
 * Whether what was shown is what was expected. Colours and the breaking of rows don't count. The forms of an expectation:
 *
 * - `[ 1, 6, 28, 28 ]`: this text;
 * - `… Total params: 61,706 …`: this text somewhere, as `…` stands for any;
 * - `≈ [ 0.5, 1 ] ± 0.01`: this text, where each number may be off by so much;
 * - `< 0.5`, `> 0.5`: a number below, or above.
 */
export function meets(shown: string, expected: string): boolean {
  const text = flat(shown);
  const about = /^≈ (.*) ± (\S+)$/.exec(expected);
  if (about) return near(text, flat(about[1]), Number(about[2]));
  const bound = /^([<>]) (-?[\d.]+(?:e-?\d+)?)$/.exec(expected);
  if (bound) {
    const [value, limit] = [Number(text), Number(bound[2])];
    return bound[1] === "<" ? value < limit : value > limit;
  }
  const parts = flat(expected).split("…").map((part) => part.trim());
  return parts.length === 1 ? text === parts[0] : holds(text, parts);
}

function flat(text: string): string {
  return unpainted(text).replace(/\s+/g, " ").trim();
}

/** Whether the parts follow one another in the text, the first at its start and the last at its end. */
function holds(text: string, parts: readonly string[]): boolean {
  const [first, ...others] = parts;
  const last = others.pop()!;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of others) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - at >= last.length && text.endsWith(last);
}

function near(shown: string, expected: string, tolerance: number): boolean {
  const words = (text: string) => text.split(NUMBER).join("#");
  if (words(shown) !== words(expected)) return false;
  const wanted = numbers(expected);
  return numbers(shown).every((value, i) =>
    Math.abs(value - wanted[i]) <= tolerance
  );
}

function numbers(text: string): number[] {
  return Array.from(
    text.matchAll(NUMBER),
    ([number]) => Number(number.replaceAll(",", "")),
  );
}
