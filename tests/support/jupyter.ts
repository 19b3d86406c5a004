/** Deno's Jupyter kernel, driven as a notebook drives it ("Messaging in Jupyter", jupyter-client.readthedocs.io). */
import { Peer } from "./zmtp.ts";

/** What a cell came to. */
export interface Executed {
  /** The value of its last expression in the forms that the kernel gave, by media type. */
  readonly data: Readonly<Record<string, string>> | undefined;
  /** What it wrote. */
  readonly text: string;
  /** Name, message and stack of what it threw. */
  readonly error: string | undefined;
}

interface Message {
  readonly type: string;
  /** The id of the message that it answers. */
  readonly parent: string | undefined;
  readonly content: Readonly<Record<string, unknown>>;
}

/** Longest wait for the kernel to open its ports. */
const PATIENCE_MS = 60_000;

export class Kernel {
  readonly #process: Deno.ChildProcess;
  readonly #shell: Peer;
  readonly #news: Peer;
  readonly #folder: string;
  /** A message that was waited for in vain, and may still come. */
  #waiting: Promise<Uint8Array[]> | undefined;

  private constructor(
    process: Deno.ChildProcess,
    folder: string,
    shell: Peer,
    news: Peer,
  ) {
    this.#process = process;
    this.#folder = folder;
    this.#shell = shell;
    this.#news = news;
  }

  /** Starts a kernel in a folder, as a notebook that stands there does. */
  static async start(cwd: string | URL): Promise<Kernel> {
    const folder = await Deno.makeTempDir();
    const ports = freePorts(5);
    const [shell, iopub, stdin, control, heartbeat] = ports;
    await Deno.writeTextFile(
      `${folder}/connection.json`,
      JSON.stringify({
        ip: "127.0.0.1",
        transport: "tcp",
        shell_port: shell,
        iopub_port: iopub,
        stdin_port: stdin,
        control_port: control,
        hb_port: heartbeat,
        // Without a key messages aren't signed.
        key: "",
        signature_scheme: "hmac-sha256",
        kernel_name: "deno",
      }),
    );
    const process = new Deno.Command(Deno.execPath(), {
      args: ["jupyter", "--kernel", "--conn", `${folder}/connection.json`],
      cwd,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const news = await connected(iopub, "SUB");
    const dealer = await connected(shell, "DEALER");
    const kernel = new Kernel(process, folder, dealer, news);
    // The kernel tells nothing until it has heard that somebody listens, and nobody is told when that is.
    while (!await kernel.#isHeard()) await delay(50);
    return kernel;
  }

  /** Runs a cell to its end. */
  async execute(code: string): Promise<Executed> {
    const seen: Message[] = [];
    await this.#run(code, (message, own) => {
      seen.push(message);
      return own && message.content.execution_state === "idle";
    });
    // Deno 2.9.6 may send a value after it has said that it's idle, but never after the next cell's.
    const mark = crypto.randomUUID();
    await this.#run(JSON.stringify(mark), (message) => {
      const data = message.content.data as Executed["data"];
      if (data?.["text/plain"].includes(mark)) return true;
      seen.push(message);
      return false;
    });
    let data: Executed["data"];
    let [text, error] = ["", undefined as string | undefined];
    for (const { type, content } of seen) {
      if (type === "stream") text += content.text;
      else if (type === "execute_result" || type === "display_data") {
        data = content.data as Executed["data"];
      } else if (type === "error") {
        error = `${content.ename}: ${content.evalue}`;
      }
    }
    return { data, text, error };
  }

  /** Runs a cell, and shows what the kernel tells, of this cell or another, to `take` until that has enough. */
  async #run(
    code: string,
    take: (message: Message, own: boolean) => boolean,
  ): Promise<void> {
    const id = crypto.randomUUID();
    await this.#send(id, "execute_request", {
      code,
      silent: false,
      store_history: true,
      user_expressions: {},
      allow_stdin: false,
      stop_on_error: true,
    });
    let enough = false;
    while (!enough) {
      const next = this.#waiting ?? this.#news.receive();
      this.#waiting = undefined;
      const message = parse(await next);
      enough = take(message, message.parent === id);
    }
    await this.#shell.receive();
  }

  /** Whether all that the kernel tells of a request arrives: that it's busy with it, and then not any more. */
  async #isHeard(): Promise<boolean> {
    const id = crypto.randomUUID();
    await this.#send(id, "kernel_info_request", {});
    await this.#shell.receive();
    const end = delay(1000).then(() => undefined);
    const heard: unknown[] = [];
    while (heard.at(-1) !== "idle") {
      this.#waiting ??= this.#news.receive();
      const parts = await Promise.race([this.#waiting, end]);
      if (parts === undefined) return false;
      this.#waiting = undefined;
      const { parent, content } = parse(parts);
      if (parent === id) heard.push(content.execution_state);
    }
    await end;
    return heard.includes("busy");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#shell.close();
    this.#news.close();
    this.#process.kill("SIGKILL");
    await this.#process.status;
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #send(id: string, type: string, content: unknown): Promise<void> {
    const header = {
      msg_id: id,
      msg_type: type,
      session: "tests",
      username: "tests",
      date: new Date().toISOString(),
      version: "5.3",
    };
    const texts = ["<IDS|MSG>", "", ...[header, {}, {}, content].map(json)];
    await this.#shell.send(texts.map((t) => new TextEncoder().encode(t)));
  }
}

function json(value: unknown): string {
  return JSON.stringify(value);
}

/** What follows the delimiter: a signature, header, parent's header, metadata, content. */
function parse(parts: readonly Uint8Array[]): Message {
  const texts = parts.map((part) => new TextDecoder().decode(part));
  const [, header, parent, , content] = texts.slice(
    texts.indexOf("<IDS|MSG>") + 1,
  ).map((text) => text === "" ? {} : JSON.parse(text));
  return { type: header.msg_type, parent: parent.msg_id, content };
}

/** Ports that nobody uses at this moment. */
function freePorts(count: number): number[] {
  const listeners = Array.from(
    { length: count },
    () => Deno.listen({ hostname: "127.0.0.1", port: 0 }),
  );
  const ports = listeners.map(({ addr }) => (addr as Deno.NetAddr).port);
  for (const listener of listeners) listener.close();
  return ports;
}

/** Tries until the kernel listens. */
async function connected(
  port: number,
  type: "DEALER" | "SUB",
): Promise<Peer> {
  const end = Date.now() + PATIENCE_MS;
  while (true) {
    try {
      return await Peer.connect(port, type);
    } catch (error) {
      if (Date.now() > end) throw error;
      await delay(50);
    }
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
