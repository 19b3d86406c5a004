/** Assertions on errors by their whole message. */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";

// deno-lint-ignore no-explicit-any -- constructors of errors take what they like
type ErrorClass<E extends Error> = new (...args: any[]) => E;

/** Asserts that a call throws an error of a class with exactly this message. Returns the error. */
export function assertFails<E extends Error>(
  call: () => unknown,
  type: ErrorClass<E>,
  message: string,
): E {
  const error = assertThrows(call, type);
  assertEquals(error.message, message);
  return error;
}

/** As {@linkcode assertFails}, for a promise that rejects. */
export async function assertFailsLater<E extends Error>(
  promise: Promise<unknown>,
  type: ErrorClass<E>,
  message: string,
): Promise<E> {
  const error = await assertRejects(() => promise, type);
  assertEquals(error.message, message);
  return error;
}
