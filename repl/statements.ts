/**
 * Splits the text of a file or a pipe into statements, so that each is run and shown by itself, as if somebody had typed it.
 *
 * A statement ends with the row in which it is whole, unless the next row goes on with it: a chain of `.calls()`, an `else`, a binary
 * operator. So a row that doesn't end with a semicolon waits for the next one; an empty row ends the wait. A command is a statement of its own.
 */
import { commandLine, type Commands, startsCommand } from "./commands/line.ts";
import { compile } from "./source.ts";

export interface Statement {
  readonly text: string;
  /** The number of its first row, from 1. */
  readonly line: number;
  /** False when the text ended before the statement did. */
  readonly whole: boolean;
}

/** How a row begins that goes on with the one before it. A row that begins with a bracket or a sign stands for itself. */
const GOES_ON =
  /^\s*(\.(?!\d)|\?|:|,|&&?|\|\|?|[*%<>^]|=|(?:else|catch|finally|instanceof|in|as|satisfies)\b)/;

/** What is whole doesn't depend on where imports come from. */
const ANYWHERE = new URL("file:///");

export async function* statements(
  rows: AsyncIterable<string> | Iterable<string>,
  commands: Commands = new Map(),
): AsyncGenerator<Statement> {
  let text = "";
  let first = 0;
  let line = 0;
  let whole = false;
  for await (const row of rows) {
    line++;
    // Copied from a session, rows have its prompts in front.
    const prompted = row.startsWith("> ") && /^(> |$)/.test(text);
    const starts = prompted || startsCommand(row, commands) ||
      !GOES_ON.test(row);
    if (whole && starts) {
      yield { text, line: first, whole };
      text = "";
    }
    if (text === "") first = line;
    text = text === "" ? row : `${text}\n${row}`;
    if (text.trim() === "") {
      text = "";
      whole = false;
      continue;
    }
    whole = compile(text, ANYWHERE, commands).kind !== "incomplete";
    const ends = text.trimEnd().endsWith(";") ||
      commandLine(text, commands) !== undefined;
    if (whole && ends) {
      yield { text, line: first, whole };
      text = "";
      whole = false;
    }
  }
  if (text !== "") yield { text, line: first, whole };
}
