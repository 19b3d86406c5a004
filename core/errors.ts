/** Every kind of error that the library throws, each with its facts as fields. */
export { DTypeError, LimitError, ShapeError } from "../wgsl/errors.ts";

/**
 * The GPU device is gone: unplugged, reset by its driver, or destroyed. `await init()` gets a new one; tensors on the lost one can't be read.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { DeviceLostError, init, type Tensor, zeros } from "@tessera/tessera";
 *
 * await init();
 * // Reads a tensor, or makes it again on a new device where the old one is gone.
 * async function readOr(make: () => Tensor): Promise<ArrayLike<number>> {
 *   try {
 *     return await make().read();
 *   } catch (error) {
 *     if (!(error instanceof DeviceLostError)) throw error;
 *     await init();
 *     return await make().read();
 *   }
 * }
 * assertEquals((await readOr(() => zeros([3]))).length, 3);
 * ```
 */
export class DeviceLostError extends Error {
  override readonly name = "DeviceLostError";
}

/**
 * No memory for a buffer: what was asked for and what the device allows, in bytes.
 *
 * @example
 * ```ts
 * import { assert, assertThrows } from "@std/assert";
 * import { init, OutOfMemoryError, zeros } from "@tessera/tessera";
 *
 * await init();
 * const error = assertThrows(() => zeros([2 ** 40]), OutOfMemoryError);
 * assert(error.bytes > error.limit);
 * ```
 */
export class OutOfMemoryError extends RangeError {
  override readonly name = "OutOfMemoryError";

  constructor(
    message: string,
    readonly bytes: number,
    readonly limit: number,
  ) {
    super(message);
  }
}

/**
 * A function that `compile` can't follow, or a compiled one that is given what it wasn't compiled for.
 *
 * @example
 * ```ts
 * import { assertRejects } from "@std/assert";
 * import { compile, CompileError, init, ones } from "@tessera/tessera";
 *
 * await init();
 * await assertRejects(() => compile((x) => x.reshape([2, 3]), [2, 2]), TypeError);
 * const run = await compile((x) => x.mul(2), [2, 2]);
 * await assertRejects(async () => await run(ones([3, 3])).read(), CompileError);
 * run.dispose();
 * ```
 */
export class CompileError extends Error {
  override readonly name = "CompileError";
}

/**
 * A kernel that doesn't compile: which file, where in it (from 1), and the op that needed it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { KernelError } from "@tessera/tessera";
 *
 * const error = new KernelError("Cannot compile", "wgsl/a.wgsl", 3, 7, "relu");
 * assertEquals(`${error.file}:${error.line}:${error.column}`, "wgsl/a.wgsl:3:7");
 * ```
 */
export class KernelError extends Error {
  override readonly name = "KernelError";

  constructor(
    message: string,
    readonly file: string,
    readonly line: number,
    readonly column: number,
    readonly op: string,
  ) {
    super(message);
  }
}

/**
 * A batch of launches that the GPU refused. Results that depend on it can't be read. `ops` are those of the batch.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { LaunchError } from "@tessera/tessera";
 *
 * const error = new LaunchError("Cannot run a batch", ["conv2d", "relu"]);
 * assertEquals(error.ops, ["conv2d", "relu"]);
 * ```
 */
export class LaunchError extends Error {
  override readonly name = "LaunchError";

  constructor(message: string, readonly ops: readonly string[]) {
    super(message);
  }
}

/**
 * Use of a tensor whose memory has been freed. `made` is the stack of the call that made it.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * import { DisposedError, init, zeros } from "@tessera/tessera";
 *
 * await init();
 * const x = zeros([2]);
 * x.dispose();
 * assertThrows(() => x.add(1), DisposedError);
 * ```
 */
export class DisposedError extends Error {
  override readonly name = "DisposedError";

  constructor(message: string, readonly made: string) {
    super(message);
  }
}

/**
 * A gradient that can't be computed: a graph used twice, a value changed since, an op without a derivative.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * import { AutogradError, init, tensor } from "@tessera/tessera";
 *
 * await init();
 * const loss = tensor([2], { requiresGrad: true }).square().sum();
 * loss.backward();
 * assertThrows(() => loss.backward(), AutogradError); // the graph is gone
 * ```
 */
export class AutogradError extends Error {
  override readonly name = "AutogradError";
}

/**
 * A file that breaks its format's rules: which file, at which byte, which rule.
 *
 * @example
 * ```ts
 * import { assert, assertRejects } from "@std/assert";
 * import { FileFormatError, init, loadTensors } from "@tessera/tessera";
 *
 * await init();
 * const error = await assertRejects(
 *   () => loadTensors(new Uint8Array([1, 2, 3])),
 *   FileFormatError,
 * );
 * assert(error.rule.length > 0);
 * ```
 */
export class FileFormatError extends Error {
  override readonly name = "FileFormatError";

  constructor(
    message: string,
    readonly file: string,
    readonly offset: number,
    readonly rule: string,
  ) {
    super(message);
  }
}

/**
 * A running line was interrupted. What it had finished stays.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { InterruptedError } from "@tessera/tessera";
 *
 * const error = new InterruptedError("Interrupted");
 * assertEquals(error.name, "InterruptedError");
 * ```
 */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";
}

/**
 * A value that isn't finite, where it came up first: in an op and its layer, or in a training step's loss.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { AnomalyError } from "@tessera/tessera";
 *
 * const error = new AnomalyError("Found NaN", { op: "log", path: "head" });
 * assertEquals(error.op, "log");
 * ```
 */
export class AnomalyError extends Error {
  override readonly name = "AnomalyError";
  readonly op: string | undefined;
  /** The layer, such as "features.0 (Conv2d)". */
  readonly path: string | undefined;
  /** The op whose gradient was being computed, and its layer. */
  readonly gradientOf: string | undefined;
  /** Position of the operand that was so before the op ran. */
  readonly operand: number | undefined;
  /** The training step, from 1. */
  readonly step: number | undefined;

  constructor(
    message: string,
    facts: {
      readonly op?: string;
      readonly path?: string | undefined;
      readonly gradientOf?: string | undefined;
      readonly operand?: number | undefined;
      readonly step?: number;
    } = {},
  ) {
    super(message);
    this.op = facts.op;
    this.path = facts.path;
    this.gradientOf = facts.gradientOf;
    this.operand = facts.operand;
    this.step = facts.step;
  }
}
