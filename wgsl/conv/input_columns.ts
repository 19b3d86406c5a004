/**
 * Input gradients as one product of matrices a group, over the outputs of all images at once, whose columns are added up again (col2im):
 *
 *     columns[g] = w[g]ᵀ · dy[g]      [C·R·S, K] · [K, N·OH·OW]
 *
 * The weights are read once and as they lie, which counts where they are many more than the outputs: in the last layers of networks on small pictures.
 */
import { bind, linearGrid, storageType, words } from "../launch.ts";
import { matmul, type MatmulAttrs } from "../matmul/matmul.ts";
import {
  type Binding,
  type Launch,
  type Limits,
  type Plan,
  planFirst,
  type Request,
  type View,
} from "../op.ts";
import { contiguousView, itemBytes } from "../shape.ts";
import code from "./col2im_pixels.wgsl" with { type: "text" };
import { area, type Geometry } from "./geometry.ts";
import { epilogueIn, type Roles, targetLayout } from "./roles.ts";
import { gatherOutputs } from "./weight_columns.ts";

const COL2IM = { label: "wgsl/conv/col2im_pixels.wgsl", code };

/** Invocations of a workgroup, as written in the kernel. */
const WORKGROUP = 64;

/** Scratch buffers: dy with a channel's outputs side by side, and the columns. The product's own come after them. */
const OUTPUTS = 0;
const COLUMNS = 1;

/** Channels on both sides from which weights are many. */
const FEWEST = 128;

/** Most outputs of all images: at stride 1, where Winograd's tiles are the alternative, and at others. */
const MOST_OUTPUTS = 24;
const MOST_STRIDED = 64;

function sizesOf({ batch, outChannels, inChannels, kernel, output }: Geometry) {
  return {
    m: inChannels * area(kernel),
    n: batch * area(output),
    k: outChannels,
  };
}

/**
 * Whether an input gradient can be computed so, and is the faster for it. It took 0.5 to 0.7 of the time of Winograd's tiles and of the direct sum for 512
 * channels of 2 × 2 in batches of 4, and for strides from 4 × 4, on a software adapter of 2 cores.
 */
export function inputColumnsPay(
  { geometry, dtype }: Roles,
  limits: Limits,
): boolean {
  const { m, n, k } = sizesOf(geometry);
  const { groups, inChannels, outChannels, stride, kernel } = geometry;
  const strided = stride.some((step) => step > 1);
  const { batch, input } = geometry;
  const bytes = [
    groups * outChannels * m * itemBytes(dtype),
    groups * m * n * 4,
    groups * k * n * itemBytes(dtype),
    batch * groups * inChannels * area(input) * itemBytes(dtype),
  ];
  return dtype === "f32" && Math.min(inChannels, outChannels) >= FEWEST &&
    n > 0 &&
    n <= (strided ? MOST_STRIDED : MOST_OUTPUTS) &&
    bytes.every((size) => size <= limits.maxStorageBufferBindingSize) &&
    area(kernel) <= limits.maxLoopTrips;
}

/** Launches of an input gradient for which {@linkcode inputColumnsPay} holds. */
export function planInputColumns(roles: Roles, limits: Limits): Plan {
  const { geometry, dtype } = roles;
  const { groups } = geometry;
  const { m, n, k } = sizesOf(geometry);
  const weights: View = {
    shape: [groups, m, k],
    dtype,
    strides: [k * m, 1, m],
    offset: 0,
  };
  const request: Request<MatmulAttrs> = {
    inputs: [weights, contiguousView({ shape: [groups, k, n], dtype })],
    outputs: [contiguousView({ shape: [groups, m, n], dtype })],
    attrs: {},
    limits,
  };
  const { launches, scratch = [] } = planFirst(matmul, request);
  return {
    launches: [
      ...gatherOutputs(geometry, dtype, 0, limits),
      ...launches.map((launch) => ({
        ...launch,
        bindings: launch.bindings.map(factorOf),
      })),
      foldPixels(roles, limits),
    ],
    scratch: [4 * groups * k * n, 4 * groups * m * n, ...scratch],
  };
}

function foldPixels(roles: Roles, limits: Limits): Launch {
  const { geometry } = roles;
  const { batch, groups, inChannels, input, output, kernel } = geometry;
  const { m, n, k } = sizesOf(geometry);
  const count = batch * groups * inChannels * area(input);
  const bytes = 4 * groups * m * n;
  const bindings = [
    bind("scratch", COLUMNS, "read", { offset: 0, size: bytes }),
    bind("output", 0, "write", { offset: 0, size: 4 * count }),
  ];
  const all = (size: number) => ({ start: 0, size });
  const whole = {
    images: all(batch),
    groups: all(groups),
    kept: all(inChannels),
    tiles: all(1),
    summed: all(k),
  };
  const { image = 0, kept: channel = 0 } = targetLayout(roles);
  const stage = { adds: false, completes: true };
  const epilogue = epilogueIn(roles, whole, stage, bindings.length + 1);
  return {
    kernel: COL2IM,
    declarations: `alias T = ${storageType("f32")};\n${epilogue.declarations}`,
    bindings,
    appended: epilogue.appended,
    params: words(
      ...[batch, groups, inChannels],
      ...output,
      ...kernel,
      ...input,
      ...geometry.padding,
      ...geometry.stride,
      ...geometry.dilation,
      ...[image, channel],
    ),
    workgroups: linearGrid(count, WORKGROUP, limits),
    trips: area(kernel),
    flops: groups * m * n + count * epilogue.flops,
    bytes: [...bindings, ...epilogue.appended]
      .reduce((sum, { size }) => sum + size, 0),
  };
}

/** A factor or the result of the product as an operand of the gradient. */
function factorOf(binding: Binding): Binding {
  const { slot, index } = binding;
  if (slot === "scratch") return { ...binding, index: index + 2 };
  if (slot === "output") return { ...binding, slot: "scratch", index: COLUMNS };
  return index === 0
    ? { ...binding, index: 1 }
    : { ...binding, slot: "scratch", index: OUTPUTS };
}
