/** Standard input, handed on one row at a time. */
import process from "node:process";
import { PassThrough } from "node:stream";

const CTRL_C = 0x03;
const CTRL_D = 0x04;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

/**
 * The keys of the terminal for a line editor. At the start and after the end of each row nothing is handed on until {@linkcode Keys.release}, so that pasted
 * rows are taken one after the other, each at a prompt of its own, as if they had been typed.
 */
export class Keys extends PassThrough {
  /** What the line editor asks a terminal for. */
  readonly isTTY = true;
  readonly #interrupt: () => void;
  #held: Uint8Array[] = [];
  #holds = true;
  #afterReturn = false;
  #onEnd: (() => void) | undefined;

  /** `interrupt` is called for Ctrl-C while a row is waited for, on systems where it comes as a key then. */
  constructor(interrupt: () => void) {
    super();
    this.#interrupt = interrupt;
    process.stdin.on("data", (bytes: Uint8Array) => this.#take(bytes));
    process.stdin.on("end", () => this.end());
  }

  /** Every key at once and none with a meaning to the terminal, Ctrl-C included. */
  setRawMode(raw: boolean): this {
    process.stdin.setRawMode(raw);
    return this;
  }

  /** Nothing is shown while a line runs, but Ctrl-C is a signal, which another thread can hear. */
  setBusyMode(): void {
    Deno.stdin.setRaw(true, { cbreak: Deno.build.os !== "windows" });
  }

  /** Hands on the next row, or what there is of it. */
  release(): void {
    this.#holds = false;
    const held = this.#held;
    this.#held = [];
    for (const bytes of held) this.#take(bytes);
  }

  /** Calls `act` for the next Ctrl-D, in place of handing it on. */
  onNextEnd(act: (() => void) | undefined): void {
    this.#onEnd = act;
  }

  /** Hands on nothing more until the next release. */
  hold(): void {
    this.#holds = true;
  }

  /** Forgets rows that wait. */
  forget(): void {
    this.#held = [];
  }

  #take(bytes: Uint8Array): void {
    if (this.#holds) {
      if (bytes.includes(CTRL_C)) this.#interrupt();
      else this.#held.push(bytes);
      return;
    }
    // A paste may end its rows with both.
    const skip = this.#afterReturn && bytes[0] === NEWLINE ? 1 : 0;
    const end = bytes.findIndex((byte, i) =>
      i >= skip && (byte === RETURN || byte === NEWLINE ||
        (byte === CTRL_D && this.#onEnd !== undefined))
    );
    if (bytes[end] === CTRL_D) {
      this.#holds = true;
      this.#held.push(bytes.subarray(end + 1));
      this.write(bytes.subarray(skip, end));
      // The line editor takes what was written first.
      setTimeout(this.#onEnd!, 0);
      return;
    }
    if (bytes.length > 0) this.#afterReturn = end >= 0 && bytes[end] === RETURN;
    if (end < 0) {
      this.write(bytes.subarray(skip));
      return;
    }
    this.#holds = true;
    if (end + 1 < bytes.length) this.#held.push(bytes.subarray(end + 1));
    this.write(bytes.subarray(skip, end + 1));
  }
}
