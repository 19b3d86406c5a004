/**
 * The contract of an op: everything that the rooms above know of the kernel library.
 *
 * An op is plain data and pure functions. Its shape rule runs first and refuses bad input; its plan turns shapes into launches; its
 * reference computes the same in plain loops; its gradient is written in tensor calls. None of them touches a GPU object or awaits, so each
 * can be run now, traced, explained or checked.
 */
import type { Tensor } from "../core/tensor.ts";
import type { Formula } from "./pointwise/plan.ts";

/** Element type. `f64` exists on the CPU device only; `f16` where the adapter offers `shader-f16`. */
export type DType = "f32" | "f16" | "f64" | "i32" | "u32" | "bool";

/** Sizes, outermost first. */
export type Shape = readonly number[];

/** Shape and element type: all that a shape rule may depend on. */
export interface Meta {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** A strided window on a buffer, in elements. Contiguous tensors have row-major strides. Strides are never negative; 0 repeats. */
export interface View extends Meta {
  readonly strides: readonly number[];
  readonly offset: number;
}

/** What a plan must keep to. Bytes unless the name says otherwise. */
export interface Limits {
  readonly maxStorageBufferBindingSize: number;
  readonly maxBufferSize: number;
  /** Workgroups along one dimension of a dispatch. */
  readonly maxComputeWorkgroupsPerDimension: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
  readonly maxComputeWorkgroupStorageSize: number;
  /** Iterations of non-constant loops that one invocation may run in all: measured at start, some drivers end loops silently. */
  readonly maxLoopTrips: number;
}

/** A WGSL module. `label` is the file's path in the repository, as shown in error messages. */
export interface Kernel {
  readonly label: string;
  readonly code: string;
}

/** Which buffer a binding shows: an input or output of the op, or scratch memory of its plan. */
export type Slot = "input" | "output" | "scratch";

/** One storage buffer of a launch. `offset` is a multiple of 256. */
export interface Binding {
  readonly slot: Slot;
  readonly index: number;
  readonly access: "read" | "write";
  /** Start of the window in the buffer, in bytes. */
  readonly offset: number;
  /** Length of the window in bytes, rounded up to 4. */
  readonly size: number;
}

/** One dispatch, as data. */
export interface Launch {
  readonly kernel: Kernel;
  /** Declarations appended to the module: `alias`, `const` or `fn` where WGSL has no override for it. */
  readonly declarations?: string;
  /** Values of the module's overrides. */
  readonly constants?: Readonly<Record<string, number>>;
  /** Binding index = position here. The `params` uniform, if any, comes after them. */
  readonly bindings: readonly Binding[];
  /** Bindings of the appended declarations. Their indices go on after `params`. */
  readonly appended?: readonly Binding[];
  /** Words of the `params` uniform. */
  readonly params?: Uint32Array<ArrayBuffer>;
  readonly workgroups: readonly [number, number, number];
  /** Iterations of non-constant loops of the busiest invocation, summed over all its loops. */
  readonly trips: number;
  /** Floating-point operations (a multiply-add is two) and bytes that must move, for the whole launch. */
  readonly flops: number;
  readonly bytes: number;
}

/** The launches of one call, in order, and the scratch buffers (bytes) that they share. */
export interface Plan {
  readonly launches: readonly Launch[];
  readonly scratch?: readonly number[];
}

/** What a plan is made from. */
export interface Request<Attrs> {
  readonly inputs: readonly View[];
  readonly outputs: readonly View[];
  readonly attrs: Attrs;
  readonly limits: Limits;
  /** Which inputs are the same at every call: launches that read nothing else are done once. @default none */
  readonly constant?: readonly boolean[];
}

/** One way to compute an op. The first whose `applies` holds is the default; a tuner may choose another. */
export interface Variant<Attrs> {
  readonly name: string;
  /** Whether this variant can compute the request. @default always */
  applies?(request: Request<Attrs>): boolean;
  /** Whether its tiles are filled well enough to be chosen by an adapter's class alone, unmeasured. @default always */
  suits?(request: Request<Attrs>): boolean;
  plan(request: Request<Attrs>): Plan;
}

/** Elements on the host. */
export type HostData =
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
  | Float16Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>;

/** A contiguous array on the host, as references read and write it. Stores round to the dtype; `bool` is 0 or 1 in a Uint8Array. */
export interface HostArray extends Meta {
  readonly data: HostData;
}

/** Any op, whatever its attributes. */
// deno-lint-ignore no-explicit-any -- attributes are checked where an op is applied, not where ops are passed around
export type AnyOp = Op<any>;

/** Runs an op on tensors, recording it for autograd. */
export type Apply = <Attrs>(
  op: Op<Attrs>,
  inputs: readonly Tensor[],
  attrs: Attrs,
) => Tensor[];

/** What a gradient rule has to work with. */
export interface GradientContext<Attrs> {
  readonly attrs: Attrs;
  /** ∂loss/∂output, one per output; null for an output that the loss doesn't depend on. */
  readonly grads: readonly (Tensor | null)[];
  /** The op's inputs. Only those that `saves.inputs` names can be used; all have their `inputMetas`. */
  readonly inputs: readonly Tensor[];
  /** The op's outputs. Only those that `saves.outputs` names can be used. */
  readonly outputs: readonly Tensor[];
  readonly inputMetas: readonly Meta[];
  readonly outputMetas: readonly Meta[];
  /** Which inputs need a gradient: the rule may return null for the others. */
  readonly needs: readonly boolean[];
  readonly apply: Apply;
}

/** Positions of the inputs and outputs whose values a gradient rule reads: they are kept until backward has run. */
export interface Saves {
  readonly inputs?: readonly number[];
  readonly outputs?: readonly number[];
}

/** The derivative of an op, written in tensor calls so that it can itself be differentiated. */
export interface Gradient<Attrs> {
  /** What the rule reads; it may depend on the attributes. @default nothing */
  readonly saves?: Saves | ((attrs: Attrs) => Saves);
  /** ∂loss/∂input, one per input; null where none flows. */
  rule(context: GradientContext<Attrs>): (Tensor | null)[];
}

/** An operation of the library. */
export interface Op<Attrs> {
  readonly name: string;
  /** Output shapes and dtypes. Throws a ShapeError or DTypeError for input that doesn't fit. */
  infer(inputs: readonly Meta[], attrs: Attrs): Meta[];
  /**
   * Whether the op's plans take inputs of any strides and offset, or which of them may be so. The others are given contiguous and starting at 0,
   * whatever the buffer's window is moved by when the launch is recorded. @default false
   */
  readonly strided?: boolean | readonly number[];
  /** For ops that write into inputs (optimiser steps): output i is input `inPlace[i]`. */
  readonly inPlace?: readonly number[];
  /** For ops that do the same with several groups of operands, one after the other: how many inputs a group has, and the op of a single one. */
  readonly groups?: { readonly inputs: number; one(): Op<Attrs> };
  /** Whether `attrs` change at every call, so that plans are not worth keeping. @default false */
  readonly volatile?: boolean;
  /**
   * For ops whose attributes follow from how often they were called, as optimiser steps' do: the words with which the params of each launch end. Attributes
   * that differ in these alone launch the same.
   */
  tail?(attrs: Attrs): Uint32Array<ArrayBuffer>;
  /** Candidates, preferred first. The naive one is last. */
  readonly variants: readonly Variant<Attrs>[];
  /** The same in plain loops over contiguous arrays, in float64 arithmetic. Fills `outputs`. */
  reference(
    inputs: readonly HostArray[],
    outputs: readonly HostArray[],
    attrs: Attrs,
  ): void;
  /** What is computed for each element, of ops that compute each by itself. */
  readonly elementwise?: (inputs: readonly Meta[], attrs: Attrs) => Formula;
  /** Absent for ops that no gradient flows through (comparisons, argmax, random numbers). */
  readonly gradient?: Gradient<Attrs>;
}

/** The plan of an op's first variant that can compute a request: what ops are made of that go by another. */
export function planFirst<Attrs>(
  { variants }: Op<Attrs>,
  request: Request<Attrs>,
): Plan {
  // The last one always can.
  return variants.find((v) => v.applies?.(request) ?? true)!.plan(request);
}

/** Whether an op's plans take any strides and offset for input `index`. */
export function isStrided({ strided = false }: AnyOp, index: number): boolean {
  return typeof strided === "boolean" ? strided : strided.includes(index);
}

/** What an op's gradient rule reads, for these attributes. */
export function savesOf<Attrs>(
  gradient: Gradient<Attrs> | undefined,
  attrs: Attrs,
): Saves {
  const saves = gradient?.saves ?? {};
  return typeof saves === "function" ? saves(attrs) : saves;
}

/** An op that only looks at its input another way: no launch, the result shares the buffer. */
export interface ViewOp<Attrs> {
  readonly name: string;
  view(input: View, attrs: Attrs): View;
  readonly gradient: Gradient<Attrs>;
}
