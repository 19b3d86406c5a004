/**
 * The order in which planes lie, chosen for a whole graph: image by image, `[N, C, H, W]`, or channel by channel, `[C, N, H, W]`.
 *
 * Channel by channel, the channels of all images of a batch are one run of memory. So a concatenation of channels is written in place by those who compute its
 * parts, as for a single image, and a convolution by one tap is one product for all images instead of one for each, whose columns fill their tiles. Nothing
 * else changes: convolutions take either order ({@linkcode conv2d}), and the other layers of convolutional networks treat planes, or pixels, alike.
 *
 * It pays where this saves more than copies cost between the tensors that are moved and what has to stay. Networks without branches gain nothing, and
 * neither do single images.
 */
import { concat } from "../../../wgsl/move/concat.ts";
import { conv2d, type FusedConv2dAttrs } from "../../../wgsl/conv/conv2d.ts";
import { copy } from "../../../wgsl/move/copy.ts";
import { chain } from "../../../wgsl/pointwise/chain.ts";
import { isStrided, type View } from "../../../wgsl/op.ts";
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
  /** The whole as `[N, C, H, W]`. */
  readonly before: View;
}

/** Lets planes lie channel by channel where that pays. */
export function chooseLayout(graph: Graph): void {
  const moved = movable(graph);
  if (moved.size === 0) return;
  const rewriting = new Rewriting(moved);
  for (const call of graph.calls) rewriting.take(call);
  if (savedBytes(graph, moved) > rewriting.copiedBytes) {
    graph.calls = rewriting.calls;
  }
}

/** Planes that calls of known kinds compute, in batches, and that the caller doesn't get. */
function movable(graph: Graph): Map<Cell, Moved> {
  const uses = new Uses(graph);
  const constant = constantCells(graph);
  const isRead = (cell: Cell) =>
    uses.readers(cell).length > 0 || uses.isResult(cell);
  const moved = new Map<Cell, Moved>();
  for (const call of graph.calls) {
    const [y, ...others] = call.outputs;
    if (!moverOf(call) || others.some(({ cell }) => isRead(cell))) continue;
    const { shape, dtype } = y.view;
    if (shape.length !== 4 || !coversCell(y)) continue;
    const planes = planesOf(shape);
    if (planes.images < 2 || planes.channels < 2) continue;
    const { cell } = y;
    if (!uses.writtenOnce(cell) || uses.isResult(cell)) continue;
    if (constant.has(cell) || cell.bytes > MOST_BYTES) continue;
    const own = computedCell({ shape: exchangedShape(shape), dtype });
    moved.set(cell, { ...planes, cell: own, before: y.view });
  }
  return moved;
}

/** Bytes that needn't be moved when planes lie channel by channel: those of concatenations, and what products in fuller tiles are worth. */
function savedBytes(graph: Graph, moved: ReadonlyMap<Cell, Moved>): number {
  let bytes = 0;
  for (const { op, attrs, inputs, outputs: [y] } of graph.calls) {
    if (!moved.has(y.cell)) continue;
    if (op === concat) bytes += 2 * y.cell.bytes;
    if (op !== conv2d || !moved.has(inputs[0].cell)) continue;
    const [, { view: { shape: [filters, channels, ...taps] } }] = inputs;
    const { stride, padding } = attrs as FusedConv2dAttrs;
    const product = [...taps, ...stride].every((n) => n === 1) &&
      padding.every((n) => n === 0);
    if (!product) continue;
    const { images, plane } = planesOf(y.view.shape);
    const columns = images * filled(plane) - filled(images * plane);
    bytes += 2 * filters * channels * columns / FLOPS_PER_BYTE;
  }
  return bytes;
}

/** Columns that are computed where some are wanted. */
function filled(columns: number): number {
  return Math.ceil(columns / COLUMNS) * COLUMNS;
}

/** The calls of a graph once more, on planes some of which lie channel by channel. */
class Rewriting {
  readonly calls: GraphCall[] = [];
  /** What copies between the orders move. */
  copiedBytes = 0;
  readonly #moved: ReadonlyMap<Cell, Moved>;
  /** Copies that have been made, by what they were made of. */
  readonly #copies = new Map<string, Place>();

  constructor(moved: ReadonlyMap<Cell, Moved>) {
    this.#moved = moved;
  }

  take(call: GraphCall): void {
    const mover = moverOf(call);
    const [y] = call.outputs;
    const target = y && this.#moved.get(y.cell);
    this.calls.push(
      mover && target
        ? this.#moveCall(call, mover, target.cell)
        : this.#readMoved(call, mover),
    );
  }

  /** A call whose result lies channel by channel. */
  #moveCall(call: GraphCall, mover: Mover, cell: Cell): GraphCall {
    const taken = call.inputs.map((place, i) => {
      const use = mover.uses(i);
      if (use === "as it is") return this.#asBefore(place, call, i);
      // What isn't moved itself may be read as it lies.
      const stays = use === "either order" && !this.#moved.has(place.cell);
      if (stays) return place;
      const own = this.#channelByChannel(place);
      if (use === "any strides") return own;
      return isDense(own.view)
        ? { ...own, view: densely(own.view) }
        : this.#copied(place, true);
    });
    const orders = taken.map((place, i) =>
      place === call.inputs[i] ? "NCHW" as const : "CNHW" as const
    );
    return {
      ...call,
      ...mover.move(taken, wholeOf(cell), orders),
      order: "CNHW",
    };
  }

  /** A call that writes what it has always written, and may read what has been moved. */
  #readMoved(call: GraphCall, mover: Mover | undefined): GraphCall {
    if (!call.inputs.some(({ cell }) => this.#moved.has(cell))) return call;
    let attrs = call.attrs;
    const inputs = call.inputs.map((place, i): Place => {
      if (this.#moved.has(place.cell) && mover?.uses(i) === "either order") {
        const own = this.#channelByChannel(place);
        if (isDense(own.view)) {
          attrs = { ...attrs as FusedConv2dAttrs, inputOrder: "CNHW" };
          return { ...own, view: densely(own.view) };
        }
      }
      return this.#asBefore(place, call, i);
    });
    return { ...call, attrs, inputs };
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
    if (view) return { cell: moved.cell, view };
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
