/** Session: commands for its lines, its errors and its end. */
import { pathToFileURL } from "node:url";
import { Drawing } from "../../nn/term/drawing.ts";
import type { Command, Family, Shell } from "./command.ts";
import { savedText } from "./saved.ts";
import { stateCommands } from "./state.ts";

/** Lines that `.history` shows. */
const RECENT = 20;

export const shellCommands: Family = (shell) => [
  ...stateCommands(shell),
  ...lineCommands(shell),
];

function lineCommands(shell: Shell): readonly Command[] {
  return [
    {
      name: "load",
      takes: "text",
      usage: ".load FILE",
      about: "runs a file, or what is at a URL, as if it had been typed",
      run: (file: unknown) => load(shell, file),
    },
    {
      name: "save",
      takes: "text",
      usage: ".save FILE",
      about: "writes the lines that succeeded to a file that runs",
      run: (...given: unknown[]) => save(shell, given),
    },
    {
      name: "history",
      takes: "values",
      usage: ".history [n]",
      about: `the last n lines (${RECENT}) that were typed`,
      run: (n: unknown = RECENT) => history(shell, n),
    },
    {
      name: "editor",
      takes: "nothing",
      usage: ".editor",
      about: "takes rows until Ctrl-D and runs them together",
      run: async () => {
        await shell.run(await shell.edit(), { source: "editor" });
      },
    },
    {
      name: "error",
      takes: "nothing",
      usage: ".error",
      about: "the last error with its full stack",
      run: () => lastError(shell),
    },
    {
      name: "reset",
      takes: "nothing",
      usage: ".reset",
      about: "takes all variables away, frees memory, restarts random numbers",
      run: () => shell.reset(),
    },
    {
      name: "exit",
      takes: "values",
      usage: ".exit [code]",
      about: "ends the session, as Ctrl-D does",
      run: (code: unknown = 0) => {
        if (!Number.isInteger(code)) {
          throw new TypeError(
            `Cannot exit with ${Deno.inspect(code)}: expected a whole number`,
          );
        }
        return shell.exit(code as number);
      },
    },
  ];
}

async function load(shell: Shell, file: unknown): Promise<void> {
  const name = fileNamed(file, "load", ".load FILE");
  const remote = /^https?:/.test(name);
  const base = remote ? new URL(name) : pathToFileURL(name);
  let text: string;
  try {
    text = remote ? await fetched(base) : await Deno.readTextFile(base);
  } catch (error) {
    throw new Error(`Cannot load ${name}: ${(error as Error).message}`);
  }
  await shell.run(text, { source: name, base });
}

async function fetched(url: URL): Promise<string> {
  const answer = await fetch(url);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`the server says ${answer.status}`);
  return text;
}

async function save(shell: Shell, given: unknown[]): Promise<unknown> {
  const { save: saveValue } = shell.globals;
  if (given.length > 1 && typeof saveValue === "function") {
    return await saveValue(...given);
  }
  const name = fileNamed(given[0], "save", ".save FILE");
  const path = pathToFileURL(name);
  const saved = savedText(shell, path);
  await Deno.writeTextFile(path, saved.text);
  return new Drawing([
    `${saved.lines} line${
      saved.lines === 1 ? "" : "s"
    } in ${name}: deno task repl ${name} runs them`,
  ]);
}

function fileNamed(file: unknown, action: string, usage: string): string {
  const name = typeof file === "string"
    ? file.replace(/^(["'])(.*)\1$/, "$2")
    : "";
  if (name !== "") return name;
  throw new TypeError(
    `Cannot ${action} without the name of a file: it is used as ${usage}`,
  );
}

function history(shell: Shell, n: unknown): Drawing {
  if (!Number.isInteger(n) || (n as number) < 1) {
    throw new RangeError(
      `Cannot show the last ${
        Deno.inspect(n)
      } lines: expected a whole number from 1`,
    );
  }
  const lines = shell.history();
  const first = Math.max(0, lines.length - (n as number));
  const width = String(lines.length).length;
  return new Drawing(
    lines.slice(first).flatMap((line, i) =>
      line.split("\n").map((row, j) => {
        const number = j === 0 ? String(first + i + 1) : "";
        return `${number.padStart(width)}  ${row}`;
      })
    ),
  );
}

function lastError(shell: Shell): Drawing {
  const last = shell.lastError();
  if (last === undefined) return new Drawing(["No error so far"]);
  const colors = shell.screen().colors !== "none";
  return new Drawing(Deno.inspect(last.error, { colors }).split("\n"));
}
