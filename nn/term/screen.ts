/** Where text goes and what it may use there: a terminal that redraws and has colours, or a plain stream. */

/** `"none"`: plain text. `"indexed"`: the 256 colours of most terminals. `"full"`: 24 bits. */
export type Colors = "none" | "indexed" | "full";

export interface Screen {
  readonly colors: Colors;
  /** Whether rows that stand there can be drawn again. A pipe or a file gets no control codes at all. */
  readonly live: boolean;
  readonly columns: number;
  write(text: string): void;
}

/** The width where there is no terminal to ask, or it doesn't know. */
const PLAIN_COLUMNS = 80;

/** Standard output as it is at this moment. */
export function standardOutput(): Screen {
  const terminal = Deno.stdout.isTerminal();
  const encoder = new TextEncoder();
  return {
    colors: colorsOf(terminal, (name) => Deno.env.get(name)),
    live: terminal && Deno.env.get("TERM") !== "dumb",
    get columns() {
      // A terminal that was never given a size says 0.
      const columns = terminal ? Deno.consoleSize().columns : 0;
      return columns || PLAIN_COLUMNS;
    },
    write(text) {
      const bytes = encoder.encode(text);
      for (let at = 0; at < bytes.length;) {
        at += Deno.stdout.writeSync(bytes.subarray(at));
      }
    },
  };
}

/** The colours that a stream takes, by the environment's word. NO_COLOR with any text in it turns them off (no-color.org). */
export function colorsOf(
  terminal: boolean,
  env: (name: string) => string | undefined,
): Colors {
  if (!terminal || env("NO_COLOR") || env("TERM") === "dumb") return "none";
  const full = /^(truecolor|24bit)$/.test(env("COLORTERM") ?? "") ||
    /kitty|ghostty|alacritty|direct/.test(env("TERM") ?? "");
  return full ? "full" : "indexed";
}
