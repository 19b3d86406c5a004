/** What the session says of an error: its message, where it was thrown, and what caused it; without the library's own frames. */
import type { Frame } from "./engine.ts";

/** The library's own files, whose frames tell nothing about the line that went wrong. */
const LIBRARY = new URL("../", import.meta.url).href;

/**
 * The text of an error that a line threw, over several lines where there is more to tell than its message. `source` is the line's own: where
 * the error was thrown at the line itself, the line is not repeated. `hint` goes on with the message.
 */
export function explain(
  error: unknown,
  frames: readonly Frame[],
  source: string,
  hint?: string,
): string {
  const told = frames.filter((frame) => !frame.source.startsWith(LIBRARY));
  const own = told.every((frame) =>
    frame.source === source && frame.function === ""
  );
  const places = own ? [] : told.map((frame) => {
    const place = `${frame.source}:${frame.line}:${frame.column}`;
    return frame.function === ""
      ? `    at ${place}`
      : `    at ${frame.function} (${place})`;
  });
  const head = hint === undefined
    ? headline(error)
    : `${headline(error)}, ${hint}`;
  return [head, ...places, ...causes(error)].join("\n");
}

/** A syntax error with the line that has it and a mark beneath. */
export function explainSyntax(
  message: string,
  text: string,
  column: number,
): string {
  return `SyntaxError: ${message}\n    ${text}\n    ${" ".repeat(column - 1)}^`;
}

function headline(error: unknown): string {
  if (error instanceof Error) return `${error.name}: ${error.message}`;
  return `Thrown: ${Deno.inspect(error)}`;
}

function causes(error: unknown): string[] {
  const lines: string[] = [];
  const seen = new Set([error]);
  let cause = error instanceof Error ? error.cause : undefined;
  while (cause !== undefined && !seen.has(cause)) {
    lines.push(`Caused by: ${headline(cause)}`);
    seen.add(cause);
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return lines;
}
