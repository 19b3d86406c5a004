import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url);

/** A user's script: it knows nothing of the repository but its address. */
function script(origin: string): string {
  return `import { init, nn, tensor, zoo } from "${origin}/mod.ts";

await init({ seed: 0 });
const net = zoo.lenet();
const pixels = Float32Array.from({ length: 4 * 784 }, (_, i) => (i % 29) / 29);
const x = tensor(pixels, { shape: [4, 1, 28, 28] });
const labels = tensor([3, 1, 4, 1], { dtype: "i32" });

const loss = nn.crossEntropy(net(x), labels);
loss.backward();
new nn.SGD(net.parameters(), { lr: 0.1 }).step();
const after = nn.crossEntropy(net(x), labels);
console.log(JSON.stringify([await loss.item(), await after.item()]));
`;
}

/** Serves the repository as plain text while `body` runs, in a folder of its own. */
async function served<T>(
  body: (host: string, folder: string) => Promise<T>,
): Promise<T> {
  const folder = await Deno.makeTempDir();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async ({ url }) => {
      try {
        const { pathname } = new URL(url);
        const bytes = await Deno.readFile(new URL(`.${pathname}`, ROOT));
        const headers = { "content-type": "text/plain; charset=utf-8" };
        return new Response(bytes, { headers });
      } catch {
        return new Response("not found", { status: 404 });
      }
    },
  );
  try {
    return await body(`127.0.0.1:${server.addr.port}`, folder);
  } finally {
    await server.shutdown();
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs deno in a folder and gives what it wrote. */
async function deno(cwd: string, args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  assert(success, decoder.decode(stderr));
  return decoder.decode(stdout);
}

/** Runs deno on the script in a folder of its own. */
function runFromUrl(
  command: "run" | "check",
  options: readonly string[] = [],
): Promise<string> {
  return served(async (host, folder) => {
    await Deno.writeTextFile(`${folder}/train.ts`, script(`http://${host}`));
    const allowed = `--allow-import=${host}`;
    return await deno(folder, [command, ...options, allowed, "train.ts"]);
  });
}

Deno.test("a script elsewhere imports mod.ts from a URL, with no other permission, and trains a step of LeNet", async () => {
  const losses: number[] = JSON.parse(
    await runFromUrl("run", ["--no-prompt"]),
  );
  assertEquals(losses.length, 2);
  const [before, after] = losses;
  assert(Number.isFinite(before), `loss ${before}`);
  assert(after < before, `loss ${before}, then ${after}`);
});

Deno.test("a script elsewhere that imports mod.ts from a URL passes the type check", async () => {
  await runFromUrl("check");
});

Deno.test("the REPL runs from a URL, with its commands and help", async () => {
  const code = ".vars\nones([2, 2]).sum().item()\n?relu\n";
  const text = await served((host, folder) =>
    deno(folder, ["run", "-A", `http://${host}/repl/main.ts`, "-e", code])
  );
  assertEquals(text.split("\n").slice(0, 3), [
    "No variables",
    "4",
    "relu(x: Tensor): Tensor",
  ]);
});
