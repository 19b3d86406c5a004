/**
 * Plays a file through a session as if somebody typed it: its comments are read out, each statement is shown behind a prompt, and beneath it what it
 * gives. The file is an ordinary program, so it is formatted, checked and can be run by itself.
 */
import type { Session } from "./session.ts";
import { statements } from "./statements.ts";
import type { Colors } from "../nn/term/screen.ts";
import { paint } from "../nn/term/style.ts";

export interface LessonOptions {
  /** The name that errors carry. */
  readonly source: string;
  /** What relative imports are relative to. */
  readonly base: URL;
  readonly colors: Colors;
  readonly print: (text: string) => void;
}

/** Plays the text of a lesson to its end or to the first error, which it returns as `source:row: what happened`. */
export async function playLesson(
  session: Session,
  text: string,
  { source, base, colors, print }: LessonOptions,
): Promise<string | undefined> {
  let reading = false;
  for await (
    const { text: part, line } of statements(text.split("\n"), session.commands)
  ) {
    const comment = /^\/\/ ?(.*)$/.exec(part)?.[1];
    if (comment !== undefined) {
      if (!reading) print("");
      print(paint(comment, "dim", colors));
      reading = true;
      continue;
    }
    // What stands in a program's head would only puzzle here: the session has the names already.
    const head = /^(import\b|\/\*\*)/.test(part);
    if (!head) print(echo(part, colors));
    reading = false;
    // A program ends its expressions with semicolons, which tell a session to show nothing.
    const typed = head ? part : part.replace(/;\s*$/, "");
    const outcome = await session.evaluate(typed, { source, line, base });
    if (outcome.kind === "value" && !head) print(outcome.text);
    if (outcome.kind === "interrupted") return `${source}:${line}: Interrupted`;
    if (outcome.kind === "error") {
      return `${source}:${outcome.line}: ${outcome.text}`;
    }
  }
}

function echo(statement: string, colors: Colors): string {
  return statement.replace(/;\s*$/, "").split("\n").map((row, i) =>
    `${paint(i === 0 ? ">" : "…", "cyan", colors)} ${row}`.trimEnd()
  ).join("\n");
}
