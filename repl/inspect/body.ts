/** What a command was given to run, and one run of it. */
import { checkInterrupt } from "../../core/runtime.ts";
import { scope } from "../../core/scope.ts";

/** Code that a command runs, as often as it likes. */
export type Body = () => unknown;

/** Refuses what can't be run. `name` is the command's. */
export function checkBody(body: unknown, name: string): asserts body is Body {
  if (typeof body === "function") return;
  const found = body === undefined
    ? "nothing"
    : typeof body === "object" && body !== null
    ? `${body.constructor?.name ?? "an object"}`
    : `${body}`;
  throw new TypeError(
    `Cannot run ${name}: expected a function such as () => net(x) but found ${found}`,
  );
}

/** Lets what else waits have its turn, such as a signal: everything here but a body's own waits resolves without one. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/**
 * Runs a body once and frees the tensors that it makes. Gives a promise where the body does, so that a loop of runs awaits nothing else.
 */
export function run(body: Body): Promise<void> | undefined {
  checkInterrupt();
  const inner = scope();
  let result: unknown;
  try {
    result = body();
  } catch (error) {
    inner.dispose();
    throw error;
  }
  if (!(result instanceof Promise)) {
    inner.dispose();
    return;
  }
  return result.then(() => {}).finally(() => inner.dispose());
}
