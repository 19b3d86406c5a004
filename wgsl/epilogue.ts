/**
 * What a kernel does to its results on their way to memory, so that they needn't be written, read and written again: a bias, the scale and shift
 * of a batch norm, a shortcut and an activation cost next to nothing there. So does, for gradients, the slope of a ReLU that they go back through.
 *
 *     y = activation(slope((sum + bias) · scale + shift + residual))
 *
 * Kernels that take an epilogue call two functions, which a plan appends together with the bindings that they read:
 *
 *     fn channel_of(k: u32) -> vec2f                              the factor and the summand of channel k
 *     fn finish(sum: f32, channel: vec2f, at: u32) -> f32         the result, stored at element `at` of the output's window
 *
 * `k` counts in the window of the per-channel operands, which all have the same length and so the same window. The residual and the operand of the slope
 * have the output's shape and lie as it does, so that `at` serves for all.
 */
import { DTypeError, ShapeError } from "./errors.ts";
import { bind, type Box, type Walk, windowOf } from "./launch.ts";
import type { AnyOp, Binding, HostArray, Meta, Shape } from "./op.ts";
import {
  elu,
  gelu,
  hardswish,
  leakyRelu,
  relu,
  selu,
  silu,
  softplus,
} from "./pointwise/activation.ts";
import { sigmoid, tanh } from "./pointwise/exponential.ts";
import { functionsOf, slope as slopeFunctions } from "./pointwise/library.ts";
import type { AnyUnaryOp } from "./pointwise/unary.ts";
import { formatShape, sameShape } from "./shape.ts";

/** The activations that an epilogue can end in: pointwise ops of one operand. */
const ACTIVATIONS = {
  elu,
  gelu,
  hardswish,
  leakyRelu,
  relu,
  selu,
  sigmoid,
  silu,
  softplus,
  tanh,
} as const satisfies Readonly<Record<string, AnyUnaryOp>>;

/** An activation by name, with the attributes of its op: `{ name: "leakyRelu", attrs: { alpha: 0.1 } }`. */
export interface Activation {
  readonly name: keyof typeof ACTIVATIONS;
  /** @default those of the op */
  readonly attrs?: Readonly<Record<string, number | string>>;
}

/** Which parts an epilogue has. Their operands follow the op's own inputs in this order: bias, scale, shift, residual, slope. */
export interface Epilogue {
  /** A summand a channel: `[K]`. */
  readonly bias?: boolean;
  /**
   * A factor and a second summand a channel: `[K]` each. A batch norm in evaluation mode with weight γ and bias β has
   * scale = γ / √(running variance + ε) and shift = β − running mean · scale.
   */
  readonly affine?: boolean;
  /** A summand of the output's shape. */
  readonly residual?: boolean;
  /** An operand of the output's shape, where which is 0 or below the result is 0: the output of a ReLU whose gradient this is. It gets no gradient. */
  readonly slope?: boolean;
  readonly activation?: Activation;
}

/** Where an epilogue's operands stand among the inputs of the op. */
export interface EpilogueInputs {
  readonly bias?: number;
  readonly scale?: number;
  readonly shift?: number;
  readonly residual?: number;
  readonly slope?: number;
  /** Inputs in all. */
  readonly count: number;
}

/** The positions of an epilogue's operands, which follow `first` inputs of the op's own. */
export function epilogueInputs(
  { bias, affine, residual, slope }: Epilogue,
  first: number,
): EpilogueInputs {
  let next = first;
  return {
    ...(bias && { bias: next++ }),
    ...(affine && { scale: next++, shift: next++ }),
    ...(residual && { residual: next++ }),
    ...(slope && { slope: next++ }),
    count: next,
  };
}

/** Refuses operands that don't fit an output of shape `y` with `channels` channels. `call` begins the message. */
export function checkEpilogue(
  inputs: readonly Meta[],
  epilogue: Epilogue,
  first: number,
  y: Meta,
  channels: number,
  call: string,
): void {
  const places = epilogueInputs(epilogue, first);
  if (inputs.length !== places.count) {
    throw new TypeError(
      `${call}: got ${inputs.length} inputs, its epilogue needs ${places.count}`,
    );
  }
  const check = (name: string, at: number | undefined, expected: Shape) => {
    if (at === undefined) return;
    const { shape, dtype } = inputs[at];
    if (!sameShape(shape, expected)) {
      throw new ShapeError(
        `${call}: the ${name} is ${formatShape(shape)}, expected ${
          formatShape(expected)
        }`,
        inputs.map((input) => input.shape),
      );
    }
    if (dtype !== y.dtype) {
      throw new DTypeError(
        `${call}: the ${name} is ${dtype}, expected ${y.dtype}`,
        inputs.map((input) => input.dtype),
      );
    }
  };
  check("bias", places.bias, [channels]);
  check("scale", places.scale, [channels]);
  check("shift", places.shift, [channels]);
  check("residual", places.residual, y.shape);
  check("slope", places.slope, y.shape);
}

/** Whether an operand of an epilogue has the output's shape, by its position among the inputs; else it has one number a channel. */
export function isWhole(
  { residual, slope }: EpilogueInputs,
  at: number,
): boolean {
  return at === residual || at === slope;
}

/** The parts of a launch's window that an epilogue reads. */
export interface EpilogueWindows {
  /** How the per-channel operands are walked over `box`. */
  readonly channels: Walk;
  /** How the output, and with it the operands of its shape, is walked over `box`. */
  readonly output: Walk;
  readonly box: Box;
}

