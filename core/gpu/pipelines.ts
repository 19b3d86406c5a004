/** Compiled kernels, one a source, set of constants and binding layout. */
import type { Binding, Kernel, Launch } from "../../wgsl/op.ts";
import { KernelError } from "../errors.ts";
import { stackBelow } from "../places.ts";

/** A pipeline, what is known of its health, and the layout of its one bind group. */
export interface Pipeline {
  readonly gpu: GPUComputePipeline;
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

/**
 * Compiles each pipeline once, at the call that needs it. `createComputePipelineAsync` would gain nothing in Deno: it compiles before it returns
 * (eight pipelines of 300 lines: 243 ms one after another, 223 ms asked for together), and software drivers compile at the first dispatch anyway.
 */
export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #byKernel = new Map<Kernel, Map<string, Pipeline>>();
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

  /** The pipeline of a launch. A kernel that is already known not to compile throws; one that turns out so fails the reads that need it. */
  get(launch: Launch, op: string): Pipeline {
    const { kernel, declarations = "", constants, bindings, appended } = launch;
    const access = lettersOf(bindings) + (launch.params ? "u" : "") +
      lettersOf(appended ?? []);
    let known = this.#byKernel.get(kernel);
    if (!known) this.#byKernel.set(kernel, known = new Map());
    const key = `${access}|${
      constants ? JSON.stringify(constants) : ""
    }|${declarations}`;
    let pipeline = known.get(key);
    if (!pipeline) {
      known.set(key, pipeline = this.#compile(launch, access, op));
    }
    if (pipeline.error) throw pipeline.error;
    return pipeline;
  }

  #compile(
    { kernel, declarations = "", constants }: Launch,
    access: string,
    op: string,
  ): Pipeline {
    const device = this.#device;
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
    const pipeline: Pipeline = {
      gpu,
      layout,
      access,
      tried: false,
      error: undefined,
      checked: undefined,
    };
    // Made here, so that its stack shows the call that needs the kernel.
    const place = stackBelow(this.get);
    pipeline.checked = Promise.all([
      device.popErrorScope(),
      module.getCompilationInfo(),
    ]).then(([error, { messages }]) => {
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
