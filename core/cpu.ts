/** The CPU device: every op's float64 reference. Slow, exact, and always there; the only device with `f64`. */
import type {
  AnyOp,
  DType,
  HostArray,
  HostData,
  Limits,
  Meta,
  Op,
  View,
} from "../wgsl/op.ts";
import { isContiguous, sizeOf } from "../wgsl/shape.ts";
import {
  type Backend,
  Block,
  type Course,
  type DeviceInfo,
  type Operand,
  type PoolStatus,
  type Prepared,
  type PreparedCall,
  type PreparedOperand,
} from "./backend.ts";
import { OutOfMemoryError } from "./errors.ts";
import { emptyData, gather } from "./host.ts";

/** Largest typed array that V8 makes, less a margin. */
const MAX_BYTES = 2 ** 32;

const LIMITS: Limits = {
  maxStorageBufferBindingSize: MAX_BYTES,
  maxBufferSize: MAX_BYTES,
  maxComputeWorkgroupsPerDimension: 65535,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupStorageSize: 16384,
  maxLoopTrips: 2 ** 31,
};

class CpuBlock extends Block {
  constructor(readonly data: HostData) {
    super(data.byteLength);
  }
}

/** Runs references on typed arrays. */
export class CpuBackend implements Backend {
  /** Who is told of each op and the milliseconds that it took, while somebody looks. */
  observer: ((op: AnyOp, ms: number) => void) | undefined;
  readonly lost = undefined;
  readonly info: DeviceInfo = {
    backend: "cpu",
    name: "CPU (float64 reference)",
    vendor: "",
    architecture: "",
    software: true,
    features: [],
    limits: LIMITS,
  };

  requireDType(_dtype: DType): void {}

  allocate({ dtype, shape }: Meta): Block {
    const size = sizeOf(shape);
    const bytes = size * emptyData(dtype, 0).BYTES_PER_ELEMENT;
    if (bytes > MAX_BYTES) {
      throw new OutOfMemoryError(
        `Cannot allocate ${bytes} bytes: the CPU device allows ${MAX_BYTES} a tensor`,
        bytes,
        MAX_BYTES,
      );
    }
    return new CpuBlock(emptyData(dtype, size));
  }

  release(_block: Block): void {}

  upload(_meta: Meta, data: HostData): Block {
    return new CpuBlock(data.slice());
  }

  run<Attrs>(
    op: Op<Attrs>,
    inputs: readonly Operand[],
    outputs: readonly Operand[],
    attrs: Attrs,
  ): void {
    const dense = inputs.map(({ view, block }): HostArray => {
      const { data } = block as CpuBlock;
      const { shape, dtype } = view;
      const whole = isContiguous(view) && data.length === sizeOf(shape);
      return { shape, dtype, data: whole ? data : gather(data, view) };
    });
    const results = outputs.map(({ view, block }): HostArray => {
      const { data } = block as CpuBlock;
      const { shape, dtype, offset } = view;
      // An op that works in place may be given a part of a block.
      const part = data.subarray(offset, offset + sizeOf(shape));
      return { shape, dtype, data: part };
    });
    const { observer } = this;
    const start = observer && performance.now();
    op.reference(dense, results, attrs);
    if (start !== undefined) observer?.(op, performance.now() - start);
  }

  accepts(_view: View): boolean {
    return true;
  }

  /** Sequences are no faster here: their calls run one by one. */
  prepare(calls: readonly PreparedCall[], course?: Course): Prepared {
    const attrs = calls.map((call) => call.attrs);
    return {
      info: calls.map(() => ({ variant: undefined, launches: [], once: [] })),
      advance: undefined,
      scratch: calls.map(() => []),
      kept: [],
      provide: () => {},
      runOnce: () => {},
      run: (blocks, moment) => {
        if (course && moment) {
          const { key, counter } = moment;
          for (const { call, at } of course.draws) {
            const fixed = calls[call].attrs as object;
            attrs[call] = { ...fixed, key, counter: counter + at };
          }
          course.told.forEach((call, i) => attrs[call] = moment.attrs[i]);
        }
        const place = ({ view, block }: PreparedOperand): Operand => ({
          view,
          block: blocks[block],
        });
        calls.forEach(({ op, inputs, outputs }, i) => {
          this.run(op, inputs.map(place), outputs.map(place), attrs[i]);
        });
      },
      destroy: () => {},
    };
  }

  read({ view, block }: Operand): Promise<HostData> {
    return Promise.resolve(gather((block as CpuBlock).data, view));
  }

  synchronize(): Promise<void> {
    return Promise.resolve();
  }

  pool(): PoolStatus {
    return { bytes: 0, buffers: 0 };
  }

  trim(): void {}

  destroy(): void {}
}
