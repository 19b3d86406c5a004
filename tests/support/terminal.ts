/**
 * A program in a real terminal, made by `script` of util-linux, which every Debian has: keys in, the screen's text out. What is typed is only
 * typed once the program shows that it is ready, so tests don't depend on its speed.
 */

/** Longest wait for something to be shown. */
const PATIENCE_MS = 20_000;

// deno-lint-ignore no-control-regex -- the codes are what is looked for
const CONTROL = /\x1b\[[\d;?]*[A-Za-z]/g;

export const KEYS = { ctrlC: "\x03", ctrlD: "\x04", up: "\x1b[A", enter: "\r" };

/** Added to the titles of tests that can't run where there is no terminal to be had. */
export const NO_TERMINAL = " (needs a pseudo-terminal)";

/** Whether `script` is there and can open a terminal: in some containers it can't. */
const available = await canOpen();

async function canOpen(): Promise<boolean> {
  try {
    const { success } = await new Deno.Command("script", {
      args: ["-qec", "true", "/dev/null"],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch {
    return false;
  }
}

/** A test that opens a {@linkcode Terminal}. Where there is none to be had it doesn't run, and the run says how many did not. */
export function terminalTest(title: string, body: () => Promise<void>): void {
  const name = available ? title : `${title}${NO_TERMINAL}`;
  Deno.test({ name, ignore: !available, fn: body });
}

export class Terminal {
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  #raw = "";
  /** Where the text begins that `shows` hasn't gone past. */
  #at = 0;
  #news = Promise.withResolvers<void>();
  #ended = false;

  /** Starts `deno` with these arguments in a terminal of 80 columns. */
  constructor(args: readonly string[], env: Record<string, string> = {}) {
    const command = [Deno.execPath(), ...args].map((arg) => `'${arg}'`);
    const sized = `stty cols 80 rows 24; exec ${command.join(" ")}`;
    this.#process = new Deno.Command("script", {
      args: ["-qec", sized, "/dev/null"],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      env: { TERM: "xterm-256color", TESSERA_HISTORY: "", ...env },
    }).spawn();
    this.#writer = this.#process.stdin.getWriter();
    this.#reading = this.#read();
  }

  /** What the program has written, without the codes that move the cursor and give colours. */
  get text(): string {
    return this.#raw.replace(CONTROL, "").replaceAll("\r", "");
  }

  /** What the program has written, as it was. */
  get raw(): string {
    return this.#raw;
  }

  async type(keys: string): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(keys));
  }

  /** Waits until the text is written, behind what was waited for before. */
  async shows(wanted: string): Promise<void> {
    const end = Date.now() + PATIENCE_MS;
    while (true) {
      const found = this.text.indexOf(wanted, this.#at);
      if (found >= 0) {
        this.#at = found + wanted.length;
        return;
      }
      const rest = end - Date.now();
      if (rest <= 0 || this.#ended) {
        throw new Error(
          `Waited in vain for ${JSON.stringify(wanted)} in ${
            JSON.stringify(this.text.slice(this.#at))
          }`,
        );
      }
      await this.#changed(rest);
    }
  }

  /** Waits for the end and gives the exit code. */
  async ends(): Promise<number> {
    const { code } = await this.#process.status;
    await this.#reading;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.#writer.abort().catch(() => {});
    await this.#process.stderr.cancel();
    await this.ends();
  }

  async #read(): Promise<void> {
    const decoded = this.#process.stdout.pipeThrough(new TextDecoderStream());
    for await (const text of decoded) {
      this.#raw += text;
      this.#news.resolve();
    }
    this.#ended = true;
    this.#news.resolve();
  }

  async #changed(limitMs: number): Promise<void> {
    this.#news = Promise.withResolvers();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limitMs);
    });
    await Promise.race([this.#news.promise, limit]);
    clearTimeout(timer);
  }
}
