/**
 * The evaluator: V8's own REPL mode, reached through an inspector session inside this process. It gives top-level await, and `let`, `const` and
 * `class` that last and may be declared again, without rewriting the text. Everything that speaks the inspector's protocol is in this file.
 */
import { Session as Inspector } from "node:inspector";
import { setImmediate } from "node:timers";
import { dropHeld, hold } from "./awaits.ts";

/** Where an error was thrown: a source's name, and a line and column that count from 1. */
export interface Frame {
  readonly function: string;
  readonly source: string;
  readonly line: number;
  readonly column: number;
}

export type Completion =
  | { readonly ok: true; readonly value: unknown }
  | {
    readonly ok: false;
    readonly error: unknown;
    /** Innermost first; without the frames of Deno itself and of the inspector. */
    readonly frames: readonly Frame[];
  };

interface RemoteObject {
  readonly type: string;
  readonly subtype?: string;
  readonly value?: unknown;
  readonly unserializableValue?: string;
  readonly objectId?: string;
}

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly scriptId: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

interface ExceptionDetails {
  readonly lineNumber: number;
  readonly columnNumber: number;
  readonly scriptId?: string;
  readonly exception?: RemoteObject;
  readonly stackTrace?: { readonly callFrames: readonly CallFrame[] };
}

interface EvaluateResult {
  readonly result: RemoteObject;
  readonly exceptionDetails?: ExceptionDetails;
}

/** The inspector was refused: it needs every permission of the kind `sys`. */
export class EngineError extends Error {
  override readonly name = "EngineError";
}

/** The place where a value is handed over from the inspector's world to this module. */
const SLOT = Symbol.for("tessera.repl.slot");
const slots = globalThis as unknown as Record<symbol, unknown>;
const FILL_SLOT =
  `function (value) { globalThis[Symbol.for("${SLOT.description}")] = value; }`;

export class Engine {
  #inspector = connected();
  #lines = 0;
  /** Whether a message is being handled: its script runs, up to the first await. */
  #posting = false;

  /**
   * Runs a script to its end, awaited parts included. If it gives a promise, the promise is waited for too. `source` is the name that frames
   * carry, and `line` the number of the script's first line there.
   */
  async run(code: string, source: string, line: number): Promise<Completion> {
    // Deno panics in the collector of garbage where hundreds of scripts run without a turn of the event loop between them.
    await turn();
    // Objects that the inspector hands out live until their group is released, so each line has its own.
    const objectGroup = `line-${++this.#lines}`;
    try {
      const evaluated = await this.#post<EvaluateResult>("Runtime.evaluate", {
        expression: `${"\n".repeat(line - 1)}${code}\n//# sourceURL=${source}`,
        replMode: true,
        objectGroup,
      });
      if (evaluated.result.subtype !== "promise") {
        return await this.#completion(evaluated, source);
      }
      const settled = this.#post<EvaluateResult>("Runtime.awaitPromise", {
        promiseObjectId: evaluated.result.objectId,
      });
      hold((await this.#boxOf(evaluated.result.objectId!)).value);
      return await this.#completion(await settled, source);
    } finally {
      await this.#post("Runtime.releaseObjectGroup", { objectGroup });
    }
  }

  /**
   * Collects what nothing refers to any more and lets the finalizers run. This is what frees the tensors that no variable holds: the collector
   * alone knows what closures, private fields and functions that still run refer to.
   */
  async collectGarbage(): Promise<void> {
    // The inspector's answer alone doesn't keep the event loop going.
    const wait = setInterval(() => {}, 1000);
    await this.#post("HeapProfiler.collectGarbage");
    clearInterval(wait);
    // Finalizers run as a task of their own.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }

  /** The variables that scripts have declared, in their order. */
  async variables(): Promise<Map<string, unknown>> {
    const { names } = await this.#post<{ readonly names: readonly string[] }>(
      "Runtime.globalLexicalScopeNames",
    );
    const values = await this.valuesOf(names);
    return new Map(names.map((name, i) => [name, values[i]]));
  }

  /** The values of variables; undefined for one without a value, as of a class whose definition threw. */
  async valuesOf(names: readonly string[]): Promise<readonly unknown[]> {
    const parts = names.map((name) =>
      `(() => { try { return ${name}; } catch {} })()`
    );
    const list = await this.run(`[${parts.join(", ")}]`, "variables", 1);
    return list.ok ? list.value as readonly unknown[] : [];
  }

  /** Gives variables other values. */
  async assign(
    values: readonly (readonly [name: string, value: unknown])[],
  ): Promise<void> {
    slots[SLOT] = values.map(([, value]) => value);
    const parts = values.map(([name], i) =>
      `try { ${name} = values[${i}]; } catch {}`
    );
    await this.run(
      `{ const values = globalThis[Symbol.for("${SLOT.description}")]; ${
        parts.join(" ")
      } }`,
      "variables",
      1,
    );
    delete slots[SLOT];
  }

  /**
   * Stops waiting for scripts that run: what they come to is told nobody, and `run` rejects for them. Otherwise Deno would panic when the collector
   * of garbage finds that a script waits for what can't come any more.
   */
  abandon(): void {
    this.#inspector.disconnect();
    dropHeld();
    this.#inspector = connected();
  }

  close() {
    this.#inspector.disconnect();
  }

  async #completion(
    { result, exceptionDetails }: EvaluateResult,
    source: string,
  ): Promise<Completion> {
    if (exceptionDetails === undefined) {
      return { ok: true, value: await this.#valueOf(result) };
    }
    const error = await this.#valueOf(exceptionDetails.exception ?? result);
    const frames = framesOf(exceptionDetails, source, error);
    return { ok: false, error, frames };
  }

  async #valueOf(remote: RemoteObject): Promise<unknown> {
    const { type, subtype, objectId, unserializableValue } = remote;
    if (objectId !== undefined) return (await this.#boxOf(objectId)).value;
    if (unserializableValue === undefined) {
      return subtype === "null" ? null : remote.value;
    }
    return type === "bigint"
      ? BigInt(unserializableValue.slice(0, -1))
      : Number(unserializableValue);
  }

  /** The object of an id, in a box so that a promise isn't awaited. */
  async #boxOf(objectId: string): Promise<{ readonly value: unknown }> {
    await this.#post("Runtime.callFunctionOn", {
      functionDeclaration: FILL_SLOT,
      arguments: [{ objectId }],
      objectId,
    });
    const value = slots[SLOT];
    delete slots[SLOT];
    return { value };
  }

  async #post<Result>(method: string, params: object = {}): Promise<Result> {
    // Deno panics where code that a message runs sends one itself, as commands do: wait until the message is through.
    while (this.#posting) await turn();
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    this.#posting = true;
    try {
      this.#inspector.post(method, params, (error, result) => {
        if (error) reject(error);
        else resolve(result as Result);
      });
    } finally {
      this.#posting = false;
    }
    return await promise;
  }
}

