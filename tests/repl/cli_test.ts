import { assertEquals, assertStringIncludes } from "@std/assert";
import { USAGE } from "../../repl/options.ts";

const REPL = new URL("bare_repl.ts", import.meta.url).pathname;

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the REPL with text on its standard input. */
async function repl(
  args: readonly string[],
  input = "",
  permissions = ["--allow-all"],
): Promise<Result> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", ...permissions, REPL, ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { code, stdout, stderr } = await process.output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

Deno.test("from a pipe, values are printed without a prompt, a banner or colours", async () => {
  assertEquals(
    await repl([], "const x = [1, 'a']\nx\nx;\nawait Promise.resolve(x)\n"),
    { code: 0, out: '[ 1, "a" ]\n[ 1, "a" ]\n', err: "" },
  );
});

Deno.test("the first error of a pipe goes to standard error with its row, and the exit code is 1", async () => {
  assertEquals(await repl([], "1\n\nmissing\n2\n"), {
    code: 1,
    out: "1\n",
    err: "stdin:3: ReferenceError: missing is not defined\n",
  });
});

Deno.test("a line that waits in vain is an error", async () => {
  assertEquals(await repl([], "1;\nawait new Promise(() => {})\n"), {
    code: 1,
    out: "",
    err:
      "stdin:2: Error: Cannot go on: the line waits for something that nothing will bring about\n",
  });
});

Deno.test("timers of a pipe's lines run out before the end", async () => {
  assertEquals(
    await repl([], "setTimeout(() => console.log('late'), 20);\n1\n"),
    { code: 0, out: "1\nlate\n", err: "" },
  );
});

Deno.test("an error that no line waits for ends a pipe", async () => {
  assertEquals(await repl([], "Promise.reject(new Error('alone')); 1;\n"), {
    code: 1,
    out: "",
    err: "Uncaught Error: alone\n",
  });
});

Deno.test("files are run in turn, with imports relative to them, and then the text of -e", async () => {
  const folder = await Deno.makeTempDir();
  const [first, second] = ["first.ts", "second.ts"].map((n) =>
    `${folder}/${n}`
  );
  await Deno.writeTextFile(`${folder}/part.ts`, "export const part = 20;\n");
  await Deno.writeTextFile(
    first,
    'import { part } from "./part.ts";\nlet sum: number = part;\nsum += 1\n',
  );
  await Deno.writeTextFile(second, "\nsum *= 2\n");
  assertEquals(await repl([first, second, "-e", "sum + 1"]), {
    code: 0,
    out: "21\n42\n43\n",
    err: "",
  });
  await Deno.writeTextFile(second, "\nsum.no.such\n");
  assertEquals(await repl([first, second]), {
    code: 1,
    out: "21\n",
    err:
      `${second}:2: TypeError: Cannot read properties of undefined (reading 'such')\n`,
  });
  await Deno.remove(folder, { recursive: true });
  const missing = await repl([first]);
  assertEquals([missing.code, missing.out], [1, ""]);
  assertStringIncludes(missing.err, `Cannot read ${first}: No such file`);
});

Deno.test("wrong options and missing permissions are told, with exit code 2", async () => {
  assertEquals(await repl(["--help"]), { code: 0, out: `${USAGE}\n`, err: "" });
  const unknown = await repl(["--nope"]);
  assertEquals([unknown.code, unknown.out], [2, ""]);
  assertStringIncludes(unknown.err, "Unknown option '--nope'");
  assertStringIncludes(unknown.err, USAGE);
  const seed = await repl(["--seed", "-1.5"]);
  assertEquals(seed.code, 2);
  assertEquals(await repl(["-e", "1"], "", ["--allow-read", "--allow-env"]), {
    code: 2,
    out: "",
    err:
      "Cannot start the evaluator: it needs the permission --allow-sys, without a list behind it\n",
  });
});
