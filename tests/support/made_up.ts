/** Weights and pictures that the scripts in tests/fixtures make up in the same way, for networks whose weights are too large to keep. */
import { assertEquals, assertLess } from "@std/assert";
import { nn, scope, type Tensor, tensor, zeros } from "../../mod.ts";
import { sizeOf } from "../../wgsl/shape.ts";

/** Noise in [-0.5, 0.5), a hash of the position, times a factor and plus a base: rounded to float32 at the end. */
function scaled(
  count: number,
  number: number,
  factor: number,
  base = 0,
): Float32Array<ArrayBuffer> {
  const start = Number(BigInt(number) * 2654435761n % 2n ** 32n);
  const result = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    let h = (i + start) >>> 0;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    const noise = ((h ^ (h >>> 16)) >>> 0) / 2 ** 32 - 0.5;
    result[i] = base + noise * factor;
  }
  return result;
}

/** A picture of noise: that of the same number in the scripts. */
export function picture(shape: readonly number[], number: number): Tensor {
  return tensor(scaled(sizeOf(shape), number, 4), { shape });
}

/** Sets a network's weights, the same as in the scripts if its names are. */
export function fill(net: nn.Module): void {
  const state = [...net.stateDict()]
    .filter(([name]) => !name.endsWith("num_batches_tracked"))
    .sort(([a], [b]) => a < b ? -1 : 1);
  for (const [t, [name, value]] of state.entries()) {
    using _ = scope();
    const { shape, rank, size } = value;
    const weight = name.endsWith("weight");
    const flat = rank > 1
      ? scaled(size, t, Math.sqrt(24 / sizeOf(shape.slice(1))))
      : scaled(
        size,
        t,
        weight ? 0.5 : 1,
        weight || name.endsWith("running_var") ? 1 : 0,
      );
    value.assign(tensor(flat, { shape }));
  }
}

/** Logits of PyTorch in float64. */
export interface WantedLogits {
  /** The first of each picture. */
  readonly first: readonly (readonly number[])[];
  /** The largest of all. */
  readonly largest: number;
  /** How far PyTorch's own float32 values are off, as a part of the largest. */
  readonly float32?: number;
}

/**
 * Expects the first logits of each picture within 5e-6 of the largest; in training, where dividing by a small batch's deviations makes rounding errors
 * grow, within twice what PyTorch is off in float32.
 */
export async function assertLogits(
  logits: Tensor,
  { first, largest, float32 }: WantedLogits,
): Promise<void> {
  using _ = scope();
  assertEquals(logits.shape[0], first.length);
  const found = await logits.slice(1, 0, first[0].length).flatten().read();
  const worst = first.flat().reduce(
    (most, want, i) => Math.max(most, Math.abs(found[i] - want)),
    0,
  );
  assertLess(worst / largest, float32 ? 2 * float32 : 5e-6);
}

/** Loads a state with PyTorch's names and shapes, given as lines of the two, strictly. */
export function loadNames(net: nn.Module, lines: readonly string[]): void {
  using _ = scope();
  const state = lines.map((line): [string, Tensor] => {
    const [name, shape] = line.split(/ (?=\[)/);
    const sizes: number[] = JSON.parse(shape);
    return [name, zeros(sizes.map(() => 1)).expand(sizes)];
  });
  net.loadStateDict(new Map(state));
}

/** Expects a gradient of finite values, of which one isn't 0 at least, for each parameter. */
export async function assertGradients(net: nn.Module): Promise<void> {
  using _ = scope();
  const sizes = Array.from(net.namedParameters(), ([name, { grad }]) => {
    const length = grad?.square().sum().read() ?? Promise.resolve([NaN]);
    return length.then((values): [string, number] => [name, values[0]]);
  });
  const bad = (await Promise.all(sizes)).filter(([, length]) =>
    !(length > 0 && length < Infinity)
  );
  assertEquals(bad, []);
}

/** Output shapes of a network's parts for an input of a shape. */
export function shapesOf(
  net: nn.Module,
  input: readonly number[],
  names: readonly string[],
): (readonly number[] | undefined)[] {
  const { layers } = nn.summary(net, input);
  const shapes = new Map(
    layers.map(({ name, outputShape }) => [name, outputShape]),
  );
  return names.map((name) => shapes.get(name));
}

/** Expects a state of these names and shapes, given as the digest of their sorted lines. */
export async function assertNames(
  net: nn.Module,
  digest: string,
): Promise<void> {
  const lines = Array.from(
    net.stateDict(),
    ([name, { shape }]) => `${name} ${shape.join(",")}`,
  ).sort();
  const bytes = new TextEncoder().encode(lines.join("\n"));
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  assertEquals(new Uint8Array(hash).toHex(), digest);
}

/** Parameters of a network, whose weights aren't drawn. */
export function countOf(make: () => nn.Module): number {
  const net = nn.init.skipInit(make);
  const count = net.parameterCount();
  net.dispose();
  return count;
}
