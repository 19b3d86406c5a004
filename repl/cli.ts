/**
 * The REPL's command line, without the library: what lines can use comes from whoever calls.
 *
 * The exit code is 0, or 1 for an error in a file, `-e` or a pipe, or 2 where the options are wrong or the permissions don't suffice.
 */
import { pathToFileURL } from "node:url";
import { Editor } from "./editor.ts";
import { explain } from "./explain.ts";
import { History, historyPath } from "./history.ts";
import { watchInterrupts } from "./interrupts.ts";
import { exitCodeOf, type Options, parseOptions, USAGE } from "./options.ts";
import { rowsOf, runScript } from "./script.ts";
import { type Host, Session } from "./session.ts";
import { setImageProtocol } from "./term/images.ts";
import { type Colors, standardOutput } from "../nn/term/screen.ts";

/** What {@linkcode run} tells whoever opens the library. */
export interface OpenOptions {
  readonly seed: number | undefined;
  readonly colors: Colors;
}

/** What lines can use, and the rows that greet somebody at the prompt. */
export interface Opened {
  readonly host: Host;
  readonly banner: readonly string[];
}

export type Open = (options: OpenOptions) => Promise<Opened>;

/** Runs the REPL to its end and sets the exit code. */
export function run(args: readonly string[], open: Open): void {
  // Not awaited by the module that calls: where a line waits in vain, Deno would end a module that waits before it could be told.
  exitCodeOf(() => start(args, open)).then((code) => {
    Deno.exitCode = code;
  });
}

async function start(args: readonly string[], open: Open): Promise<number> {
  const options = parseOptions(args);
  const { files, code, color, seed, interactive, images, help } = options;
  if (help) {
    console.log(USAGE);
    return 0;
  }
  // Whatever draws asks the environment.
  if (!color) Deno.env.set("NO_COLOR", "1");
  if (images !== undefined) setImageProtocol(images);
  const { colors } = standardOutput();
  const opened = await open({ seed, colors });
  const given = files.length > 0 || code !== undefined;
  return Deno.stdin.isTerminal() && (interactive || !given)
    ? await talk(options, opened, colors)
    : await runAll(options, opened, given);
}

/** Files, `-e` or standard input, to the end or to the first error. */
async function runAll(
  options: Options,
  { host }: Opened,
  given: boolean,
): Promise<number> {
  const session = new Session(host);
  reportUncaught((text) => {
    console.error(text);
    Deno.exit(1);
  });
  // Nothing is left that could wake the line up.
  const stuck = () => {
    const { source, line } = session.place ?? { source: "stdin", line: 1 };
    console.error(
      `${source}:${line}: Error: Cannot go on: the line waits for something that nothing will bring about`,
    );
    Deno.exit(1);
  };
  globalThis.addEventListener("beforeunload", stuck);
  const failure = given
    ? await runTexts(session, options)
    : await runScript(session, rowsOf(Deno.stdin.readable), {
      source: "stdin",
      print: console.log,
    });
  await session.idle();
  globalThis.removeEventListener("beforeunload", stuck);
  if (session.exited()) Deno.exit(session.exitCode);
  if (failure === undefined) return 0;
  console.error(failure);
  return 1;
}

/** The prompt, after files and `-e` if there are any. */
async function talk(
  options: Options,
  { host, banner }: Opened,
  colors: Colors,
): Promise<number> {
  const { signal } = await watchInterrupts(() => editor.interrupt());
  const path = historyPath((name) => Deno.env.get(name));
  const history = new History(path, (message) => console.error(message));
  const session: Session = new Session(host, {
    signal,
    history: () => history.entries.toReversed(),
    edit: () => editor.edit(),
  });
  if (!options.quiet) console.log(banner.join("\n"));
  const editor: Editor = new Editor(session, { history, colors });
  reportUncaught((text) => editor.printAbove(text));
  const failure = await runTexts(session, options);
  if (failure !== undefined) console.error(failure);
  await editor.run();
  // What still runs in the background ends here.
  Deno.exit(session.exitCode ?? 0);
}

/** Runs the files and then the text of `-e`. Returns the first error. */
async function runTexts(
  session: Session,
  { files, code }: Options,
): Promise<string | undefined> {
  for (const file of files) {
    let text: string;
    try {
      text = await Deno.readTextFile(file);
    } catch (error) {
      return `Cannot read ${file}: ${(error as Error).message}`;
    }
    const failure = await runScript(session, text.split("\n"), {
      source: file,
      base: pathToFileURL(file),
      print: console.log,
    });
    if (failure !== undefined) return failure;
  }
  if (code === undefined) return;
  return await runScript(session, code.split("\n"), {
    source: "-e",
    print: console.log,
  });
}

/** Errors that no line waits for: of promises that were left alone, and of timers. */
export function reportUncaught(report: (text: string) => void): void {
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    report(`Uncaught ${explain(event.reason, [], "")}`);
  });
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    report(`Uncaught ${explain(event.error, [], "")}`);
  });
}
