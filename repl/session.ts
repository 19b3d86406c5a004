/**
 * A session: lines in, outcomes out. It evaluates TypeScript one line at a time, keeps variables between lines, waits for what a line gives and
 * shows it, and has the memory collected that no variable holds. There is no terminal in here: the editor, a pipe, a lesson and the tests
 * all drive the same session.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { pathToFileURL } from "node:url";
import type { Command, Complete, Shell } from "./commands/command.ts";
import { type Commands, setCommands } from "./commands/line.ts";
import { Engine } from "./engine.ts";
import { explain, explainSyntax } from "./explain.ts";
import { compile } from "./source.ts";
import { type Screen, standardOutput } from "../nn/term/screen.ts";

/** What the session needs from whoever opens it. The tensor library comes in here. */
export interface Host {
  /** Names that lines can use from the start. A line may declare them again. */
  readonly globals: Readonly<Record<string, unknown>>;
  /** The text that shows a value, once everything is read that the text needs. */
  show(value: unknown): string | Promise<string>;
  /**
   * How many tensors there are. While there are any, garbage is collected after each line; the library frees a tensor's memory when
   * its finalizer runs.
   */
  live(): number;
  /** Takes a question to ask before each operation: whether the code that runs was interrupted and the operation must throw. */
  onInterrupt?(interrupted: () => boolean): void;
  /** Makes the commands, of which each is a global too. */
  commands?(shell: Shell): readonly Command[];
  /** Makes what tells, behind an error's message or of a line that gave undefined, what was probably meant. */
  hint?(shell: Shell): Hint;
  /** Makes what completes names at the prompt. */
  complete?(shell: Shell): Complete;
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
  | { readonly kind: "silent" }
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

/** A line that runs. `left` means that the session has stopped waiting for it. */
interface Running {
  readonly place: Place;
  interrupted: boolean;
  left: boolean;
  readonly leave: () => void;
}

/** How long a line has to end by itself after Ctrl-C, so that it can print and return what it has. */
const GRACE_MS = 300;

export class Session {
  readonly #engine = new Engine();
  readonly #host: Host;
  readonly #signal: Int32Array | undefined;
  readonly #hint: Hint | undefined;
  /** The line on whose behalf code runs, also after an await and in callbacks. */
  readonly #context = new AsyncLocalStorage<Running>();
  #running: Running | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #rows = 0;

  /** By name. */
  readonly commands: Commands;
  /** Completes a row of the prompt, where the host can. */
  readonly complete: Complete | undefined;

  constructor(host: Host, options: SessionOptions = {}) {
    this.#host = host;
    this.#signal = options.signal;
    const shell = this.#shell(options);
    const commands = host.commands?.(shell) ?? [];
    this.commands = new Map(commands.map((command) => [command.name, command]));
    this.complete = host.complete?.(shell);
    this.#hint = host.hint?.(shell);
    setCommands(this.commands);
    const functions = commands.filter(({ global = true }) => global)
      .map(({ name, run }) => [name, run] as const);
    for (
      const [name, value] of [...Object.entries(host.globals), ...functions]
    ) {
      setGlobal(name, value);
    }
    setGlobal("_", undefined);
    setGlobal("_error", undefined);
    host.onInterrupt?.(() => this.interrupted());
  }

  /** Evaluates a line after those before it have ended. It never rejects. */
  evaluate(source: string, place?: Place): Promise<Outcome> {
    const outcome = this.#queue.then(() => this.#evaluate(source, place));
    this.#queue = outcome.then(() => this.#collect());
    return outcome;
  }

  /** Where the line comes from that runs, if one does. */
  get place(): Place | undefined {
    return this.#running?.place;
  }

  /** Resolves when every line so far has ended and its memory is collected. */
  async idle(): Promise<void> {
    await this.#queue;
  }

  /**
   * Ends the running line, and tells whether there was one. What the line does next through the library throws, as `interrupted` says so there;
   * a line that waits for something else is left behind after a short time.
   */
  interrupt(): boolean {
    const line = this.#running;
    if (line === undefined) return false;
    line.interrupted = true;
    const timer = setTimeout(line.leave, GRACE_MS);
    this.#queue.then(() => clearTimeout(timer));
    return true;
  }

