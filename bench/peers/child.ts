/** The process of one library, which its first argument names: see process.ts. */
import { countDispatches } from "./dispatches.ts";
import { lines } from "./lines.ts";
import { type Answers, type Library, MARK, type Request } from "./process.ts";
import { dataOf, type Peer, type Runner, WORK } from "./work.ts";

/** Imported when needed, as each brings its package along. */
const OPEN: Readonly<Record<Library, () => Promise<Peer>>> = {
  "tessera": async () => (await import("./ours.ts")).openOurs("eager"),
  "tessera-compiled": async () =>
    (await import("./ours.ts")).openOurs("compiled"),
  "tfjs-webgpu": async () => (await import("./tfjs.ts")).openTfjs("webgpu"),
  "tfjs-wasm": async () => (await import("./tfjs.ts")).openTfjs("wasm"),
  "jax-webgpu": async () => (await import("./jax.ts")).openJax("webgpu"),
  "jax-wasm": async () => (await import("./jax.ts")).openJax("wasm"),
  "ort-webgpu": async () => (await import("./ort.ts")).openOrt("webgpu"),
  "ort-wasm": async () => (await import("./ort.ts")).openOrt("wasm"),
};

let runner: Runner | undefined;

/** The result first, as training changes it, then a run that counts. */
async function prepare(
  library: Library,
  id: string,
  file: string,
): Promise<Answers["prepare"]> {
  const work = WORK.find((one) => one.id === id)!;
  const peer = await OPEN[library]();
  const ready = await peer.prepare(work, dataOf(work));
  runner = ready;
  const result = await ready.result();
  await Deno.writeFile(
    file,
    new Uint8Array(result.buffer, result.byteOffset, result.byteLength),
  );
  const { dispatches, ms } = await countDispatches(() => ready.run(1));
  if (peer.device === "webgpu" && dispatches === 0) {
    throw new Error("nothing was dispatched");
  }
  return { name: peer.name, dispatches, ms };
}

async function run(times: number): Promise<Answers["run"]> {
  const start = performance.now();
  await runner!.run(times);
  return { ms: performance.now() - start };
}

async function peak(): Promise<Answers["peak"]> {
  const { openBench } = await import("../support.ts");
  const { measurePeaks } = await import("../limits/limits.ts");
  const { flops } = await measurePeaks(await openBench());
  return { flops };
}

async function answer(
  library: Library,
  request: Request,
): Promise<Answers[Request["ask"]] | { readonly error: string }> {
  try {
    switch (request.ask) {
      case "prepare":
        return await prepare(library, request.work, request.file);
      case "run":
        return await run(request.times);
      case "peak":
        return await peak();
    }
  } catch (error) {
    const message = String((error as Error)?.message ?? error);
    return { error: message.split("\n").slice(0, 2).join(" ") };
  }
}

const [library] = Deno.args;
for await (const line of lines(Deno.stdin.readable)) {
  const said = await answer(library as Library, JSON.parse(line));
  const bytes = new TextEncoder().encode(`${MARK}${JSON.stringify(said)}\n`);
  await Deno.stdout.write(bytes);
}
