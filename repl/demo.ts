/**
 * The demo, `deno task demo`: sets the machine up, plays the lesson on LeNet and saves the weights.
 *
 * The exit code is 0, or 1 for an error in the lesson, or 2 where the options are wrong or the permissions don't suffice.
 */
import { parseArgs } from "node:util";
import { deviceText, openDevice } from "./device.ts";
import { playLesson } from "./lesson.ts";
import { readLesson } from "./lessons.ts";
import { libraryHost } from "./library.ts";
import { exitCodeOf, orUsage, seedOf } from "./options.ts";
import { Session } from "./session.ts";
import { ensureAdapter } from "./setup.ts";
import { standardOutput } from "../nn/term/screen.ts";
import { VERSION } from "./version.ts";

const USAGE = `Usage: deno task demo [options]

Builds LeNet layer by layer, trains it on Fashion-MNIST and shows what it has learnt.

      --out FILE      where to save the weights (lenet.safetensors)
      --data FOLDER   the original files of the whole Fashion-MNIST, instead of the part that comes along
      --seed N        start of the random stream (0)
      --no-color      plain text, as with NO_COLOR=1
  -h, --help          this text`;

interface DemoOptions {
  readonly out: string;
  readonly data: string | undefined;
  readonly seed: number;
  readonly color: boolean;
  readonly help: boolean;
}

function parseOptions(args: readonly string[]): DemoOptions {
  const { values } = orUsage(USAGE, () =>
    parseArgs({
      args: [...args],
      allowNegative: true,
      options: {
        out: { type: "string" },
        data: { type: "string" },
        seed: { type: "string" },
        color: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    }));
  return {
    out: values.out ?? "lenet.safetensors",
    data: values.data,
    seed: seedOf(values.seed ?? "0"),
    color: values.color ?? true,
    help: values.help ?? false,
  };
}

/** Plays the demo and gives the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const { out, data, seed, color, help } = parseOptions(args);
  if (help) {
    console.log(USAGE);
    return 0;
  }
  // Whatever draws asks the environment, and so does the lesson for the data.
  if (!color) Deno.env.set("NO_COLOR", "1");
  if (data !== undefined) Deno.env.set("FASHION_MNIST", data);
  const { adapter } = await ensureAdapter();
  await openDevice({ seed, cpu: adapter === null, log: console.log });
  console.log(`Tessera ${VERSION} on ${deviceText()}`);

  const { colors, columns } = standardOutput();
  const session = new Session(libraryHost(colors));
  const { text, ...place } = await readLesson("lenet");
  const save = `
// The weights, in the format that other frameworks read too.
await nn.saveWeights(net, ${JSON.stringify(out)});
`;
  const { failure } = await playLesson(session, text + save, {
    ...place,
    colors,
    print: console.log,
    ...(Deno.stdout.isTerminal() ? { columns } : {}),
  });
  if (failure === undefined) return 0;
  console.error(failure);
  return 1;
}

if (import.meta.main) {
  Deno.exitCode = await exitCodeOf(() => main(Deno.args));
}
