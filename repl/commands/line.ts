/**
 * Lines that aren't TypeScript: `.name …` calls a command, and `?name`, `??name`, `name?` and `exit` stand for calls of one. Each becomes the text of
 * that call, which is compiled and run like any other line. The commands are reached past the variables, so that none of these can shadow them.
 */
import { nearest } from "../../nn/state.ts";
import { scan } from "../scan.ts";
import type { Command } from "./command.ts";

export type Commands = ReadonlyMap<string, Command>;

/** What a line comes to that isn't TypeScript itself. */
export type CommandLine =
  /** The ways to write the call, the first that compiles counts. `shift`: by how much the text stands further right there. */
  | {
    readonly kind: "call";
    readonly texts: readonly string[];
    readonly shift: number;
  }
  | { readonly kind: "incomplete" }
  | { readonly kind: "refused"; readonly message: string };

/** Where a session's lines find the functions of its commands. */
const TABLE = Symbol.for("tessera.repl.commands");

/** Makes the commands callable by the text of lines. */
export function setCommands(commands: Commands): void {
  const table = Object.fromEntries(
    [...commands.values()].map(({ name, run }) => [name, run]),
  );
  Reflect.set(globalThis, TABLE, table);
}

const DOT = /^\s*\.([A-Za-z]\w*)/;
const NAME = String.raw`[\p{ID_Start}$_][\p{ID_Continue}$]*`;
const PATH = `${NAME}(?:\\.#?${NAME})*`;
const HELP = new RegExp(
  `^\\s*(?:(\\?\\??)\\s*(\\.?${PATH})|(\\.?${PATH})(\\?\\??))\\s*$`,
  "u",
);

/** What the text of a whole line, however many rows it has, calls; undefined for TypeScript. */
export function commandLine(
  text: string,
  commands: Commands,
): CommandLine | undefined {
  const help = helpLine(text, commands);
  if (help !== undefined) return help;
  if (/^\s*exit\s*;?\s*$/.test(text) && commands.has("exit")) {
    return callOf("exit", "", 0);
  }
  const found = DOT.exec(text);
  if (found === null) return;
  const [head, name] = found;
  const command = commands.get(name);
  if (command === undefined) return unknown(name, commands);
  return arguments_(command, text.slice(head.length), head.length);
}

/**
 * Whether a row of a file starts a command rather than go on with the row before it, as `.relu()` does: it stands at the very left, and behind the
 * name comes a blank or nothing.
 */
export function startsCommand(row: string, commands: Commands): boolean {
  const name = /^\.([A-Za-z]\w*)(?:\s|$)/.exec(row)?.[1];
  if (name !== undefined) return commands.has(name);
  return /^\?\??\S+\s*$/.test(row) && helpLine(row, commands) !== undefined;
}

function helpLine(text: string, commands: Commands): CommandLine | undefined {
  if (!commands.has("help")) return;
  if (/^\s*\?\s*$/.test(text)) return callOf("help", "", 0);
  const found = HELP.exec(text);
  if (found === null) return;
  const name = found[2] ?? found[3];
  const marks = found[1] ?? found[4];
  const source = marks === "??" ? ", { source: true }" : "";
  return callOf("help", `${JSON.stringify(name)}${source}`, 0);
}

function unknown(name: string, commands: Commands): CommandLine {
  const guess = nearest(name, [...commands.keys()]);
  const hint = guess === undefined
    ? ".help lists those there are"
    : `did you mean .${guess}?`;
  return {
    kind: "refused",
    message: `Cannot run .${name}: there is no such command, ${hint}`,
  };
}

function arguments_(
  { name, takes, usage }: Command,
  rest: string,
  typed: number,
): CommandLine {
  if (takes === "nothing") {
    if (/^\s*(\(\s*\))?\s*;?\s*$/.test(rest)) return callOf(name, "", typed);
    return {
      kind: "refused",
      message:
        `Cannot run .${name} with ${rest.trim()}: it is used as ${usage}`,
    };
  }
  if (takes === "text") {
    const text = rest.trim();
    return callOf(name, text === "" ? "" : JSON.stringify(text), typed);
  }
  const { tokens, unterminated, closed } = scan(rest);
  if (unterminated !== undefined || !closed) return { kind: "incomplete" };
  const last = tokens.at(-1);
  const quiet = last?.text === ";";
  const given = quiet ? rest.slice(0, last!.start) : rest;
  if (takes === "values") return callOf(name, given, typed, quiet);
  if (given.trim() === "") {
    return {
      kind: "refused",
      message:
        `Cannot run .${name} without an expression: it is used as ${usage}`,
    };
  }
  const waits = tokens.some(({ kind, text }) =>
    kind === "word" && text === "await"
  );
  const head = waits ? "async () => " : "() => ";
  const forms = [`${head}(${given}\n)`, `${head}{${given}\n}`];
  return {
    ...callOf(name, "", typed),
    texts: forms.map((form) => textOf(name, form, quiet)),
    shift: `${opening(name)}${head}(`.length - typed,
  };
}

function callOf(
  name: string,
  given: string,
  typed: number,
  quiet = false,
): CommandLine & { readonly kind: "call" } {
  // A comment at the end must not reach the bracket.
  const texts = [textOf(name, given === "" ? "" : `${given}\n`, quiet)];
  return { kind: "call", texts, shift: opening(name).length - typed };
}

function textOf(name: string, given: string, quiet: boolean): string {
  return `${opening(name)}${given})${quiet ? ";" : ""}`;
}

function opening(name: string): string {
  return `globalThis[Symbol.for("${TABLE.description}")].${name}(`;
}
