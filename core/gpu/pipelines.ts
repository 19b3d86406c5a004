/** Compiled kernels, one a source, set of constants and binding layout. */
import type { Binding, Kernel, Launch } from "../../wgsl/op.ts";
import { KernelError } from "../errors.ts";
import { stackBelow } from "../places.ts";

/** A kernel that runs in place of one of the library's. */
export interface Swap {
  /** The label of the kernel that it replaces. */
  readonly label: string;
  /** Where its text comes from, as shown in error messages. */
  readonly file: string;
  readonly code: string;
  /** Calls for which its results have been compared with the op's reference. */
  readonly verified: Set<string>;
}

/** A pipeline, what is known of its health, and the layout of its one bind group. Whoever holds one follows a swap of its kernel. */
export interface Pipeline {
  gpu: GPUComputePipeline;
  /** What it runs, where that isn't the library's. */
  swap: Swap | undefined;
  readonly layout: GPUBindGroupLayout;
  /** What its layout is made of: a letter for each binding. */
  readonly access: string;
  /** Whether it has been launched. */
  tried: boolean;
  /** Set once the kernel is known to be bad. */
  error: KernelError | undefined;
  /** Resolves when `error` is final; undefined after that. */
  checked: Promise<void> | undefined;
}

/** A pipeline and what it was made from. */
interface Compiled {
  readonly pipeline: Pipeline;
  readonly launch: Launch;
  readonly op: string;
  /** Whether it is the library's own, whatever is swapped. */
  readonly library: boolean;
}

/**
 * Compiles each pipeline once, at the call that needs it. `createComputePipelineAsync` would gain nothing in Deno: it compiles before it returns
 * (eight pipelines of 300 lines: 243 ms one after another, 223 ms asked for together), and software drivers compile at the first dispatch anyway.
 */
export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #byKernel = new Map<Kernel, Map<string, Compiled>>();
  readonly #swaps = new Map<string, Swap>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** How many pipelines have been made. */
  get size(): number {
    let count = 0;
    for (const map of this.#byKernel.values()) count += map.size;
    return count;
  }

  /** The kernels that run in place of the library's, by the label of those. */
  get swaps(): ReadonlyMap<string, Swap> {
    return this.#swaps;
  }

  /** Runs a kernel in place of the library's of that label from now on, or with undefined the library's again. */
  swap(label: string, swap: Swap | undefined): void {
    if (swap) this.#swaps.set(label, swap);
    else this.#swaps.delete(label);
    for (const [kernel, known] of this.#byKernel) {
      if (kernel.label !== label) continue;
      for (const { pipeline, launch, op, library } of known.values()) {
        if (!library) this.#build(launch, op, swap, pipeline);
      }
    }
  }

  /**
   * The pipeline of a launch. A kernel that is already known not to compile throws; one that turns out so fails the reads that need it. `library` asks
   * for the library's own kernel, whatever was swapped.
   */
  get(launch: Launch, op: string, library = false): Pipeline {
    const { kernel, declarations = "", constants } = launch;
    const access = accessOf(launch);
    let known = this.#byKernel.get(kernel);
    if (!known) this.#byKernel.set(kernel, known = new Map());
    const swap = library ? undefined : this.#swaps.get(kernel.label);
    const key = `${library ? "library" : ""}${access}|${
      constants ? JSON.stringify(constants) : ""
    }|${declarations}`;
    let compiled = known.get(key);
    if (!compiled) {
      const pipeline = this.#build(launch, op, swap);
      known.set(key, compiled = { pipeline, launch, op, library });
    }
    const { pipeline } = compiled;
    if (pipeline.error) throw pipeline.error;
    return pipeline;
  }

  /** Compiles, into a pipeline that is there already where one is given. */
  #build(
    launch: Launch,
    op: string,
    swap: Swap | undefined,
    into?: Pipeline,
  ): Pipeline {
    const device = this.#device;
    const access = accessOf(launch);
    const { declarations = "", constants, kernel: own } = launch;
    const kernel = swap ? { label: swap.file, code: swap.code } : own;
    // On the first line, so that the numbers of the lines stay those of the file.
    const f16 = /\bf16\b/.test(declarations) ? "enable f16; " : "";
    device.pushErrorScope("validation");
    const module = device.createShaderModule({
      label: kernel.label,
      code: `${f16}${kernel.code}\n${declarations}`,
    });
    const layout = this.#layout(access);
    const gpu = device.createComputePipeline({
      label: kernel.label,
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: "main", constants },
    });
    const fresh: Pipeline = {
      gpu,
      swap,
      layout,
      access,
      tried: false,
      error: undefined,
      checked: undefined,
    };
    const pipeline = into ? Object.assign(into, fresh) : fresh;
    // Made here, so that its stack shows the call that needs the kernel.
    const place = stackBelow(this.get);
    pipeline.checked = Promise.all([
      device.popErrorScope(),
      module.getCompilationInfo(),
    ]).then(([error, { messages }]) => {
      if (pipeline.gpu !== gpu) return; // swapped meanwhile
      pipeline.checked = undefined;
      const message = messages.find((m) => m.type === "error");
      if (!error && !message) return;
      const { lineNum = 0, linePos = 0 } = message ?? {};
      const reason = reasonOf(message?.message ?? error!.message);
      const column = linePos - (lineNum === 1 ? f16.length : 0);
      pipeline.error = describe(
        { kernel, declarations },
        op,
        reason,
        lineNum,
        Math.max(column, 0),
      );
      pipeline.error.stack = place.stack.replace(
        /^Error/,
        `KernelError: ${pipeline.error.message}`,
      );
    });
    return pipeline;
  }

  /** One layout for each sequence of "r" (read), "w" (write) and "u" (uniform). */
  #layout(access: string): GPUBindGroupLayout {
    let layout = this.#layouts.get(access);
    if (!layout) {
      const types = {
        r: "read-only-storage",
        w: "storage",
        u: "uniform",
      } as const;
      layout = this.#device.createBindGroupLayout({
        entries: Array.from(access, (letter, binding) => ({
          binding,
          visibility: GPUShaderStage.COMPUTE,
          buffer: { type: types[letter as keyof typeof types] },
        })),
      });
      this.#layouts.set(access, layout);
    }
    return layout;
  }
}