/** A session with the inspector of this process. Variables belong to the process, so the next one finds those of the last. */
function connected(): Inspector {
  const inspector = new Inspector();
  try {
    inspector.connect();
  } catch (cause) {
    throw new EngineError(
      "Cannot start the evaluator: it needs the permission --allow-sys, without a list behind it",
      { cause },
    );
  }
  return inspector;
}

/** Resolves in the next turn of the event loop. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function framesOf(
  details: ExceptionDetails,
  source: string,
  error: unknown,
): Frame[] {
  const calls = details.stackTrace?.callFrames ?? [];
  const found = calls.filter(({ url }) => !/^(ext:|node:|$)/.test(url)).map((
    { functionName, url, lineNumber, columnNumber },
  ) => ({
    function: functionName,
    source: url,
    line: lineNumber + 1,
    column: columnNumber + 1,
  }));
  // A script that doesn't compile has no frame of its own, only a place.
  const ran = calls.some((call) => call.scriptId === details.scriptId) ||
    found.some((frame) => frame.source === source);
  if (!ran && details.scriptId !== undefined) {
    found.unshift({
      function: "",
      source,
      line: details.lineNumber + 1,
      column: details.columnNumber + 1,
    });
  }
  // What called the evaluator is no part of the story.
  const last = found.findLastIndex((frame) => frame.source === source);
  return withModulePlaces(last < 0 ? found : found.slice(0, last + 1), error);
}

/** The inspector counts lines of modules without their types; the error's own stack has the places in the files as written. */
function withModulePlaces(frames: Frame[], error: unknown): Frame[] {
  const stack = error instanceof Error ? error.stack ?? "" : "";
  const places = [...stack.matchAll(/((?:file|https?):\/\/\S+?):(\d+):(\d+)/g)];
  return frames.map((frame) => {
    const at = places.findIndex(([, url]) => url === frame.source);
    if (at < 0) return frame;
    const [[, , line, column]] = places.splice(0, at + 1).slice(-1);
    return { ...frame, line: Number(line), column: Number(column) };
  });
}
