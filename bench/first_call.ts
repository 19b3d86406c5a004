/**
 * How long the first call of a network takes when no shader has ever been compiled: `deno task bench:first-call [--runs N]`.
 *
 * Each run is a process of its own with an empty folder for the driver's cache (Mesa's, by MESA_SHADER_CACHE_DIR; other drivers keep theirs, so
 * that only the first run after an update of theirs is cold) and for the library's own.
 */
import { parseArgs } from "@std/cli/parse-args";
import { init, type Tensor, zeros, zoo } from "../mod.ts";
import { markdown } from "./report.ts";
import { median } from "../core/median.ts";

/** The networks and what they are called with. */
const NETWORKS = {
  "LeNet, [1, 1, 28, 28]": () => {
    const net = zoo.lenet();
    return () => net(zeros([1, 1, 28, 28]));
  },
  "ResNet-18, [1, 3, 224, 224]": () => {
    const net = zoo.resnet18();
    net.eval();
    return () => net(zeros([1, 3, 224, 224]));
  },
} satisfies Record<string, () => () => Tensor>;

type Name = keyof typeof NETWORKS;

/** Milliseconds: opening the device and building the network, its first call, and its second. */
interface Times {
  readonly start: number;
  readonly first: number;
  readonly second: number;
}

/** Calls a network twice, in this process. */
async function callTwice(name: Name): Promise<Times> {
  const started = performance.now();
  await init();
  const call = NETWORKS[name]();
  const laps = [performance.now()];
  for (let i = 0; i < 2; i++) {
    using y = call();
    await y.read();
    laps.push(performance.now());
  }
  const [ready, first, second] = laps;
  return {
    start: ready - started,
    first: first - ready,
    second: second - first,
  };
}

/** Where Deno keeps what it has downloaded: the one cache that isn't measured. */
async function denoFolder(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json"],
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
}

/** The same in a process of its own, with empty caches. */
async function callCold(name: Name): Promise<Times> {
  const folder = await Deno.makeTempDir();
  try {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", import.meta.url, "--once", name],
      env: {
        MESA_SHADER_CACHE_DIR: folder,
        XDG_CACHE_HOME: folder,
        DENO_DIR: await denoFolder(),
      },
      stderr: "inherit",
    }).output();
    return JSON.parse(new TextDecoder().decode(stdout));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function main(): Promise<void> {
  const flags = parseArgs(Deno.args, { string: ["once", "runs"] });
  if (flags.once) {
    console.log(JSON.stringify(await callTwice(flags.once as Name)));
    return;
  }
  const rows: string[][] = [];
  for (const name of Object.keys(NETWORKS) as Name[]) {
    const runs: Times[] = [];
    for (let i = 0; i < Number(flags.runs ?? 3); i++) {
      runs.push(await callCold(name));
    }
    const middle = (of: keyof Times) =>
      median(runs.map((run) => run[of])).toFixed(0);
    rows.push([name, middle("start"), middle("first"), middle("second")]);
  }
  const head = ["network", "device and network, ms", "first call", "second"];
  console.log(markdown(head, rows));
}

await main();
