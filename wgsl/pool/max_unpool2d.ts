/** Max unpooling: values go back to where their indices say that they came from. */
import { ShapeError } from "../errors.ts";
import { gather } from "../move/gather.ts";
import type { Op, Plan, Request } from "../op.ts";
import { passTrips, planeLaunches, windowPasses } from "./launches.ts";
import claimCode from "./max_unpool2d_claim.wgsl" with { type: "text" };
import code from "./max_unpool2d.wgsl" with { type: "text" };
import {
  expectExtent,
  expectFloat,
  expectIndices,
  expectPlanes,
  expectShape,
  type Pair,
} from "./window.ts";

const NAIVE = { label: "wgsl/pool/max_unpool2d.wgsl", code };
const CLAIM = {
  label: "wgsl/pool/max_unpool2d_claim.wgsl",
  code: claimCode,
};

/** Attributes of `maxUnpool2d`: the height and width of its output. */
export interface MaxUnpool2dAttrs {
  readonly size: Pair;
}

/**
 * The partial inverse of max pooling: maxima at their places, 0 elsewhere.
 *
 * `x, indices: [N, C, OH, OW] → [N, C, H, W]`, an index being `h·W + w`. Where indices repeat, the last counts, and the gradient goes to all of them,
 * as in PyTorch. On a GPU nothing can be thrown for an index beyond its plane, which is left out; the reference throws a RangeError.
 */
export const maxUnpool2d: Op<MaxUnpool2dAttrs> = {
  name: "maxUnpool2d",
  infer([x, indices], { size }) {
    expectPlanes(x.shape);
    expectExtent(x.shape, 0, "height");
    expectExtent(x.shape, 1, "width");
    expectShape(indices.shape, x.shape, "unpool", "indices");
    expectFloat(x);
    expectIndices(indices);
    if (size.some((n) => !Number.isInteger(n) || n < 1)) {
      throw new ShapeError(
        `Cannot unpool to [${size.join(", ")}]: expected two positive integers`,
      );
    }
    return [{ shape: [x.shape[0], x.shape[1], ...size], dtype: x.dtype }];
  },
  variants: [
    {
      name: "claim",
      applies: ({ outputs: [y] }) => y.dtype === "f32",
      plan: planClaim,
    },
    { name: "naive", plan: planNaive },
  ],
  reference([x, indices], [y], { size }) {
    const pooled = x.shape[2] * x.shape[3];
    const plane = size[0] * size[1];
    y.data.fill(0);
    for (let i = 0; i < x.data.length; i++) {
      const at = indices.data[i];
      if (at < 0 || at >= plane) {
        throw new RangeError(
          `Cannot unpool to index ${at}: expected a number from 0 to ${
            plane - 1
          } in planes of ${size.join(" x ")}`,
        );
      }
      y.data[Math.floor(i / pooled) * plane + at] = x.data[i];
    }
  },
  gradient: {
    saves: { inputs: [1] },
    rule({ grads: [dy], inputs: [, indices], inputMetas: [x], apply }) {
      if (!dy) return [null, null];
      const flat = [x.shape[0], x.shape[1], -1];
      const [dx] = apply(gather, [dy.reshape(flat), indices.reshape(flat)], {
        axis: 2,
      });
      return [dx.reshape(x.shape), null];
    },
  },
};

function planClaim(request: Request<MaxUnpool2dAttrs>): Plan {
  const { inputs: [x], attrs: { size } } = request;
  const pooled = x.shape[2] * x.shape[3];
  const plane = size[0] * size[1];
  return {
    launches: [plane, pooled, plane].flatMap((invocations, STEP) =>
      planeLaunches(request, {
        kernel: CLAIM,
        constants: { STEP },
        invocations,
        params: [plane, pooled],
        trips: 0,
        flops: 0,
      })
    ),
  };
}

function planNaive(request: Request<MaxUnpool2dAttrs>): Plan {
  const { inputs: [x], attrs: { size }, limits } = request;
  const pooled = x.shape[2] * x.shape[3];
  const plane = size[0] * size[1];
  return {
    launches: windowPasses(1, pooled, limits).flatMap((pass) =>
      planeLaunches(request, {
        kernel: NAIVE,
        constants: {
          COLUMN_START: pass.COLUMN_START,
          COLUMN_END: pass.COLUMN_END,
        },
        invocations: plane,
        params: [plane, pooled],
        trips: passTrips(pass),
        flops: 0,
      })
    ),
  };
}
