/**
 * A session: lines in, outcomes out. It evaluates TypeScript one line at a time, keeps variables between lines, waits for what a line gives and
 * shows it, and has the memory collected that no variable holds. There is no terminal in here: the editor, a pipe, a lesson and the tests
 * all drive the same session.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { pathToFileURL } from "node:url";
import type { Complete, Shell, Typed } from "./commands/command.ts";
import { type Commands, setCommands } from "./commands/line.ts";
import { Collector } from "./collector.ts";
import { Engine } from "./engine.ts";
import { explain, explainSyntax } from "./explain.ts";
import type { Hint, Host, Outcome, Place, SessionOptions } from "./host.ts";
import { runScript } from "./script.ts";
import { compile } from "./source.ts";
import { Drawing } from "../nn/term/drawing.ts";
import { standardOutput } from "../nn/term/screen.ts";

export type { Host, Outcome, Place, SessionOptions } from "./host.ts";

/** A line that runs. `left` means that the session has stopped waiting for it. */
interface Running {
  readonly place: Place;
  interrupted: boolean;
  left: boolean;
  readonly leave: () => void;
}

/** How long a line has to end by itself after Ctrl-C, so that it can print and return what it has. */
const GRACE_MS = 300;

/** Lines that ask how much memory there is. */
const ASKS_MEMORY = /memory/i;

const NO_EDITOR =
  "Cannot open the editor: it takes what is typed at a terminal, and there is none";

export class Session {
  readonly #engine = new Engine();
  readonly #host: Host;
  readonly #signal: Int32Array | undefined;
  readonly #hint: Hint | undefined;
  /** The line on whose behalf code runs, also after an await and in callbacks. */
  readonly #context = new AsyncLocalStorage<Running>();
  #running: Running | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  readonly #collector: Collector;
  /** Rows typed so far. */
  #rows = 0;
  #lines: Typed[] = [];
  #error: { readonly error: unknown } | undefined;
  #exitCode: number | undefined;
  /** Properties of the global object that aren't variables of the session. */
  readonly #known: ReadonlySet<string>;
  /** Variables from before a reset, with the values that tell that no line has declared them again. */
  readonly #gone = new Map<string, unknown>();

  /** By name. */
  readonly commands: Commands;
  /** Completes a row of the prompt, where the host can. */
  readonly complete: Complete | undefined;

