/**
 * A batch norm in evaluation after a convolution or a linear layer is one factor and one summand a channel: both go into the weights and the bias, once.
 *
 *     γ · (w·x + b − μ) / √(σ² + ε) + β = (s·w)·x + (s·(b − μ) + β),  s = γ / √(σ² + ε)
 *
 * (Ioffe & Szegedy 2015, algorithm 2, step 11, put into the layer before.)
 */
import { conv2d } from "../../../wgsl/conv/conv2d.ts";
import { matmul } from "../../../wgsl/matmul/matmul.ts";
import type { NormAttrs } from "../../../wgsl/norm/geometry.ts";
import { normalizeWith } from "../../../wgsl/norm/normalize.ts";
import type { AnyOp, Meta, View } from "../../../wgsl/op.ts";
import {
  add as addOp,
  mul as mulOp,
  sub as subOp,
} from "../../../wgsl/pointwise/arithmetic_binary.ts";
import { rsqrt } from "../../../wgsl/pointwise/arithmetic_unary.ts";
import { contiguousView, isContiguous } from "../../../wgsl/shape.ts";
import {
  type Cell,
  computedCell,
  constantCells,
  coversCell,
  type Graph,
  type GraphCall,
  type Place,
  replaceCalls,
  Uses,
  wholeOf,
} from "../graph.ts";
import { finishedBy, finishingOf } from "./epilogue.ts";

/** Folds each batch norm that can be folded. */
export function foldNorms(graph: Graph): void {
  const uses = new Uses(graph);
  const constant = constantCells(graph);
  const instead = new Map<GraphCall, readonly GraphCall[]>();
  for (const call of graph.calls) {
    const norm = uses.onlyReader(call);
    if (norm?.op !== normalizeWith || !canFold(call, norm, constant)) continue;
    instead.set(call, []);
    // At the norm's place, as its epilogue may have an operand of its own.
    instead.set(norm, fold(call, norm));
  }
  replaceCalls(graph, instead);
}

function canFold(
  call: GraphCall,
  norm: GraphCall,
  constant: ReadonlySet<Cell>,
): boolean {
  const { op, inputs, outputs: [y] } = call;
  if (op !== conv2d && op !== matmul) return false;
  const { epilogue } = finishingOf(call)!;
  const plain = !epilogue.affine && !epilogue.residual && !epilogue.slope &&
    !epilogue.activation;
  const [x, ...parameters] = norm.inputs;
  const { samples, channels, groups, centered } = norm.attrs as NormAttrs;
  const own = 1 + Number((norm.attrs as NormAttrs).weight) +
    Number((norm.attrs as NormAttrs).bias);
  const axis = y.view.shape.length - 1;
  const counted = op === conv2d ? y.view.shape[1] : y.view.shape[axis];
  const dtype = y.view.dtype;
  const fixed = [inputs[1], ...inputs.slice(2), ...parameters.slice(0, own)];
  return plain && centered && samples === 1 && channels === 1 &&
    groups === counted && coversCell(x) && isContiguous(x.view) &&
    (op === conv2d || isColumns(call)) &&
    fixed.every(({ cell, view }) =>
      constant.has(cell) && view.dtype === dtype
    ) &&
    (dtype === "f32" || dtype === "f64");
}

/** Whether a product has one weight matrix whose columns count channels. */
function isColumns({ attrs, inputs, outputs: [y] }: GraphCall): boolean {
  const { channels = "columns" } = attrs as { readonly channels?: string };
  return channels === "columns" && inputs[1].view.shape.length === 2 &&
    y.view.shape.length === 2;
}

function fold(call: GraphCall, norm: GraphCall): GraphCall[] {
  const made: GraphCall[] = [];
  const run = (op: AnyOp, inputs: readonly Place[], attrs: unknown): Place => {
    const [meta]: Meta[] = op.infer(inputs.map(({ view }) => view), attrs);
    const place = wholeOf(computedCell(meta));
    const { path } = norm;
    made.push({ op, attrs, inputs, outputs: [place], path, fused: [] });
    return place;
  };
  const { attrs } = norm;
  const { eps, weight, bias, groups } = attrs as NormAttrs;
  const [, stats, ...rest] = norm.inputs;
  const gamma = weight ? rest[0] : undefined;
  const beta = bias ? rest[Number(weight)] : undefined;
  const mean = column(stats, 0, groups);
  const variance = column(stats, 1, groups);
  const root = run(rsqrt, [run(addOp, [variance], { scalar: eps })], {});
  const factor = gamma ? run(mulOp, [root, flat(gamma, groups)], {}) : root;

  const [x, w, own] = call.inputs;
  const spread = factor.view.shape.concat(
    call.op === conv2d ? [1, 1, 1] : [],
  );
  const scaled = run(mulOp, [
    w,
    {
      cell: factor.cell,
      view: contiguousView({ ...factor.view, shape: spread }),
    },
  ], {});
  const centred = own ? run(subOp, [own, mean], {}) : undefined;
  const shifted = centred
    ? run(mulOp, [centred, factor], {})
    : run(mulOp, [run(mulOp, [mean, factor], {})], { scalar: -1 });
  const summand = beta
    ? run(addOp, [shifted, flat(beta, groups)], {})
    : shifted;

  const ending = finishingOf(norm)!;
  const folded: GraphCall = { ...call, inputs: [x, scaled, summand] };
  const operands = norm.inputs.slice(ending.own).map((place) => ({
    ...place,
    view: contiguousView({ ...place.view, shape: call.outputs[0].view.shape }),
  }));
  const epilogue = { bias: true, ...ending.epilogue };
  const { cell } = norm.outputs[0];
  return [...made, {
    ...finishedBy(folded, epilogue, [summand, ...operands]),
    outputs: [{ cell, view: { ...call.outputs[0].view } }],
    fused: [...call.fused, "batch norm", ...norm.fused],
  }];
}

/** Column `index` of statistics `[C, 2]`. */
function column({ cell, view }: Place, index: number, size: number): Place {
  const [row, step] = view.strides;
  const shown: View = {
    shape: [size],
    dtype: view.dtype,
    strides: [row],
    offset: view.offset + index * step,
  };
  return { cell, view: shown };
}

/** A parameter as a list of one value a channel. */
function flat({ cell, view }: Place, size: number): Place {
  const { dtype, offset } = view;
  return { cell, view: { shape: [size], dtype, strides: [1], offset } };
}
