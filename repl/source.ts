/**
 * From the text of a line to the script that the engine runs: imports rewritten, types removed, declarations made repeatable, an object literal told from a block, and
 * whether more lines are needed. Pure: nothing is run here, so a line that is not whole has no effect.
 */
import { stripTypeScriptTypes } from "node:module";
import {
  type CommandLine,
  commandLine,
  type Commands,
} from "./commands/line.ts";
import { holdAwaits } from "./awaits.ts";
import { declaredNames, relaxDeclarations } from "./declarations.ts";
import { rewriteImports } from "./imports.ts";
import { type Scan, scan } from "./scan.ts";

export type Compiled =
  /** `quiet`: it ends with a semicolon, so its value is not to be shown. */
  | {
    readonly kind: "code";
    readonly code: string;
    readonly quiet: boolean;
    /** Variables that get the value of an expression, which may turn out to be a promise. */
    readonly declared: readonly string[];
  }
  | { readonly kind: "incomplete" }
  /** It names a command that there isn't, or not as the command is used. */
  | { readonly kind: "refused"; readonly message: string }
  /** `line` and `column` count from 1, within the text. */
  | {
    readonly kind: "error";
    readonly message: string;
    readonly line: number;
    readonly column: number;
  };

const NO_COMMANDS: Commands = new Map();

const INCOMPLETE: Compiled = { kind: "incomplete" };

/** Parses without running, with `await` allowed. */
const AsyncFunction = Object.getPrototypeOf(async () => {})
  .constructor as FunctionConstructor;

/** Compiles `source`, which may call one of `commands`; relative imports in it are relative to `base`. */
export function compile(
  source: string,
  base: URL,
  commands: Commands = NO_COMMANDS,
): Compiled {
  const text = withoutPrompts(source);
  const line = commandLine(text, commands);
  if (line === undefined) return compileText(text, base);
  return line.kind === "call" ? compileCall(line, base) : line;
}

/** The text as it was typed, where it was copied together with the prompts in front of it. */
export function withoutPrompts(text: string): string {
  return /^> /.test(text) ? text.replace(/^(> |… ?)/gm, "") : text;
}

function compileCall(
  { texts, shift }: CommandLine & { readonly kind: "call" },
  base: URL,
): Compiled {
  const results = texts.map((text) => compileText(text, base));
  const result = results.find(({ kind }) => kind === "code") ?? results[0];
  if (result.kind !== "error" || result.line > 1) return result;
  return { ...result, column: Math.max(1, result.column - shift) };
}

function compileText(source: string, base: URL): Compiled {
  const { tokens, unterminated, closed } = scan(source);
  if (unterminated !== undefined) return INCOMPLETE;
  const quiet = tokens.at(-1)?.text === ";";
  const text = rewriteImports(source, tokens, base);

  // `{ a: 1 }` is an object for whoever types it, and a block only where it can't be an object.
  let literal: Compiled | undefined;
  if (tokens[0]?.text === "{") {
    literal = javascript(closed ? `(${text}\n)` : `(${text}`, quiet);
    if (literal.kind === "code" && !quiet) return literal;
  }
  const result = javascript(text, quiet);
  return result.kind === "error" && literal?.kind === "incomplete" && !closed
    ? literal
    : result;
}

function javascript(text: string, quiet: boolean): Compiled {
  try {
    // Types become blanks, so lines and columns stay as they were typed.
    const code = stripTypeScriptTypes(text);
    return isScript(code) ? script(code, quiet) : INCOMPLETE;
  } catch {
    // Either a syntax error, or TypeScript with a meaning at run time (enum, namespace, parameter property), which takes the other mode.
  }
  try {
    return script(stripTypeScriptTypes(text, { mode: "transform" }), quiet);
  } catch (error) {
    return fault(text, scan(text), String((error as Error).message));
  }
}

function script(code: string, quiet: boolean): Compiled {
  const declared = declaredNames(code);
  return {
    kind: "code",
    code: holdAwaits(relaxDeclarations(code)),
    quiet,
    declared,
  };
}

/** The remover of types lets a block without its end pass, which V8 doesn't. */
function isScript(code: string): boolean {
  if (scan(code).closed) return true;
  try {
    new AsyncFunction(code);
    return true;
  } catch {
    return false;
  }
}

/** Reads the parser's report, whose first line is the message and whose last ends with `:line:column`. */
function fault(text: string, { tokens }: Scan, report: string): Compiled {
  const [, first, line, column] =
    /^(?:SyntaxError: )?(.*)[^]*?:(\d+):(\d+)(?:\n|$)/.exec(report) ??
      ["", report, "1", "1"];
  const lines = text.split("\n");
  const before = lines.slice(0, Number(line) - 1).join("\n").length +
    (line === "1" ? 0 : 1);
  // The parser counts characters where the scanner counts UTF-16 units.
  const within = [...lines[Number(line) - 1] ?? ""]
    .slice(0, Number(column) - 1).join("").length;
  // An error behind the last token means that the parser wanted more.
  if (!tokens.some((token) => token.start >= before + within)) {
    return INCOMPLETE;
  }
  return {
    kind: "error",
    message: first,
    line: Number(line),
    column: Number(column),
  };
}
