/**
 * Commands: functions that lines can call, each of which a line may also name behind a dot. `.summary net, [1, 1, 28, 28]` is
 * `summary(net, [1, 1, 28, 28])`, so whatever works at the prompt works in a script.
 */
import type { Screen } from "../../nn/term/screen.ts";

/** What a command makes of the text behind its name. */
export type Takes =
  | "nothing"
  /** One string, as it stands there: `.load file.ts` is `load("file.ts")`. */
  | "text"
  /** Arguments: `.show x, { columns: 4 }` is `show(x, { columns: 4 })`. */
  | "values"
  /** An expression that the command runs itself, as often as it likes: `.timeit net(x)` is `timeit(() => net(x))`. */
  | "body";

/** A command. */
export interface Command {
  /** The function's name, and the word behind the dot. */
  readonly name: string;
  readonly takes: Takes;
  /** The form of a line, such as `.timeit expression`. */
  readonly usage: string;
  /** What it does, in one line of the list that `.help` shows. */
  readonly about: string;
  /** The heading under which `.help` lists it. */
  readonly family?: string;
  /** Whether its function is a global. Not where the library has the name for something else. @default true */
  readonly global?: boolean;
  /** The function. What it returns, or resolves to, is shown as the value of a line is. */
  // deno-lint-ignore no-explicit-any -- arguments come from whoever types; each function checks its own
  readonly run: (...args: any[]) => unknown;
}

/** A line that has run. */
export interface Typed {
  readonly text: string;
  /** Whether it ended without an error. */
  readonly ok: boolean;
  /** Whether it came from a file that another line loaded. */
  readonly loaded: boolean;
  /** What its relative imports were relative to. */
  readonly base: URL;
}

/** What commands know of the session that they are part of. */
export interface Shell {
  /** The screen as it is at this moment. */
  screen(): Screen;
  /** Writes a row at once, while the command runs. */
  print(text: string): void;
  /** The names that lines have from the start. */
  readonly globals: Readonly<Record<string, unknown>>;
  /** The variables that lines have declared, in their order. */
  variables(): Promise<ReadonlyMap<string, unknown>>;
  /** All commands, in the order of their families. */
  commands(): readonly Command[];
  /** The lines that have run since the start or the last reset, in their order. The one that runs isn't there yet. */
  lines(): readonly Typed[];
  /** What has been typed, also in earlier sessions, oldest first. */
  history(): readonly string[];
  /** The last error, if there was one. */
  lastError(): { readonly error: unknown } | undefined;
  /** Frees the tensors that no variable holds. */
  collect(): Promise<void>;
  /** Runs the rows of a text as if they had been typed, in the names of `place`. Rejects at the first error. */
  run(text: string, place: TextPlace): Promise<void>;
  /** Takes rows from the terminal until Ctrl-D. Rejects where there is none. */
  edit(): Promise<string>;
  /** Takes all variables away and frees their memory. */
  reset(): Promise<void>;
  /** Ends the session with this code. It throws, so that the line ends too. */
  exit(code: number): never;
}

/** Where a text comes from that is run. */
export interface TextPlace {
  /** The name that errors carry. */
  readonly source: string;
  /** What relative imports are relative to; otherwise the current folder. */
  readonly base?: URL;
}

/** Commands that belong together, made for one session. */
export type Family = (shell: Shell) => readonly Command[];

/** What could stand at the end of the first `cursor` characters of a row, and where the part begins that each of them replaces. */
export type Complete = (
  line: string,
  cursor: number,
) => Promise<{ readonly items: readonly string[]; readonly from: number }>;
