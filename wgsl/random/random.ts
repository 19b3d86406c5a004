/** Tensors of random numbers. Each op takes its place in a stream with its attributes; see philox.ts. */
import { DTypeError } from "../errors.ts";
import { f32, type Float, linearGrid, storageType, words } from "../launch.ts";
import { isFloat, rangeOf } from "../move/convert.ts";
import { bindRun, runsOf, WORKGROUP } from "../move/walk.ts";
import type { DType, HostArray, Op, Request, Shape, Variant } from "../op.ts";
import { itemBytes, sizeOf } from "../shape.ts";
import {
  type Block,
  counterWords,
  eachBlock,
  multiplyHigh,
  type Stream,
} from "./philox.ts";
import philoxCode from "./philox.wgsl" with { type: "text" };
import randomCode from "./random.wgsl" with { type: "text" };

const kernel = { label: "wgsl/random/random.wgsl", code: randomCode };

/** Shape of the result, and its place in a stream. */
export interface RandomAttrs extends Stream {
  readonly shape: Shape;
}

/** Bounds of uniform numbers: [low, high). */
export interface UniformAttrs extends RandomAttrs {
  readonly low: number;
  readonly high: number;
  /** A float. @default "f32" */
  readonly dtype?: DType;
}

/** Mean and standard deviation of normal numbers. */
export interface NormalAttrs extends RandomAttrs {
  readonly mean: number;
  readonly std: number;
  /** A float. @default "f32" */
  readonly dtype?: DType;
}

/** Bounds of random integers: [low, high). */
export interface RandomIntAttrs extends RandomAttrs {
  readonly low: number;
  readonly high: number;
  /** Any but bool. @default "i32" */
  readonly dtype?: DType;
}

/** The probability of a 1. */
export interface BernoulliAttrs extends RandomAttrs {
  readonly p: number;
  readonly dtype: DType;
}

/** The words themselves, as u32. */
export const philoxBits: Op<RandomAttrs> = {
  name: "philoxBits",
  volatile: true,
  infer: (_, { shape }) => [{ shape, dtype: "u32" }],
  variants: variantsOf(() => ({ draw: "words", values: [] })),
  reference(_, [y], attrs) {
    fill(y, attrs, (words) => words);
  },
};

/**
 * Uniform numbers from [low, high), in 2^24 steps. `→ shape`
 *
 * Throws a DTypeError for a dtype that isn't a float, and a RangeError unless the dtype has numbers from low to below high. Equal to the reference
 * bit for bit for [0, 1), and otherwise unless a driver fuses the multiplication with the addition.
 */
export const uniform: Op<UniformAttrs> = {
  name: "uniform",
  volatile: true,
  infer(_, { shape, low, high, dtype = "f32" }) {
    checkFloat(dtype, "uniform numbers");
    if (!(low <= below(high, dtype)) || !(high - low <= MOST_F32)) {
      throw new RangeError(
        `Cannot draw uniform numbers from ${low} to ${high}: expected a low end below the high end, both finite in ${dtype}`,
      );
    }
    return [{ shape, dtype }];
  },
  variants: variantsOf(({ attrs: { low, high, dtype = "f32" } }) => ({
    draw: "vec4<T>(uniform4(words))",
    values: [f32(low), f32(high - low), f32(below(high, dtype))],
  })),
  reference(_, [y], attrs) {
    const { low, high } = attrs;
    // Rounded where the kernel rounds, so that both give the same bits.
    const round = y.dtype === "f64" ? (v: number) => v : Math.fround;
    const scale = round(high - low);
    const start = round(low);
    const most = below(high, y.dtype);
    fill(
      y,
      attrs,
      (words) =>
        words.map((word) =>
          Math.min(round(start + round(scale * unitOf(word))), most)
        ),
    );
  },
};

/**
 * Normal numbers. `→ shape`
 *
 * Box and Muller, "A note on the generation of random normal deviates" (1958), from two words with 24 bits each, so that no number is further than
 * 5.8 standard deviations from the mean. A GPU may differ from the reference by a few units in the last place of the largest. Throws a
 * DTypeError for a dtype that isn't a float, and a RangeError for a standard deviation below 0.
 */
export const normal: Op<NormalAttrs> = {
  name: "normal",
  volatile: true,
  infer(_, { shape, mean, std, dtype = "f32" }) {
    checkFloat(dtype, "normal numbers");
    if (!Number.isFinite(mean) || !(std >= 0 && std < Infinity)) {
      throw new RangeError(
        `Cannot draw normal numbers with mean ${mean} and standard deviation ${std}: expected finite numbers, the deviation from 0`,
      );
    }
    return [{ shape, dtype }];
  },
  variants: variantsOf(({ attrs: { mean, std } }) => ({
    draw: "vec4<T>(normal4(words))",
    values: [f32(mean), f32(std)],
  })),
  reference(_, [y], attrs) {
    const { mean, std } = attrs;
    fill(
      y,
      attrs,
      ([a, b, c, d]) =>
        [...point(a, b), ...point(c, d)].map((v) => mean + std * v),
    );
  },
};

/**
 * Random integers from [low, high). `→ shape`
 *
 * low + ⌊word · (high − low) / 2^32⌋: no integer is likelier than another by more than 2^-32. Throws a DTypeError for bool, and a RangeError for bounds
 * that u32 (for dtype u32) or i32 (for the others) doesn't hold.
 */
