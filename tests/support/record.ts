/**
 * What tests came to on another implementation of WebGPU: lines of JSON in the file that TESSERA_RECORD names. Tests write it and
 * `tests/implementations/run.ts` reads it. Without the variable, tests run on Deno's own WebGPU as usual and nothing is left out.
 */

/**
 * Why a case wasn't run: it needs half precision; its kernel was run with enough other constants; the driver can't compile it; it has numbers
 * smaller than the device keeps; it is large.
 */
export type Reason = "f16" | "constants" | "endless" | "subnormal" | "size";

/** A line of the record. */
export type Entry =
  | { readonly adapter: string }
  | { readonly kernel: string; readonly source: string }
  | { readonly leftOut: Reason; readonly of: string };

const path = Deno.env.get("TESSERA_RECORD");

/** Whether tests run on another implementation. */
export const elsewhere = path !== undefined;

/** Adds a line. */
export function record(entry: Entry): void {
  if (path === undefined) return;
  Deno.writeTextFileSync(path, `${JSON.stringify(entry)}\n`, { append: true });
}

/** The lines of a record. */
export function parseRecord(text: string): Entry[] {
  return text.split("\n").filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}
