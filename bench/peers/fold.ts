/**
 * Networks with batch norms folded into the convolutions before them, and sums and ReLUs put into what they follow: what a converter, or a user who
 * wants speed, does before a library sees the network.
 */
import {
  type Network,
  networkShapes,
  type NetworkStep,
  operandsOf,
} from "./networks.ts";
import type { HostTensor } from "./work.ts";

/** A network and its parameters, in the order of the steps that they belong to. */
export interface NetworkData {
  readonly network: Network;
  readonly parameters: readonly HostTensor[];
}

/** A step and its own parameters. */
interface Piece {
  readonly step: NetworkStep;
  readonly own: readonly HostTensor[];
}

/** The same network in fewer steps, none of which is a batch norm. */
export function folded({ network, parameters }: NetworkData): NetworkData {
  const pieces = piecesOf({ network, parameters });
  const readers = pieces.map((): number[] => []);
  pieces.forEach(({ step }, i) => {
    for (const value of operandsOf(step)) {
      if (value > 0) readers[value - 1].push(i);
    }
  });
  const made: Piece[] = [];
  /** The new number of an old value. */
  const numbers = new Map([[0, 0]]);
  const taken = new Set<number>();
  pieces.forEach((first, i) => {
    if (taken.has(i)) return;
    let piece = withoutNorm(first);
    let last = i;
    // What follows is taken in as long as nothing else reads what it reads.
    while (readers[last].length === 1) {
      const [next] = readers[last];
      const more = joined(piece, pieces[next], last + 1, numbers);
      if (!more) break;
      piece = more;
      last = next;
      taken.add(next);
    }
    const step = renumbered(piece.step, numbers);
    numbers.set(last + 1, made.push({ step, own: piece.own }));
  });
  return networkOf(network.shape, made);
}

/** Bytes that one binding holds on adapters without more to offer: WebGPU's default of 128 MiB. */
const BINDING = 2 ** 27;

/**
 * The same network without weights that are larger than a binding: linear layers are cut into some of fewer outputs. Libraries that bind whole buffers give
 * wrong results otherwise, and no error.
 */
export function cut(data: NetworkData): NetworkData {
  const made: Piece[] = [];
  const numbers = new Map([[0, 0]]);
  piecesOf(data).forEach(({ step, own }, i) => {
    const now = renumbered(step, numbers);
    const parts = now.op === "linear"
      ? Math.ceil(own[0].data.byteLength / BINDING)
      : 1;
    if (now.op !== "linear" || parts === 1) {
      numbers.set(i + 1, made.push({ step: now, own }));
      return;
    }
    const places: number[] = [];
    for (let part = 0; part < parts; part++) {
      const rows = [part, part + 1]
        .map((n) => Math.round(n * now.outputs / parts));
      const piece = {
        step: { ...now, outputs: rows[1] - rows[0] },
        own: own.map((tensor) => rowsOf(tensor, rows)),
      };
      places.push(made.push(piece));
    }
    const whole = { op: "concat", parts: places } as const;
    numbers.set(i + 1, made.push({ step: whole, own: [] }));
  });
  return networkOf(data.network.shape, made);
}

function rowsOf(
  { shape: [, ...rest], data }: HostTensor,
  [from, to]: readonly number[],
): HostTensor {
  const size = rest.reduce((a, b) => a * b, 1);
  return {
    shape: [to - from, ...rest],
    data: data.subarray(from * size, to * size),
  };
}

function networkOf(
  shape: Network["shape"],
  pieces: readonly Piece[],
): NetworkData {
  return {
    network: { shape, steps: pieces.map(({ step }) => step) },
    parameters: pieces.flatMap(({ own }) => own),
  };
}

function piecesOf({ network, parameters }: NetworkData): Piece[] {
  let next = 0;
  const counts = networkShapes(network).parameters.map(({ length }) => length);
  return network.steps.map((step, i) => {
    const own = parameters.slice(next, next + counts[i]);
    next += counts[i];
    return { step, own };
  });
}

/** A batch norm as a factor and a summand for each channel. */
function withoutNorm({ step, own }: Piece): Piece {
  if (step.op !== "batchNorm") return { step, own };
  const { of, name } = step;
  return { step: { op: "scale", of, name }, own: affineOf(step.eps, own) };
}

function affineOf(
  eps: number,
  [weight, bias, mean, variance]: readonly HostTensor[],
): [factor: HostTensor, summand: HostTensor] {
  const { shape } = weight;
  const factor = weight.data.map((w, c) =>
    w / Math.sqrt(variance.data[c] + eps)
  );
  const summand = bias.data.map((b, c) => b - mean.data[c] * factor[c]);
  return [{ shape, data: factor }, { shape, data: summand }];
}

/** A step with the next one in it, which reads its value. Undefined where that can't be. */
function joined(
  { step, own }: Piece,
  { step: next, own: nextOwn }: Piece,
  value: number,
  known: ReadonlyMap<number, number>,
): Piece | undefined {
  const open = (step.op === "conv" || step.op === "linear" ||
    step.op === "scale") && !step.relu;
  if (!open) return undefined;
  if (next.op === "relu") return { step: { ...step, relu: true }, own };
  if (step.op !== "conv" || step.plus !== undefined) return undefined;
  if (next.op === "batchNorm") {
    const [factor, summand] = affineOf(next.eps, nextOwn);
    return {
      step: { ...step, bias: true },
      own: [scaled(own[0], factor), biased(own[1], factor, summand)],
    };
  }
  // A sum can be taken in where its other part is there already.
  return next.op === "add" && next.of === value && known.has(next.plus)
    ? { step: { ...step, plus: next.plus }, own }
    : undefined;
}

function scaled({ shape, data }: HostTensor, factor: HostTensor): HostTensor {
  const size = data.length / shape[0];
  return {
    shape,
    data: data.map((w, i) => w * factor.data[Math.floor(i / size)]),
  };
}

function biased(
  bias: HostTensor | undefined,
  factor: HostTensor,
  summand: HostTensor,
): HostTensor {
  if (!bias) return summand;
  const data = bias.data.map((b, c) => b * factor.data[c] + summand.data[c]);
  return { ...bias, data };
}

function renumbered(
  step: NetworkStep,
  numbers: ReadonlyMap<number, number>,
): NetworkStep {
  const now = (value: number) => numbers.get(value)!;
  if (step.op === "concat") return { ...step, parts: step.parts.map(now) };
  if (step.op === "add") {
    return { ...step, of: now(step.of), plus: now(step.plus) };
  }
  if (step.op === "conv" && step.plus !== undefined) {
    return { ...step, of: now(step.of), plus: now(step.plus) };
  }
  return { ...step, of: now(step.of) };
}
