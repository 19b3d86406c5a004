/**
 * Import statements turned into dynamic imports, because a line of a session is a script and not a module:
 *
 * `import a, { b as c } from "./x.ts"` becomes `const { default: a, b: c } = await import("file:///folder/x.ts")`.
 *
 * Relative specifiers are resolved here, as the script itself has no address that they could be relative to.
 */
import type { Token } from "./scan.ts";

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A line may be written as in a module: `export` in front of a declaration is dropped. */
const DECLARATIONS = new Set([
  "abstract",
  "async",
  "class",
  "const",
  "enum",
  "function",
  "interface",
  "let",
  "namespace",
  "type",
  "var",
]);

export function rewriteImports(
  source: string,
  tokens: readonly Token[],
  base: URL,
): string {
  const edits: Edit[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i];
    if (token.kind !== "word") continue;
    const next = tokens[i + 1];
    if (token.text === "export") {
      if (startsStatement(tokens, i) && DECLARATIONS.has(next?.text ?? "")) {
        edits.push({ start: token.start, end: next.start, text: "" });
      }
    } else if (token.text === "import" && next?.text === "(") {
      const specifier = tokens[i + 2];
      if (specifier?.kind !== "string") continue;
      edits.push({
        start: specifier.start,
        end: endOf(specifier),
        text: resolve(specifier.text, base),
      });
    } else if (token.text === "import" && startsStatement(tokens, i)) {
      const edit = importStatement(source, tokens, i, base);
      if (edit !== undefined) edits.push(edit);
    }
  }
  return apply(source, edits);
}

function startsStatement(tokens: readonly Token[], i: number): boolean {
  const { depth } = tokens[i];
  const previous = tokens[i - 1];
  return depth === 0 && previous?.text !== ".";
}

/** The replacement of the statement that starts at token `i`, or undefined where it is not a whole import statement. */
function importStatement(
  source: string,
  tokens: readonly Token[],
  i: number,
  base: URL,
): Edit | undefined {
  let from = i + 1;
  while (from < tokens.length && tokens[from].kind !== "string") {
    const { text, kind } = tokens[from];
    if (kind !== "word" && !["{", "}", ",", "*"].includes(text)) return;
    from++;
  }
  const specifier = tokens[from];
  if (specifier === undefined) return;
  let last = from;
  let attributes = "";
  const [word, brace] = [tokens[from + 1], tokens[from + 2]];
  if (word?.text === "with" && brace?.text === "{") {
    last = tokens.findIndex((token, j) => j > from + 2 && token.text === "}");
    if (last < 0) return;
    const list = source.slice(brace.start, endOf(tokens[last]));
    attributes = `, { with: ${list} }`;
  }
  const clause = tokens.slice(i + 1, from);
  const call = `await import(${resolve(specifier.text, base)}${attributes})`;
  const text = declaration(clause, call);
  if (text === undefined) return;
  const start = tokens[i].start;
  const end = endOf(tokens[last]);
  // The lines behind it keep their numbers.
  const lines = source.slice(start, end).split("\n").length - 1;
  return { start, end, text: text + "\n".repeat(lines) };
}

function declaration(
  clause: readonly Token[],
  call: string,
): string | undefined {
  // Without a name the statement has no value, as a declaration has none.
  if (clause.length === 0) return `void ${call}`;
  if (clause.at(-1)?.text !== "from") return;
  const words = clause.slice(0, -1).map((token) => token.text);
  if (words[0] === "type" && words.length > 1 && words[1] !== ",") return "";
  const names: string[] = [];
  let whole: string | undefined;
  let i = 0;
  while (i < words.length) {
    if (words[i] === "*") {
      whole = words[i + 2];
      i += 3;
    } else if (words[i] === "{") {
      const close = words.indexOf("}", i);
      if (close < 0) return;
      names.push(...bindings(words.slice(i + 1, close)));
      i = close + 1;
    } else {
      if (words[i] !== ",") names.push(`default: ${words[i]}`);
      i++;
    }
  }
  const pattern = `{ ${names.join(", ")} }`;
  if (whole === undefined) return `const ${pattern} = ${call}`;
  if (names.length === 0) return `const ${whole} = ${call}`;
  return `const ${whole} = ${call}, ${pattern} = ${whole}`;
}

/** `a`, `b as c`, `type T` of a list in braces, as the properties of a pattern. Types have no value and are left out. */
function bindings(words: readonly string[]): string[] {
  return words.join(" ").split(",").map((item) => item.trim()).filter((item) =>
    item !== "" && !/^type \S/.test(item)
  ).map((item) => item.replace(/^(\S+) as (\S+)$/, "$1: $2"));
}

/** The specifier as a literal, absolute where it was relative. */
function resolve(literal: string, base: URL): string {
  const specifier = literal.slice(1, -1);
  const relative = /^\.{0,2}\//.test(specifier);
  return relative ? JSON.stringify(new URL(specifier, base).href) : literal;
}

function endOf(token: Token): number {
  return token.start + token.text.length;
}

function apply(source: string, edits: readonly Edit[]): string {
  let result = "";
  let at = 0;
  for (const edit of edits) {
    result += source.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  return result + source.slice(at);
}