/** What an epilogue adds to a launch. */
export interface EpilogueCode {
  /** `channel_of` and `finish`, their bindings and what they call. T, the element type, must be declared. */
  readonly declarations: string;
  /** For {@linkcode Launch.appended}. */
  readonly appended: readonly Binding[];
  /** Index, in the per-channel windows, of the box's first channel: what the kernel adds to its own. */
  readonly channel: number;
  /** Floating-point operations an output. */
  readonly flops: number;
}

/**
 * The functions of an epilogue, of which the first binding has the index `binding`: one more than that of `params`.
 *
 * Launches that leave partial sums pass no epilogue and get functions that change nothing.
 */
export function epilogueCode(
  epilogue: Epilogue | undefined,
  first: number,
  binding: number,
  windows: EpilogueWindows,
): EpilogueCode {
  const { bias, scale, shift, residual, slope } = epilogue
    ? epilogueInputs(epilogue, first)
    : {} as Partial<EpilogueInputs>;
  const lines: string[] = [];
  const appended: Binding[] = [];
  const channels = windowOf(windows.channels, windows.box);
  const output = windowOf(windows.output, windows.box);
  const declare = (
    name: string,
    index: number | undefined,
    whole = false,
  ) => {
    if (index === undefined) return;
    lines.push(
      `@group(0) @binding(${
        binding + appended.length
      }) var<storage, read> ${name}: array<T>;`,
    );
    appended.push(bind("input", index, "read", whole ? output : channels));
  };
  declare("epilogue_bias", bias);
  declare("epilogue_scale", scale);
  declare("epilogue_shift", shift);
  declare("epilogue_residual", residual, true);
  declare("epilogue_slope", slope, true);
  const start = bias === undefined ? "0.0" : "f32(epilogue_bias[k])";
  const channel = scale === undefined
    ? `vec2f(1.0, ${start})`
    : `vec2f(f32(epilogue_scale[k]), fma(${start}, f32(epilogue_scale[k]), f32(epilogue_shift[k])))`;
  const scaled = scale === undefined ? "sum" : "sum * channel.x";
  const summed = bias === undefined && scale === undefined
    ? scaled
    : `${scaled} + channel.y`;
  const added = residual === undefined
    ? summed
    : `${summed} + f32(epilogue_residual[at])`;
  const sloped = slope === undefined
    ? added
    : `relu_slope(${added}, f32(epilogue_slope[at]))`;
  const { call, functions, flops } = activationCode(epilogue?.activation);
  const sets = slope === undefined ? functions : [...functions, slopeFunctions];
  lines.push(
    `fn channel_of(k: u32) -> vec2f { return ${channel}; }`,
    `fn finish(sum: f32, channel: vec2f, at: u32) -> f32 { let a = ${sloped}; return ${call}; }`,
    functionsOf(sets),
  );
  return {
    declarations: lines.join("\n"),
    appended,
    channel: channels.base,
    flops: flops + Number(bias !== undefined) +
      2 * Number(scale !== undefined) + Number(residual !== undefined) +
      Number(slope !== undefined),
  };
}

/** The activation as an expression of `a`, and the functions that it calls. */
function activationCode(activation: Activation | undefined) {
  if (!activation) return { call: "a", functions: [], flops: 0 };
  const { call, functions, numbers = [], flops } = formulaOf(activation);
  const values = numbers.map((n) => typeof n === "number" ? n : n.f32);
  // An argument is named by its number, so that the call becomes one of constants.
  const known = call.replace(
    /arg\((\d+)u\)/g,
    (_, i) => `f32(${values[Number(i)]})`,
  );
  return { call: known, functions, flops };
}

/** An op as the activation of an epilogue, or undefined where it can't be one. */
export function activationOf(
  op: AnyOp,
  attrs: unknown,
): Activation | undefined {
  const name = (Object.keys(ACTIVATIONS) as (keyof typeof ACTIVATIONS)[])
    .find((key) => ACTIVATIONS[key] as AnyOp === op);
  if (name === undefined) return undefined;
  const given = attrs as Readonly<Record<string, number | string>>;
  return Object.keys(given).length === 0 ? { name } : { name, attrs: given };
}

/** The op of an activation, and its attributes. */
export function opOf({ name, attrs }: Activation): {
  readonly op: AnyUnaryOp;
  readonly attrs: unknown;
} {
  const op: AnyUnaryOp = ACTIVATIONS[name];
  return { op, attrs: attrs ?? op.defaults };
}

function formulaOf(activation: Activation) {
  const { op, attrs } = opOf(activation);
  return op.formula("f32", attrs);
}

/** The same on the host, in float64: for output `at` of channel `k`. */
export function epilogueReference(
  epilogue: Epilogue | undefined,
  first: number,
  inputs: readonly HostArray[],
): (sum: number, k: number, at: number) => number {
  if (!epilogue) return (sum) => sum;
  const places = epilogueInputs(epilogue, first);
  const valuesAt = (at: number | undefined) =>
    at === undefined ? undefined : inputs[at].data;
  const bias = valuesAt(places.bias);
  const scale = valuesAt(places.scale);
  const shift = valuesAt(places.shift);
  const residual = valuesAt(places.residual);
  const slope = valuesAt(places.slope);
  const activate = activationReference(epilogue.activation);
  return (sum, k, at) => {
    let value = sum;
    if (bias) value += bias[k];
    if (scale && shift) value = value * scale[k] + shift[k];
    if (residual) value += residual[at];
    if (slope && slope[at] <= 0) value = 0;
    return activate(value);
  };
}

function activationReference(
  activation: Activation | undefined,
): (x: number) => number {
  if (!activation) return (x) => x;
  const { op, attrs } = opOf(activation);
  return (x) => Number(op.value(x, attrs));
}
