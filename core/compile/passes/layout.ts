/**
 * The order in which planes lie, chosen for a whole graph: image by image, `[N, C, H, W]`, or channel by channel, `[C, N, H, W]`.
 *
 * Channel by channel, the channels of all images of a batch are one run of memory. So a concatenation of channels is written in place by those who compute its
 * parts, as for a single image, and a convolution by one tap is one product for all images instead of one for each, whose columns fill their tiles. Nothing
 * else changes: convolutions take either order ({@linkcode conv2d}), and the other layers of convolutional networks treat planes, or pixels, alike.
 *
 * It pays where this saves more than copies cost between the tensors that are moved and what has to stay. Networks without branches and without convolutions
 * by one tap gain nothing, and neither do single images.
 */
import { concat } from "../../../wgsl/move/concat.ts";
import { conv2d } from "../../../wgsl/conv/conv2d.ts";
import { conv2dInputGradient } from "../../../wgsl/conv/conv2d_input_gradient.ts";
import { conv2dWeightGradient } from "../../../wgsl/conv/conv2d_weight_gradient.ts";
import type { FusedConv2dAttrs } from "../../../wgsl/conv/geometry.ts";
import { copy } from "../../../wgsl/move/copy.ts";
import { isStrided, type View } from "../../../wgsl/op.ts";
import { chain } from "../../../wgsl/pointwise/chain.ts";
import { itemBytes, sizeOf } from "../../../wgsl/shape.ts";
import {
  type Cell,
  computedCell,
  constantCells,
  coversCell,
  type Graph,
  type GraphCall,
  type Place,
  Uses,
  wholeOf,
} from "../graph.ts";
import { type Mover, moverOf } from "./layout_calls.ts";
import {
  densely,
  exchanged,
  exchangedShape,
  isDense,
  movedView,
  ofRank4,
  type Planes,
  planesOf,
} from "./plane_views.ts";

/** The storage buffers that every adapter binds. Larger batches are worked on in runs of images, which lie apart channel by channel. */
const MOST_BYTES = 128 * 1024 * 1024;

/** Columns that products' tiles have at least. */
const COLUMNS = 16;

/** Operations that take about as long as moving one byte. */
const FLOPS_PER_BYTE = 8;

/** A cell whose planes lie channel by channel, and what it was before. */
interface Moved extends Planes {
  readonly cell: Cell;
  /** Where in the cell they start, in elements. */
  readonly offset: number;
  /** The whole as `[N, C, H, W]`. */
  readonly before: View;
}

/** Lets planes lie channel by channel where that pays. */
export function chooseLayout(graph: Graph): void {
  const moved = movable(graph);
  if (moved.size === 0) return;
  const rewriting = new Rewriting(moved);
  for (const call of graph.calls) rewriting.take(call);
  if (rewriting.savedBytes > rewriting.copiedBytes) {
    graph.calls = rewriting.calls;
  }
}

/** Planes that calls of known kinds compute, in batches, and that the caller doesn't get. */
function movable(graph: Graph): Map<Cell, Moved> {
  const uses = new Uses(graph);
  const constant = constantCells(graph);
  const moved = new Map<Cell, Moved>();
  const canMove = (place: Place): boolean => {
    const { cell, view: { shape } } = place;
    if (shape.length !== 4 || !coversCell(place)) return false;
    const { images, channels } = planesOf(shape);
    return images > 1 && channels > 1 && cell.bytes <= MOST_BYTES &&
      uses.writtenOnce(cell) && !uses.isResult(cell) && !constant.has(cell);
  };
  for (const call of graph.calls) {
    const planes = moverOf(call)?.planes.map((i) => call.outputs[i]) ?? [];
    if (!planes.every(canMove)) continue;
    for (const { cell, view } of planes) {
      const { shape, dtype } = view;
      const own = computedCell({ shape: exchangedShape(shape), dtype });
      moved.set(cell, {
        ...planesOf(shape),
        cell: own,
        offset: 0,
        before: view,
      });
    }
  }
  return moved;
}

/** The calls of a graph once more, on planes some of which lie channel by channel. */
class Rewriting {
  readonly calls: GraphCall[] = [];
  /** What copies between the orders move. */
  copiedBytes = 0;
  /** What needn't be moved, and what products in fuller tiles are worth. */
  savedBytes = 0;
  readonly #moved: Map<Cell, Moved>;
  /** Copies that have been made, by what they were made of. */
  readonly #copies = new Map<string, Place>();

  constructor(moved: ReadonlyMap<Cell, Moved>) {
    this.#moved = new Map(moved);
  }

