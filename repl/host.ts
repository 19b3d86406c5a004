/** What a session is given, and what it gives back. */
import type { Command, Complete, Shell } from "./commands/command.ts";
import type { Screen } from "../nn/term/screen.ts";

/** What the session needs from whoever opens it. The tensor library comes in here. */
export interface Host {
  /** Names that lines can use from the start. A line may declare them again. */
  readonly globals: Readonly<Record<string, unknown>>;
  /** The text that shows a value, once everything is read that the text needs. */
  show(value: unknown): string | Promise<string>;
  /** How many tensors there are. While there are any, garbage is collected: the library frees a tensor's memory when its finalizer runs. */
  live(): number;
  /** The bytes that they hold. */
  liveBytes?(): number;
  /** Takes a question to ask before each operation: whether the code that runs was interrupted and the operation must throw. */
  onInterrupt?(interrupted: () => boolean): void;
  /** Makes the commands, of which each is a global too. */
  commands?(shell: Shell): readonly Command[];
  /** Makes what tells, behind an error's message or of a line that gave undefined, what was probably meant. */
  hint?(shell: Shell): Hint;
  /** Makes what completes names at the prompt. */
  complete?(shell: Shell): Complete;
  /** What else to say about an error: rows beneath its text. */
  advise?(
    error: unknown,
    variables: () => Promise<ReadonlyMap<string, unknown>>,
  ): Promise<readonly string[]>;
  /** Starts over what the library keeps between lines. */
  reset?(): void | Promise<void>;
}

/** What to add to the message of an error, or to the news that a line gave undefined. */
export type Hint = (
  told: { readonly error?: unknown; readonly text: string },
) => Promise<string | undefined>;

export interface SessionOptions {
  /** Shared memory whose first element another thread sets when Ctrl-C is pressed, for the time in which this thread is busy and hears nothing. */
  readonly signal?: Int32Array;
  /** Takes the rows that a command writes while it runs. @default the screen */
  readonly print?: (text: string) => void;
  /** Where commands draw. @default standard output */
  readonly screen?: () => Screen;
  /** What has been typed, also in earlier sessions, oldest first. @default what was typed in this one */
  readonly history?: () => readonly string[];
  /** Takes rows from the terminal until Ctrl-D. */
  readonly edit?: () => Promise<string>;
}

/** Where a line comes from. */
export interface Place {
  /** The name that errors carry: "stdin", or a file's. */
  readonly source: string;
  /** The number of the line's first row there. */
  readonly line: number;
  /** What relative imports are relative to; otherwise the current folder. */
  readonly base?: URL;
}

export type Outcome =
  | { readonly kind: "value"; readonly text: string }
  /** A declaration, or a line that ends with a semicolon. */
  | {
    readonly kind: "silent";
    /** What whoever typed it may not have meant. */
    readonly hint?: string;
  }
  | {
    readonly kind: "error";
    readonly error: unknown;
    readonly text: string;
    /** The row of the source in which it was thrown. */
    readonly line: number;
  }
  /** Nothing was run: the text goes on in the next line. */
  | { readonly kind: "incomplete" }
  /** Ctrl-C ended it. */
  | { readonly kind: "interrupted" };
