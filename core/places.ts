/** Where tensors are made, for the errors that name them. */

/** Calls that are remembered: enough for the user's line below layers of layers. */
const STACK_FRAMES = 32;

let on = true;

/**
 * Whether places are remembered from now on. A session turns it off: its lines have no files to point to, and Deno 2.9.6 has panicked ("Invoke in
 * DisallowJavascriptExecutionScope") while it made text of them at the end of a line that the inspector ran.
 */
export function rememberPlaces(remember: boolean): void {
  on = remember;
}

/** Runs `make` without remembering where tensors are made: for those that the user doesn't see. */
export function withoutPlaces<T>(make: () => T): T {
  const before = on;
  on = false;
  try {
    return make();
  } finally {
    on = before;
  }
}

/** A stack that is made into text only when somebody asks for it. */
export interface Trace {
  readonly stack: string;
}

/** Where one tensor was made. */
export class Place {
  #trace: Trace | undefined;
  #text = "";

  /** The calls below `made`, unless places aren't to be remembered. */
  constructor(made: Callee) {
    if (on) this.#trace = stackBelow(made);
  }

  /** The calls as text. */
  get stack(): string {
    if (this.#trace) this.#text = this.#trace.stack;
    this.#trace = undefined;
    return this.#text;
  }

  /**
   * Lets go of the objects whose methods ran, which stay alive until the stack is text, among them the tensors that this one was computed from:
   * what no scope holds is the garbage collector's to find. Making text takes longer than launching an op, and so it waits for the end of the turn,
   * where only the latest places become text and the others are forgotten.
   */
  release(): void {
    if (waiting.length === 0) queueMicrotask(settle);
    waiting.push(this);
  }

  /** Forgets the calls, unless they are text already. */
  forget(): void {
    this.#trace = undefined;
  }
}

/** Places that become text at the end of a turn. */
const TEXTS_PER_TURN = 32;

let waiting: Place[] = [];

function settle(): void {
  const places = waiting;
  waiting = [];
  places.forEach((place, i) => {
    if (i < places.length - TEXTS_PER_TURN) place.forget();
    else void place.stack;
  });
}

/** A function or class on the stack. */
type Callee =
  | ((...args: never[]) => unknown)
  | (abstract new (...args: never[]) => unknown);

/** The calls below `callee`. */
export function stackBelow(callee: Callee): Trace {
  const trace = { stack: "" };
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = STACK_FRAMES;
  Error.captureStackTrace(trace, callee);
  Error.stackTraceLimit = stackTraceLimit;
  return trace;
}

/** Root of the library's own files, which a user doesn't want to be pointed to. */
const LIBRARY = new URL("..", import.meta.url).href;

/** The first place of a stack that isn't in the library's rooms: " at file:///…/lenet.ts:12:7". */
export function placeOf(stack: string): string {
  for (const line of stack.split("\n")) {
    const place = line.match(/\(?((?:file|https?):\/\/[^\s)]+:\d+:\d+)\)?$/)
      ?.[1];
    if (!place) continue;
    const inside = place.startsWith(LIBRARY) ? place.slice(LIBRARY.length) : "";
    if (!/^(core|nn|wgsl)\//.test(inside)) return ` at ${place}`;
  }
  return "";
}
