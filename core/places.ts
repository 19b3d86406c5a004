/** Where tensors are made, for the errors that name them. */

/** Calls that are remembered: enough for the user's line below layers of layers. */
const STACK_FRAMES = 32;

let on = true;

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

/** The calls below `made`, unless they aren't to be remembered. */
export function placeBelow(made: Callee): Trace | undefined {
  return on ? stackBelow(made) : undefined;
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
