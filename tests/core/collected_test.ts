import { assert, assertEquals } from "@std/assert";

const CHILD = new URL("../support/collected.ts", import.meta.url);

for (const device of ["webgpu", "cpu"]) {
  Deno.test(`the garbage collector frees what no variable and no scope holds (${device})`, async () => {
    const { success, stdout, stderr } = await new Deno.Command(
      Deno.execPath(),
      {
        args: [
          "run",
          "--allow-all",
          "--no-check",
          "--v8-flags=--expose-gc",
          CHILD.href,
          device,
        ],
      },
    ).output();
    const decoder = new TextDecoder();
    assert(success, decoder.decode(stderr));
    assertEquals(JSON.parse(decoder.decode(stdout)), {
      "results of calls": [0, 0, 0],
      "the past of a running value": [1, 1, 16],
      "graphs that backward never ran through": [1, 1, 16],
      "a training loop": [2, 2, 40],
      "a leaf and its gradient": [0, 0, 0],
      "a module": [1, 1, 12],
    });
  });
}
