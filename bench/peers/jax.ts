/**
 * jax-js on WebGPU and, for orientation, on WebAssembly. Functions are jitted, as its documentation advises.
 *
 * Functions take their arguments away unless they are given a `.ref`. Nothing is dispatched before a result is asked for; asking for its buffer
 * dispatches without a map of its own, so that the wait can be that of all others.
 */
import { waitFor } from "../support.ts";
import type { NetworkWork } from "./networks.ts";
import {
  EPS,
  type HostTensor,
  LEARNING_RATE,
  type LeNetWork,
  type Peer,
  type Runner,
  STEPS,
  type Work,
} from "./work.ts";

/** An array of jax-js, as far as it is used here. */
interface JaxArray {
  readonly ref: JaxArray;
  readonly shape: readonly number[];
  data(): Promise<Float32Array>;
  gpuBuffer(): Promise<GPUBuffer>;
  dispose(): void;
  add(other: JaxArray): JaxArray;
  sub(other: JaxArray): JaxArray;
  mul(other: JaxArray | number): JaxArray;
  neg(): JaxArray;
  transpose(): JaxArray;
  reshape(shape: readonly number[]): JaxArray;
}

type JaxFunction = (...args: JaxArray[]) => JaxArray;
type Gradients = [JaxArray, JaxArray[]];

/** The package, as far as it is used here. */
interface Jax {
  init(...devices: string[]): Promise<string[]>;
  devicePut(x: JaxArray, device: string): Promise<JaxArray>;
  defaultDevice(device: string): string;
  getWebGPUDevice(): GPUDevice;
  blockUntilReady<T>(x: T): Promise<T>;
  jit<F>(f: F): F;
  valueAndGrad(
    f: (parameters: JaxArray[], ...rest: JaxArray[]) => JaxArray,
  ): (parameters: JaxArray[], ...rest: JaxArray[]) => Gradients;
  readonly numpy: {
    array(
      data: Float32Array,
      options: { shape: readonly number[] },
    ): JaxArray;
    matmul(a: JaxArray, b: JaxArray): JaxArray;
    max(x: JaxArray): JaxArray;
    sum(x: JaxArray, axes?: readonly number[]): JaxArray;
    mean(x: JaxArray, axes: readonly number[]): JaxArray;
    pad(
      x: JaxArray,
      sides: readonly (readonly number[])[],
    ): JaxArray;
  };
  readonly nn: {
    relu(x: JaxArray): JaxArray;
    softmax(x: JaxArray, axis: number): JaxArray;
    logSoftmax(x: JaxArray, axis: number): JaxArray;
    standardize(
      x: JaxArray,
      axes: readonly number[],
      options: { epsilon: number },
    ): JaxArray;
  };
  readonly lax: {
    convGeneralDilated(
      x: JaxArray,
      w: JaxArray,
      strides: readonly number[],
      padding: readonly (readonly number[])[],
      options: { featureGroupCount?: number },
    ): JaxArray;
    reduceWindow(
      x: JaxArray,
      fold: (x: JaxArray) => JaxArray,
      window: readonly number[],
      strides: readonly number[],
    ): JaxArray;
  };
}

/** Deno's own, for its wasm device: another library's start puts Node's in its place. */
const { Worker } = globalThis;

const PACKAGE: string = "npm:@jax-js/jax@0.1.25";

/** Opens the library on one of its devices. */
export async function openJax(device: "webgpu" | "wasm"): Promise<Peer> {
  const jax: Jax = await import(PACKAGE);
  const ready = await jax.init(device);
  if (!ready.includes(device)) {
    throw new Error(`jax-js can't start its ${device} device`);
  }
  const queue: Queue = device === "webgpu"
    ? {
      async dispatch(results) {
        await Promise.all(results.map((result) => result.gpuBuffer()));
      },
      wait: () => waitFor(jax.getWebGPUDevice()),
    }
    : {
      async dispatch(results) {
        await jax.blockUntilReady(results);
        results.forEach((result) => result.dispose());
      },
      wait() {},
    };
  return {
    name: `jax-js ${device}`,
    device: device === "webgpu" ? "webgpu" : "cpu",
    prepare(work, data) {
      globalThis.Worker = Worker;
      jax.defaultDevice(device);
      return Promise.resolve(
        work.kind === "lenet"
          ? lenet(jax, work, data, queue)
          : forward(jax, work, data, queue),
      );
    },
  };
}

interface Queue {
  /** Dispatches what the results need and lets go of them. */
  dispatch(results: readonly JaxArray[]): Promise<void>;
  /** Returns when the device is done. */
  wait(): void;
}

function upload(jax: Jax, { data, shape }: HostTensor): JaxArray {
  return jax.numpy.array(data.slice(), { shape });
}

function convolve(
  { lax }: Jax,
  x: JaxArray,
  w: JaxArray,
  padding: number,
  stride = 1,
  groups = 1,
): JaxArray {
  const sides = [padding, padding];
  return lax.convGeneralDilated(x, w, [stride, stride], [sides, sides], {
    featureGroupCount: groups,
  });
}

