/** What the fixtures hold of each layer, loss, optimiser and schedule: the arguments that occur, and what is compared. */
import losses from "../fixtures/losses.json" with { type: "json" };
import optimizers from "../fixtures/optimizers.json" with { type: "json" };
import schedules from "../fixtures/schedules.json" with { type: "json" };
import { isDifferentiable, LAYER_CASES } from "../support/layers.ts";
import { isSmooth, LOSS_CASES, LOSS_LAYERS } from "../support/losses.ts";

/** What occurs in the fixtures under a name. */
export class Seen {
  /** Cases that are compared with PyTorch. */
  cases = 0;
  /** Those whose gradients are compared too. */
  gradients = 0;
  /** Those that are compared with differences; gradients of the first are differentiated again. */
  differences = 0;
  /** Positional arguments that are given. */
  positions = 0;
  /** Values of each option, as JSON. */
  readonly options = new Map<string, Set<string>>();

  add(positional: readonly unknown[], options: object): void {
    this.cases++;
    this.positions = Math.max(this.positions, positional.length);
    for (const [name, value] of Object.entries(options)) {
      const values = this.options.get(name) ?? new Set();
      this.options.set(name, values.add(JSON.stringify(value)));
    }
  }
}

function isOptions(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What the fixtures hold, by the name of the class. */
export function seenInFixtures(): Map<string, Seen> {
  const found = new Map<string, Seen>();
  const of = (name: string): Seen => {
    const seen = found.get(name) ?? new Seen();
    found.set(name, seen);
    return seen;
  };
  for (const given of LAYER_CASES) {
    const { layer, arguments: args, dx, gradients } = given;
    const seen = of(layer);
    const last = args.at(-1);
    if (isOptions(last)) seen.add(args.slice(0, -1), last);
    else seen.add(args, {});
    const some = dx.some((x) => x) || Object.keys(gradients).length > 0;
    if (some) seen.gradients++;
    if (isDifferentiable(given)) seen.differences++;
  }
  for (const { name, options, reduction } of losses.cases) {
    const seen = of(LOSS_LAYERS[name]);
    seen.add([], { ...options, reduction });
    seen.gradients++;
  }
  for (const given of LOSS_CASES.filter(isSmooth)) {
    of(LOSS_LAYERS[given.name]).differences++;
  }
  for (const { optimizer, options, second } of optimizers.cases) {
    of(optimizer).add([0], { ...options, ...(second ?? {}) });
  }
  const schedule = (name: string, first: unknown[], second: unknown) => {
    // An optimiser comes before what the fixture lists.
    const rest = Array.isArray(second) ? [first, second] : first;
    of(name).add([0, ...rest], isOptions(second) ? second : {});
  };
  for (const { name, first, second } of schedules.cases) {
    schedule(name, first, second);
  }
  return found;
}