export const randomInt: Op<RandomIntAttrs> = {
  name: "randomInt",
  volatile: true,
  infer(_, { shape, low, high, dtype = "i32" }) {
    if (dtype === "bool") {
      throw new DTypeError(
        "Cannot draw integers of bool: use bernoulli for zeros and ones",
        [dtype],
      );
    }
    const [least, greatest] = rangeOf(dtype === "u32" ? "u32" : "i32");
    const whole = Number.isInteger(low) && Number.isInteger(high);
    if (!whole || low >= high || low < least || high > greatest + 1) {
      throw new RangeError(
        `Cannot draw integers from ${low} to below ${high}: expected whole numbers from ${least} to ${
          greatest + 1
        }, the low one below the high one`,
      );
    }
    return [{ shape, dtype }];
  },
  variants: variantsOf(({ attrs: { low, high, dtype } }) => ({
    draw: dtype === "u32"
      ? "integer4(words)"
      : "vec4<T>(bitcast<vec4i>(integer4(words)))",
    values: [low, high - low],
  })),
  reference(_, [y], attrs) {
    const { low, high } = attrs;
    const span = high - low;
    fill(
      y,
      attrs,
      (words) =>
        words.map((word) =>
          low + (span === 2 ** 32 ? word : multiplyHigh(word, span))
        ),
    );
  },
};

/** Ones with probability p, to 2^-24, and zeros. `→ shape`. Throws a RangeError for a p outside [0, 1]. */
export const bernoulli: Op<BernoulliAttrs> = {
  name: "bernoulli",
  volatile: true,
  infer(_, { shape, p, dtype }) {
    checkProbability(p, "draw ones");
    return [{ shape, dtype }];
  },
  variants: variantsOf(({ attrs: { p } }) => ({
    draw: "vec4<T>(bernoulli4(words))",
    values: [thresholdOf(p)],
  })),
  reference(_, [y], attrs) {
    const threshold = thresholdOf(attrs.p);
    fill(
      y,
      attrs,
      (words) => words.map((word) => word >>> 8 < threshold ? 1 : 0),
    );
  },
};

/** What a distribution adds to the kernel: an expression of `words`, and its parameters a, b and c. */
interface Distribution {
  readonly draw: string;
  readonly values: readonly (number | Float)[];
}

/** The kernel with a block for each invocation, and with one for each element. */
function variantsOf<Attrs extends RandomAttrs>(
  describe: (request: Request<Attrs>) => Distribution,
): Variant<Attrs>[] {
  return [4, 1].map((per) => ({
    name: per === 4 ? "blocks" : "naive",
    plan(request) {
      const { outputs: [y], attrs: { key, counter }, limits } = request;
      const { draw, values } = describe(request);
      const bytes = itemBytes(y.dtype);
      return {
        launches: runsOf(sizeOf(y.shape), bytes, limits).map((run) => ({
          kernel,
          declarations: `alias T = ${storageType(y.dtype)};
fn draw(words: vec4u) -> vec4<T> { return ${draw}; }
${philoxCode}`,
          constants: { PER: per },
          bindings: [bindRun("output", 0, "write", y, run)],
          params: words(
            ...key,
            ...counterWords(counter + run.start / 4),
            run.count,
            ...values,
            ...[0, 0, 0].slice(values.length),
          ),
          workgroups: linearGrid(run.count, WORKGROUP * per, limits),
          trips: ROUNDS + per,
          flops: 0,
          bytes: run.count * bytes,
        })),
      };
    },
  }));
}

/** Trips of the generator's loop. */
export const ROUNDS = 10;

const MOST_F32 = (2 - 2 ** -23) * 2 ** 127;

function fill(
  { data }: HostArray,
  stream: Stream,
  draw: (words: Block) => readonly number[],
): void {
  eachBlock(data.length, stream, (first, words) => {
    const values = draw(words);
    const end = Math.min(first + 4, data.length);
    for (let i = first; i < end; i++) data[i] = values[i - first];
  });
}

/** A word's 24 highest bits as a number from [0, 1). */
function unitOf(word: number): number {
  return (word >>> 8) * 2 ** -24;
}

/** Two independent normal numbers. The second word's top two bits are the quadrant of the angle, which starts at −π/4. */
function point(a: number, b: number): [number, number] {
  const radius = Math.sqrt(-2 * Math.log(((a >>> 8) + 1) * 2 ** -24));
  const angle = (unitOf(b) - 1 / 8) * 2 * Math.PI;
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

/** A probability in units of 2^-24: a word draws a 1 if its 24 highest bits are below. */
export function thresholdOf(p: number): number {
  return Math.ceil(p * 2 ** 24);
}

/** Throws a RangeError unless p is from [0, 1]. */
export function checkProbability(p: number, what: string): void {
  if (p >= 0 && p <= 1) return;
  throw new RangeError(
    `Cannot ${what} with probability ${p}: expected a number from 0 to 1`,
  );
}

function checkFloat(dtype: DType, what: string): void {
  if (isFloat(dtype)) return;
  throw new DTypeError(
    `Cannot draw ${what} of ${dtype}: expected a float dtype`,
    [dtype],
  );
}

/** A number of a float dtype just below `value`. */
function below(value: number, dtype: DType): number {
  const epsilon = dtype === "f16"
    ? 2 ** -10
    : dtype === "f64"
    ? 2 ** -52
    : 2 ** -23;
  // Half a step below a power of two is the next number; below 0 the smallest number that no driver flushes is next.
  if (value === 0) return dtype === "f16" ? -(2 ** -14) : -(2 ** -126);
  const less = value - Math.abs(value) * epsilon * (value > 0 ? 0.5 : 0.75);
  if (dtype === "f64") return less;
  return dtype === "f16" ? Math.f16round(less) : Math.fround(less);
}
