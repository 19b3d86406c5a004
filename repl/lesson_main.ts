/**
 * Lessons, `deno task lesson`: lists them, or plays one line by line, with pauses where somebody sits in front of it.
 *
 * The exit code is 0, or 1 for an error in the lesson and, with `--check`, for a value that isn't what the lesson says, or 2 where the options are wrong or
 * the permissions don't suffice.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { reportUncaught } from "./cli.ts";
import { deviceText, openDevice } from "./device.ts";
import { Editor } from "./editor.ts";
import { History, historyPath } from "./history.ts";
import { watchInterrupts } from "./interrupts.ts";
import { type LessonOptions, type Played, playLesson } from "./lesson.ts";
import { LESSONS, readLesson } from "./lessons.ts";
import { libraryHost } from "./library.ts";
import {
  exitCodeOf,
  imagesOf,
  orUsage,
  seedOf,
  UsageError,
} from "./options.ts";
import { Session } from "./session.ts";
import { ensureAdapter } from "./setup.ts";
import {
  IMAGE_PROTOCOLS,
  type ImageProtocol,
  setImageProtocol,
} from "./term/images.ts";
import { type Screen, standardOutput } from "../nn/term/screen.ts";
import { paint } from "../nn/term/style.ts";
import { VERSION } from "./version.ts";

const USAGE = `Usage: deno task lesson [name] [options]

Plays a lesson: an ordinary program, line by line, with what each line gives. Without a name, lists the lessons.

      --no-pause    play on without waiting for a key
      --repl        go on at the prompt, with the lesson's variables
      --seed N      start of the random stream (0)
      --images HOW  how pictures are drawn: ${IMAGE_PROTOCOLS.join(", ")}
      --check       show nothing but what isn't as the lesson says
      --no-color    plain text, as with NO_COLOR=1
  -h, --help        this text`;

interface Options {
  readonly name: string | undefined;
  readonly pause: boolean;
  readonly repl: boolean;
  readonly seed: number;
  readonly images: ImageProtocol | undefined;
  readonly check: boolean;
  readonly color: boolean;
  readonly help: boolean;
}

function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = orUsage(USAGE, () =>
    parseArgs({
      args: [...args],
      allowPositionals: true,
      allowNegative: true,
      options: {
        pause: { type: "boolean" },
        repl: { type: "boolean" },
        seed: { type: "string" },
        images: { type: "string" },
        check: { type: "boolean" },
        color: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    }));
  const [name, other] = positionals;
  if (other !== undefined) {
    throw new UsageError(`Cannot play ${name} and ${other}: expected one name`);
  }
  return {
    name,
    pause: values.pause ?? true,
    repl: values.repl ?? false,
    seed: seedOf(values.seed ?? "0"),
    images: values.images === undefined ? undefined : imagesOf(values.images),
    check: values.check ?? false,
    color: values.color ?? true,
    help: values.help ?? false,
  };
}

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  const { name, seed, images, check, color, help } = options;
  if (help || name === undefined) {
    console.log(help ? USAGE : list());
    return 0;
  }
  const lesson = await readLesson(name);
  // Whatever draws asks the environment.
  if (!color || check) Deno.env.set("NO_COLOR", "1");
  if (images !== undefined) setImageProtocol(images);
  const log = check ? console.error : console.log;
  const { adapter } = await ensureAdapter({ log });
  await openDevice({ seed, cpu: adapter === null, log });
  if (check) return await compare(name, lesson);
  console.log(`Tessera ${VERSION} on ${deviceText()}`);
  return await show(lesson, options);
}

function list(): string {
  const width = Math.max(...LESSONS.map(({ name }) => name.length));
  const rows = LESSONS.map(({ name, about }) =>
    `  ${name.padEnd(width)}  ${about}`
  );
  return ["Lessons, in the order of a course:", "", ...rows, "", HINT].join(
    "\n",
  );
}

const HINT = "deno task lesson NAME plays one.";

type Text = Awaited<ReturnType<typeof readLesson>>;

/** Plays in silence and reports what isn't as the lesson says. */
async function compare(name: string, { text, ...place }: Text) {
  const session = new Session(libraryHost("none"));
  const start = performance.now();
  const { failure, expectations, surprises } = await playLesson(
    session,
    text,
    { ...place, colors: "none", print: () => {} },
  );
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if (failure !== undefined) {
    console.error(failure);
    return 1;
  }
  for (const { line, expected, shown } of surprises) {
    const got = shown?.trim() ?? "nothing";
    console.error(`${place.source}:${line}: expected ${expected}, got ${got}`);
  }
  const met = expectations - surprises.length;
  console.log(
    `${name}: ${met} of ${expectations} values as expected, ${seconds} s`,
  );
  return expectations > 0 && surprises.length === 0 ? 0 : 1;
}

