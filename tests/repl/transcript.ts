/** Transcripts as tests: the lines behind the prompts are typed, and what is shown must be what stands beneath them. */
import { assertEquals } from "@std/assert";
import { type Host, Session } from "../../repl/session.ts";

/** A host without a tensor library. */
export const BARE_HOST: Host = {
  globals: {},
  show: (value) => Deno.inspect(value),
  live: () => 0,
};

/** Plays the lines of a transcript (`> ` starts one, `… ` goes on with it) and compares what comes of them. */
export async function assertTranscript(
  expected: string,
  host: Host = BARE_HOST,
): Promise<void> {
  const text = outdent(expected);
  const session = new Session(host);
  try {
    assertEquals(await play(session, typed(text)), text);
  } finally {
    await session.close();
  }
}

/** Types rows into a session as the editor does. Gives the prompts, the rows and what was shown. */
export async function play(
  session: Session,
  rows: readonly string[],
): Promise<string> {
  const shown: string[] = [];
  let text = "";
  for (const row of rows) {
    shown.push(`${text === "" ? ">" : "…"} ${row}`.trimEnd());
    text = text === "" ? row : `${text}\n${row}`;
    const outcome = await session.evaluate(text);
    if (outcome.kind === "incomplete") continue;
    text = "";
    if (outcome.kind === "interrupted") shown.push("Interrupted");
    if (outcome.kind === "silent" && outcome.hint !== undefined) {
      shown.push(outcome.hint);
    }
    if (outcome.kind === "value" || outcome.kind === "error") {
      shown.push(outcome.text);
    }
    // Whoever types leaves pauses, in which garbage is collected.
    await session.idle();
  }
  return shown.join("\n");
}

function typed(transcript: string): string[] {
  return transcript.split("\n").filter((row) => /^[>…]( |$)/.test(row))
    .map((row) => row.slice(2));
}

function outdent(text: string): string {
  const rows = text.split("\n");
  const margin = Math.min(
    ...rows.filter((row) => row.trim() !== "").map((row) =>
      row.length - row.trimStart().length
    ),
  );
  return rows.map((row) => row.slice(margin)).join("\n").trim();
}
