/** The terminal in front of a session: a prompt, editing and recalling lines, Ctrl-C and Ctrl-D. */
import process from "node:process";
import {
  type AsyncCompleter,
  createInterface,
  type Interface,
} from "node:readline";
import type { History } from "./history.ts";
import { Keys } from "./keys.ts";
import { enableSearch } from "./search.ts";
import type { Outcome, Session } from "./session.ts";
import { withoutPrompts } from "./source.ts";
import type { Colors } from "../nn/term/screen.ts";
import { paint } from "../nn/term/style.ts";

const PROMPT = "> ";
const CONTINUATION = "… ";

export interface EditorOptions {
  readonly history: History;
  readonly colors: Colors;
}

/** Rows that are taken without being run. */
interface Edited {
  readonly rows: string[];
  readonly done: (text: string) => void;
  readonly drop: (reason: Error) => void;
}

/** Gives the session a prompt until Ctrl-D. */
export class Editor {
  readonly #keys: Keys;
  readonly #lines: Interface;
  readonly #history: History;
  readonly #colors: Colors;
  /** What Up recalls, newest first: each text as a whole. */
  readonly #entries: string[];
  /** The line editor's own list, which it fills row by row. */
  #recalled: string[] = [];
  readonly #closed: Promise<void>;
  /** The rows so far of a text that isn't whole. */
  #text = "";
  /** Whether a line runs; at the start files may. */
  #busy = true;
  /** The rows that `.editor` takes, while it does. */
  #edited: Edited | undefined;

  constructor(
    readonly session: Session,
    { history, colors }: EditorOptions,
  ) {
    this.#history = history;
    this.#colors = colors;
    this.#entries = [...history.entries];
    this.#keys = new Keys(() => this.interrupt());
    this.#lines = createInterface({
      input: this.#keys,
      output: process.stdout,
      terminal: true,
      history: [...this.#entries],
      historySize: Infinity,
      removeHistoryDuplicates: true,
      completer: completerOf(
        session,
        () => this.#text === "" ? "" : `${this.#text}\n`,
      ),
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#closed = promise;
    this.#lines.on("history", (list: string[]) => this.#recalled = list);
    this.#lines.on("line", (row) => this.#take(row));
    this.#lines.on("SIGINT", () => this.#clear());
    this.#lines.on("close", () => resolve());
    enableSearch(this.#lines, () => this.#entries);
    this.#keys.setBusyMode();
  }

  /** Ctrl-C while a line runs: ends it, and what was pasted behind it. */
  interrupt(): void {
    this.#keys.forget();
    this.session.interrupt();
  }

  /** Prompts until Ctrl-D, or a line that exits. */
  async run(): Promise<void> {
    if (!this.session.exited()) {
      this.#prompt();
      await this.#closed;
    }
    this.#keys.setRawMode(false);
  }

  /** Takes rows for the line that runs, until Ctrl-D; Ctrl-C drops them and ends the line. */
  edit(): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    this.#edited = { rows: [], done: resolve, drop: reject };
    console.log(
      paint(
        "Ctrl-D runs what is typed here, Ctrl-C drops it",
        "dim",
        this.#colors,
      ),
    );
    this.#keys.onNextEnd(() => this.#endEditing(true));
    this.#askRow("");
    return promise;
  }

  #endEditing(run: boolean): void {
    const { rows, done, drop } = this.#edited!;
    this.#edited = undefined;
    if (this.#lines.line !== "") rows.push(this.#lines.line);
    this.#clearRow();
    this.#keys.onNextEnd(undefined);
    this.#keys.hold();
    this.#keys.setBusyMode();
    process.stdout.write("\n");
    if (run) {
      const text = rows.join("\n");
      if (text.trim() !== "") this.#remember(text, true);
      done(text);
    } else {
      this.session.interrupt();
      drop(new Error("Interrupted"));
    }
  }

  #clearRow(): void {
    this.#lines.write(null, { ctrl: true, name: "e" });
    this.#lines.write(null, { ctrl: true, name: "u" });
  }

  #askRow(prompt: string): void {
    this.#lines.setPrompt(prompt);
    this.#keys.setRawMode(true);
    this.#lines.prompt();
    this.#keys.release();
  }

  /** Writes a row that no line asked for, above the prompt and what is being typed there. */
  printAbove(text: string): void {
    if (this.#busy) {
      console.log(text);
      return;
    }
    process.stdout.write(`\r\x1b[K${text}\n`);
    this.#lines.prompt(true);
  }

  #prompt(): void {
    this.#busy = false;
    this.#askRow(this.#text === "" ? PROMPT : CONTINUATION);
  }

  async #take(row: string): Promise<void> {
    if (this.#edited !== undefined) {
      this.#edited.rows.push(row);
      this.#askRow("");
      return;
    }
    this.#busy = true;
    this.#keys.setBusyMode();
    const text = this.#text === "" ? row : `${this.#text}\n${row}`;
    if (text.trim() !== "") {
      const outcome = await this.session.evaluate(text);
      const whole = outcome.kind !== "incomplete";
      this.#text = whole ? "" : text;
      this.#remember(withoutPrompts(text), whole);
      this.#show(outcome);
    }
    if (this.session.exited()) this.#lines.close();
    else this.#prompt();
  }

  #show(outcome: Outcome): void {
    if (outcome.kind === "value") console.log(outcome.text);
    if (outcome.kind === "silent" && outcome.hint !== undefined) {
      console.log(paint(outcome.hint, "dim", this.#colors));
    }
    if (outcome.kind === "error") {
      const [first, ...rest] = outcome.text.split("\n");
      console.log([paint(first, "red", this.#colors), ...rest].join("\n"));
    }
    if (outcome.kind === "interrupted") console.log("Interrupted");
  }

  /** Makes a text one entry, whatever its rows are. Until it is whole it is there as well, to be mended after Ctrl-C. */
  #remember(text: string, whole: boolean): void {
    const others = this.#entries.filter((entry) => entry !== text);
    this.#recalled.splice(0, this.#recalled.length, text, ...others);
    if (!whole) return;
    this.#entries.splice(0, this.#entries.length, text, ...others);
    this.#history.add(text);
  }

  /** Ctrl-C at the prompt. */
  #clear(): void {
    if (this.#edited !== undefined) {
      this.#endEditing(false);
      return;
    }
    if (this.#lines.line === "" && this.#text === "") {
      this.printAbove("Ctrl-D leaves");
      return;
    }
    this.#clearRow();
    if (this.#text === "") return;
    this.#text = "";
    process.stdout.write("\n");
    this.#prompt();
  }
}

/** The line editor's way to ask what could stand at the end of a row. `before` gives the rows above it of a text that isn't whole. */
function completerOf(
  { complete }: Session,
  before: () => string,
): AsyncCompleter | undefined {
  if (complete === undefined) return;
  return (line, done) => {
    const text = before() + line;
    complete(text, text.length).then(
      ({ items, from }) => done(null, [[...items], text.slice(from)]),
      // Nobody asked for an error while typing.
      () => done(null, [[], line]),
    );
  };
}
