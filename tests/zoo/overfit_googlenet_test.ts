/** A GoogLeNet without batch norm, which wants small steps, learns eight pictures by heart. */
import { init, zoo } from "../../mod.ts";
import { assertOverfits } from "../support/overfit.ts";

Deno.test("d2l's GoogLeNet learns eight pictures by heart", async () => {
  await init({ seed: 0 });
  const net = zoo.googlenet({ variant: "d2l" });
  await assertOverfits(net, { shape: [1, 32, 32], lr: 2e-4 });
  net.dispose();
});
