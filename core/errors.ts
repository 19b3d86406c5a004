/** Every kind of error that the library throws, each with its facts as fields. */
export { DTypeError, LimitError, ShapeError } from "../wgsl/errors.ts";

/** The GPU device is gone: unplugged, reset by its driver, or destroyed. `await init()` gets a new one; tensors on the lost one can't be read. */
export class DeviceLostError extends Error {
  override readonly name = "DeviceLostError";
}

/** No memory for a buffer: what was asked for and what the device allows, in bytes. */
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

/** A kernel that doesn't compile: which file, where in it (from 1), and the op that needed it. */
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

/** A batch of launches that the GPU refused. Results that depend on it can't be read. `ops` are those of the batch. */
export class LaunchError extends Error {
  override readonly name = "LaunchError";

  constructor(message: string, readonly ops: readonly string[]) {
    super(message);
  }
}

/** Use of a tensor whose memory has been freed. `made` is the stack of the call that made it. */
export class DisposedError extends Error {
  override readonly name = "DisposedError";

  constructor(message: string, readonly made: string) {
    super(message);
  }
}

/** A gradient that can't be computed: a graph used twice, a value changed since, an op without a derivative. */
export class AutogradError extends Error {
  override readonly name = "AutogradError";
}

/** A file that breaks its format's rules: which file, at which byte, which rule. */
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

/** A running line was interrupted. What it had finished stays. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";
}

/** A value that isn't finite, where it came up first: in an op and its layer, or in a training step's loss. */
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
