/** Every loss with every option: its derivatives by differences. */
import { nn, type Tensor } from "../../mod.ts";
import { onDevice } from "../support/devices.ts";
import { gradcheck, gradgradcheck } from "../support/gradcheck.ts";
import { place } from "../support/layers.ts";
import {
  isSmooth,
  LOSS_CASES,
  type LossFunction,
  lossOptions,
} from "../support/losses.ts";

/** Losses seen so far: gradients are differentiated again in the first case of each. */
const seen = new Set<string>();

for (const given of LOSS_CASES.filter(isSmooth)) {
  const { name, what, x, y, dTarget, options } = given;
  const first = !seen.has(name);
  seen.add(name);
  const title = `${name} ${[what, ...Object.keys(options)].join(", ")}`.trim();
  onDevice(
    "cpu",
    `${title} has its derivatives${first ? ", and those theirs" : ""}`,
    async (device) => {
      const loss: LossFunction = Reflect.get(nn, name);
      const placed = lossOptions(given, device);
      const f = (a: Tensor, b?: Tensor) =>
        loss(a, b ?? place(y, device), placed);
      const samples = (dTarget ? [x, y] : [x]).map(({ shape, values }) => ({
        shape,
        values: Float64Array.from(values),
      }));
      await gradcheck(f, samples);
      if (first) await gradgradcheck(f, samples);
    },
  );
}