/** Plays for somebody who watches, or for a pipe. */
async function show(
  { text, ...place }: Text,
  { pause, repl }: Options,
): Promise<number> {
  const screen = standardOutput();
  const { colors } = screen;
  const options = {
    ...place,
    colors,
    print: (row: string) => console.log(row),
  };
  if (!Deno.stdin.isTerminal() || !Deno.stdout.isTerminal()) {
    const session = new Session(libraryHost(colors));
    return exitCode(await playLesson(session, text, options));
  }
  let editor: Editor | undefined;
  const keys = new PauseKeys(screen);
  const { signal, close } = await watchInterrupts(() => {
    if (keys.leave()) return;
    if (editor) editor.interrupt();
    else session.interrupt();
  });
  const history = openHistory();
  const session: Session = new Session(libraryHost(colors), {
    signal,
    history: () => history.entries.toReversed(),
    edit: () => editor!.edit(),
  });
  reportUncaught((text) =>
    editor ? editor.printAbove(text) : options.print(text)
  );
  const code = exitCode(await keys.around(text, options, session, pause));
  if (repl) {
    editor = new Editor(session, { history, colors });
    await editor.run();
  }
  close();
  // What still runs in the background ends here.
  Deno.exit(code);
}

function openHistory(): History {
  const path = historyPath((name) => Deno.env.get(name));
  return new History(path, (message) => console.error(message));
}

function exitCode({ failure }: Played): number {
  if (failure === undefined) return 0;
  console.error(failure);
  return 1;
}

const CTRL_C = "\x03";
const CTRL_D = "\x04";

/** The keys that end a lesson; all others go on. */
const LEAVES = ["q", "Q", CTRL_C, CTRL_D];

/** The keys between two steps. Those that are pressed while a line runs are lost. */
class PauseKeys {
  #waiting: ((goesOn: boolean) => void) | undefined;

  constructor(readonly screen: Screen) {}

  /** Plays a lesson in the mode in which keys come at once and unseen, and Ctrl-C is a signal. */
  async around(
    text: string,
    options: LessonOptions,
    session: Session,
    pause: boolean,
  ): Promise<Played> {
    const waits = pause ? { pause: () => this.#wait() } : {};
    const take = (bytes: Uint8Array) =>
      this.#waiting?.(!LEAVES.includes(String.fromCharCode(bytes[0])));
    const end = () => this.#waiting?.(false);
    Deno.stdin.setRaw(true, { cbreak: Deno.build.os !== "windows" });
    process.stdin.on("data", take).on("end", end);
    try {
      const { columns } = this.screen;
      return await playLesson(session, text, { ...options, ...waits, columns });
    } finally {
      process.stdin.off("data", take).off("end", end);
      Deno.stdin.setRaw(false);
    }
  }

  /** Ctrl-C while a key is waited for: ends the lesson. Tells whether one was. */
  leave(): boolean {
    this.#waiting?.(false);
    return this.#waiting !== undefined;
  }

  async #wait(): Promise<boolean> {
    const { live, colors } = this.screen;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#waiting = resolve;
    this.screen.write(`\n${paint("Enter goes on, q leaves", "dim", colors)}`);
    const goesOn = await promise;
    this.#waiting = undefined;
    this.screen.write(live ? "\r\x1b[K\x1b[1A" : "\n");
    return goesOn;
  }
}

if (import.meta.main) {
  Deno.exitCode = await exitCodeOf(() => main(Deno.args));
}