/** The letters of a launch's bindings, in their order. */
function accessOf({ bindings, params, appended = [] }: Launch): string {
  return lettersOf(bindings) + (params ? "u" : "") + lettersOf(appended);
}

function lettersOf(bindings: readonly Binding[]): string {
  return bindings.map(({ access }) => access[0]).join("");
}

/** An error that names the file and the place in it, both from 1, and shows the line. 0 for a line that isn't known. */
function describe(
  { kernel: { label, code }, declarations = "" }: Pick<
    Launch,
    "kernel" | "declarations"
  >,
  op: string,
  reason: string,
  line: number,
  column: number,
): KernelError {
  const own = code.split("\n").length;
  const text = `${code}\n${declarations}`.split("\n")[line - 1]?.trim();
  const at = line === 0 ? "" : line > own
    // What a plan appends has no file: it is counted by itself.
    ? ` (declarations:${line - own}:${column})`
    : `:${line}:${column}`;
  return new KernelError(
    `Cannot compile ${label}${at} for ${op}: ${reason}${
      text ? `, in \`${text}\`` : ""
    }`,
    label,
    line,
    column,
    op,
  );
}

/** WGSL's names for the scalar types of naga's messages. */
const SCALARS: Readonly<Record<string, string>> = {
  Float: "f",
  Sint: "i",
  Uint: "u",
};

/** The sentence of a compiler message that says most, without its picture of the source. */
function reasonOf(message: string): string {
  const lines = message.split("\n").map((line) => line.trim()).filter(Boolean);
  // Naga's validator puts what is wrong into notes below the picture, the first of which may only say that something is.
  const note = lines.findLast((line) => line.startsWith("= "))?.slice(2);
  const first = lines.find((line) => /error: ./.test(line)) ?? lines[0] ?? "";
  return (note ?? first.replace(/^.*?error: /, "")).replace(
    /Scalar\(Scalar { kind: (\w+), width: (\d+) }\)/g,
    (_, kind, width) =>
      kind === "Bool" ? "bool" : `${SCALARS[kind] ?? kind}${8 * width}`,
  );
}
