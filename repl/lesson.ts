/**
 * Plays a file through a session as if somebody typed it: its comments are read out, each statement is shown behind a prompt, and beneath it what it
 * gives. The file is an ordinary program, so it is formatted, checked and can be run by itself.
 */
import { expecting, meets } from "./expectation.ts";
import { wrap } from "./help/text.ts";
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
  /** The width that comments are broken to. @default as they are written */
  readonly columns?: number;
  /** Waits between two steps, each of which is a comment and the statements beneath it. False ends the lesson. @default no waiting */
  readonly pause?: () => Promise<boolean>;
}

/** Something that came out otherwise than the lesson says. */
export interface Surprise {
  readonly line: number;
  readonly expected: string;
  /** What was shown; undefined where nothing was. */
  readonly shown: string | undefined;
}

/** What playing came to. */
export interface Played {
  /** The first error, which ended it, as `source:row: what happened`. */
  readonly failure: string | undefined;
  /** Whether the reader left before the end. */
  readonly left: boolean;
  /** How many statements had an expectation behind them. */
  readonly expectations: number;
  readonly surprises: readonly Surprise[];
}

/** What stands in a program's head would only puzzle here: the session has the names already. */
const HEAD = /^(?:import\b|\/\*\*)/;

/** A session's device is open as well, with the seed that was asked for. */
const OPENING = /^await init\(/;

/** Plays the text of a lesson to its end or to the first error. */
export async function playLesson(
  session: Session,
  text: string,
  options: LessonOptions,
): Promise<Played> {
  const { source, base, colors, print, pause, columns = Infinity } = options;
  const surprises: Surprise[] = [];
  let expectations = 0;
  let reading = false;
  let steps = 0;
  const played = (failure?: string, left = false): Played => (
    { failure, left, expectations, surprises }
  );
  const parts = statements(text.split("\n"), session.commands);
  for await (const { text: part, line } of parts) {
    const comment = /^\/\/ ?(.*)$/.exec(part)?.[1];
    if (comment !== undefined) {
      if (!reading && steps++ > 0 && pause && !await pause()) {
        return played(undefined, true);
      }
      if (!reading) print("");
      for (const row of wrap(comment, columns)) {
        print(paint(row, "dim", colors));
      }
      reading = true;
      continue;
    }
    if (OPENING.test(part)) continue;
    const head = HEAD.test(part);
    const { text: typed, expected } = expecting(part);
    if (!head) print(echo(typed, colors));
    reading = false;
    const outcome = await session.evaluate(typed, { source, line, base });
    const shown = outcome.kind === "value" ? outcome.text : undefined;
    if (shown !== undefined && !head) print(shown);
    if (outcome.kind === "interrupted") {
      return played(`${source}:${line}: Interrupted`);
    }
    if (outcome.kind === "error") {
      return played(`${source}:${outcome.line}: ${outcome.text}`);
    }
    if (expected === undefined) continue;
    expectations++;
    if (shown !== undefined && meets(shown, expected)) continue;
    surprises.push({ line, expected, shown });
  }
  return played();
}

function echo(statement: string, colors: Colors): string {
  return statement.replace(/;\s*$/, "").split("\n").map((row, i) =>
    `${paint(i === 0 ? ">" : "…", "cyan", colors)} ${row}`.trimEnd()
  ).join("\n");
}
