/** Examples as somebody at the prompt would type them: without imports, and with what is asserted as a comment. */
import { scan, type Token } from "../scan.ts";

/** The rows of an example of the documentation. */
export function exampleRows(doc: string): string[] {
  const code = doc.match(/```[^\n]*\n([\s\S]*?)```/)?.[1] ?? doc;
  const typed = statementsOf(code)
    .filter((text) => !/^(import\b|await init\()/.test(text.trimStart()))
    .map(asTyped)
    .join("");
  return typed.replace(/\n{3,}/g, "\n\n").trim().split("\n");
}

/** The text cut behind each statement's row. */
function statementsOf(code: string): string[] {
  const { tokens } = scan(code);
  const parts: string[] = [];
  let from = 0;
  for (const [i, { text, depth, start }] of tokens.entries()) {
    if (depth > 0 || text !== ";" && text !== "}") continue;
    const row = code.indexOf("\n", start);
    const end = row < 0 ? code.length : row + 1;
    const next = tokens[i + 1];
    if (end <= from || next !== undefined && next.start < end) continue;
    parts.push(code.slice(from, end));
    from = end;
  }
  return [...parts, code.slice(from)].filter((part) => part.trim() !== "");
}

function asTyped(text: string): string {
  const { tokens } = scan(text);
  const name = tokens[0]?.text === "await" ? tokens[1] : tokens[0];
  if (!name?.text.startsWith("assert")) return text;
  const at = tokens.indexOf(name);
  const [first, second] = argumentsOf(text, tokens.slice(at + 1));
  if (first === undefined) return text;
  const lead = text.slice(0, tokens[0].start);
  const told = second?.replace(/\s*\n\s*/g, " ");
  const row = (code: string, note: string) => `${lead}${code}; // ${note}\n`;
  switch (name.text) {
    case "assert":
      return row(first, "true");
    case "assertEquals":
    case "assertStrictEquals":
      return told === undefined ? text : row(first, told);
    case "assertAlmostEquals":
      return told === undefined ? text : row(first, `about ${told}`);
    case "assertThrows":
    case "assertRejects":
      return row(
        first.replace(/^(async )?\(\) =>\s*/, ""),
        `throws ${told ?? "an error"}`,
      );
    default:
      return text;
  }
}

/** The texts of the arguments of a call that starts with the first token. */
function argumentsOf(text: string, tokens: readonly Token[]): string[] {
  const [open] = tokens;
  if (open?.text !== "(") return [];
  const found: string[] = [];
  let from = open.start + 1;
  for (const token of tokens.slice(1)) {
    const closes = token.text === ")" && token.depth === open.depth;
    const comma = token.text === "," && token.depth === open.depth + 1;
    if (!closes && !comma) continue;
    const part = text.slice(from, token.start).trim();
    if (part !== "") found.push(part);
    from = token.start + 1;
    if (closes) break;
  }
  return found;
}