  constructor(host: Host, options: SessionOptions = {}) {
    this.#host = host;
    this.#signal = options.signal;
    this.#known = new Set(Object.keys(globalThis));
    this.#collector = new Collector(
      () => ({ tensors: host.live(), bytes: host.liveBytes?.() ?? 0 }),
      () => this.#engine.collectGarbage(),
      () => {
        this.#queue = this.#queue.then(() => this.#collector.run());
      },
    );
    const shell = this.#shell(options);
    const commands = host.commands?.(shell) ?? [];
    this.commands = new Map(commands.map((command) => [command.name, command]));
    this.complete = host.complete?.(shell);
    this.#hint = host.hint?.(shell);
    setCommands(this.commands);
    this.#setGlobals();
    host.onInterrupt?.(() => this.interrupted());
  }

  /** Evaluates a line after those before it have ended. It never rejects. */
  evaluate(source: string, place?: Place): Promise<Outcome> {
    const outcome = this.#queue.then(async () => {
      this.#collector.wait();
      // What the line counts must be what variables hold.
      if (ASKS_MEMORY.test(source)) await this.#collector.run();
      return await this.#evaluate(source, place);
    });
    this.#queue = outcome.then(() => this.#collector.lineEnded());
    return outcome;
  }

  /** Where the line comes from that runs, if one does. */
  get place(): Place | undefined {
    return this.#running?.place;
  }

  /** The lines that have been typed, in their order. */
  get lines(): readonly Typed[] {
    return this.#lines;
  }

  /** The exit code, once a line has called for the end. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  /** Whether a line has called for the end. */
  exited(): boolean {
    return this.#exitCode !== undefined;
  }

  /** Resolves when every line so far has ended and its memory is collected. */
  async idle(): Promise<void> {
    await this.#queue;
    await this.#collector.run();
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
    const { promise: left, resolve } = Promise.withResolvers<Outcome>();
    const running: Running = {
      place: place ?? { source: "repl", line: this.#rows + 1 },
      interrupted: false,
      left: false,
      leave: () => resolve({ kind: "interrupted" }),
    };
    if (this.#signal) Atomics.store(this.#signal, 0, 0);
    this.#running = running;
    // A line that starts over is none of those that follow.
    const lines = this.#lines;
    const ended = this.#context.run(
      running,
      () => this.#run(source, running.place, running),
    );
    let over = false;
    ended.then(() => over = true, () => {});
    const outcome = await Promise.race([ended, left]);
    running.left = true;
    if (!over) this.#engine.abandon();
    this.#running = undefined;
    if (outcome.kind === "incomplete") return outcome;
    if (place === undefined) this.#rows += source.split("\n").length;
    note(lines, source, outcome, place?.base);
    return outcome;
  }

  /** Evaluates a line on behalf of the one that runs. */
  async #evaluateWithin(source: string, place: Place): Promise<Outcome> {
    const running = this.#context.getStore() ?? this.#running;
    if (running === undefined) return await this.evaluate(source, place);
    const outcome = await this.#run(source, place, running);
    note(this.#lines, source, outcome, place.base, true);
    return outcome;
  }

  async #run(
    text: string,
    { source, line, base }: Place,
    running: Running,
  ): Promise<Outcome> {
    const compiled = compile(text, base ?? currentFolder(), this.commands);
    if (compiled.kind === "incomplete") return compiled;
    if (compiled.kind === "refused") {
      const error = new Error(compiled.message);
      return await this.#failed(error, explain(error, [], source), line);
    }
    if (compiled.kind === "error") {
      const row = text.split("\n")[compiled.line - 1] ?? "";
      return await this.#failed(
        new SyntaxError(compiled.message),
        explainSyntax(compiled.message, row, compiled.column),
        line + compiled.line - 1,
      );
    }
    const { code, quiet, declared } = compiled;
    const completion = await this.#engine.run(code, source, line);
    if (running.left) return { kind: "interrupted" };
    if (!completion.ok) {
      const { error, frames } = completion;
      if (this.#exitCode !== undefined) return { kind: "silent" };
      if (this.interrupted()) return { kind: "interrupted" };
      const at = frames.find((frame) => frame.source === source);
      const told = error instanceof LoadError
        ? error.message
        : explain(error, frames, source, await this.#ask({ error, text }));
      return await this.#failed(error, told, at?.line ?? line);
    }
    const { value } = completion;
    if (quiet || value === undefined) {
      const hint = quiet ? undefined : await this.#ask({ text });
      if (hint !== undefined) return { kind: "silent", hint };
      return await this.#silent(declared);
    }
    // What only shows something is no value to go on with.
    if (!(value instanceof Drawing)) setGlobal("_", value);
    try {
      return { kind: "value", text: await this.#host.show(value) };
    } catch (error) {
      if (this.interrupted()) return { kind: "interrupted" };
      return await this.#failed(error, explain(error, [], source), line);
    }
  }

  async #failed(error: unknown, text: string, line: number): Promise<Outcome> {
    // A file's error has been noted where it was thrown.
    if (!(error instanceof LoadError)) {
      setGlobal("_error", error);
      this.#error = { error };
    }
    const advice = await this.#host.advise?.(error, () => this.#variables());
    const rows = [text, ...advice ?? []];
    return { kind: "error", error, text: rows.join("\n"), line };
  }

  /** The outcome of a line without a value, with a hint where a variable holds something else than was meant. */
  async #silent(declared: readonly string[]): Promise<Outcome> {
    if (declared.length === 0) return { kind: "silent" };
    const values = await this.#engine.valuesOf(declared);
    const name = declared.find((_, i) => values[i] instanceof Promise);
    if (name === undefined) return { kind: "silent" };
    const hint = `${name} is a promise: write const ${name} = await …`;
    return { kind: "silent", hint };
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
      history = () => this.#typed(),
      edit = () => Promise.reject(new Error(NO_EDITOR)),
    }: SessionOptions,
  ): Shell {
    return {
      screen,
      print,
      history,
      edit,
      globals: this.#host.globals,
      variables: () => this.#variables(),
      commands: () => [...this.commands.values()],
      lines: () => this.#lines,
      lastError: () => this.#error,
      collect: () => this.#collector.runNow(),
      run: async (text, place) => {
        const failure = await runScript(
          {
            commands: this.commands,
            evaluate: (line, at) => this.#evaluateWithin(line, at),
            exited: () => this.exited(),
          },
          text.split("\n"),
          { ...place, print },
        );
        if (failure !== undefined) throw new LoadError(failure);
      },
      reset: () => this.#reset(),
      exit: (code) => {
        this.#exitCode = code;
        throw new Error("Left");
      },
    };
  }

  #typed(): string[] {
    return this.#lines.filter(({ loaded }) => !loaded).map(({ text }) => text);
  }

  async #variables(): Promise<ReadonlyMap<string, unknown>> {
    const variables = await this.#engine.variables();
    // What is assigned without a declaration, or declared with var, is a property of the global object.
    for (const [name, value] of Object.entries(globalThis)) {
      if (!this.#known.has(name)) variables.set(name, value);
    }
    for (const [name, value] of this.#gone) {
      if (variables.get(name) === value) variables.delete(name);
      else this.#gone.delete(name);
    }
    return variables;
  }

  async #reset(): Promise<void> {
    const names = [...(await this.#variables()).keys()];
    for (const name of Object.keys(globalThis)) {
      if (this.#known.has(name)) continue;
      // Not every one can be deleted.
      Reflect.set(globalThis, name, undefined);
      Reflect.deleteProperty(globalThis, name);
    }
    this.#setGlobals();
    // Variables can't be taken away: they get what their names meant at the start.
    await this.#engine.assign(
      names.map((name) => [name, Reflect.get(globalThis, name)]),
    );
    for (const name of names) {
      this.#gone.set(name, Reflect.get(globalThis, name));
    }
    this.#lines = [];
    this.#error = undefined;
    await this.#host.reset?.();
    await this.#collector.runNow();
  }

  #setGlobals(): void {
    const functions = [...this.commands.values()].filter((
      { global = true },
    ) => global).map(({ name, run }) => [name, run] as const);
    for (
      const [name, value] of [
        ...Object.entries(this.#host.globals),
        ...functions,
      ]
    ) {
      setGlobal(name, value);
    }
    setGlobal("_", undefined);
    setGlobal("_error", undefined);
  }
}

/** Writes down a line that has run. */
function note(
  lines: Typed[],
  text: string,
  outcome: Outcome,
  base = currentFolder(),
  loaded = false,
): void {
  const ok = outcome.kind === "value" || outcome.kind === "silent";
  lines.push({ text, ok, loaded, base });
}

/** A file that was loaded has failed. Its message says where, and what happened there. */
class LoadError extends Error {
  override readonly name = "LoadError";
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
