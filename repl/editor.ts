/** The terminal in front of a session: a prompt, editing and recalling lines, Ctrl-C and Ctrl-D. */
import process from "node:process";
import {
  type AsyncCompleter,
  createInterface,
  type Interface,
} from "node:readline";
import type { History } from "./history.ts";
import { Keys } from "./keys.ts";
import type { Outcome, Session } from "./session.ts";
import type { Colors } from "../nn/term/screen.ts";
import { paint } from "../nn/term/style.ts";

const PROMPT = "> ";
const CONTINUATION = "… ";

export interface EditorOptions {
  readonly history: History;
  readonly colors: Colors;
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
      completer: completerOf(session),
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#closed = promise;
    this.#lines.on("history", (list: string[]) => this.#recalled = list);
    this.#lines.on("line", (row) => this.#take(row));
    this.#lines.on("SIGINT", () => this.#clear());
    this.#lines.on("close", () => resolve());
    this.#keys.setBusyMode();
  }

  /** Ctrl-C while a line runs: ends it, and what was pasted behind it. */
  interrupt(): void {
    this.#keys.forget();
    this.session.interrupt();
  }

  /** Prompts until Ctrl-D. */
  async run(): Promise<void> {
    this.#prompt();
    await this.#closed;
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
    this.#lines.setPrompt(this.#text === "" ? PROMPT : CONTINUATION);
    this.#keys.setRawMode(true);
    this.#lines.prompt();
    this.#keys.release();
  }

  async #take(row: string): Promise<void> {
    this.#busy = true;
    this.#keys.setBusyMode();
    const text = this.#text === "" ? row : `${this.#text}\n${row}`;
    if (text.trim() !== "") {
      const outcome = await this.session.evaluate(text);
      const whole = outcome.kind !== "incomplete";
      this.#text = whole ? "" : text;
      this.#remember(text, whole);
      this.#show(outcome);
    }
    this.#prompt();
  }

  #show(outcome: Outcome): void {
    if (outcome.kind === "value") console.log(outcome.text);
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
    if (this.#lines.line === "" && this.#text === "") {
      this.printAbove("Ctrl-D leaves");
      return;
    }
    this.#lines.write(null, { ctrl: true, name: "e" });
    this.#lines.write(null, { ctrl: true, name: "u" });
    if (this.#text === "") return;
    this.#text = "";
    process.stdout.write("\n");
    this.#prompt();
  }
}

/** The line editor's way to ask what could stand at the end of a row. */
function completerOf({ complete }: Session): AsyncCompleter | undefined {
  if (complete === undefined) return;
  return (line, done) => {
    complete(line, line.length).then(
      ({ items, from }) => done(null, [[...items], line.slice(from)]),
      // Nobody asked for an error while typing.
      () => done(null, [[], line]),
    );
  };
}
