/** The tables that the comparison makes. */
import { median } from "../../core/median.ts";
import { markdown } from "../report.ts";
import type { Library } from "./process.ts";
import type { Note } from "./contest.ts";
import type { Work } from "./work.ts";

/** A library and a piece of work that it did. */
export interface Row {
  readonly work: Work;
  readonly library: Library | "torch";
  /** As tables call it. */
  readonly name: string;
  /** Of one run, for each round. */
  readonly ms: readonly number[];
  readonly dispatches: number | undefined;
  /** Largest difference from our result, as a part of the largest value. */
  readonly off: number;
}

/** Libraries whose times ours are compared with. */
const PEERS = ["tfjs-webgpu", "jax-webgpu", "ort-webgpu"];

/** Libraries on the CPU, which are there for orientation. */
const ON_CPU = {
  "ort-wasm": "ORT WASM",
  "tfjs-wasm": "TF.js WASM",
  torch: "PyTorch",
};

/** Every row that was measured, and how many times as fast ours is. */
export function detailTable(rows: readonly Row[]): string {
  const ours = new Map(
    rows.filter(({ library }) => library === "tessera")
      .map(({ work, ms }) => [work, median(ms)]),
  );
  const head = [
    "work",
    "library",
    "ms, median",
    "least–most",
    "GFLOP/s",
    "dispatches",
    "differs by",
    "Tessera is",
  ];
  return markdown(
    head,
    rows.map(({ work, library, name, ms, dispatches, off }) => {
      const middle = median(ms);
      const own = ours.get(work);
      return [
        work.name,
        name,
        middle.toFixed(2),
        `${Math.min(...ms).toFixed(2)}–${Math.max(...ms).toFixed(2)}`,
        (work.flops / middle / 1e6).toFixed(1),
        dispatches?.toString() ?? "–",
        library === "tessera" ? "" : off.toExponential(0),
        own && library !== "tessera" ? `${(middle / own).toFixed(2)}×` : "",
      ];
    }),
  );
}

/**
 * One line for each network: ours by calls and compiled, the best of the others on WebGPU, and those on the CPU. Shares are of the arithmetic peak,
 * operations a second.
 */
export function networkTable(rows: readonly Row[], peak: number): string {
  const works = [...new Set(rows.map(({ work }) => work))];
  const head = [
    "work",
    "eager, ms",
    "compiled, ms",
    "eager / compiled",
    "best other on WebGPU",
    "its ms",
    "its / compiled",
    "share of peak, eager",
    "compiled",
    ...Object.values(ON_CPU),
  ];
  return markdown(
    head,
    works.map((work) => {
      const mine = rows.filter((row) => row.work === work);
      const of = (library: string) => {
        const row = mine.find((row) => row.library === library);
        return row && median(row.ms);
      };
      const [eager, compiled] = [of("tessera"), of("tessera-compiled")];
      const best = mine.filter(({ library }) => PEERS.includes(library))
        .map(({ name, ms }) => ({ name, ms: median(ms) }))
        .toSorted((a, b) => a.ms - b.ms).at(0);
      const share = (ms: number | undefined) =>
        ms && `${(100 * work.flops / (ms / 1000) / peak).toFixed(0)} %`;
      return [
        work.name,
        fixed(eager),
        fixed(compiled),
        ratio(eager, compiled),
        best?.name ?? "–",
        fixed(best?.ms),
        ratio(best?.ms, compiled),
        share(eager) ?? "–",
        share(compiled) ?? "–",
        ...Object.keys(ON_CPU).map((library) => fixed(of(library))),
      ].map((cell) => cell || "–");
    }),
    1,
  );
}

function fixed(ms: number | undefined): string {
  return ms === undefined ? "–" : ms.toFixed(ms < 100 ? 1 : 0);
}

/** How many times as long the one takes as the other. */
function ratio(longer: number | undefined, ms: number | undefined): string {
  return longer && ms ? `${(longer / ms).toFixed(2)}×` : "–";
}

const NAMES: Readonly<Record<Row["library"], string>> = {
  "tessera": "Tessera",
  "tessera-compiled": "Tessera, compiled",
  "tfjs-webgpu": "TensorFlow.js webgpu",
  "jax-webgpu": "jax-js webgpu",
  "ort-webgpu": "ONNX Runtime Web webgpu",
  "tfjs-wasm": "TensorFlow.js wasm",
  "jax-wasm": "jax-js wasm",
  "ort-wasm": "ONNX Runtime Web wasm",
  "torch": "PyTorch",
};

/** What libraries can't do, a line for each reason. */
export function noteList(notes: readonly Note[]): string {
  const byReason = Map.groupBy(
    notes,
    ({ library, reason }) => `${NAMES[library]}: ${reason}`,
  );
  return Array.from(byReason, ([reason, all]) => {
    const works = all.map(({ work }) => work.name).join("; ");
    return `- ${reason} (${works})`;
  }).join("\n");
}
