/** Progress of something long, for whoever waits: one line that changes on a terminal, a line each tenth elsewhere. */

/** Where the text goes, and when it is. */
export interface Screen {
  readonly terminal: boolean;
  /** Columns of a terminal. */
  readonly columns: number;
  write(text: string): void;
  /** Milliseconds. */
  now(): number;
}

/** The process's standard error. */
export function standardError(): Screen {
  const terminal = Deno.stderr.isTerminal();
  const encoder = new TextEncoder();
  return {
    terminal,
    columns: terminal ? Deno.consoleSize().columns : 80,
    write(text) {
      Deno.stderr.writeSync(encoder.encode(text));
    },
    now: () => performance.now(),
  };
}

/** Redraws per second of a line on a terminal, at most. */
const MAX_HZ = 10;

const CELLS = 24;

/** Bytes of `name` that have arrived, shown as they come. */
export class ByteMeter {
  readonly #screen: Screen;
  readonly #name: string;
  #done = 0;
  #total = 0;
  #drawn = -Infinity;
  #tenth = -1;
  #began: number | undefined;
  #first = 0;

  constructor(name: string, screen: Screen) {
    this.#name = name;
    this.#screen = screen;
  }

  /** Shows that `done` bytes of `total` are here. */
  update(done: number, total: number): void {
    const now = this.#screen.now();
    if (this.#began === undefined) {
      this.#began = now;
      this.#first = done;
    }
    this.#done = done;
    this.#total = total;
    if (this.#screen.terminal) {
      if (now - this.#drawn < 1000 / MAX_HZ) return;
      this.#drawn = now;
      this.#draw(now);
      return;
    }
    const tenth = Math.floor(10 * done / total);
    if (tenth <= this.#tenth) return;
    this.#tenth = tenth;
    this.#screen.write(`${this.#text()}\n`);
  }

  /** Ends the line on a terminal with what was last told, if anything was. */
  finish(): void {
    if (!this.#screen.terminal || this.#began === undefined) return;
    this.#draw(this.#screen.now());
    this.#screen.write("\n");
  }

  #draw(now: number): void {
    const seconds = (now - this.#began!) / 1000;
    const rate = seconds > 0 ? (this.#done - this.#first) / seconds : 0;
    const speed = rate > 0 ? ` · ${megabytes(rate)}/s` : "";
    const text = `${barOf(this.#done / this.#total)} ${this.#text()}${speed}`;
    // A line that wraps couldn't be drawn over.
    const line = [...text].slice(0, this.#screen.columns - 1).join("");
    this.#screen.write(`\r${line}\x1b[K`);
  }

  #text(): string {
    const percent = Math.floor(100 * this.#done / this.#total);
    return `${this.#name} ${percent} % of ${megabytes(this.#total)}`;
  }
}

function barOf(part: number): string {
  const full = Math.round(CELLS * Math.min(part, 1));
  return "█".repeat(full) + "░".repeat(CELLS - full);
}

/** 10^6 bytes each, as disks and networks count. */
function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
