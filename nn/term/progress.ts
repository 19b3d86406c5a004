/**
 * A row of text that tells how far something is. On a terminal it is drawn again in place, at most ten times a second; elsewhere it becomes
 * one plain row for every tenth of the way.
 */
import { type Screen, standardOutput } from "./screen.ts";
import { paint, widthOf } from "./style.ts";

/** Options of {@linkcode ProgressLine}. */
export interface ProgressOptions {
  readonly screen?: Screen;
  /** Milliseconds. */
  readonly now?: () => number;
}

/** What a progress line tells. */
export interface Progress {
  /** Stands in front of the bar. */
  readonly label: string;
  readonly done: number;
  /** Infinity where it isn't known. */
  readonly total: number;
  /** How far the whole is where this row is about a part of it: plain rows come for every tenth of that. @default done / total */
  readonly fraction?: number;
  /** Stands behind it: `loss 0.432 acc 0.84`. */
  readonly facts: string;
}

const REDRAW_MS = 100;
const BAR_COLUMNS = 24;
const PLAIN_PARTS = 10;

/** One task's row: {@linkcode ProgressLine.update} as often as there is news, and the row stays when the next one begins. */
export class ProgressLine {
  readonly #screen: Screen;
  readonly #now: () => number;
  #drawn = false;
  #drawnAt = -Infinity;
  #part = 0;

  constructor({ screen, now }: ProgressOptions = {}) {
    this.#screen = screen ?? standardOutput();
    this.#now = now ?? (() => performance.now());
  }

  /** Begins another row of the same task. */
  next(): void {
    this.#drawn = false;
    this.#drawnAt = -Infinity;
  }

  /** Draws the row, or leaves it when it was drawn a moment ago. The last state of all is always drawn. */
  update(progress: Progress): void {
    const ended = progress.done >= progress.total;
    if (this.#screen.live) {
      const now = this.#now();
      if (!ended && now - this.#drawnAt < REDRAW_MS) return;
      this.#drawnAt = now;
      // The cursor waits in the row beneath, so that other output isn't written over.
      const back = this.#drawn ? "\x1b[1A\r\x1b[K" : "";
      this.#screen.write(`${back}${this.#row(progress)}\n`);
      this.#drawn = true;
      return;
    }
    const { fraction = progress.done / progress.total } = progress;
    const last = ended && fraction >= 1;
    const part = Math.floor(PLAIN_PARTS * fraction);
    if (part <= this.#part && !(last && this.#part < PLAIN_PARTS)) return;
    this.#part = part;
    this.#screen.write(`${plainRow(progress)}\n`);
  }

  #row(progress: Progress): string {
    const { columns, colors } = this.#screen;
    const plain = plainRow(progress);
    // Rows that reach the last column wrap on some terminals.
    const room = columns - 2 - widthOf(plain);
    if (room < 5) return [...plain].slice(0, columns - 1).join("");
    const { label, done, total, facts } = progress;
    const [full, rest] = bar(done / total, Math.min(BAR_COLUMNS, room));
    return `${label} ${paint(full, "cyan", colors)}${
      paint(rest, "dim", colors)
    } ${countText(done, total)} ${facts}`.trimEnd();
  }
}

function plainRow({ label, done, total, facts }: Progress): string {
  return `${label} ${countText(done, total)} ${facts}`.trimEnd();
}

function countText(done: number, total: number): string {
  return Number.isFinite(total) ? `${done}/${total}` : String(done);
}

/** The two parts of a bar: what is done, to half a column, and what is left. */
export function bar(fraction: number, width: number): [string, string] {
  const halves = Math.round(2 * width * Math.min(1, Math.max(0, fraction)));
  const full = "━".repeat(halves >> 1) + (halves & 1 ? "╸" : "");
  return [full, "─".repeat(width - full.length)];
}

/** Seconds as `0:12`, `1:02:03`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "-:--";
  const whole = Math.round(seconds);
  const [h, m, s] = [whole / 3600, whole / 60 % 60, whole % 60].map(Math.floor);
  const tail = String(s).padStart(2, "0");
  return h > 0 ? `${h}:${String(m).padStart(2, "0")}:${tail}` : `${m}:${tail}`;
}

/** A number of things in three digits or so: `870`, `1.9k`, `34k`, `2.1M`. */
export function quantity(count: number): string {
  for (const [size, unit] of [[1e6, "M"], [1e3, "k"]] as const) {
    // 999.6 is shown as 1.0k, not as 1000.
    if (count < size * 0.9995) continue;
    const scaled = count / size;
    return `${scaled.toFixed(scaled < 9.95 ? 1 : 0)}${unit}`;
  }
  return count.toFixed(count < 9.95 ? 1 : 0);
}
