/** Local response normalisation: each value is damped by the squares of its neighbours across channels. */
import { DTypeError, ShapeError } from "../errors.ts";
import type { HostArray, Meta, Op } from "../op.ts";
import { formatShape, sameShape } from "../shape.ts";
import {
  channelSizes,
  type ChannelWindow,
  windowVariants,
} from "./channel_windows.ts";
import { statsDType } from "./geometry.ts";
import code from "./local_response.wgsl" with { type: "text" };
import backwardCode from "./local_response_backward.wgsl" with { type: "text" };
import sumCode from "./window_sum.wgsl" with { type: "text" };

/** Attributes of `localResponse`, in PyTorch's meaning: alpha is divided by the window's size. */
export interface LocalResponseAttrs {
  /** Channels of a window. */
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly k: number;
}

/**
 * The sum over a window of channels, those outside counting as 0: `y[n, c] = Σ x[n, c − before .. c − before + size − 1]`. `x: [N, C, …] → the same`
 */
export const windowSum: Op<ChannelWindow> = {
  name: "windowSum",
  infer([x]) {
    checkChannels(x, "sum channels of");
    return [x];
  },
  variants: windowVariants({
    kernel: { label: "wgsl/norm/window_sum.wgsl", code: sumCode },
    windowOf: (attrs) => attrs,
    declare: ({ before }) => `const BEFORE = ${before}u;`,
    flops: 0,
  }),
  reference([x], [y], attrs) {
    eachWindow(x, attrs, (at, others) => {
      let sum = 0;
      for (const other of others) sum += x.data[other];
      y.data[at] = sum;
    });
  },
  gradient: {
    rule: ({ attrs, grads: [dy], apply }) => [
      dy && apply(windowSum, [dy], mirror(attrs))[0],
    ],
  },
};

/**
 * `y = x / d^beta` with `d = k + alpha / size · Σ x²` over the `size` channels around each, `size / 2` before it and the rest from it on.
 *
 * `x: [N, C, …] → y: the same, d: the same` in float32. Krizhevsky et al. 2012, section 3.3, where alpha isn't divided by the size.
 */
export const localResponse: Op<LocalResponseAttrs> = {
  name: "localResponse",
  infer([x]) {
    checkChannels(x, "normalise");
    return [x, { shape: x.shape, dtype: statsDType(x.dtype) }];
  },
  variants: windowVariants({
    kernel: { label: "wgsl/norm/local_response.wgsl", code },
    windowOf: ({ size }) => ahead(size),
    declare: ({ size, alpha, beta, k }) =>
      `alias D = f32;
const K = f32(${k});
const SHARE = f32(${alpha / size});
const BETA = f32(${beta});`,
    flops: 5,
  }),
  reference([x], [y, d], { size, alpha, beta, k }) {
    eachWindow(x, ahead(size), (at, others) => {
      let sum = 0;
      for (const other of others) sum += x.data[other] ** 2;
      d.data[at] = k + alpha / size * sum;
      y.data[at] = x.data[at] * (k + alpha / size * sum) ** -beta;
    });
  },
  gradient: {
    saves: { inputs: [0], outputs: [1] },
    // The divisor is not given out: its gradient would be that of a sum of squares.
    rule: ({ attrs, grads: [dy], inputs: [x], outputs: [, d], apply }) => [
      dy && apply(localResponseBackward, [dy, x, d], attrs)[0],
    ],
  },
};

/**
 * The gradient of `localResponse`: `dx = dy / d^beta − 2·alpha·beta / size · x · Σ dy·x / d^(beta + 1)`, the sum over the channels in whose windows
 * the element is. `dy, x, d: the same shape → dx`. The divisors must be those of x: the op's own gradient counts them as a function of x.
 */
