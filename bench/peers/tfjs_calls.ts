/** What of TensorFlow.js is used here: its types, and orders of axes. */

/** A tensor of TensorFlow.js, as far as it is used here. */
export interface TfTensor {
  readonly shape: readonly number[];
  data(): Promise<Float32Array>;
  dispose(): void;
  add(other: TfTensor): TfTensor;
  relu(): TfTensor;
  reshape(shape: readonly number[]): TfTensor;
  transpose(axes: readonly number[]): TfTensor;
  matMul(other: TfTensor): TfTensor;
  softmax(axis: number): TfTensor;
  sum(axes: readonly number[]): TfTensor;
  mean(axes: readonly number[]): TfTensor;
}

/** Its WebGPU backend: commands that wait to be submitted. */
export interface TfBackend {
  readonly device: GPUDevice;
  readonly commandEncoder: GPUCommandEncoder | null;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

export interface TfOptimizer {
  minimize(loss: () => TfTensor, keep: boolean): TfTensor;
}

/** The package, as far as it is used here. */
export interface Tf {
  setBackend(name: string): Promise<boolean>;
  getBackend(): string;
  backend(): TfBackend;
  tensor(data: Float32Array, shape: readonly number[]): TfTensor;
  variable(value: TfTensor): TfTensor;
  tidy<T>(body: () => T): T;
  keep(value: TfTensor): TfTensor;
  matMul(a: TfTensor, b: TfTensor): TfTensor;
  conv2d: TfConv;
  depthwiseConv2d: TfConv;
  maxPool(
    x: TfTensor,
    kernel: number,
    stride: number,
    padding: number | "valid" | readonly (readonly [number, number])[],
    rounding?: "floor",
  ): TfTensor;
  avgPool(
    x: TfTensor,
    kernel: number,
    stride: number,
    padding: "valid",
  ): TfTensor;
  concat(parts: readonly TfTensor[], axis: number): TfTensor;
  zeros(shape: readonly number[]): TfTensor;
  ones(shape: readonly number[]): TfTensor;
  readonly fused: {
    conv2d(options: {
      x: TfTensor;
      filter: TfTensor;
      strides: number;
      pad: number;
      dataFormat: "NHWC";
      dimRoundingMode: "floor";
      bias: TfTensor | undefined;
      activation: "relu" | "linear";
    }): TfTensor;
    matMul(options: {
      a: TfTensor;
      b: TfTensor;
      transposeB: boolean;
      bias: TfTensor;
      activation: "relu" | "linear";
    }): TfTensor;
  };
  moments(
    x: TfTensor,
    axes: readonly number[],
  ): { mean: TfTensor; variance: TfTensor };
  batchNorm(
    x: TfTensor,
    mean: TfTensor,
    variance: TfTensor,
    offset: TfTensor | undefined,
    scale: TfTensor | undefined,
    eps: number,
  ): TfTensor;
  oneHot(labels: TfTensor, classes: number): TfTensor;
  tensor1d(data: Int32Array, dtype: "int32"): TfTensor;
  readonly losses: {
    softmaxCrossEntropy(labels: TfTensor, logits: TfTensor): TfTensor;
  };
  readonly train: { sgd(rate: number): TfOptimizer };
}

type TfConv = (
  x: TfTensor,
  w: TfTensor,
  stride: number,
  padding: number,
  format: "NHWC",
  dilation: number,
  rounding: "floor",
) => TfTensor;

/** Axes of pictures and maps whose channels are to be last, and first again. */
export const NHWC = [0, 2, 3, 1];
export const NCHW = [0, 3, 1, 2];
