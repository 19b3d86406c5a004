/** How ops that end in an epilogue are differentiated through it. */
import type { Tensor } from "../core/tensor.ts";
import {
  type Activation,
  type Epilogue,
  epilogueInputs,
  opOf,
} from "./epilogue.ts";
import type { Apply, GradientContext } from "./op.ts";
import { reluSlope } from "./pointwise/slope.ts";

/** Whether backward needs the output: where the activation's derivative is told from it. */
export function savesOutput(epilogue: Epilogue | undefined): boolean {
  const activation = epilogue?.activation;
  if (!activation) return false;
  const { gradient } = opOf(activation).op;
  const saves = gradient?.saves;
  return typeof saves === "object" && (saves.outputs?.length ?? 0) > 0;
}

/** Gradients of an epilogue's parts. */
export interface EpilogueGradient {
  /** ∂loss/∂sum: what the op's own rule starts from. */
  readonly sum: Tensor;
  /** Of bias, scale, shift, residual and slope, in the order of the inputs. */
  readonly operands: (Tensor | null)[];
}

/** How an op with an epilogue is differentiated through it. */
export interface EpilogueRule<Attrs> {
  readonly context: GradientContext<Attrs>;
  readonly epilogue: Epilogue;
  /** How many inputs the op has of its own. */
  readonly first: number;
  readonly dy: Tensor;
  /** Which axis of the output counts channels. */
  readonly axis: number;
  /** Runs the op again, on those of its inputs that another epilogue takes. What wasn't kept is computed anew. */
  again(inputs: readonly Tensor[], epilogue: Epilogue): Tensor;
}

/** The chain rule through an epilogue. The op must save all inputs, and its output where {@linkcode savesOutput} says so. */
export function epilogueGradient<Attrs>(
  { context, epilogue, first, dy, axis, again }: EpilogueRule<Attrs>,
): EpilogueGradient {
  const { inputs, outputs: [y], needs, apply } = context;
  const { activation, ...linear } = epilogue;
  const places = epilogueInputs(epilogue, first);
  const own = inputs.slice(0, first);
  const rest = inputs.slice(first);
  const shape = dy.shape.map((n, d) => d === axis ? n : 1);
  const others = dy.shape.map((_, d) => d).filter((d) => d !== axis);
  const before = activation
    ? activationGradient(
      activation,
      dy,
      y,
      () => again([...own, ...rest], linear),
      apply,
    )
    : dy;
  const inside = places.slope === undefined
    ? before
    : apply(reluSlope, [before, inputs[places.slope]], {})[0];
  const scale = places.scale === undefined ? undefined : inputs[places.scale];
  const sum = scale ? inside.mul(scale.reshape(shape)) : inside;
  const needed = (at: number | undefined) => at !== undefined && needs[at];
  const gradients: [number | undefined, () => Tensor | null][] = [
    [places.bias, () => sum.sum(others)],
    [places.scale, () => {
      const { bias } = epilogue;
      const unscaled = again(
        [...own, ...rest.slice(0, bias ? 1 : 0)],
        { bias },
      );
      return inside.mul(unscaled).sum(others);
    }],
    [places.shift, () => inside.sum(others)],
    [places.residual, () => inside],
    [places.slope, () => null],
  ];
  return {
    sum,
    operands: gradients
      .filter(([at]) => at !== undefined)
      .map(([at, gradient]) => needed(at) ? gradient() : null),
  };
}

function activationGradient(
  activation: Activation,
  dy: Tensor,
  y: Tensor,
  before: () => Tensor,
  apply: Apply,
): Tensor {
  const { op, attrs } = opOf(activation);
  const x = savesOutput({ activation }) ? dy : before();
  const [dx] = op.gradient!.rule({
    attrs,
    grads: [dy],
    inputs: [x],
    outputs: [y],
    inputMetas: [dy],
    outputMetas: [dy],
    needs: [true],
    apply,
  });
  return dx!;
}