  take(call: GraphCall): void {
    const mover = moverOf(call);
    const moves = mover !== undefined && mover.planes.length > 0 &&
      mover.planes.every((i) => this.#moved.has(call.outputs[i].cell));
    if (moves && this.#isSeen(call)) return;
    const changed = moves
      ? this.#moveCall(call, mover)
      : this.#readMoved(call, mover);
    this.calls.push(changed);
    this.savedBytes += savedBy(changed);
  }

  /** Whether a call copies what lies in a run now: whoever reads the copy sees the original. */
  #isSeen({ op, inputs: [x], outputs: [y] }: GraphCall): boolean {
    if (op !== copy || x.view.dtype !== y.view.dtype) return false;
    if (!this.#moved.has(x.cell)) return false;
    const { cell, view } = this.#channelByChannel(x);
    if (!isDense(view)) return false;
    const { offset } = view;
    this.#moved.set(y.cell, { ...this.#moved.get(y.cell)!, cell, offset });
    this.savedBytes += 2 * bytesOf(y);
    return true;
  }

  /** A call whose results lie channel by channel. */
  #moveCall(call: GraphCall, mover: Mover): GraphCall {
    const orders: Partial<FusedConv2dAttrs> = {};
    const inputs = call.inputs.map((place, i): Place => {
      const use = mover.uses(i);
      if (use === "as it is") return this.#asBefore(place, call, i);
      if (use === "any strides") return this.#channelByChannel(place);
      if (use === "moved") return this.#moveOperand(place);
      // What isn't moved itself is read as it lies.
      if (!this.#moved.has(place.cell)) return place;
      Object.assign(orders, { [use]: "CNHW" });
      return this.#moveOperand(place);
    });
    if (mover.order) Object.assign(orders, { [mover.order]: "CNHW" });
    const outputs = call.outputs.map((place, i) =>
      mover.planes.includes(i)
        ? wholeOf(this.#moved.get(place.cell)!.cell)
        : place
    );
    const changed = mover.move(inputs, outputs);
    const attrs = { ...changed.attrs as object, ...orders };
    return { ...call, ...changed, attrs, order: "CNHW" };
  }

  /** A call that writes what it has always written, and may read what has been moved. */
  #readMoved(call: GraphCall, mover: Mover | undefined): GraphCall {
    if (!call.inputs.some(({ cell }) => this.#moved.has(cell))) return call;
    const orders: Partial<FusedConv2dAttrs> = {};
    const inputs = call.inputs.map((place, i): Place => {
      const use = mover?.uses(i);
      const ordered = use === "inputOrder" || use === "outputOrder";
      if (!ordered || !this.#moved.has(place.cell)) {
        return this.#asBefore(place, call, i);
      }
      const own = this.#channelByChannel(place);
      if (!isDense(own.view)) return this.#asBefore(place, call, i);
      Object.assign(orders, { [use]: "CNHW" });
      return { ...own, view: densely(own.view) };
    });
    const attrs = Object.keys(orders).length > 0
      ? { ...call.attrs as object, ...orders }
      : call.attrs;
    return { ...call, attrs, inputs };
  }

  /** An operand with images and channels exchanged, in a run. */
  #moveOperand(place: Place): Place {
    const own = this.#channelByChannel(place);
    return isDense(own.view)
      ? { ...own, view: densely(own.view) }
      : this.#copied(place, true);
  }

  /** What a call has read so far, as it can read it. */
  #asBefore(place: Place, { op }: GraphCall, input: number): Place {
    if (!this.#moved.has(place.cell)) return place;
    const here = this.#found(place);
    // Chains take any offset, but no strides.
    const free = isStrided(op, input) && op !== chain;
    return free || isDense(here.view) ? here : this.#copied(place, false);
  }

  /** An operand where it lies now: by other strides if it has been moved or, where no strides do, in a copy of the whole as it was. */
  #found(place: Place): Place {
    const moved = this.#moved.get(place.cell);
    if (!moved) return place;
    const view = movedView(place.view, moved);
    if (view) {
      const offset = moved.offset + view.offset;
      return { cell: moved.cell, view: { ...view, offset } };
    }
    const whole = { cell: place.cell, view: moved.before };
    return { cell: this.#copied(whole, false).cell, view: place.view };
  }

  /** An operand with images and channels exchanged. */
  #channelByChannel(place: Place): Place {
    const { cell, view } = this.#found(place);
    return { cell, view: exchanged(ofRank4(view)) };
  }

  /** A copy of an operand in one order or the other. */
  #copied(place: Place, exchange: boolean): Place {
    const { cell, view } = place;
    const key =
      `${cell.id} ${exchange} ${view.offset} ${view.shape} ${view.strides}`;
    const known = this.#copies.get(key);
    if (known) return known;
    const from = exchange ? this.#channelByChannel(place) : this.#found(place);
    const { shape, dtype } = from.view;
    const made = wholeOf(computedCell({ shape, dtype }));
    this.calls.push({
      op: copy,
      attrs: { dtype },
      inputs: [from],
      outputs: [made],
      path: undefined,
      fused: ["layout"],
    });
    this.copiedBytes += 2 * made.cell.bytes;
    this.#copies.set(key, made);
    return made;
  }
}

/** Bytes that needn't be moved for a call on planes channel by channel, or what it saves in their place. */
function savedBy(call: GraphCall): number {
  const { op, attrs, order, inputs: [x], outputs: [y] } = call;
  if (op === concat && order) return 2 * bytesOf(y);
  const weightGradient = op === conv2dWeightGradient;
  if (!weightGradient && op !== conv2d && op !== conv2dInputGradient) return 0;
  const given = attrs as FusedConv2dAttrs;
  const { inputOrder, outputOrder, stride, padding } = given;
  if (inputOrder !== "CNHW" || outputOrder !== "CNHW") return 0;
  const w = weightGradient ? y : call.inputs[1];
  const [filters, channels, ...taps] = w.view.shape;
  const byOneTap = [...taps, ...stride].every((n) => n === 1) &&
    padding.every((n) => n === 0);
  if (!byOneTap) return 0;
  const { channels: images, plane } = planesOf(x.view.shape);
  // The products of images are stored one by one, and then added up.
  if (weightGradient) return 2 * images * bytesOf(y);
  const columns = images * filled(plane) - filled(images * plane);
  return 2 * filters * channels * columns / FLOPS_PER_BYTE;
}

/** Columns that are computed where some are wanted. */
function filled(columns: number): number {
  return Math.ceil(columns / COLUMNS) * COLUMNS;
}

function bytesOf({ view: { shape, dtype } }: Place): number {
  return sizeOf(shape) * itemBytes(dtype);
}
