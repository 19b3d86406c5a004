/**
 * Which variant of an op to run on this adapter: what was measured, else what suits its class.
 *
 * Measured choices stand in a table from a call's shape class to a variant's name, with a hash of each kernel that was compared, so that a
 * choice ends when one of them is edited. The table can be kept in a file, one an adapter.
 */
import { LimitError } from "../../wgsl/errors.ts";
import type {
  AnyOp,
  Kernel,
  Launch,
  Request,
  Variant,
  View,
} from "../../wgsl/op.ts";
import { isContiguous } from "../../wgsl/shape.ts";
import type { DeviceInfo } from "../backend.ts";

/** Kinds of adapters that differ in which kernels are fast. */
export type AdapterClass = "software" | "integrated" | "discrete" | "apple";

/** What kind of adapter this is, by its vendor. */
export function adapterClass(
  { software, vendor, name }: DeviceInfo,
): AdapterClass {
  const text = `${vendor} ${name}`.toLowerCase();
  if (software) return "software";
  if (/apple|\bm\d\b/.test(text)) return "apple";
  if (/nvidia|geforce|rtx|0x10de|4318|radeon rx|arc/.test(text)) {
    return "discrete";
  }
  return "integrated";
}

/**
 * Variants that an adapter class prefers, where they suit, to an op's own order, which is the one measured on software adapters. GPUs have fast workgroup memory
 * and slow scattered reads: kernels that stage tiles and reduce in trees come first there, on paper until somebody tunes.
 */
const PREFERRED: Readonly<
  Record<AdapterClass, Readonly<Record<string, readonly string[]>>>
> = {
  software: {
    conv2d: ["im2col_matmul", "row_pairs"],
    conv2dInputGradient: ["row_pairs"],
  },
  integrated: gpuPreferences(),
  discrete: gpuPreferences(),
  apple: gpuPreferences(),
};

function gpuPreferences(): Readonly<Record<string, readonly string[]>> {
  const reductions = ["sum", "mean", "prod", "max", "min", "any", "all"];
  const trees = [...reductions, "argMax", "argMin"].map((name) =>
    [name, ["tree"]] as const
  );
  // Winograd first, though without workgroup memory: it reads as little from storage and has a quarter of the multiply-adds.
  const staged = ["depthwise_workgroup", "winograd", "implicit_gemm_workgroup"];
  return {
    matmul: ["split_k", "workgroup"],
    conv2d: staged,
    conv2dInputGradient: staged,
    // All but "rows", whose many sums in registers are for software adapters.
    conv2dWeightGradient: [
      "implicit_gemm_workgroup",
      "depthwise",
      "matmul",
      "columns",
      "tiled",
    ],
    ...Object.fromEntries(trees),
  };
}

/** One measured choice. */
export interface Choice {
  readonly variant: string;
  /** Hashes of the kernels that were compared, by label. */
  readonly kernels: Readonly<Record<string, string>>;
  /** Median time of one call. */
  readonly ms: number;
}

/** Measured choices by shape class. */
export type Choices = Map<string, Choice>;

/** Why a variant runs: nothing else can, it was measured, the adapter's class prefers it, or it is the op's first. */
export type Reason = "only" | "measured" | "preferred" | "first";

/** A variant and why it runs. */
export interface Decision<Attrs> {
  readonly variant: Variant<Attrs>;
  readonly reason: Reason;
  /** All variants that can compute the request. */
  readonly candidates: readonly Variant<Attrs>[];
}

/** Chooses variants. */
export class Tuning {
  readonly adapter: AdapterClass;
  /** What was measured on this adapter. */
  readonly choices: Choices = new Map();
  readonly #preferred: Readonly<Record<string, readonly string[]>>;

  constructor(info: DeviceInfo) {
    this.adapter = adapterClass(info);
    this.#preferred = PREFERRED[this.adapter];
  }

  /** The variant to run: the measured one, the class's preferred one, or the op's first. Undefined when none applies. */
  choose<Attrs>(
    op: AnyOp,
    request: Request<Attrs>,
    constant?: readonly boolean[],
  ): Variant<Attrs> | undefined {
    return this.decide(op, request, constant)?.variant;
  }

