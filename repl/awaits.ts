/**
 * Holds on to what a line waits for. Where nothing else refers to a promise that is awaited, it and the line that waits are garbage; V8's inspector tells
 * so in the middle of the collection, where Deno's side of it may not run and ends the process.
 */
import type { Token } from "./scan.ts";
import { scan } from "./scan.ts";

const HOLD = Symbol.for("tessera.repl.hold");
const OPENING = `globalThis[Symbol.for("${HOLD.description}")](`;

/** Words behind `await` with which no call or name begins. */
const OTHERS = new Set(
  "async await class delete function import typeof void yield".split(" "),
);

const held = new Set<Promise<unknown>>();

/** Keeps a promise alive until it is settled. */
export function hold(value: unknown): unknown {
  if (value instanceof Promise) {
    held.add(value);
    const drop = () => void held.delete(value);
    value.then(drop, drop);
  }
  return value;
}

/** Lets go of all promises. */
export function dropHeld(): void {
  held.clear();
}

Reflect.set(globalThis, HOLD, hold);

/** The script with each promise held that it awaits outside of functions and blocks. `code` is JavaScript. */
export function holdAwaits(code: string): string {
  if (!code.includes("await")) return code;
  const { tokens } = scan(code);
  let result = "";
  let at = 0;
  tokens.forEach((token, i) => {
    if (token.text !== "await" || token.kind !== "word" || token.depth > 0) {
      return;
    }
    if (["for", ".", "?."].includes(tokens[i - 1]?.text ?? "")) return;
    const last = endOfOperand(tokens, i + 1);
    if (last === undefined) return;
    const { start } = tokens[i + 1];
    const end = tokens[last].start + tokens[last].text.length;
    if (start < at) return;
    result += `${code.slice(at, start)}${OPENING}${code.slice(start, end)})`;
    at = end;
  });
  return result + code.slice(at);
}

/** The last token of a name, a bracket or a chain of calls; undefined for anything else. */
function endOfOperand(
  tokens: readonly Token[],
  first: number,
): number | undefined {
  let at = first;
  if (tokens[at]?.text === "new") at++;
  const { kind, text } = tokens[at] ?? {};
  if (kind === "word" ? OTHERS.has(text!) : text !== "(") return;
  let last = kind === "word" ? at : closing(tokens, at);
  while (last !== undefined) {
    const next = tokens[last + 1]?.text;
    if (next === "." || (next === "?." && tokens[last + 2]?.kind === "word")) {
      last += 2;
    } else if (next === "(" || next === "[") last = closing(tokens, last + 1);
    else if (next === "?." || next === "=>") return;
    else break;
  }
  return last !== undefined && tokens[last + 1]?.kind !== "template"
    ? last
    : undefined;
}

/** The bracket that closes the one at `open`. */
function closing(tokens: readonly Token[], open: number): number | undefined {
  const { depth } = tokens[open];
  const found = tokens.findIndex((token, i) =>
    i > open && token.depth === depth && [")", "]", "}"].includes(token.text)
  );
  return found < 0 ? undefined : found;
}
