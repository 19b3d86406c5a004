/** Networks of the zoo against what tests/fixtures/families.py computed. */
import { nn, noGrad, scope } from "../../mod.ts";
import wanted from "../fixtures/families.json" with { type: "json" };
import { assertLogits, assertNames, fill, picture } from "./made_up.ts";

/** Expects a network's names, shapes and logits in evaluation to be those of its namesake in PyTorch. */
export async function assertFamily(
  name: keyof typeof wanted.networks,
  make: () => nn.Module,
): Promise<void> {
  using _ = scope();
  const { names, number, ...want } = wanted.networks[name];
  const net = nn.init.skipInit(make).eval();
  await assertNames(net, names);
  fill(net);
  const x = picture(want.picture, number);
  await assertLogits(noGrad(() => net(x)), want);
  net.dispose();
}
