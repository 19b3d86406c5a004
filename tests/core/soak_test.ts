import { assert, assertEquals } from "@std/assert";

const CHILD = new URL("../support/soak.ts", import.meta.url);

/** How far the process may grow in the second half of the steps: noise of the allocators, far less than a page a step. */
const GROWTH = 3 * 2 ** 20;

for (const [device, steps] of [["webgpu", 10_000], ["cpu", 2000]] as const) {
  const title = steps.toLocaleString("en");
  Deno.test(`${title} training steps leave memory where it was after the tenth (${device})`, async () => {
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
          String(steps),
        ],
      },
    ).output();
    const decoder = new TextDecoder();
    assert(success, decoder.decode(stderr));
    const { live, resident, losses } = JSON.parse(decoder.decode(stdout));
    assertEquals(live.length, 21);
    const [first] = live;
    for (const later of live) assertEquals(later, first);
    const growth = resident[20] - resident[10];
    assert(growth < GROWTH, `grew by ${growth} bytes: ${resident}`);
    assert(losses.at(-1) < losses[0] / 10, `${losses[0]} → ${losses.at(-1)}`);
  });
}
