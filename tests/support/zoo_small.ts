/** The zoo's networks at sizes that tests can afford. */
import { nn, noGrad, rand, randn, scope, zoo } from "../../mod.ts";

/** How a network is built small: options, and the shape of one picture. */
interface Small {
  readonly options: Readonly<Record<string, unknown>>;
  readonly input: readonly number[];
}

/** A small form of a network of `zoo.list()`. */
function smallForm(name: string): Small {
  if (name === "lenet") return { options: {}, input: [1, 28, 28] };
  if (name === "alexnet") {
    return { options: { classes: 10 }, input: [3, 63, 63] };
  }
  if (name.startsWith("vgg")) {
    const options = { variant: "d2l", widthDivisor: 8, inputSize: 32 };
    return { options, input: [1, 32, 32] };
  }
  if (name === "nin") return { options: {}, input: [1, 67, 67] };
  if (/^inception_v[34]/.test(name)) {
    return { options: { classes: 10 }, input: [3, 75, 75] };
  }
  if (/^(resnet|plain)\d+$/.test(name)) {
    const options = { classes: 10, width: 8, stem: "small" };
    return { options, input: [3, 16, 16] };
  }
  if (name === "resnet18_d2l") {
    return { options: { width: 8 }, input: [1, 32, 32] };
  }
  if (name === "densenet_d2l") {
    return { options: { growthRate: 8, initFeatures: 16 }, input: [1, 32, 32] };
  }
  return { options: { classes: 10 }, input: [3, 32, 32] };
}

/** A network in evaluation whose batch norms have seen something, and its picture's shape. */
export async function smallNetwork(
  name: string,
): Promise<{ readonly net: nn.Module; readonly input: readonly number[] }> {
  const { options, input } = smallForm(name);
  const net = (await zoo.create(name, options)).eval();
  stirNorms(net);
  return { net, input };
}

/** Gives batch norms statistics and factors that aren't those of the start. */
export function stirNorms(net: nn.Module): void {
  for (const [, module] of net.namedModules()) {
    if (!(module instanceof nn.BatchNorm2d)) continue;
    const { running_mean, running_var, weight, bias, numFeatures } = module;
    const shape = [numFeatures];
    using _ = scope();
    noGrad(() => {
      running_mean?.assign(randn(shape, { std: 0.2 }));
      running_var?.assign(rand(shape).add(0.5));
      weight?.assign(rand(shape).add(0.5));
      bias?.assign(randn(shape, { std: 0.2 }));
    });
  }
}