export const localResponseBackward: Op<LocalResponseAttrs> = {
  name: "localResponseBackward",
  infer([dy, x, d]) {
    checkChannels(x, "take the gradient of normalised");
    if (!sameShape(dy.shape, x.shape) || !sameShape(d.shape, x.shape)) {
      throw new ShapeError(
        `Cannot take the gradient of normalised ${formatShape(x.shape)} from ${
          formatShape(dy.shape)
        } and ${formatShape(d.shape)}: expected the same shape`,
        [dy.shape, x.shape, d.shape],
      );
    }
    return [x];
  },
  variants: windowVariants({
    kernel: {
      label: "wgsl/norm/local_response_backward.wgsl",
      code: backwardCode,
    },
    windowOf: ({ size }) => mirror(ahead(size)),
    declare: ({ size, alpha, beta }) =>
      `alias D = f32;
const BETA = f32(${beta});
const FACTOR = f32(${2 * alpha * beta / size});`,
    flops: 11,
  }),
  reference([dy, x, d], [dx], { size, alpha, beta }) {
    eachWindow(x, mirror(ahead(size)), (at, others) => {
      let sum = 0;
      for (const j of others) {
        sum += dy.data[j] * x.data[j] * d.data[j] ** (-beta - 1);
      }
      dx.data[at] = dy.data[at] * d.data[at] ** -beta -
        2 * alpha * beta / size * x.data[at] * sum;
    });
  },
  gradient: {
    saves: { inputs: [0, 1, 2] },
    /**
     * With u the gradient of dx, W and W' the sums over a window and its mirror image, D = d^−β, E = d^(−β−1), c = 2αβ / size and q = W(u·x):
     * dy gets u·D − c·q·x·E; x gets −c·(u·W'(dy·x·E) + q·dy·E) directly, and 2·α/size·x·W'(e) through d, which gets
     * e = −β·u·dy·E + c·(β+1)·q·dy·x·E / d.
     */
    rule({ attrs, grads: [grad], inputs, inputMetas, apply }) {
      if (!grad) return [null, null, null];
      const { size, alpha, beta, k } = attrs;
      const wide = statsDType(inputs[1].dtype);
      const [dy, x, u] = [inputs[0], inputs[1], grad].map((t) => t.to(wide));
      const window = ahead(size);
      const sum = (t: typeof x) => apply(windowSum, [t], window)[0];
      const back = (t: typeof x) => apply(windowSum, [t], mirror(window))[0];
      const d = sum(x.square()).mul(alpha / size).add(k);
      const e = d.pow(-beta - 1);
      const c = 2 * alpha * beta / size;
      const q = sum(u.mul(x));
      const toDy = u.mul(d.pow(-beta)).sub(q.mul(x).mul(e).mul(c));
      const direct = u.mul(back(dy.mul(x).mul(e))).add(q.mul(dy).mul(e));
      const toD = q.mul(x).div(d).mul(c * (beta + 1)).sub(u.mul(beta));
      const through = x.mul(back(toD.mul(dy).mul(e))).mul(2 * alpha / size);
      const toX = through.sub(direct.mul(c));
      return [toDy.to(inputMetas[0].dtype), toX.to(inputMetas[1].dtype), null];
    },
  },
};

/** The window of a size: size / 2 channels ahead of its own, as PyTorch pads. */
function ahead(size: number): ChannelWindow {
  return { size, before: Math.floor(size / 2) };
}

/** The channels in whose windows a channel is. */
function mirror({ size, before }: ChannelWindow): ChannelWindow {
  return { size, before: size - 1 - before };
}

function checkChannels({ shape, dtype }: Meta, what: string): void {
  if (shape.length < 2) {
    throw new ShapeError(
      `Cannot ${what} ${
        formatShape(shape)
      } across channels: expected [N, C, ...]`,
      [shape],
    );
  }
  if (!["f32", "f16", "f64"].includes(dtype)) {
    throw new DTypeError(
      `Cannot ${what} ${dtype} across channels: expected one of f32, f16, f64`,
      [dtype],
    );
  }
}

/** Calls `visit` with each element's place and those of its window. */
function eachWindow(
  { shape }: HostArray,
  { size, before }: ChannelWindow,
  visit: (at: number, others: number[]) => void,
): void {
  const [batch, channels, space] = channelSizes(shape);
  for (let n = 0; n < batch; n++) {
    for (let c = 0; c < channels; c++) {
      const from = Math.max(0, c - before);
      const to = Math.min(channels, c - before + size);
      for (let s = 0; s < space; s++) {
        const place = (j: number) => (n * channels + j) * space + s;
        visit(
          place(c),
          Array.from(
            { length: Math.max(0, to - from) },
            (_, i) => place(from + i),
          ),
        );
      }
    }
  }
}
