/**
 * What the text of a tensor needs, without reading all of it: the ends of its axes are gathered on the device, and of large tensors the
 * statistics are computed there. Whatever several tensors need comes back in one submission and one mapping.
 */
import { noGrad } from "./autograd.ts";
import { OutOfMemoryError } from "./errors.ts";
import { concat, stack } from "./join.ts";
import {
  hiddenOf,
  isShortened,
  recall,
  remember,
  type Statistics,
} from "./print.ts";
import { outsideScopes, scope } from "./scope.ts";
import type { Tensor } from "./tensor.ts";
import { isFloat } from "./tensor_base.ts";

/** Elements that statistics are taken of at a time, so that what they need in between stays small. */
const CHUNK = 2 ** 22;

/** A finite f32 that stands for those left out when the smallest or largest value is looked for. */
const FARTHEST = 3.4028234663852886e38;

/** Reads what the texts of tensors need. Those that were freed, or have been read since they last changed, are left alone. */
export async function preview(tensors: Iterable<Tensor>): Promise<void> {
  const pending = Array.from(new Set(tensors)).filter((x) => {
    const shown = x.disposed ? undefined : recall(x, x.storage.version);
    return !x.disposed &&
      (!shown || isShortened(x.shape) && !shown.statistics);
  });
  // Nothing is awaited before all reads have been asked for: that makes them one.
  await Promise.all(pending.map(previewOf));
}

async function previewOf(x: Tensor): Promise<void> {
  if (!isShortened(x.shape)) {
    await x.read();
    return;
  }
  const { version } = x.storage;
  const reads = apart(() => edgesOf(x).read());
  const told = statisticsOf(x);
  const [values, statistics] = await Promise.all([reads, told]);
  remember(x, { values: Array.from(values), version, statistics });
}

/** Runs `body` unrecorded, and frees what it makes. Values that it began to read are on their way by then. */
function apart<T>(body: () => T): T {
  return outsideScopes(() => {
    using _ = scope();
    return noGrad(body);
  });
}

/** The tensor without the middles of its long axes. */
function edgesOf(x: Tensor): Tensor {
  const axes = x.shape.map((_, axis) => axis);
  // The longest first: what is copied for the others is short then.
  axes.sort((a, b) => x.shape[b] - x.shape[a]);
  const hidden = hiddenOf(x.shape);
  let edges = x;
  for (const axis of axes) {
    const middle = hidden[axis];
    if (!middle) continue;
    const ends = [
      edges.slice(axis, 0, middle[0]),
      edges.slice(axis, middle[1]),
    ];
    edges = concat(ends, axis);
  }
  return edges;
}

/** Nothing where there is no memory for it: a text is shown without them. */
async function statisticsOf(x: Tensor): Promise<Statistics | undefined> {
  try {
    if (x.dtype === "bool") {
      const trues = apart(() => total(chunksOf(x).map((c) => c.sum())).item());
      return { trues: await trues };
    }
    if (x.storage.backend.info.backend === "cpu") {
      return statisticsOnHost(await x.read());
    }
    const all = await Promise.all(moments(x, false));
    const [min, max, mean, std] = all;
    const statistics = { min, max, mean, std, nans: 0, infinities: 0 };
    if (!isFloat(x.dtype) || all.every(Number.isFinite)) return statistics;
    return await statisticsOfFinite(x);
  } catch (error) {
    if (error instanceof OutOfMemoryError) return undefined;
    throw error;
  }
}

/** The same where some values are no finite numbers, which spoil sums and extremes. */
async function statisticsOfFinite(x: Tensor): Promise<Statistics> {
  const counts = apart(() => [
    total(chunksOf(x).map((c) => c.isNan().sum())).item(),
    total(chunksOf(x).map((c) => c.isInf().sum())).item(),
  ]);
  const [nans, infinities, min, max, mean, std] = await Promise.all([
    ...counts,
    ...moments(x, true),
  ]);
  return { min, max, mean, std, nans, infinities };
}

/** Smallest, largest, mean and standard deviation, of all values or of the finite ones. */
function moments(x: Tensor, finiteOnly: boolean): Promise<number>[] {
  return apart(() => {
    const chunks = chunksOf(x);
    const pick = (c: Tensor, other: number) =>
      finiteOnly ? c.isFinite().where(c, other) : c;
    const count = finiteOnly
      ? total(chunks.map((c) => c.isFinite().sum())).to("f32")
      : undefined;
    const share = (sum: Tensor, lost: number) =>
      count ? sum.div(count.sub(lost)) : sum.div(x.size - lost);
    const mean = share(
      total(chunks.map((c) => freeing(() => pick(wide(c), 0).sum()))),
      0,
    );
    const squares = chunks.map((c) =>
      freeing(() => pick(wide(c).sub(mean), 0).square().sum())
    );
    const least = chunks.map((c) => freeing(() => pick(c, FARTHEST).min()));
    const most = chunks.map((c) => freeing(() => pick(c, -FARTHEST).max()));
    return [
      stack(least).min().item(),
      stack(most).max().item(),
      mean.item(),
      share(total(squares), 1).sqrt().item(),
    ];
  });
}

/** Runs `body` and frees all but what it returns, so that chunks take turns in the same memory. */
function freeing(body: () => Tensor): Tensor {
  using inner = scope();
  return inner.keep(body());
}

/** With room for sums. */
function wide(x: Tensor): Tensor {
  return x.dtype === "f64" ? x : x.to("f32");
}

function total(parts: readonly Tensor[]): Tensor {
  return stack(parts).sum();
}

/** Views that together have all elements, each of a limited size. */
function chunksOf(x: Tensor): Tensor[] {
  if (x.size <= CHUNK) return [x];
  const axis = x.shape.indexOf(Math.max(...x.shape));
  const rows = Math.floor(CHUNK / (x.size / x.shape[axis]));
  return x.split(Math.max(1, rows), axis);
}

function statisticsOnHost(data: ArrayLike<number>): Statistics {
  let [min, max, sum, nans, infinities] = [Infinity, -Infinity, 0, 0, 0];
  for (let i = 0; i < data.length; i++) {
    const value = data[i];
    if (Number.isNaN(value)) nans++;
    else if (!Number.isFinite(value)) infinities++;
    else {
      min = Math.min(min, value);
      max = Math.max(max, value);
      sum += value;
    }
  }
  const count = data.length - nans - infinities;
  const mean = sum / count;
  let squares = 0;
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i])) squares += (data[i] - mean) ** 2;
  }
  const std = Math.sqrt(squares / (count - 1));
  return { min, max, mean, std, nans, infinities };
}
