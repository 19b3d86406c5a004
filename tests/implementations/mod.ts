/**
 * The same kernels on other implementations of WebGPU than Deno's on this machine's driver: their tests run again, case by case against the same float64
 * references, and LeNet trains its first step.
 *
 * `tests/run.ts` runs them, all or with `deno task test:implementations` alone.
 */
import type { Entry, Reason } from "../support/record.ts";

/** An implementation and the driver under it. */
export interface Implementation {
  readonly name: string;
  /** Arguments of `deno test` that put it in place. */
  readonly args: readonly string[];
}

export const IMPLEMENTATIONS: readonly Implementation[] = [
  {
    name: "Dawn on SwiftShader",
    // One file after another: side by side, in one process, now and then a launch of Dawn's left its outputs as they were.
    args: [
      "--lock=tests/implementations/deno.lock",
      "--preload=tests/implementations/dawn.ts",
    ],
  },
  { name: "Deno's WebGPU on SwiftShader", args: ["--parallel"] },
];

/**
 * Tests of what plans do, whatever runs them: how they cut what exceeds a limit, fold their grids, and the trips that they state; and those of each epilogue in
 * each variant, which compile for minutes and of which conv_gemm's and conv_products' run some.
 */
const OF_PLANS = [
  "conv_gemm_limits",
  "conv_epilogue",
  "conv_limits",
  "conv_trips",
  "folded_grid",
  "matmul_epilogue",
  "matmul_limits",
  "norm_epilogue",
  "norm_folded",
  "reduce_limits",
  "trips",
]
  .map((name) => `tests/wgsl/${name}_test.ts`);

/** What is run on each: arguments of `deno test`. */
export const RUNS: readonly (readonly string[])[] = [
  [`--ignore=${OF_PLANS.join(",")}`, "tests/wgsl"],
  ["--filter=/^LeNet .*\\(webgpu\\)$/", "tests/zoo/lenet_test.ts"],
];

/** The environment in which Vulkan finds SwiftShader alone and tests keep a record. */
export function environment(
  manifest: string,
  record: string,
): Record<string, string> {
  return {
    // The loader's name for it since 1.3.207, and the one before.
    VK_DRIVER_FILES: manifest,
    VK_ICD_FILENAMES: manifest,
    DENO_WEBGPU_BACKEND: "vulkan",
    TESSERA_RECORD: record,
  };
}

/** What is wrong with a run by its record: another adapter, or files of WGSL, by path, that no launch had in it. */
export function faultsOf(
  entries: readonly Entry[],
  files: ReadonlyMap<string, string>,
): string[] {
  const adapters = new Set<string>();
  const sources: string[] = [];
  for (const entry of entries) {
    if ("adapter" in entry) adapters.add(entry.adapter);
    if ("source" in entry) sources.push(entry.source);
  }
  const others = [...adapters].filter((name) => !/swiftshader/i.test(name));
  return [
    ...(adapters.size > 0 ? [] : ["ran on no adapter"]),
    ...others.map((name) => `ran on ${name}`),
    ...[...files].filter(([, text]) =>
      !sources.some((source) => source.includes(text.trim()))
    ).map(([path]) => `never ran ${path}`),
  ];
}

const REASONS: Readonly<Record<Reason, string>> = {
  f16: "in f16, which its driver lacks",
  constants: "whose kernels ran with other constants",
  endless: "of kernels that its driver can't compile",
  size: "of more than 4 million operations or 2 MiB",
  subnormal: "about numbers below 2^-126, which its driver takes for 0",
};

/** What a run left out, a line for each reason. */
export function leftOutLines(entries: readonly Entry[]): string[] {
  const counts = new Map<Reason, number>();
  for (const entry of entries) {
    if (!("leftOut" in entry)) continue;
    counts.set(entry.leftOut, (counts.get(entry.leftOut) ?? 0) + 1);
  }
  return [...counts].map(([reason, count]) =>
    `${count} cases ${REASONS[reason]}`
  ).sort();
}
