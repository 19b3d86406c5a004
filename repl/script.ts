/** Text that nobody types: a pipe, a file or `-e`. Values are printed, there is no prompt, and the first error ends it. */
import type { Outcome, Place, Session } from "./session.ts";
import { statements } from "./statements.ts";

/** What runs the statements: a session, or a line of one that loads a file. */
export interface Runner extends Pick<Session, "commands" | "exited"> {
  evaluate(text: string, place: Place): Promise<Outcome>;
}

export interface ScriptOptions {
  /** The name that errors carry in front of the row's number. */
  readonly source: string;
  /** What relative imports are relative to; otherwise the current folder. */
  readonly base?: URL;
  readonly print: (text: string) => void;
}

/** Runs rows of text to the end, to a line that exits, or to the first error, which it returns as `source:row: what happened`. */
export async function runScript(
  runner: Runner,
  rows: AsyncIterable<string> | Iterable<string>,
  { source, base, print }: ScriptOptions,
): Promise<string | undefined> {
  for await (
    const { text, line, whole } of statements(rows, runner.commands)
  ) {
    const start = `${source}:${line}`;
    if (!whole) {
      return `${start}: SyntaxError: The statement that starts here has no end`;
    }
    if (runner.exited()) return;
    const outcome = await runner.evaluate(text, { source, line, base });
    if (outcome.kind === "value") print(outcome.text);
    else if (outcome.kind === "interrupted") return `${start}: Interrupted`;
    else if (outcome.kind === "error") {
      return `${source}:${outcome.line}: ${outcome.text}`;
    }
  }
}

/** The rows of a stream of bytes, without what ends them. */
export async function* rowsOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const rows = (rest + text).split("\n");
    rest = rows.pop()!;
    for (const row of rows) yield row.replace(/\r$/, "");
  }
  if (rest !== "") yield rest;
}