  /** The same, with the reason. */
  decide<Attrs>(
    op: AnyOp,
    request: Request<Attrs>,
    constant: readonly boolean[] = [],
  ): Decision<Attrs> | undefined {
    const candidates = candidatesOf<Attrs>(op, request);
    const [first] = candidates;
    if (!first) return undefined;
    if (candidates.length === 1) {
      return { variant: first, reason: "only", candidates };
    }
    const choice = this.choices.get(shapeClass(op, request, constant)) ??
      this.choices.get(shapeClass(op, request));
    const measured = choice &&
      candidates.find(({ name }) => name === choice.variant);
    if (measured && isCurrent(choice, kernelsOf(candidates, request))) {
      return { variant: measured, reason: "measured", candidates };
    }
    const names = this.#preferred[op.name] ?? [];
    const [preferred] = names.flatMap((name) =>
      candidates.find((variant) =>
        variant.name === name && (variant.suits?.(request) ?? true)
      ) ?? []
    );
    return preferred
      ? { variant: preferred, reason: "preferred", candidates }
      : { variant: first, reason: "first", candidates };
  }
}

/** The variants that can compute a request. */
export function candidatesOf<Attrs>(
  op: AnyOp,
  request: Request<Attrs>,
): Variant<Attrs>[] {
  return op.variants.filter((variant) => variant.applies?.(request) ?? true);
}

/**
 * A name for calls that should run the same variant: same op, attributes, dtypes and layouts, sizes within a factor of two.
 *
 * Sizes up to 16 count one by one: there a tile either fits or doesn't. Calls of prepared sequences, some of whose inputs are `constant` and rearranged
 * once, are a class of their own.
 */
export function shapeClass<Attrs>(
  { name }: AnyOp,
  { inputs, outputs, attrs }: Request<Attrs>,
  constant: readonly boolean[] = [],
): string {
  const views = [...inputs, ...outputs].map((view) =>
    `${view.dtype}[${view.shape.map(sizeClass)}]${layoutOf(view)}`
  );
  const fixed = constant.flatMap((same, i) => same ? [i] : []);
  const once = fixed.length > 0 ? ` constant ${fixed}` : "";
  return `${name} ${views.join(" ")} ${JSON.stringify(attrs)}${once}`;
}

function sizeClass(n: number): string {
  return n <= 16 ? `${n}` : `<=${2 ** Math.ceil(Math.log2(n))}`;
}

/** The axes of a view from its longest stride to its shortest, where they aren't in order. */
function layoutOf(view: View): string {
  if (isContiguous(view)) return "";
  const axes = view.strides.map((_, d) => d);
  axes.sort((a, b) => view.strides[b] - view.strides[a] || a - b);
  const broadcast = view.strides.map((s, d) => s === 0 && view.shape[d] > 1);
  return `@${axes.map((d) => broadcast[d] ? "*" : d)}`;
}

/** Whether no kernel that was compared has been edited since. Kernels that other sizes of the class need as well don't count. */
function isCurrent(
  { kernels }: Choice,
  now: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(now).every(([label, hash]) =>
    (kernels[label] ?? hash) === hash
  );
}

const hashes = new WeakMap<Kernel, string>();

/** Hashes of all kernels that the candidates would launch, by label. */
export function kernelsOf<Attrs>(
  candidates: readonly Variant<Attrs>[],
  request: Request<Attrs>,
): Record<string, string> {
  const found: Record<string, string> = {};
  for (const variant of candidates) {
    for (const { kernel } of launchesOf(variant, request)) {
      let hash = hashes.get(kernel);
      if (hash === undefined) {
        hashes.set(kernel, hash = fnv1a(kernel.code));
      }
      found[kernel.label] = hash;
    }
  }
  return found;
}

/** What a variant would launch; nothing where the request passes a limit of its own. */
function launchesOf<Attrs>(
  variant: Variant<Attrs>,
  request: Request<Attrs>,
): readonly Launch[] {
  try {
    return variant.plan(request).launches;
  } catch (error) {
    if (error instanceof LimitError) return [];
    throw error;
  }
}

/** Fowler, Noll and Vo's hash, 32 bits, in hexadecimal. */
function fnv1a(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(8, "0");
}
