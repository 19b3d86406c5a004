/** The command line of the REPL, and what the other programs read of theirs in the same way. */
import { parseArgs } from "node:util";
import { EngineError } from "./engine.ts";
import {
  IMAGE_PROTOCOLS,
  type ImageProtocol,
  imageProtocolNamed,
} from "./term/images.ts";

export interface Options {
  /** Run first, in turn. */
  readonly files: readonly string[];
  /** Text that is run after the files. */
  readonly code: string | undefined;
  /** Whether the prompt comes after files and code too. */
  readonly interactive: boolean;
  readonly quiet: boolean;
  readonly color: boolean;
  readonly seed: number | undefined;
  /** How pictures reach the screen; otherwise the environment decides. */
  readonly images: ImageProtocol | undefined;
  readonly help: boolean;
}

export const USAGE = `Usage: deno task repl [file…] [options]

Runs TypeScript a line at a time, from the terminal or from a pipe, and shows what each line gives.

  -e, --eval CODE      run this text (after the files) instead of standard input
  -i, --interactive    go on with the prompt after files and CODE
  -q, --quiet          no banner
      --seed N         start of the random stream
      --no-color       plain text, as with NO_COLOR=1
      --images HOW     how pictures are drawn: ${IMAGE_PROTOCOLS.join(", ")}
  -h, --help           this text`;

/** The options are wrong; the message says which and why. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Reads the arguments of the command line. Throws a UsageError. */
export function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = orUsage(USAGE, () =>
    parseArgs({
      args: [...args],
      allowPositionals: true,
      allowNegative: true,
      options: {
        eval: { type: "string", short: "e" },
        interactive: { type: "boolean", short: "i" },
        quiet: { type: "boolean", short: "q" },
        color: { type: "boolean" },
        seed: { type: "string" },
        images: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    }));
  const { eval: code, seed, images } = values;
  return {
    files: positionals,
    code,
    interactive: values.interactive ?? false,
    quiet: values.quiet ?? false,
    color: values.color ?? true,
    seed: seed === undefined ? undefined : seedOf(seed),
    images: images === undefined ? undefined : imagesOf(images),
    help: values.help ?? false,
  };
}

/** What `read` makes of the arguments. What it throws becomes a UsageError, with the usage beneath the message. */
export function orUsage<T>(usage: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${usage}`);
  }
}

/** The exit code that a program comes to: 2, after the message, where the options are wrong or the permissions don't suffice. */
export async function exitCodeOf(
  program: () => Promise<number>,
): Promise<number> {
  try {
    return await program();
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof EngineError)) {
      throw error;
    }
    console.error(error.message);
    return 2;
  }
}

/** Reads a seed. Throws a UsageError. */
export function seedOf(text: string): number {
  const seed = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(seed)) {
    throw new UsageError(
      `Cannot seed with ${text}: expected an integer from 0 to 2^53 - 1`,
    );
  }
  return seed;
}

/** Reads how pictures are to be drawn. Throws a UsageError. */
export function imagesOf(name: string): ImageProtocol {
  try {
    return imageProtocolNamed(name);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
