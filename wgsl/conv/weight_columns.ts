/**
 * Weight gradients as one product of matrices a group, over the outputs of all images at once: what each output saw is written out as a row.
 *
 *     dw[g] = dy[g] · columns[g]      [K, N·OH·OW] · [N·OH·OW, C·R·S]
 *
 * The columns are R·S / stride² times the input, so it is for layers that have many channels and few outputs, whose weights are the most of what moves.
 */
import { bind, linearGrid, storageType, words } from "../launch.ts";
import { matmul, type MatmulAttrs } from "../matmul/matmul.ts";
import { copyLaunches } from "../move/copy_plan.ts";
import {
  type Binding,
  type DType,
  type Launch,
  type Limits,
  type Plan,
  planFirst,
  type Request,
} from "../op.ts";
import { contiguousView, itemBytes, sizeOf } from "../shape.ts";
import { area, type Geometry } from "./geometry.ts";
import { forwardRoles, sourceLayout, targetLayout } from "./roles.ts";
import code from "./im2col_pixels.wgsl" with { type: "text" };

const IM2COL = { label: "wgsl/conv/im2col_pixels.wgsl", code };

/** Invocations of a workgroup, as written in the kernel. */
const WORKGROUP = 64;

/** Scratch buffers: dy with a channel's outputs side by side, and the columns. The product's own come after them. */
const OUTPUTS = 0;
const COLUMNS = 1;

/** Channels of filters, and taps of a filter, from which a product fills its tiles. */
const FEWEST = 64;

/** Rows of the product, taps of a filter and outputs summed over. */
function sizesOf(
  { batch, outChannels, inChannels, kernel, output }: Geometry,
): { readonly m: number; readonly n: number; readonly k: number } {
  return {
    m: outChannels,
    n: inChannels * area(kernel),
    k: batch * area(output),
  };
}

/** Bytes of both factors as they are written out. */
function bytesOf(geometry: Geometry, dtype: DType): [number, number] {
  const { m, n, k } = sizesOf(geometry);
  const item = geometry.groups * itemBytes(dtype);
  return [m * k * item, n * k * item];
}

/**
 * Whether a weight gradient can be computed so, and is the faster for it: of a network's deep layers, where outputs are fewer than the taps of a filter. In half
 * precision the product's own launches round once, as the others do.
 */
export function columnsPay(
  geometry: Geometry,
  dtype: DType,
  limits: Limits,
): boolean {
  const { m, n, k } = sizesOf(geometry);
  const { batch, groups, inChannels, input, kernel } = geometry;
  const x = batch * groups * inChannels * area(input) * itemBytes(dtype);
  const most = limits.maxStorageBufferBindingSize;
  return Math.min(m, n) >= FEWEST && k > 0 && k <= n &&
    [x, ...bytesOf(geometry, dtype)].every((bytes) => bytes <= most) &&
    area(kernel) <= limits.maxLoopTrips;
}

/** Launches of a weight gradient for which {@linkcode columnsPay} holds. */
export function planWeightColumns(
  geometry: Geometry,
  dtype: DType,
  limits: Limits,
): Plan {
  const { groups } = geometry;
  const { m, n, k } = sizesOf(geometry);
  const request: Request<MatmulAttrs> = {
    inputs: [
      contiguousView({ shape: [groups, m, k], dtype }),
      contiguousView({ shape: [groups, k, n], dtype }),
    ],
    outputs: [contiguousView({ shape: [groups, m, n], dtype })],
    attrs: {},
    limits,
  };
  const { launches, scratch = [] } = planFirst(matmul, request);
  return {
    launches: [
      ...gatherOutputs(geometry, dtype, 1, limits),
      unfoldPixels(geometry, dtype, limits),
      ...launches.map((launch) => ({
        ...launch,
        bindings: launch.bindings.map(factorOf),
      })),
    ],
    scratch: [...bytesOf(geometry, dtype), ...scratch],
  };
}

/** dy, the input `index` of an op, as `[G, K, N·OH·OW]` in the first scratch buffer. */
export function gatherOutputs(
  geometry: Geometry,
  dtype: DType,
  index: number,
  limits: Limits,
): Launch[] {
  const { batch, groups, outChannels, output } = geometry;
  const { image = 0, group = 0, kept = 0 } = targetLayout(
    forwardRoles(geometry, dtype),
  );
  const shape = [groups, outChannels, batch, area(output)];
  return copyLaunches(
    shape,
    {
      slot: "input",
      index,
      walk: {
        dtype,
        offset: 0,
        strides: [group, kept, image, 1],
      },
    },
    {
      slot: "scratch",
      index: OUTPUTS,
      walk: { ...contiguousView({ shape, dtype }) },
    },
    "tiled",
    limits,
  );
}

function unfoldPixels(
  geometry: Geometry,
  dtype: DType,
  limits: Limits,
): Launch {
  const { batch, groups, inChannels, input, output, kernel } = geometry;
  const [, size] = bytesOf(geometry, dtype);
  const x = [batch, groups, inChannels, ...input];
  const read = Math.ceil(sizeOf(x) * itemBytes(dtype) / 4) * 4;
  const written = Math.ceil(size / 4) * 4;
  const { stride, dilation, padding } = geometry;
  const { image = 0, group = 0, summed: channel = 0 } = sourceLayout(
    forwardRoles(geometry, dtype),
  );
  return {
    kernel: IM2COL,
    declarations: `alias T = ${storageType(dtype)};`,
    bindings: [
      bind("input", 0, "read", { offset: 0, size: read }),
      bind("scratch", COLUMNS, "write", { offset: 0, size: written }),
    ],
    params: words(
      ...[batch, groups, inChannels],
      ...output,
      ...kernel,
      ...input,
      ...padding.map((n) => -n),
      ...stride,
      ...dilation,
      ...[image, group, channel],
    ),
    workgroups: linearGrid(
      groups * batch * area(output) * inChannels,
      WORKGROUP,
      limits,
    ),
    trips: area(kernel),
    flops: 0,
    bytes: read + written,
  };
}

/** A factor of the product as what was written out. */
function factorOf(binding: Binding): Binding {
  const { slot, index } = binding;
  if (slot === "scratch") return { ...binding, index: index + 2 };
  if (slot === "output") return binding;
  return {
    ...binding,
    slot: "scratch",
    index: index === 0 ? OUTPUTS : COLUMNS,
  };
}
