/** Layers, losses, optimisers, data and training. */
export * from "./functional.ts";
export * from "./functional_norm.ts";
export * from "./functional_activation.ts";
export * from "./functional_conv.ts";
export * from "./functional_dropout.ts";
export { embedding, type EmbeddingOptions } from "./functional_embedding.ts";
export * from "./functional_pad.ts";
export * from "./functional_pool.ts";
export * from "./functional_resize.ts";
export * from "./functional_unfold.ts";
export { Module } from "./module.ts";
export { Parameter, parameter } from "./parameter.ts";
export type { ForwardHook, ForwardPreHook, HookHandle } from "./hooks.ts";
export type { StateDict } from "./state.ts";
export * from "./layers/activation.ts";
export {
  Flatten,
  Identity,
  Sequential,
  Unflatten,
} from "./layers/container.ts";
export { ModuleDict, ModuleList } from "./layers/list.ts";
export { Conv2d, type Conv2dOptions } from "./layers/conv.ts";
export {
  BatchNorm1d,
  BatchNorm2d,
  type BatchNormLayerOptions,
} from "./layers/batch_norm.ts";
export * from "./layers/conv1d.ts";
export * from "./layers/conv_transpose.ts";
export { AlphaDropout, Dropout, Dropout2d } from "./layers/dropout.ts";
export { Embedding } from "./layers/embedding.ts";
export { type BiasOptions, Linear } from "./layers/linear.ts";
export * from "./layers/norm.ts";
export * from "./layers/pad.ts";
export * from "./layers/pool.ts";
export * from "./layers/resize.ts";
export * from "./layers/unfold.ts";
export * from "./loss.ts";
export { Adagrad, type AdagradOptions } from "./optim/adagrad.ts";
export { Adam, type AdamOptions, AdamW } from "./optim/adam.ts";
export * from "./optim/clip.ts";
export {
  type Optimizable,
  Optimizer,
  type ParamGroup,
  type Settings,
} from "./optim/optimizer.ts";
export { RMSprop, type RMSpropOptions } from "./optim/rmsprop.ts";
export { LRScheduler, type ScheduleState } from "./optim/schedule.ts";
export * from "./optim/schedule_compose.ts";
export * from "./optim/schedule_cosine.ts";
export * from "./optim/schedule_cycle.ts";
export * from "./optim/schedule_decay.ts";
export * from "./optim/schedule_plateau.ts";
export { SGD, type SGDOptions } from "./optim/sgd.ts";
export type { ComingCall, Memory, Step } from "./optim/step.ts";
export type {
  GroupState,
  OptimizerState,
  ParameterState,
} from "./optim/state.ts";
export * as init from "./init.ts";
export * as transforms from "./transforms/mod.ts";
export {
  type Batch,
  DataLoader,
  type LoaderOptions,
  type Sampler,
} from "./data/loader.ts";
export {
  ArrayDataset,
  type Dataset,
  type Example,
  type Examples,
  type ImageArrays,
} from "./data/dataset.ts";
export { ConcatDataset, randomSplit, Subset } from "./data/subset.ts";
export { decodeImage, type Image } from "./data/image.ts";
export {
  type ImageFile,
  ImageFolder,
  imageFolder,
  type ImageFolderOptions,
} from "./data/image_folder.ts";
export {
  cifar10,
  cifar100,
  type Cifar100Options,
  type CifarOptions,
} from "./data/cifar.ts";
export { mnist, type MnistOptions } from "./data/mnist.ts";
export {
  DownloadError,
  type DownloadOptions,
  type DownloadProgress,
} from "./data/download.ts";
export {
  fashionMnist,
  type FashionMnistOptions,
} from "./data/fashion_mnist.ts";
export { detectAnomaly } from "../core/anomaly.ts";
export { checkpoint } from "../core/recompute.ts";
export * from "./checkpoint.ts";
export {
  compile,
  type Compiled,
  type CompileOptions,
  type Example as CompileExample,
} from "./compile.ts";
export {
  type CompiledStep,
  compileStep,
  type CompileStepOptions,
} from "./compile_step.ts";
export { Explanation, type PlannedCall } from "./compile_explain.ts";
export { evaluate, type EvaluateOptions } from "./evaluate.ts";
export * from "./fit.ts";
export type { CheckpointOptions } from "./fit_checkpoint.ts";
export {
  type EpochResult,
  type Evaluation,
  History,
  type HistoryPlotOptions,
  type StopReason,
} from "./fit_history.ts";
export type { Loss, Metric, Metrics, Sums } from "./fit_meter.ts";
export type { TrainingData, TrainingState } from "./fit_state.ts";
export type { BestState, EarlyStopping } from "./fit_stop.ts";
export {
  accuracy,
  confusionMatrix,
  type ConfusionOptions,
  topK,
} from "./metrics.ts";
export { type PlotOptions, type Series } from "./term/plot.ts";
export { trainingProgress } from "./term/training.ts";
export { precompile, type PrecompileOptions } from "./precompile.ts";
export { type LayerSummary, Summary, summary } from "./summary.ts";
export { loadWeights, saveWeights } from "./weights.ts";
