/** Copies of the repository in which faults are tried, a process of `deno test` at a time. */
import { importsOf, listFiles } from "../support/tree.ts";

const ROOT = new URL("../../", import.meta.url);

/** How a run of a test file ended. `invalid`: the fault doesn't compile, so there was nothing to test. */
export type Verdict = "passed" | "failed" | "timeout" | "invalid";

/** A copy of the repository, alone with its shader cache. */
export interface Copy {
  readonly folder: string;
  readonly shaderCache: string;
  /** The process that runs in it. */
  running?: Deno.ChildProcess;
}

/** Copies what tests need into a temporary folder. */
export async function copyTree(): Promise<Copy> {
  const folder = await Deno.makeTempDir({ prefix: "tessera-mutation-" });
  await copyFolder(ROOT, new URL(`file://${folder}/tree/`));
  return { folder: `${folder}/tree`, shaderCache: `${folder}/shaders` };
}

async function copyFolder(from: URL, to: URL): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isFile, isDirectory } of Deno.readDir(from)) {
    if (name.startsWith(".") || name === "node_modules") continue;
    if (isFile) await Deno.copyFile(new URL(name, from), new URL(name, to));
    if (isDirectory) {
      await copyFolder(new URL(`${name}/`, from), new URL(`${name}/`, to));
    }
  }
}

/** Ends what runs in a copy and takes it away. */
export async function removeCopy({ folder, running }: Copy): Promise<void> {
  running?.kill("SIGKILL");
  await running?.status;
  await Deno.remove(folder.replace(/\/tree$/, ""), { recursive: true });
}

/** Runs a test file of a copy until its first failure, for `seconds` at most. */
export async function runTest(
  copy: Copy,
  test: string,
  seconds: number,
): Promise<{ verdict: Verdict; output: string }> {
  const { folder, shaderCache } = copy;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "--allow-all", "--no-check", "--fail-fast", test],
    cwd: folder,
    env: {
      NO_COLOR: "1",
      XDG_RUNTIME_DIR: Deno.env.get("XDG_RUNTIME_DIR") ?? folder,
      MESA_SHADER_CACHE_DIR: shaderCache,
      LP_NUM_THREADS: "1",
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  copy.running = child;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, seconds * 1000);
  const { stdout, stderr } = await child.output();
  clearTimeout(timer);
  copy.running = undefined;
  const decoder = new TextDecoder();
  const output = decoder.decode(stdout) + decoder.decode(stderr);
  return { verdict: late ? "timeout" : judge(output), output };
}

/**
 * What the output of `deno test` says. Its exit code isn't asked: some drivers abort a process that exits after all tests have passed. A process
 * that ended before its summary has crashed, which is a failure.
 */
export function judge(output: string): Verdict {
  if (/^ok \| \d+ passed/m.test(output)) return "passed";
  const broken =
    /Shader '.*' parsing error|Shader validation error|shader error|could not be parsed/i;
  return broken.test(output) ? "invalid" : "failed";
}

/** The test files that should catch a fault in a file, the nearest first. */
export type TestsOf = (file: string, family: string) => string[];

/**
 * Finds tests by imports: those of `tests/wgsl/` that reach the file without leaving the kernel library, and import something of the family
 * themselves. The fewer imports away, the earlier.
 */
export async function mapTests(): Promise<TestsOf> {
  const tests = (await listFiles("_test.ts")).filter((file) =>
    file.startsWith("tests/wgsl/")
  );
  const edges = new Map<string, string[]>();
  for (const { from, to, typeOnly } of await importsOf(tests)) {
    if (to === undefined || typeOnly || !/^(wgsl|tests)\//.test(to)) continue;
    edges.set(from, [...(edges.get(from) ?? []), to]);
  }
  const reaches = new Map(
    tests.map((test) => [test, distancesFrom(test, edges)]),
  );
  return (file, family) =>
    tests
      .filter((test) =>
        reaches.get(test)!.has(file) &&
        edges.get(test)?.some((to) => to.startsWith(`wgsl/${family}/`))
      )
      .map((test) => ({ test, distance: reaches.get(test)!.get(file)! }))
      .sort((a, b) => a.distance - b.distance)
      .map(({ test }) => test);
}

function distancesFrom(
  start: string,
  edges: ReadonlyMap<string, readonly string[]>,
): Map<string, number> {
  const distances = new Map([[start, 0]]);
  for (const [file, distance] of distances) {
    for (const to of edges.get(file) ?? []) {
      if (!distances.has(to)) distances.set(to, distance + 1);
    }
  }
  return distances;
}
