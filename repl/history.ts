/**
 * What was typed in earlier sessions: a file with one JSON string a line, so that a text of several rows is one entry, and several sessions can
 * add to it at once.
 */
import { dirname, join } from "node:path";

/** Entries that are kept. */
const LIMIT = 5000;

/** Where the history is: TESSERA_HISTORY, or the folder for a user's state. Undefined: nowhere. */
export function historyPath(
  env: (name: string) => string | undefined,
): string | undefined {
  const own = env("TESSERA_HISTORY");
  if (own !== undefined) {
    return own === "" || own === "/dev/null" ? undefined : own;
  }
  const home = env("HOME") ?? env("USERPROFILE");
  const state = env("XDG_STATE_HOME") ||
    (home === undefined ? undefined : join(home, ".local", "state"));
  return state && join(state, "tessera", "history.jsonl");
}

export class History {
  #entries: readonly string[];
  readonly #path: string | undefined;
  readonly #warn: (message: string) => void;
  #failed = false;

  /** Reads the history at `path`. What goes wrong with the file is told once through `warn`, and never stops the session. */
  constructor(path: string | undefined, warn: (message: string) => void) {
    this.#path = path;
    this.#warn = warn;
    this.#entries = path === undefined ? [] : this.#read(path);
  }

  /** Newest first. */
  get entries(): readonly string[] {
    return this.#entries;
  }

  add(entry: string): void {
    const path = this.#path;
    // As in shells, a blank in front keeps a line out.
    if (/^\s/.test(entry)) return;
    this.#entries = [entry, ...this.#entries];
    if (path === undefined) return;
    this.#attempt("write", () => {
      Deno.mkdirSync(dirname(path), { recursive: true });
      Deno.writeTextFileSync(path, `${JSON.stringify(entry)}\n`, {
        append: true,
        // Lines may hold what is nobody else's business.
        mode: 0o600,
      });
    });
  }

  #read(path: string): string[] {
    const lines = this.#attempt("read", () => {
      try {
        return Deno.readTextFileSync(path).split("\n");
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return [];
        throw error;
      }
    }) ?? [];
    const entries = lines.flatMap(entryOf);
    if (entries.length > 2 * LIMIT) this.#shorten(path, entries.slice(-LIMIT));
    return entries.slice(-LIMIT).reverse();
  }

  /** Replaces a file that has grown long, all at once. */
  #shorten(path: string, entries: readonly string[]): void {
    this.#attempt("shorten", () => {
      const text = entries.map((entry) => `${JSON.stringify(entry)}\n`).join(
        "",
      );
      const part = `${path}.${crypto.randomUUID()}.part`;
      Deno.writeTextFileSync(part, text, { mode: 0o600 });
      Deno.renameSync(part, path);
    });
  }

  #attempt<T>(action: string, act: () => T): T | undefined {
    try {
      return act();
    } catch (error) {
      if (!this.#failed) {
        this.#warn(`Cannot ${action} the history: ${(error as Error).message}`);
      }
      this.#failed = true;
    }
  }
}

/** The entry of a line of the file, or none where the line is damaged. */
function entryOf(line: string): string[] {
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === "string" ? [entry] : [];
  } catch {
    return [];
  }
}
