/** A session as a file: the lines that succeeded, which the REPL runs again, and which are a program where they use nothing of the REPL's own. */
import { scan, type Token } from "../scan.ts";
import { compile } from "../source.ts";
import * as library from "../../mod.ts";
import { startSeed } from "../device.ts";
import type { Shell, Typed } from "./command.ts";

const LIBRARY = new URL("../../mod.ts", import.meta.url).href;

/** The text for a file at `path`. */
export function savedText(
  shell: Shell,
  path: URL,
): { readonly text: string; readonly lines: number } {
  const commands = new Map(shell.commands().map((one) => [one.name, one]));
  const bodies = new Set(
    [...commands.values()].filter(({ takes }) => takes === "body")
      .map(({ name }) => name),
  );
  const done = shell.lines().filter(({ ok }) => ok);
  const parts = done.map((line) => asTyped(line, path, bodies));
  const code = repeatable(
    parts.filter(({ runs }) => runs).map(({ text }) => text),
  );
  let next = 0;
  const body = parts.map(({ text, runs }) => runs ? code[next++] : text);
  const seed = startSeed();
  const head = [
    "// Lines of a Tessera session: `deno task repl FILE` runs them again.",
    `import { ${names(code).join(", ")} } from ${JSON.stringify(LIBRARY)}`,
    `await init(${seed === undefined ? "" : `{ seed: ${seed} }`});`,
  ];
  return { text: `${[...head, "", ...body].join("\n")}\n`, lines: done.length };
}

/** A line as the file has it. Commands only show something, except for the expressions that some run. */
function asTyped(
  { text, base }: Typed,
  path: URL,
  bodies: ReadonlySet<string>,
): { readonly text: string; readonly runs: boolean } {
  const [, name, rest] = /^\s*\.([A-Za-z]\w*)([^]*)$/.exec(text) ?? [];
  if (name !== undefined && bodies.has(name)) {
    return { text: rest.trim(), runs: true };
  }
  if (name !== undefined || /^\s*(\?|exit\b)|\?\s*$/.test(text)) {
    return { text: text.replace(/^/gm, "// "), runs: false };
  }
  const typed = withAddresses(text, base, path);
  if (!/^\s*\{/.test(typed)) return { text: typed, runs: true };
  // What the session takes for an object is a block in a program.
  const object = `(${typed})`;
  const whole = compile(object, base).kind === "code";
  return { text: whole ? object : typed, runs: true };
}

/** The text with the addresses of its imports, where they would mean something else from the file's folder. */
function withAddresses(text: string, base: URL, path: URL): string {
  if (new URL(".", base).href === new URL(".", path).href) return text;
  const { tokens } = scan(text);
  let result = "";
  let at = 0;
  tokens.forEach((token, i) => {
    const specifier = token.text.slice(1, -1);
    if (token.kind !== "string" || !/^\.{1,2}\//.test(specifier)) return;
    const [before, last] = [tokens[i - 2]?.text, tokens[i - 1]?.text];
    const imports = last === "from" || last === "import" ||
      (last === "(" && before === "import");
    if (!imports) return;
    result += text.slice(at, token.start) +
      JSON.stringify(new URL(specifier, base).href);
    at = token.start + token.text.length;
  });
  return result + text.slice(at);
}

/** Statements that a program can have one after the other: a variable that is declared again is given another value. */
function repeatable(texts: readonly string[]): string[] {
  const declarations = texts.map(declaration);
  const times = new Map<string, number>();
  for (const { name } of declarations) {
    if (name !== undefined) times.set(name, (times.get(name) ?? 0) + 1);
  }
  const declared = new Set<string>();
  const words = new Set<string>();
  return texts.map((text, i) => {
    const { name, keyword, start } = declarations[i];
    let result = text.trimEnd();
    if (name !== undefined && times.get(name)! > 1 && keyword !== undefined) {
      const head = text.slice(0, start);
      const rest = text.slice(start + keyword.length);
      result = declared.has(name)
        ? head + rest.trimStart().replace(/^([\w$]+)\s*:[^=]*=/, "$1 =")
        : `${head}let${rest}`;
      declared.add(name);
      result = result.trimEnd();
    }
    const { tokens } = scan(text);
    const [first, sign] = tokens;
    // A program must declare what a session may just assign.
    if (
      first?.kind === "word" && sign?.text === "=" && !words.has(first.text)
    ) {
      result = `let ${result}`;
    }
    for (const token of tokens) words.add(token.text);
    // A program would take what begins so for the rest of the line above.
    const goesOn = /^\s*[[(`+\-/*]/.test(texts[i + 1] ?? "");
    return goesOn && !/[;}]$/.test(result) ? `${result};` : result;
  });
}

/** The variable that a line declares, and where its keyword is. */
function declaration(
  text: string,
): { name?: string; keyword?: string; start: number } {
  const tokens = scan(text).tokens;
  const first = tokens[0]?.text === "export" ? 1 : 0;
  const [keyword, name, sign] = tokens.slice(first, first + 3);
  const declares = ["const", "let", "var"].includes(keyword?.text ?? "") &&
    name?.kind === "word" && ["=", ":"].includes(sign?.text ?? "");
  if (!declares) return { start: 0 };
  return { name: name.text, keyword: keyword.text, start: keyword.start };
}

/** The library's names that the lines use and don't declare themselves. */
function names(texts: readonly string[]): string[] {
  const used = new Set(["init"]);
  const own = new Set<string>();
  for (const text of texts) {
    const { tokens } = scan(text);
    tokens.forEach((token, i) => {
      const before = tokens[i - 1];
      if (token.kind !== "word" || before?.text === ".") return;
      if (declares(before)) own.add(token.text);
      else if (Object.hasOwn(library, token.text)) used.add(token.text);
    });
  }
  return [...used].filter((name) => name === "init" || !own.has(name)).sort();
}

function declares(before: Token | undefined): boolean {
  return ["const", "let", "var", "function", "class", "enum"].includes(
    before?.text ?? "",
  );
}
