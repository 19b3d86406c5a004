import { assertEquals } from "@std/assert";

const REPL = new URL("../../repl/main.ts", import.meta.url).pathname;

Deno.test("hundreds of lines leave live memory where it was, whichever variables they declare again", async () => {
  const lines = ["const net = zoo.lenet()", "memory().bytes"];
  for (let i = 0; i < 60; i++) {
    lines.push(
      "let x = randn([32, 32]);",
      `const y${i % 5} = x.matmul(x).sum();`,
      `y${i % 5}.add(${i}).item();`,
      "net(zeros([1, 1, 28, 28]));",
    );
  }
  lines.push("x = y0 = y1 = y2 = y3 = y4 = 0;", "memory().bytes");
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", REPL],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode(lines.join("\n")));
  await writer.close();
  const { code, stdout, stderr } = await process.output();
  assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
  const [before, after] = new TextDecoder().decode(stdout).trim().split("\n");
  // LeNet's 61,706 parameters.
  assertEquals([before, after], ["246824", "246824"]);
});

Deno.test("thousands of lines without a pause between them don't end the process", async () => {
  const text = "const many = 1;\n".repeat(3000) + "many\n";
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(file, text);
  const bare = new URL("bare_repl.ts", import.meta.url).pathname;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", bare, file],
  }).output();
  await Deno.remove(file);
  const [out, err] = [stdout, stderr].map((b) => new TextDecoder().decode(b));
  assertEquals([code, out, err], [0, "1\n", ""]);
});