function pool(
  { lax, numpy }: Jax,
  x: JaxArray,
  kernel: number,
  stride: number,
): JaxArray {
  return lax.reduceWindow(
    x,
    (window) => numpy.max(window),
    [kernel, kernel],
    [stride, stride],
  );
}

function forward(
  jax: Jax,
  work: Exclude<Work, LeNetWork>,
  data: readonly HostTensor[],
  queue: Queue,
): Runner {
  const inputs = data.map((host) => upload(jax, host));
  const call = jax.jit<JaxFunction>((x, w, ...more) => {
    switch (work.kind) {
      case "network":
        return network(jax, work, [x, w, ...more]);
      case "matmul":
        return jax.numpy.matmul(x, w);
      case "conv":
        return convolve(jax, x, w, work.padding, work.stride, work.groups);
      case "maxPool":
        return pool(jax, x, work.kernel, work.stride);
      case "softmax":
        return jax.nn.softmax(x, 1);
      case "sum":
        return jax.numpy.sum(x, [0, 2, 3]);
      case "average":
        return jax.numpy.mean(x, [2, 3]);
      case "batchNorm":
        return jax.nn.standardize(x, [0, 2, 3], { epsilon: EPS });
    }
  });
  const run = () => call(...inputs.map((input) => input.ref));
  return {
    async run(times) {
      for (let i = 0; i < times; i++) await queue.dispatch([run()]);
      queue.wait();
    },
    result: () => run().data(),
    dispose: () => inputs.forEach((input) => input.dispose()),
  };
}

function network(
  jax: Jax,
  { steps }: NetworkWork,
  [x, ...parameters]: readonly JaxArray[],
): JaxArray {
  const { relu } = jax.nn;
  const values = [x];
  const readers = [0, ...steps.map(() => 0)];
  const operands = steps.map((step) =>
    step.op === "conv" && step.plus !== undefined
      ? [step.of, step.plus]
      : [step.of]
  );
  operands.flat().forEach((i) => readers[i]++);
  // The last reader takes a value away.
  const take = (i: number) => --readers[i] > 0 ? values[i].ref : values[i];
  let next = 0;
  for (const step of steps) {
    const of = take(step.of);
    switch (step.op) {
      case "conv": {
        const { stride, padding, plus } = step;
        const [w, bias] = [parameters[next++], parameters[next++]];
        const channels = [1, step.filters, 1, 1];
        let y = convolve(jax, of, w, padding, stride)
          .add(bias.reshape(channels));
        if (plus !== undefined) y = y.add(take(plus));
        values.push(step.relu ? relu(y) : y);
        break;
      }
      case "maxPool": {
        // Padded with zeros, which no value after a ReLU is below.
        const { kernel, stride, padding } = step;
        const sides = [padding, padding];
        const wide = jax.numpy.pad(of, [[0, 0], [0, 0], sides, sides]);
        values.push(pool(jax, wide, kernel, stride));
        break;
      }
      case "globalAverage":
        values.push(jax.numpy.mean(of, [2, 3]));
        break;
      case "linear": {
        const [w, bias] = [parameters[next++], parameters[next++]];
        values.push(jax.numpy.matmul(of, w.transpose()).add(bias));
      }
    }
  }
  return values[steps.length];
}

function lenet(
  jax: Jax,
  { batch }: LeNetWork,
  data: readonly HostTensor[],
  queue: Queue,
): Runner {
  const { relu, logSoftmax } = jax.nn;
  const { matmul, sum } = jax.numpy;
  const [images, labels, ...values] = data;
  const x = upload(jax, images);
  const chosen = new Float32Array(batch * 10);
  labels.data.forEach((label, row) => chosen[row * 10 + label] = 1);
  const targets = upload(jax, { data: chosen, shape: [batch, 10] });
  let parameters = values.map((value) => upload(jax, value));
  const loss = (
    p: JaxArray[],
    pictures: JaxArray,
    wanted: JaxArray,
  ): JaxArray => {
    const [w1, b1, w2, b2, w3, b3, w4, b4, w5, b5] = p;
    const planes = (t: JaxArray, w: JaxArray, b: JaxArray, padding: number) => {
      const channels = [1, b.shape[0], 1, 1];
      const y = convolve(jax, t, w, padding).add(b.reshape(channels));
      return pool(jax, relu(y), 2, 2);
    };
    const dense = (t: JaxArray, w: JaxArray, b: JaxArray) =>
      matmul(t, w.transpose()).add(b);
    const flat = planes(planes(pictures, w1, b1, 2), w2, b2, 0)
      .reshape([batch, 400]);
    const hidden = relu(dense(relu(dense(flat, w3, b3)), w4, b4));
    const scores = logSoftmax(dense(hidden, w5, b5), 1);
    return sum(scores.mul(wanted)).mul(-1 / batch);
  };
  const step = jax.jit((
    p: JaxArray[],
    pictures: JaxArray,
    wanted: JaxArray,
  ): Gradients => {
    const kept = p.map((value) => value.ref);
    const [value, grads] = jax.valueAndGrad(loss)(p, pictures, wanted);
    const moved = kept.map((old, i) => old.sub(grads[i].mul(LEARNING_RATE)));
    return [value, moved];
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
