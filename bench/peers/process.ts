/**
 * Libraries in processes of their own, so that one that crashes or fills the memory is no trouble to the others.
 *
 * A process is told what to do by lines of JSON and answers by lines that begin with {@linkcode MARK}, as libraries print lines too.
 */
import { lines } from "./lines.ts";

/** Libraries on WebGPU, ours first: others are compared with it. */
export const ON_GPU = [
  "tessera",
  "tessera-compiled",
  "tfjs-webgpu",
  "jax-webgpu",
  "ort-webgpu",
] as const;

/** Libraries on the CPU that run here. PyTorch is a process of Python. */
export const ON_CPU = ["tfjs-wasm", "jax-wasm", "ort-wasm"] as const;

/** The libraries, each on one device. */
export type Library = typeof ON_GPU[number] | typeof ON_CPU[number];

/** What a process is asked. */
export type Request =
  /** To get ready for a row and write its result to a file, as raw floats. */
  | { readonly ask: "prepare"; readonly work: string; readonly file: string }
  /** To run it some times. */
  | { readonly ask: "run"; readonly times: number }
  /** To measure what the adapter can do at best. */
  | { readonly ask: "peak" };

/** What a process answers to each of them. */
export interface Answers {
  readonly prepare: {
    /** The library's name in tables. */
    readonly name: string;
    /** Of one run. */
    readonly dispatches: number;
    readonly ms: number;
  };
  /** Milliseconds of them all. */
  readonly run: { readonly ms: number };
  /** Operations a second. */
  readonly peak: { readonly flops: number };
}

/** What an answer begins with. */
export const MARK = "\u0002";

/** Lines of a process's last words that a reason has at most. */
const LAST_WORDS = 2;

const CHILD = new URL("child.ts", import.meta.url).pathname;
const LOCK = new URL("deno.lock", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** A process with a library in it. */
export class LibraryProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #answers: AsyncIterator<string>;
  /** What it wrote last to where errors go. */
  readonly #words: string[] = [];
  readonly #listening: Promise<void>;

  constructor(readonly library: Library) {
    const shared = ["--allow-all", `--lock=${LOCK}`, `--config=${CONFIG}`];
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", ...shared, CHILD, library],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#answers = lines(this.#child.stdout);
    this.#listening = this.#listen();
  }

  async #listen(): Promise<void> {
    for await (const line of lines(this.#child.stderr)) {
      if (line.trim() === "") continue;
      this.#words.push(line.trim());
      if (this.#words.length > LAST_WORDS) this.#words.shift();
    }
  }

  /** Asks and waits so many seconds at most. Rejects with the process's reason, or with its last words where it ended. */
  async ask<Name extends Request["ask"]>(
    request: Request & { readonly ask: Name },
    seconds: number,
  ): Promise<Answers[Name]> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#child.kill("SIGKILL");
    }, 1000 * seconds);
    try {
      const line = JSON.stringify(request) + "\n";
      await this.#input.write(new TextEncoder().encode(line));
      for (;;) {
        const { done, value } = await this.#answers.next();
        if (done) break;
        if (!value.startsWith(MARK)) continue;
        const answer = JSON.parse(value.slice(MARK.length));
        if ("error" in answer) throw new LibraryError(answer.error);
        return answer;
      }
    } catch (error) {
      if (error instanceof LibraryError) throw error;
      // Its input is closed: it has ended.
    } finally {
      clearTimeout(timer);
    }
    if (late) throw new LibraryError(`not done after ${seconds} s`);
    await this.#listening;
    throw new LibraryError(`its process ended: ${this.#words.join(" ")}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.#child.status;
    await this.#input.close().catch(() => {});
    await this.#listening;
    await this.#answers.return?.();
  }
}

/** Why a library can't do a row. */
export class LibraryError extends Error {}