  /** Whether the code that asks belongs to a line that was interrupted. */
  interrupted(): boolean {
    const line = this.#context.getStore();
    if (line === undefined) return false;
    if (line.interrupted) return true;
    const signal = this.#signal;
    if (signal === undefined || line !== this.#running) return false;
    return Atomics.load(signal, 0) !== 0;
  }

  /** Ends the session, after the lines so far. */
  async close(): Promise<void> {
    await this.idle();
    this.#engine.close();
  }

  async #evaluate(source: string, place?: Place): Promise<Outcome> {
    const { source: name, line, base } = place ??
      { source: "repl", line: this.#rows + 1 };
    const compiled = compile(source, base ?? currentFolder(), this.commands);
    if (compiled.kind === "incomplete") return compiled;
    const rows = source.split("\n");
    this.#rows += rows.length;
    if (compiled.kind === "refused") {
      const error = new Error(compiled.message);
      return { kind: "error", error, text: explain(error, [], name), line };
    }
    if (compiled.kind === "error") {
      const text = rows[compiled.line - 1] ?? "";
      return {
        kind: "error",
        error: new SyntaxError(compiled.message),
        text: explainSyntax(compiled.message, text, compiled.column),
        line: line + compiled.line - 1,
      };
    }

    const { promise: left, resolve } = Promise.withResolvers<Outcome>();
    const running: Running = {
      place: { source: name, line },
      interrupted: false,
      left: false,
      leave: () => resolve({ kind: "interrupted" }),
    };
    if (this.#signal) Atomics.store(this.#signal, 0, 0);
    this.#running = running;
    const { code, quiet } = compiled;
    const ended = this.#context.run(
      running,
      () => this.#run(source, code, quiet, running),
    );
    const outcome = await Promise.race([ended, left]);
    running.left = true;
    this.#running = undefined;
    return outcome;
  }

  async #run(
    text: string,
    code: string,
    quiet: boolean,
    running: Running,
  ): Promise<Outcome> {
    const { source, line } = running.place;
    const completion = await this.#engine.run(code, source, line);
    if (running.left) return { kind: "interrupted" };
    if (!completion.ok) {
      const { error, frames } = completion;
      if (this.interrupted()) return { kind: "interrupted" };
      setGlobal("_error", error);
      const at = frames.find((frame) => frame.source === source);
      return {
        kind: "error",
        error,
        text: explain(error, frames, source, await this.#ask({ error, text })),
        line: at?.line ?? line,
      };
    }
    const { value } = completion;
    if (quiet) return { kind: "silent" };
    if (value === undefined) {
      const hint = await this.#ask({ text });
      if (hint === undefined) return { kind: "silent" };
      return { kind: "value", text: `undefined: ${hint}` };
    }
    setGlobal("_", value);
    try {
      return { kind: "value", text: await this.#host.show(value) };
    } catch (error) {
      if (this.interrupted()) return { kind: "interrupted" };
      setGlobal("_error", error);
      return { kind: "error", error, text: explain(error, [], source), line };
    }
  }

  /** A hint, if there is one. What fails while one is looked for is nobody's concern. */
  async #ask(told: Parameters<Hint>[0]): Promise<string | undefined> {
    try {
      return await this.#hint?.(told);
    } catch {
      return undefined;
    }
  }

  #shell(
    {
      screen = standardOutput,
      print = (text) => screen().write(`${text}\n`),
    }: SessionOptions,
  ): Shell {
    return {
      screen,
      print,
      globals: this.#host.globals,
      variables: () => this.#engine.variables(),
      commands: () => [...this.commands.values()],
    };
  }

  async #collect(): Promise<void> {
    if (this.#host.live() > 0) await this.#engine.collectGarbage();
  }
}

/** A global that a line may also declare with let, const or class: those need it to be configurable. */
function setGlobal(name: string, value: unknown) {
  Object.defineProperty(globalThis, name, {
    value,
    configurable: true,
    writable: true,
    enumerable: false,
  });
}

function currentFolder(): URL {
  return pathToFileURL(`${Deno.cwd()}/`);
}
