/** The tensor core: device, memory, tensors, autograd and random numbers. */
export * from "./errors.ts";
export type { DeviceInfo } from "./backend.ts";
export {
  device,
  init,
  type InitOptions,
  type RandomState,
  randomState,
  seedWith as seed,
  setRandomState,
  synchronize,
} from "./runtime.ts";
export { memory, type MemoryStatus, resetPeakMemory } from "./storage.ts";
export { Scope, scope } from "./scope.ts";
export { type BackwardOptions, noGrad } from "./autograd.ts";
export { Tensor } from "./tensor.ts";
export type { Axes, ReduceOptions } from "./tensor_reduce.ts";
export type { Nested } from "./print.ts";
export type { DType, HostData, Shape } from "../wgsl/op.ts";
export {
  arange,
  eye,
  type FromOptions,
  full,
  linspace,
  type NormalOptions,
  ones,
  rand,
  randint,
  randn,
  type RandomOptions,
  tensor,
  type TensorLike,
  type TensorOptions,
  zeros,
} from "./create.ts";
export {
  concat,
  grad,
  type GradientOptions,
  gradients,
  stack,
  where,
} from "./join.ts";
export {
  loadTuning,
  saveTuning,
  tune,
  type TuneOptions,
  type TuneResult,
} from "./tune.ts";
export {
  type ElementType,
  type FileSource,
  loadNpy,
  loadNpz,
  loadSafetensors,
  loadSafetensorsMetadata,
  loadTensors,
  loadTorch,
  type NamedTensors,
  saveNpy,
  saveNpz,
  type SaveNpzOptions,
  type SaveOptions,
  saveSafetensors,
  type SaveSafetensorsOptions,
  type TorchValue,
  type WrittenTypes,
} from "./formats/files.ts";
