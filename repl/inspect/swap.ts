/** `swap`: runs an edited kernel in place of one of the library's. */
import type { GpuBackend } from "../../core/gpu/backend.ts";
import {
  type SwapCheck,
  swapKernel,
  unswapKernel,
} from "../../core/gpu/swap.ts";
import { nearest } from "../../nn/state.ts";
import { Report } from "../../nn/term/drawing.ts";
import { type Column, tableRows } from "../../nn/term/table.ts";
import { formatShape } from "../../wgsl/shape.ts";
import { gpuFor } from "./launches.ts";
import { shortLabel } from "./work.ts";

/** Where the library's kernels are. */
const KERNELS = new URL("../../wgsl/", import.meta.url);

const HEADS: readonly Column[] = [
  { head: "op: variant", cut: true },
  { head: "inputs", cut: true },
  { head: "largest error", align: "right" },
  { head: "allowed", align: "right" },
  { head: "against" },
];

/** A kernel that runs in place of the library's, and how it did. */
export class Swapped extends Report {
  constructor(
    /** The library's kernel, such as "conv/conv2d_rows.wgsl". */
    readonly kernel: string,
    readonly file: string,
    /** The calls on which it was compared with the op's reference. */
    readonly checks: readonly SwapCheck[],
  ) {
    super();
  }

  override rows(columns?: number): string[] {
    const { kernel, file, checks } = this;
    const head = `${file} runs in place of ${kernel}`;
    const later =
      "Calls of other shapes are compared with the reference when they first run.";
    if (checks.length === 0) {
      return [
        `${head}. No call has used it yet: the first will be compared with the reference.`,
      ];
    }
    const lines = checks.map((check) => [
      `${check.op}: ${check.variant}`,
      check.inputs.map(({ shape }) => formatShape(shape)).join(", "),
      short(check.error),
      short(check.allowed),
      check.against === "reference" ? "float64 reference" : "library's kernel",
    ]);
    return [head, "", ...tableRows(HEADS, lines, { columns }), later];
  }
}

function short(value: number): string {
  return value === 0 ? "0" : value.toExponential(1);
}

/** The kernels that run in place of the library's. */
export class Swaps extends Report {
  constructor(readonly files: Readonly<Record<string, string>>) {
    super();
  }

  override rows(columns?: number): string[] {
    const lines = Object.entries(this.files);
    if (lines.length === 0) return ["All kernels are the library's own"];
    const heads = [{ head: "kernel", cut: true }, { head: "file", cut: true }];
    return tableRows(heads, lines, { columns });
  }
}

/**
 * Runs the kernel in `file` in place of the library's `kernel`, such as "conv/conv2d_rows.wgsl", from now on: refused where it doesn't compile or
 * comes out wrong for a call that has used the kernel. Without a file, the library's runs again; without anything, the kernels that are swapped.
 */
export async function swap(
  kernel?: string,
  file?: string | URL,
): Promise<Swapped | Swaps> {
  const gpu = gpuFor("swap kernels");
  const { workbench } = gpu;
  const list = () =>
    new Swaps(
      Object.fromEntries(
        Array.from(
          workbench.pipelines.swaps,
          ([label, { file }]) => [shortLabel(label), file],
        ),
      ),
    );
  if (kernel === undefined) return list();
  const label = await labelOf(gpu, kernel);
  if (file === undefined) {
    if (!await unswapKernel(workbench, label)) {
      throw new Error(
        `Cannot go back to ${shortLabel(label)}: it hasn't been swapped`,
      );
    }
    return list();
  }
  const code = await Deno.readTextFile(file);
  const checks = await swapKernel(workbench, label, `${file}`, code);
  return new Swapped(shortLabel(label), `${file}`, checks);
}

/** The label of one of the library's kernels, with or without the folder that all are in. */
async function labelOf(gpu: GpuBackend, kernel: unknown): Promise<string> {
  if (typeof kernel !== "string") {
    throw new TypeError(
      'Cannot swap a kernel without its name: expected a file of the library\'s, such as "conv/conv2d_rows.wgsl"',
    );
  }
  const name = kernel.replace(/^(\.?\/)?(wgsl\/)?/, "");
  const label = `wgsl/${name}`;
  if (gpu.workbench.plans.kernels.includes(label)) return label;
  const names = await kernelFiles();
  if (names === undefined) return label;
  if (names.includes(name)) {
    const code = await Deno.readTextFile(new URL(name, KERNELS));
    if (code.includes("@compute")) return label;
    throw new Error(
      `Cannot swap ${name}: it is no kernel but a part of several`,
    );
  }
  const near = nearest(name, names);
  throw new Error(
    `Cannot swap ${name}: the library has no such kernel${
      near ? `, did you mean "${near}"?` : ""
    }`,
  );
}

/** The library's kernels; undefined where it was imported from a URL, which has no list of files. */
async function kernelFiles(): Promise<string[] | undefined> {
  if (KERNELS.protocol !== "file:") return undefined;
  const found: string[] = [];
  for await (const family of Deno.readDir(KERNELS)) {
    if (!family.isDirectory) continue;
    for await (const { name } of Deno.readDir(new URL(family.name, KERNELS))) {
      if (name.endsWith(".wgsl")) found.push(`${family.name}/${name}`);
    }
  }
  return found;
}
