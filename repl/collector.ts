/**
 * When garbage is collected, which is what frees the tensors that no variable holds. A collection takes ten times as long as a short line, so lines
 * that follow one another share one: it waits for a pause, or until they have left much behind.
 */

/** How much there is. */
export interface Usage {
  readonly tensors: number;
  readonly bytes: number;
}

/** How long nothing must be asked for. */
const PAUSE_MS = 50;

/** What may come on top of what the last collection left. */
const MOST: Usage = { tensors: 1000, bytes: 2 ** 26 };

export class Collector {
  readonly #usage: () => Usage;
  readonly #collect: () => Promise<void>;
  readonly #pause: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether lines ran since the last collection that may have let go of tensors. */
  #due = false;
  #left: Usage = { tensors: 0, bytes: 0 };

  /** `pause` is called when there is time for {@linkcode run}. */
  constructor(
    usage: () => Usage,
    collect: () => Promise<void>,
    pause: () => void,
  ) {
    this.#usage = usage;
    this.#collect = collect;
    this.#pause = pause;
  }

  /** A line begins. */
  wait(): void {
    clearTimeout(this.#timer);
  }

  /** A line has ended. */
  async lineEnded(): Promise<void> {
    const { tensors, bytes } = this.#usage();
    this.#due = tensors > 0;
    if (!this.#due) return;
    const { tensors: before, bytes: bytesBefore } = this.#left;
    const much = tensors > before + MOST.tensors ||
      bytes > bytesBefore + MOST.bytes;
    if (much) {
      await this.run();
      return;
    }
    this.#timer = setTimeout(this.#pause, PAUSE_MS);
    Deno.unrefTimer(this.#timer);
  }

  /** Collects, if that can free anything. */
  async run(): Promise<void> {
    this.wait();
    if (!this.#due) return;
    this.#due = false;
    await this.#collect();
    this.#left = this.#usage();
  }

  /** Collects on behalf of the line that runs, whatever it has let go of so far. */
  async runNow(): Promise<void> {
    this.#due = true;
    await this.run();
  }
}
