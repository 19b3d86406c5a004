/**
 * Kills training with signal 9 at random moments, again and again: `deno run --allow-all tests/kills.ts 100`.
 *
 * After each kill every checkpoint in the folder must be whole, and the newest at most one interval behind the last step that was made. At the
 * end the run is finished, and its weights are compared with those of a run that nobody killed.
 *
 * Last result, of 100 kills in 44 seconds: { kills: 100, worst: 4, steps: 1730, same: true }
 */
import { decodeSafetensors } from "../core/formats/safetensors.ts";
import { init, nn } from "../mod.ts";
import { bitsOf, smallNet, stripes } from "./support/small_data.ts";

/** Steps between checkpoints. */
const EVERY = 4;

/** Steps of a run that is left alone: more than the killed ones get to. */
const EPOCHS = 4000;

/** What the kills showed. */
export interface KillResult {
  readonly kills: number;
  /** Most steps that a kill cost. */
  readonly worst: number;
  /** Steps of the run. */
  readonly steps: number;
  /** Whether the weights are those of a run that nobody killed, bit by bit. */
  readonly same: boolean;
}

/** Trains in `path` for some epochs, and tells each step that is made. */
async function train(path: string | undefined, epochs: number) {
  await init({ device: "cpu", seed: 3 });
  const net = smallNet();
  const optimizer = new nn.Adam(net.parameters());
  const encoder = new TextEncoder();
  const history = await nn.fit(net, stripes(40), {
    optimizer,
    epochs,
    batchSize: 8,
    onProgress: false,
    ...(path !== undefined && {
      checkpoint: { path, every: EVERY },
      callbacks: {
        onStep: ({ step }) => {
          Deno.stdout.writeSync(encoder.encode(`${step}\n`));
        },
      },
    }),
  });
  const bits = await bitsOf(net);
  net.dispose();
  optimizer.dispose();
  return { bits, steps: history.steps };
}

/** Starts training in a process of its own, kills it some time after its first step, and returns the last step that it told. */
async function killed(path: string): Promise<number> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", import.meta.url, "train", path],
    stdout: "piped",
  }).spawn();
  let text = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  const decoder = new TextDecoder();
  for await (const bytes of child.stdout) {
    text += decoder.decode(bytes);
    timer ??= setTimeout(() => child.kill("SIGKILL"), 300 * Math.random());
  }
  clearTimeout(timer);
  const { signal } = await child.status;
  if (signal !== "SIGKILL") throw new Error("The process ended by itself");
  // A line that was cut off isn't a number of its own.
  return Number(text.slice(0, text.lastIndexOf("\n")).split("\n").at(-1));
}

/** The newest step in a folder. Throws a FileFormatError if any checkpoint is torn. */
async function newestIn(path: string): Promise<number> {
  let newest = 0;
  for await (const { name } of Deno.readDir(path)) {
    if (!name.endsWith(".safetensors")) continue;
    decodeSafetensors(await Deno.readFile(`${path}/${name}`), name);
    newest = Math.max(newest, Number(/\d+/.exec(name)));
  }
  return newest;
}

/** Kills a run `count` times, finishes it, and compares. */
export async function killRuns(count: number): Promise<KillResult> {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/run`;
  try {
    let worst = 0;
    let last = 0;
    for (let i = 0; i < count; i++) {
      last = await killed(path);
      worst = Math.max(worst, last - await newestIn(path));
    }
    // To the end of the epoch after the last kill: five steps each.
    const epochs = Math.floor(last / 5) + 1;
    const finished = await finish(path, epochs);
    const straight = await train(undefined, epochs);
    const same = JSON.stringify([...finished]) ===
      JSON.stringify([...straight.bits]);
    return { kills: count, worst, steps: straight.steps, same };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Goes on with a killed run in this process. */
async function finish(path: string, epochs: number) {
  await init({ device: "cpu", seed: 99 });
  const net = smallNet();
  const optimizer = new nn.Adam(net.parameters());
  await nn.fit(net, stripes(40), {
    optimizer,
    epochs,
    batchSize: 8,
    onProgress: false,
    checkpoint: { path, every: EVERY },
  });
  const bits = await bitsOf(net);
  net.dispose();
  optimizer.dispose();
  return bits;
}

if (import.meta.main) {
  const [first, path] = Deno.args;
  if (first === "train") await train(path, EPOCHS);
  else console.log(await killRuns(Number(first ?? 100)));
}
