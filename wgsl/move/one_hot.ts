/** Class numbers as vectors of zeros and a one. */
import { ShapeError } from "../errors.ts";
import {
  bind,
  linearGrid,
  splitBox,
  storageType,
  windowOf,
  words,
} from "../launch.ts";
import type { DType, Launch, Op, Plan, Request } from "../op.ts";
import { formatShape, itemBytes, sizeOf } from "../shape.ts";
import { bitsDeclarations, bitsOf } from "./convert.ts";
import { checkIndex } from "./indices.ts";
import code from "./one_hot.wgsl" with { type: "text" };
import { WORKGROUP } from "./walk.ts";

const kernel = { label: "wgsl/move/one_hot.wgsl", code };

/** How many classes there are, and the dtype of the vectors. */
export interface OneHotAttrs {
  readonly classes: number;
  readonly dtype: DType;
}

/**
 * A vector of zeros with a one at each index. `index: […] → […, classes]`
 *
 * Throws a DTypeError for an index that isn't i32 or u32. An index outside the classes gives only zeros on a GPU, and a RangeError in the reference.
 */
export const oneHot: Op<OneHotAttrs> = {
  name: "oneHot",
  infer([index], { classes, dtype }) {
    checkIndex(index, "make one-hot vectors");
    if (!Number.isInteger(classes) || classes < 0) {
      throw new ShapeError(
        `Cannot make one-hot vectors of ${
          formatShape(index.shape)
        } with ${classes} classes: expected a whole number from 0`,
        [index.shape],
      );
    }
    return [{ shape: [...index.shape, classes], dtype }];
  },
  variants: [{ name: "naive", plan }],
  reference([index], [y], { classes }) {
    y.data.fill(0);
    index.data.forEach((entry, i) => {
      if (entry < 0 || entry >= classes) {
        throw new RangeError(
          `Cannot make one-hot vectors: index ${entry} is outside ${classes} classes`,
        );
      }
      y.data[i * classes + entry] = 1;
    });
  },
};

function plan(
  { inputs: [index], outputs: [y], attrs, limits }: Request<OneHotAttrs>,
): Plan {
  const { classes } = attrs;
  if (sizeOf(y.shape) === 0) return { launches: [] };
  const rows = sizeOf(index.shape);
  const walks = [
    { strides: [1, 0], offset: index.offset, dtype: index.dtype },
    { strides: [classes, 1], offset: y.offset, dtype: y.dtype },
  ];
  const launches = splitBox([rows, classes], walks, limits).map(
    (box): Launch => {
      const [at, to] = walks.map((walk) => windowOf(walk, box));
      const [height, width] = box.size;
      const count = height * width;
      return {
        kernel,
        declarations: `${bitsDeclarations(y.dtype)}
alias I = ${storageType(index.dtype)};`,
        bindings: [
          bind("input", 0, "read", at),
          bind("output", 0, "write", to),
        ],
        params: words(
          count,
          width,
          box.start[1],
          classes,
          at.base,
          to.base,
          bitsOf(1, y.dtype),
        ),
        workgroups: linearGrid(count, WORKGROUP, limits),
        trips: 0,
        flops: 0,
        bytes: height * 4 + count * itemBytes(y.dtype),
      };
    },
  );
  return { launches };
}
