/** Networks and their training by TensorFlow.js, in the calls that do most at once. */
import { cut, folded } from "./fold.ts";
import {
  type Network,
  networkShapes,
  type NetworkStep,
  operandsOf,
  poolSides,
} from "./networks.ts";
import { NHWC, type Tf, type TfTensor } from "./tfjs_calls.ts";
import {
  type HostTensor,
  isTrained,
  type NetworkWork,
  type Runner,
  STEPS,
  type TrainingWork,
} from "./work.ts";

/** The network in evaluation, its batch norms folded as its converter folds them, and each convolution with its bias and ReLU one call. */
export function forwardPass(
  tf: Tf,
  work: NetworkWork,
  [pictures, ...values]: readonly HostTensor[],
  finish: () => void,
): Runner {
  const { network, parameters } = cut(
    folded({ network: work, parameters: values }),
  );
  const x = picturesOf(tf, pictures);
  const inputs = laidOut(tf, network, parameters).map((t) => tf.keep(t));
  const call = () => tf.tidy(() => run(tf, network, x, inputs));
  return {
    run(times) {
      for (let i = 0; i < times; i++) call().dispose();
      finish();
      return Promise.resolve();
    },
    async result() {
      const y = call();
      const values = await y.data();
      y.dispose();
      return values;
    },
    dispose: () => [x, ...inputs].forEach((input) => input.dispose()),
  };
}

function picturesOf(tf: Tf, { data, shape }: HostTensor): TfTensor {
  return tf.keep(tf.tidy(() => tf.tensor(data, shape).transpose(NHWC)));
}

/** Parameters as channels that come last want them. */
function laidOut(
  tf: Tf,
  network: Network,
  parameters: readonly HostTensor[],
): TfTensor[] {
  const { values, parameters: expected } = networkShapes(network);
  let next = 0;
  return network.steps.flatMap((step, i) => {
    // A linear layer after planes that were made flat reads them in their other order.
    const before = step.op === "linear" && step.of > 0
      ? network.steps[step.of - 1]
      : undefined;
    const planes = before?.op === "flatten" ? values[before.of] : undefined;
    const own = expected[i].map(({ kind }) => {
      // Running statistics are spared.
      if (kind === "mean" || kind === "variance") return [];
      const { data, shape } = parameters[next++];
      return [tf.tidy(() => {
        const value = tf.tensor(data, shape);
        if (kind !== "weight") return value;
        if (shape.length === 4) return value.transpose([2, 3, 1, 0]);
        const rows = planes
          ? value.reshape([shape[0], ...planes.slice(1)])
            .transpose(NHWC).reshape(shape)
          : value;
        return wantsRows(tf) ? rows : rows.transpose([1, 0]);
      })];
    }).flat();
    if (step.op !== "scale") return own;
    // A batch norm of this mean and variance is one dispatch, where a product and a sum would be two.
    const { shape } = own[0];
    return [...own, tf.zeros(shape), tf.ones(shape)];
  });
}

/** Whether a linear layer's weight is to have a row for each output: WebGPU is three times as fast then, and WebAssembly wrong by up to a fifth. */
function wantsRows(tf: Tf): boolean {
  return tf.getBackend() === "webgpu";
}

function run(
  tf: Tf,
  network: Network,
  x: TfTensor,
  parameters: readonly TfTensor[],
): TfTensor {
  const values = [x];
  let next = 0;
  for (const step of network.steps) {
    const operands = operandsOf(step).map((i) => values[i]);
    values.push(apply(tf, step, operands, () => parameters[next++]));
  }
  return values[network.steps.length];
}

function apply(
  tf: Tf,
  step: NetworkStep,
  operands: readonly TfTensor[],
  parameter: () => TfTensor,
): TfTensor {
  const [x, plus] = operands;
  const activation = "relu" in step && step.relu ? "relu" : "linear";
  const active = (y: TfTensor) => activation === "relu" ? y.relu() : y;
  switch (step.op) {
    case "conv": {
      const filter = parameter();
      const y = tf.fused.conv2d({
        x,
        filter,
        strides: step.stride,
        pad: step.padding,
        dataFormat: "NHWC",
        dimRoundingMode: "floor",
        bias: step.bias ? parameter() : undefined,
        activation: plus ? "linear" : activation,
      });
      return plus ? active(y.add(plus)) : y;
    }
    case "batchNorm": {
      const { mean, variance } = tf.moments(x, [0, 1, 2]);
      const [weight, bias] = [parameter(), parameter()];
      return tf.batchNorm(x, mean, variance, bias, weight, step.eps);
    }
    case "scale": {
      const [factor, summand] = [parameter(), parameter()];
      const [mean, variance] = [parameter(), parameter()];
      return active(tf.batchNorm(x, mean, variance, summand, factor, 0));
    }
    case "relu":
      return x.relu();
    case "add":
      return x.add(plus);
    case "maxPool": {
      const { kernel, stride, padding } = step;
      const [before, after] = poolSides(x.shape[1], step);
      if (before === after) {
        return tf.maxPool(x, kernel, stride, padding, "floor");
      }
      const sides = [before, after] as const;
      return tf.maxPool(x, kernel, stride, [[0, 0], sides, sides, [0, 0]]);
    }
    case "averagePool":
      return tf.avgPool(x, step.kernel, step.kernel, "valid");
    case "globalAverage":
      return x.mean([1, 2]);
    case "flatten": {
      const [batch, ...rest] = x.shape;
      return x.reshape([batch, rest.reduce((a, b) => a * b, 1)]);
    }
    case "concat":
      return tf.concat(operands, x.shape.length - 1);
    case "linear": {
      const [b, bias] = [parameter(), parameter()];
      return tf.fused.matMul({
        a: x,
        b,
        transposeB: wantsRows(tf),
        bias,
        activation,
      });
    }
  }
}

/** A step of gradient descent by its optimiser. */
export function trainingStep(
  tf: Tf,
  work: TrainingWork,
  [pictures, labels, ...values]: readonly HostTensor[],
  finish: () => void,
): Runner {
  const { classes, rate } = work;
  const x = picturesOf(tf, pictures);
  const targets = tf.keep(
    tf.tidy(() =>
      tf.oneHot(tf.tensor1d(Int32Array.from(labels.data), "int32"), classes)
    ),
  );
  const trained = values.filter((_, i) => isTrained(work, i));
  const parameters = laidOut(tf, work, trained).map((t) => tf.variable(t));
  const optimizer = tf.train.sgd(rate);
  const loss = () =>
    tf.losses.softmaxCrossEntropy(targets, run(tf, work, x, parameters));
  return {
    run(times) {
      for (let i = 0; i < times; i++) optimizer.minimize(loss, true).dispose();
      finish();
      return Promise.resolve();
    },
    async result() {
      const losses: number[] = [];
      for (let i = 0; i < STEPS; i++) {
        const value = optimizer.minimize(loss, true);
        losses.push((await value.data())[0]);
        value.dispose();
      }
      return Float32Array.from(losses);
    },
    dispose: () => [x, targets, ...parameters].forEach((t) => t.dispose()),
  };
}
