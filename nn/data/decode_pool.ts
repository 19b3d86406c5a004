/**
 * Threads that decode pictures, so that the one which drives the device doesn't wait: `createImageBitmap` runs where it is called.
 *
 * A pool starts with the first picture and ends by itself when nothing has been asked of it for a moment, because a thread that waits would keep
 * the process from ending.
 */
import { FileFormatError } from "../../core/errors.ts";
import type { Image } from "./image.ts";

/** What a thread is told. */
export interface Request {
  readonly id: number;
  readonly path: string;
}

/** What a thread answers: the picture, or why there is none. */
export type Answer =
  | { readonly id: number; readonly image: Image }
  | {
    readonly id: number;
    readonly error: string;
    /** Of the error's class. */
    readonly name: string;
    /** Of a FileFormatError. */
    readonly rule: string | undefined;
  };

/** Milliseconds without work after which the threads end. */
const IDLE_MS = 100;

/** A number of threads. */
export class DecodePool {
  readonly #size: number;
  readonly #waiting = new Map<number, PromiseWithResolvers<Image>>();
  readonly #paths = new Map<number, string>();
  #threads: Worker[] = [];
  #next = 0;
  #idle: ReturnType<typeof setTimeout> | undefined;

  constructor(size: number) {
    this.#size = size;
  }

  /** Decodes a file in one of the threads, taken in turn. Errors are those of `decodeImage`. */
  decode(path: string): Promise<Image> {
    clearTimeout(this.#idle);
    if (this.#threads.length === 0) this.#start();
    const id = this.#next++;
    const result = Promise.withResolvers<Image>();
    this.#waiting.set(id, result);
    this.#paths.set(id, path);
    this.#threads[id % this.#size].postMessage(
      { id, path } satisfies Request,
    );
    return result.promise;
  }

  #start(): void {
    const url = new URL("./decode_worker.ts", import.meta.url);
    this.#threads = Array.from({ length: this.#size }, () => {
      const thread = new Worker(url, { type: "module" });
      thread.onmessage = ({ data }: MessageEvent<Answer>) => this.#settle(data);
      thread.onerror = (event) => {
        event.preventDefault();
        this.#fail(event.message);
      };
      return thread;
    });
  }

  #settle(answer: Answer): void {
    const { id } = answer;
    const result = this.#waiting.get(id);
    const path = this.#paths.get(id)!;
    this.#waiting.delete(id);
    this.#paths.delete(id);
    if ("image" in answer) result?.resolve(answer.image);
    else result?.reject(errorOf(answer, path));
    if (this.#waiting.size === 0) {
      this.#idle = setTimeout(() => this.#stop(), IDLE_MS);
    }
  }

  /** A thread that can't run: nobody may wait for it for ever. */
  #fail(message: string): void {
    this.#stop();
    for (const { reject } of this.#waiting.values()) {
      reject(new Error(`Cannot decode in another thread: ${message}`));
    }
    this.#waiting.clear();
    this.#paths.clear();
  }

  #stop(): void {
    for (const thread of this.#threads) thread.terminate();
    this.#threads = [];
  }
}

/** The error that the thread had, as it would be here. */
function errorOf(
  { error, name, rule }: Extract<Answer, { error: string }>,
  path: string,
): Error {
  if (name === "NotFound") return new Deno.errors.NotFound(error);
  return rule === undefined
    ? new Error(error)
    : new FileFormatError(error, path, 0, rule);
}
