/** What of jax-js is used here: its types, and calls that several rows make. */
import type { HostTensor, Runner } from "./work.ts";

/** An array of jax-js, as far as it is used here. */
export interface JaxArray {
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

export type JaxFunction = (...args: JaxArray[]) => JaxArray;
export type Gradients = [JaxArray, JaxArray[]];

/** The package, as far as it is used here. */
export interface Jax {
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
    concatenate(parts: readonly JaxArray[], axis: number): JaxArray;
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

/** How its results are come by. */
export interface Queue {
  /** Dispatches what the results need and lets go of them. */
  dispatch(results: readonly JaxArray[]): Promise<void>;
  /** Returns when the device is done. */
  wait(): void;
}

export function upload(jax: Jax, { data, shape }: HostTensor): JaxArray {
  return jax.numpy.array(data.slice(), { shape });
}

export function convolve(
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

/** Maxima of windows. Zeros pad it, which no value after a ReLU is below. */
export function pool(
  { lax, numpy }: Jax,
  x: JaxArray,
  kernel: number,
  stride: number,
  sides: readonly [before: number, after: number] = [0, 0],
): JaxArray {
  const [before, after] = sides;
  const wide = before + after > 0
    ? numpy.pad(x, [[0, 0], [0, 0], sides, sides])
    : x;
  return lax.reduceWindow(
    wide,
    (window) => numpy.max(window),
    [kernel, kernel],
    [stride, stride],
  );
}

/** Calls of a jitted function on the same arrays. */
export function runnerOf(
  call: JaxFunction,
  inputs: readonly JaxArray[],
  queue: Queue,
): Runner {
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
