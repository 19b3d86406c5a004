/**
 * A program in a real terminal, made by tmux: keys in; out come the bytes that it writes and the screen that they make. What is typed is only
 * typed once the program shows that it is ready, so tests don't depend on its speed.
 */

/** Longest wait for something to be shown. */
const PATIENCE_MS = 60_000;
const POLL_MS = 20;

// deno-lint-ignore no-control-regex -- the codes are what is looked for
const CONTROL = /\x1b\[[\d;?]*[A-Za-z]/g;

export const KEYS = {
  ctrlC: "\x03",
  ctrlD: "\x04",
  ctrlR: "\x12",
  up: "\x1b[A",
  enter: "\r",
  tab: "\t",
};

/** Added to the titles of tests that can't run where there is no terminal to be had. */
export const NO_TERMINAL = " (needs tmux)";

interface Done {
  readonly ok: boolean;
  readonly out: string;
}

async function run(args: readonly string[]): Promise<Done> {
  try {
    const { success, stdout } = await new Deno.Command("tmux", {
      args: [...args],
      stdin: "null",
      stderr: "null",
    }).output();
    return { ok: success, out: new TextDecoder().decode(stdout).trimEnd() };
  } catch {
    return { ok: false, out: "" };
  }
}

/** Whether tmux is there and can open a terminal: in some containers it can't. */
const available = await canOpen();

async function canOpen(): Promise<boolean> {
  const folder = await Deno.makeTempDir();
  const opened = await run([
    "-S",
    `${folder}/tmux`,
    "new-session",
    "-d",
    "true",
  ]);
  await run(["-S", `${folder}/tmux`, "kill-server"]);
  await Deno.remove(folder, { recursive: true });
  return opened.ok;
}

/** A test that opens a {@linkcode Terminal}. Where there is none to be had it doesn't run, and the run says how many did not. */
export function terminalTest(title: string, body: () => Promise<void>): void {
  const name = available ? title : `${title}${NO_TERMINAL}`;
  Deno.test({ name, ignore: !available, fn: body });
}

export class Terminal {
  readonly #args: readonly string[];
  readonly #env: Readonly<Record<string, string>>;
  readonly #folder = Deno.makeTempDirSync();
  readonly #started: Promise<void>;
  #raw = "";
  /** Where the text begins that `shows` hasn't gone past. */
  #at = 0;

  /** Starts `deno` with these arguments in a terminal of 80 columns. */
  constructor(args: readonly string[], env: Record<string, string> = {}) {
    this.#args = args;
    this.#env = { TERM: "xterm-256color", TESSERA_HISTORY: "", ...env };
    this.#started = this.#start();
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
    await this.#started;
    await this.#tmux("send-keys", "-l", keys);
  }

  /** Waits until the text is written, behind what was waited for before. */
  async shows(wanted: string): Promise<void> {
    const end = Date.now() + PATIENCE_MS;
    while (true) {
      await this.#read();
      const found = this.text.indexOf(wanted, this.#at);
      if (found >= 0) {
        this.#at = found + wanted.length;
        return;
      }
      if (Date.now() > end || (await this.#exit()) !== undefined) {
        throw new Error(
          `Waited in vain for ${JSON.stringify(wanted)} in ${
            JSON.stringify(this.text.slice(this.#at))
          }`,
        );
      }
      await delay(POLL_MS);
    }
  }

  /** The rows of the screen as somebody sees them, blank ones at the end left out. */
  async screen(): Promise<string> {
    await this.#started;
    return (await this.#tmux("capture-pane", "-p")).out;
  }

  /** Waits for the end and gives the exit code: 128 and the signal's number where a signal brought it. */
  async ends(): Promise<number> {
    const end = Date.now() + PATIENCE_MS;
    while (Date.now() < end) {
      const code = await this.#exit();
      if (code !== undefined) {
        await this.#read();
        return code;
      }
      await delay(POLL_MS);
    }
    throw new Error(`Waited in vain for the end, at ${await this.screen()}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#started;
    await this.#tmux("kill-server");
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #start(): Promise<void> {
    const settings = `${this.#folder}/settings`;
    await Deno.writeTextFile(settings, "set -g remain-on-exit on\n");
    const variables = Object.entries(this.#env).map(([k, v]) => `${k}=${v}`);
    const command = ["env", ...variables, Deno.execPath(), ...this.#args]
      .map((part) => `'${part.replaceAll("'", `'\\''`)}'`).join(" ");
    // Nothing runs before its output is written down.
    await this.#tmux(
      ...["-f", settings, "new-session", "-d", "-x", "80", "-y", "24"],
      // The shell outlives Ctrl-C, and writes the exit code down: tmux loses it now and then.
      `trap : INT; tmux wait-for written; ${command}; echo $? > '${this.#folder}/code'`,
    );
    await this.#tmux("pipe-pane", "-O", `cat > '${this.#folder}/output'`);
    await this.#tmux("wait-for", "-S", "written");
  }

  #tmux(...args: readonly string[]): Promise<Done> {
    return run(["-u", "-S", `${this.#folder}/tmux`, ...args]);
  }

  async #read(): Promise<void> {
    await this.#started;
    try {
      this.#raw = await Deno.readTextFile(`${this.#folder}/output`);
    } catch {
      // Nothing has been written yet.
    }
  }

  /** The exit code, once there is one. */
  async #exit(): Promise<number | undefined> {
    await this.#started;
    try {
      const code = await Deno.readTextFile(`${this.#folder}/code`);
      return code.endsWith("\n") ? Number(code) : undefined;
    } catch {
      return undefined;
    }
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
