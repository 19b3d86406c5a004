/** `.wgsl`: the shaders that something runs. */
import type { PreparedLaunch } from "../../core/gpu/plans.ts";
import { Report } from "../../nn/term/drawing.ts";
import { type Body, checkBody } from "./body.ts";
import { gpuFor, launchesOf } from "./launches.ts";

/** One way in which a shader is launched. */
export interface ShaderUse {
  readonly op: string;
  readonly variant: string;
  readonly constants: Readonly<Record<string, number>>;
  /** What is appended to the shader's text. */
  readonly declarations: string;
  readonly workgroups: readonly [number, number, number];
  readonly launches: number;
}

/** A shader. */
export interface Shader {
  /** The library's file. */
  readonly kernel: string;
  /** The file that runs in its place, where it was swapped. */
  readonly swappedFor: string | undefined;
  readonly code: string;
  readonly uses: readonly ShaderUse[];
}

/** The shaders of one run, in the order in which they are first launched. */
export class Shaders extends Report {
  constructor(readonly shaders: readonly Shader[]) {
    super();
  }

  override rows(): string[] {
    if (this.shaders.length === 0) return ["Nothing was launched"];
    return this.shaders.flatMap((shader, i) => [
      ...(i > 0 ? [""] : []),
      ...rowsOf(shader),
    ]);
  }
}

function rowsOf({ kernel, swappedFor, code, uses }: Shader): string[] {
  const appended = new Map<string, number[]>();
  uses.forEach(({ declarations }, i) => {
    if (declarations === "") return;
    const places = appended.get(declarations);
    if (places) places.push(i + 1);
    else appended.set(declarations, [i + 1]);
  });
  const number = (i: number) => uses.length > 1 ? `${i + 1}. ` : "";
  return [
    `// ── ${kernel} ${"─".repeat(Math.max(3, 72 - kernel.length))}`,
    ...(swappedFor ? [`// Swapped for ${swappedFor}`] : []),
    ...uses.map((use, i) => `// ${number(i)}${describeUse(use)}`),
    "",
    ...code.trimEnd().split("\n"),
    ...Array.from(appended, ([declarations, places]) => [
      "",
      uses.length > 1
        ? `// Appended for ${places.join(", ")}:`
        : "// Appended:",
      ...declarations.trim().split("\n"),
    ]).flat(),
  ];
}

function describeUse(
  { op, variant, constants, workgroups, launches }: ShaderUse,
): string {
  const overrides = Object.entries(constants).map(([name, value]) =>
    `, ${name} = ${value}`
  );
  const times = launches === 1 ? "1 launch" : `${launches} launches`;
  return `${op}: ${variant}, ${times} of ${workgroups.join(" × ")} workgroups${
    overrides.join("")
  }`;
}

/** The shaders that `body` runs, with their constants, what is appended to them and their workgroups. It runs once. */
export async function wgsl(body: Body): Promise<Shaders> {
  checkBody(body, "wgsl");
  const launches = await launchesOf(gpuFor("show shaders"), body);
  const shaders = new Map<string, { shader: Shader; uses: ShaderUse[] }>();
  for (const prepared of launches) {
    const { launch: { kernel }, pipeline: { swap } } = prepared;
    const key = `${kernel.label} ${swap?.file}`;
    let known = shaders.get(key);
    if (!known) {
      const uses: ShaderUse[] = [];
      const shader: Shader = {
        kernel: kernel.label,
        swappedFor: swap?.file,
        code: swap?.code ?? kernel.code,
        uses,
      };
      shaders.set(key, known = { shader, uses });
    }
    addUse(known.uses, prepared);
  }
  return new Shaders(Array.from(shaders.values(), ({ shader }) => shader));
}

function addUse(uses: ShaderUse[], { op, variant, launch }: PreparedLaunch) {
  const { constants = {}, declarations = "", workgroups } = launch;
  const use = { op, variant, constants, declarations, workgroups };
  const key = JSON.stringify(use);
  const at = uses.findIndex(({ launches: _, ...other }) =>
    JSON.stringify(other) === key
  );
  if (at < 0) uses.push({ ...use, launches: 1 });
  else uses[at] = { ...use, launches: uses[at].launches + 1 };
}
