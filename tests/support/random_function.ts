/** Functions of tensors made up at random, out of what networks are made of: for tests that compare one way to run them with another. */
import {
  concat,
  nn,
  noGrad,
  pad,
  randn,
  type Tensor,
  zeros,
} from "../../mod.ts";
import type { DType, Shape } from "../../wgsl/op.ts";

/** Whole numbers that look random, the same for the same seed. */
export type Dice = (sides: number) => number;

/** A die of a seed. */
export function dice(seed: number): Dice {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return (sides) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * sides);
  };
}

/** What a made-up function can do with the values that it has: undefined where they don't fit. */
type Move = (
  values: readonly Tensor[],
  roll: Dice,
  weight: (shape: Shape) => Tensor,
) => Tensor | undefined;

const pick = <T>(list: readonly T[], roll: Dice): T => list[roll(list.length)];

/** One of a list, mostly the last: networks go on from where they are. */
const recent = <T>(list: readonly T[], roll: Dice): T =>
  roll(4) > 0 ? list[list.length - 1] : pick(list, roll);

/** A picture-like value among them, if there is one. */
function planes(values: readonly Tensor[], roll: Dice): Tensor | undefined {
  const fit = values.filter((x) => x.rank === 4 && x.size > 0);
  return fit.length > 0 ? recent(fit, roll) : undefined;
}

const ACTIVATIONS = [
  (x: Tensor) => x.relu(),
  (x: Tensor) => x.tanh(),
  (x: Tensor) => x.sigmoid(),
  (x: Tensor) => nn.leakyRelu(x, 0.1),
  (x: Tensor) => nn.gelu(x),
] as const;

const MOVES: readonly Move[] = [
  (values, roll, weight) => {
    const x = planes(values, roll);
    if (!x) return undefined;
    const channels = x.shape[1];
    const groups = channels % 2 === 0 && roll(4) === 0 ? 2 : 1;
    const out = groups * pick([1, 2, 4], roll);
    const size = pick([1, 3, 3], roll);
    const w = weight([out, channels / groups, size, size]);
    return nn.conv2d(x, w, {
      padding: size >> 1,
      groups,
      ...(roll(2) ? { bias: weight([out]) } : {}),
    });
  },
  (values, roll, weight) => {
    const x = planes(values, roll);
    if (!x) return undefined;
    const c = x.shape[1];
    return nn.batchNorm(x, weight([c]), weight([c]).abs().add(0.5), {
      ...(roll(3) ? { weight: weight([c]), bias: weight([c]) } : {}),
    });
  },
  (values, roll) => pick(ACTIVATIONS, roll)(recent(values, roll)),
  (values, roll) => {
    const x = planes(values, roll);
    if (!x) return undefined;
    const options = { stride: 1, padding: 1 };
    return pick([nn.maxPool2d, nn.avgPool2d], roll)(x, 3, options);
  },
  (values, roll) => {
    const x = recent(values, roll);
    const same = values.filter((y) => `${y.shape}` === `${x.shape}`);
    const y = pick(same, roll);
    return pick([() => x.add(y), () => x.mul(y), () => x.sub(y)], roll)();
  },
  (values, roll) => {
    const x = recent(values, roll);
    return pick([() => x.add(0.5), () => x.mul(-0.5), () => x.clone()], roll)();
  },
  (values, roll) => {
    const x = planes(values, roll);
    if (!x) return undefined;
    const [n, , h, w] = x.shape;
    const fit = values.filter(({ shape }) =>
      shape.length === 4 && shape[0] === n && shape[2] === h && shape[3] === w
    );
    const parts = Array.from({ length: 2 + roll(3) }, () => pick(fit, roll));
    const channels = parts.reduce((sum, y) => sum + y.shape[1], 0);
    return channels > 24 ? undefined : concat([x, ...parts.slice(1)], 1);
  },
  (values, roll) => {
    const x = planes(values, roll);
    if (!x || x.shape[1] < 2) return undefined;
    const start = roll(x.shape[1]);
    return x.slice(1, start, start + 1 + roll(x.shape[1] - start));
  },
  (values, roll) => {
    const x = recent(values, roll);
    return x.rank === 4
      ? x.reshape([x.shape[0], x.size / x.shape[0]])
      : x.rank === 2
      ? x.transpose(0, 1)
      : undefined;
  },
  (values, roll, weight) => {
    const fit = values.filter((x) => x.rank === 2);
    if (fit.length === 0) return undefined;
    const x = recent(fit, roll);
    return x.matmul(weight([x.shape[1], 1 + roll(5)]));
  },
  (values, roll) => {
    const fit = values.filter((x) => x.rank === 2);
    if (fit.length === 0) return undefined;
    const x = recent(fit, roll);
    return x.transpose(0, 1).contiguous().mul(2);
  },
  (values, roll) => {
    const x = recent(values, roll);
    return x.rank < 2
      ? undefined
      : x.sub(x.mean(x.rank - 1, { keepDims: true }));
  },
  (values, roll, weight) => {
    const x = planes(values, roll);
    if (!x) return undefined;
    const padded = pad(x, [1, 1, 1, 1], { value: roll(2) });
    return nn.conv2d(padded, weight([2, x.shape[1], 3, 3]), {});
  },
  (values, roll, weight) => {
    const x = recent(values, roll);
    return pick([
      () => x.add(weight(x.shape)),
      () => x.add(randn(x.shape, { dtype: x.dtype }).mul(0.1)),
      () => nn.dropout(x, { p: 0.5 }),
      () => x.add(zeros(x.shape, { dtype: x.dtype }).add(0.25)),
    ], roll)();
  },
];

/** A function of one picture that makes `moves` steps and returns some of what it has seen. Its weights belong to the current scope. */
export function randomFunction(
  seed: number,
  moves: number,
  dtype: DType = "f32",
): (x: Tensor) => Tensor[] {
  const weights: Tensor[] = [];
  return (x) => {
    const roll = dice(seed);
    let used = 0;
    const weight = (shape: Shape) => {
      // Made at the first run, so that later ones find the same.
      const known = weights[used++];
      if (known) return known;
      const made = noGrad(() => randn(shape, { dtype, std: 0.5 }));
      weights.push(made);
      return made;
    };
    const values = [x];
    for (let i = 0; i < moves; i++) {
      const made = pick(MOVES, roll)(values, roll, weight);
      if (made && made.size <= 20_000) values.push(made);
    }
    // Not only the last: what else is a result mustn't be fused away.
    const last = values.slice(-3);
    return roll(3) === 0 ? last : [values.at(-1)!];
  };
}
