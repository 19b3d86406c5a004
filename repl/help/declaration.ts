/** The text of a declaration, as it stands in its file. */
import { scan, type Token } from "../scan.ts";
import type { Place } from "./docs.ts";

export interface DeclarationText {
  /** From its first word to the end of its body. */
  readonly whole: string;
  /** Without the body: what one needs to know to call it. */
  readonly signature: string;
  readonly body: boolean;
}

/** A brace behind one of these belongs to a type or a value, not to the body of a declaration. */
const BEFORE_TYPE = new Set([
  ":",
  "|",
  "&",
  "=",
  "=>",
  "<",
  ",",
  "is",
  "extends",
  "keyof",
]);

/** Rows that a signature may take, so that a long file needn't be looked through for each. */
const LONGEST_MEMBER = 400;

/** The text of the declaration at a place. Files are those that run already: nothing is downloaded for it. */
export async function declarationAt(place: Place): Promise<DeclarationText> {
  const { default: text }: { readonly default: string } = await import(
    place.file,
    { with: { type: "text" } }
  );
  return declarationIn(text, place.line);
}

/** The same in the text of a file. The line counts from 0. */
export function declarationIn(text: string, line: number): DeclarationText {
  const rows = text.split("\n").slice(line, line + LONGEST_MEMBER);
  const margin = rows[0].length - rows[0].trimStart().length;
  const rest = rows.map((row) =>
    row.slice(0, margin).trim() === "" ? row.slice(margin) : row
  ).join("\n");
  const { tokens } = scan(rest);
  const end = endOf(tokens);
  return {
    whole: rest.slice(0, end.whole).trimEnd(),
    signature: withoutModifiers(rest.slice(0, end.signature).trim()),
    body: end.body,
  };
}

function endOf(tokens: readonly Token[]): {
  readonly whole?: number;
  readonly signature?: number;
  readonly body: boolean;
} {
  let body: number | undefined;
  const constant = /^(const|let)$/.test(
    tokens.find(({ text }) => text !== "export")?.text ?? "",
  );
  for (const [i, { text, start, depth }] of tokens.entries()) {
    if (depth > 0) continue;
    if (text === ";") {
      const signature = body ?? start;
      return { whole: start + 1, signature, body: body !== undefined };
    }
    const before = tokens[i - 1]?.text ?? "";
    // What a constant is made from is its body.
    if (constant && text === "=") body ??= start;
    if (constant) continue;
    if (text === "{" && !BEFORE_TYPE.has(before)) body ??= start;
    if (text === "}" && body !== undefined) {
      return { whole: start + 1, signature: body, body: true };
    }
    // The bracket that closes what the declaration stands in.
    if (text === "}" && !tokens.slice(0, i).some((t) => t.text === "{")) break;
  }
  return { body: false };
}

function withoutModifiers(signature: string): string {
  return signature
    .replace(/^export (default )?/, "")
    .replace(
      /^((override|public|abstract(?! class)|get|async(?! function)) )+/,
      "",
    );
}
