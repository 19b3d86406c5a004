/** Networks and their training by jax-js, each one jitted function. */
import { cut, folded } from "./fold.ts";
import {
  convolve,
  type Gradients,
  type Jax,
  type JaxArray,
  pool,
  type Queue,
  runnerOf,
  upload,
} from "./jax_calls.ts";
import {
  type Network,
  networkShapes,
  type NetworkStep,
  operandsOf,
  poolSides,
} from "./networks.ts";
import {
  type HostTensor,
  isTrained,
  type NetworkWork,
  type Runner,
  STEPS,
  type TrainingWork,
} from "./work.ts";

/** The network in evaluation, its batch norms folded. */
export function forwardPass(
  jax: Jax,
  work: NetworkWork,
  [pictures, ...values]: readonly HostTensor[],
  queue: Queue,
): Runner {
  const { network, parameters } = cut(
    folded({ network: work, parameters: values }),
  );
  const inputs = [pictures, ...parameters].map((host) => upload(jax, host));
  const call = jax.jit((x: JaxArray, ...all: JaxArray[]) =>
    run(jax, network, x, all)
  );
  return runnerOf(call, inputs, queue);
}

/** The network's last value. Takes its arguments away. */
function run(
  jax: Jax,
  { shape, steps }: Network,
  x: JaxArray,
  parameters: readonly JaxArray[],
): JaxArray {
  const { values: shapes } = networkShapes({ shape, steps });
  const values = [x];
  const readers = [0, ...steps.map(() => 0)];
  steps.flatMap(operandsOf).forEach((i) => readers[i]++);
  // The last reader takes a value away.
  const take = (i: number) => --readers[i] > 0 ? values[i].ref : values[i];
  let next = 0;
  for (const step of steps) {
    const operands = operandsOf(step).map(take);
    const [, , size] = shapes[operandsOf(step)[0]];
    values.push(apply(jax, step, operands, size, () => parameters[next++]));
  }
  return values[steps.length];
}

/** What a step makes of values, the first of which has planes of `size`. */
function apply(
  jax: Jax,
  step: NetworkStep,
  operands: readonly JaxArray[],
  size: number,
  parameter: () => JaxArray,
): JaxArray {
  const { relu, standardize } = jax.nn;
  const [x, plus] = operands;
  const active = (y: JaxArray) => "relu" in step && step.relu ? relu(y) : y;
  const channels = (values: JaxArray) =>
    values.reshape([1, values.shape[0], 1, 1]);
  switch (step.op) {
    case "conv": {
      let y = convolve(jax, x, parameter(), step.padding, step.stride);
      if (step.bias) y = y.add(channels(parameter()));
      return active(plus ? y.add(plus) : y);
    }
    case "batchNorm": {
      const y = standardize(x, [0, 2, 3], { epsilon: step.eps });
      return y.mul(channels(parameter())).add(channels(parameter()));
    }
    case "scale":
      return active(x.mul(channels(parameter())).add(channels(parameter())));
    case "relu":
      return relu(x);
    case "add":
      return x.add(plus);
    case "maxPool":
      return pool(jax, x, step.kernel, step.stride, poolSides(size, step));
    case "averagePool": {
      const { kernel } = step;
      const window = [kernel, kernel];
      return jax.lax.reduceWindow(x, (w) => jax.numpy.sum(w), window, window)
        .mul(1 / kernel ** 2);
    }
    case "globalAverage":
      return jax.numpy.mean(x, [2, 3]);
    case "flatten": {
      const [batch, ...rest] = x.shape;
      return x.reshape([batch, rest.reduce((a, b) => a * b, 1)]);
    }
    case "concat":
      return jax.numpy.concatenate(operands, 1);
    case "linear":
      return active(
        jax.numpy.matmul(x, parameter().transpose()).add(parameter()),
      );
  }
}

/** A step of gradient descent, one function from parameters to parameters. */
export function trainingStep(
  jax: Jax,
  work: TrainingWork,
  [pictures, labels, ...values]: readonly HostTensor[],
  queue: Queue,
): Runner {
  const { shape: [batch], classes, rate } = work;
  const x = upload(jax, pictures);
  const chosen = new Float32Array(batch * classes);
  labels.data.forEach((label, row) => chosen[row * classes + label] = 1);
  const targets = upload(jax, { data: chosen, shape: [batch, classes] });
  let parameters = values.filter((_, i) => isTrained(work, i))
    .map((value) => upload(jax, value));
  const loss = (p: JaxArray[], x: JaxArray, wanted: JaxArray): JaxArray => {
    const scores = jax.nn.logSoftmax(run(jax, work, x, p), 1);
    return jax.numpy.sum(scores.mul(wanted)).mul(-1 / batch);
  };
  const step = jax.jit((
    p: JaxArray[],
    x: JaxArray,
    wanted: JaxArray,
  ): Gradients => {
    const kept = p.map((value) => value.ref);
    const [value, grads] = jax.valueAndGrad(loss)(p, x, wanted);
    return [value, kept.map((old, i) => old.sub(grads[i].mul(rate)))];
  });
  const advance = (): JaxArray => {
    const [value, moved] = step(parameters, x.ref, targets.ref);
    parameters = moved;
    return value;
  };
  return {
    async run(times) {
      for (let i = 0; i < times; i++) {
        const value = advance();
        await queue.dispatch([value, ...parameters.map((p) => p.ref)]);
      }
      queue.wait();
    },
    async result() {
      const losses: number[] = [];
      for (let i = 0; i < STEPS; i++) losses.push((await advance().data())[0]);
      return Float32Array.from(losses);
    },
    dispose: () => [x, targets, ...parameters].forEach((t) => t.dispose()),
  };
}
