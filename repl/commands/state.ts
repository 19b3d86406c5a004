/** Commands that show the state of a session: its variables, its memory, its device, and how long something takes. */
import { device, type DeviceInfo, memory, synchronize } from "../../mod.ts";
import { Drawing } from "../../nn/term/drawing.ts";
import { paint } from "../../nn/term/style.ts";
import { tableRows } from "../../nn/term/table.ts";
import { grouped, humanBytes, humanTime } from "../../nn/term/units.ts";
import { startSeed } from "../device.ts";
import type { Command, Shell } from "./command.ts";
import { bytesOf, dtypesOf, shapeOf, tensorsIn, typeOf } from "./held.ts";

/** Tensors that `.mem` lists. */
const LARGEST = 10;

export function stateCommands(shell: Shell): readonly Command[] {
  return [
    {
      name: "vars",
      takes: "nothing",
      usage: ".vars",
      about: "the variables with type, shape, dtype and bytes",
      run: () => variables(shell),
    },
    {
      name: "time",
      takes: "body",
      usage: ".time expression",
      about: "a value and how long it took, the GPU's work included",
      run: (body: unknown) => time(shell, body),
    },
    {
      name: "mem",
      takes: "nothing",
      usage: ".mem",
      about: "live and pooled memory, and the largest tensors in variables",
      run: () => memoryInUse(shell),
    },
    {
      name: "device",
      takes: "nothing",
      usage: ".device",
      about: "the adapter with its features and limits",
      run: deviceReport,
    },
  ];
}

async function variables(shell: Shell): Promise<Drawing> {
  const all = [...await shell.variables()];
  if (all.length === 0) return new Drawing(["No variables"]);
  const rows = all.map(([name, value]) => {
    const tensors = tensorsIn(name, value).map(([, tensor]) => tensor);
    const bytes = ArrayBuffer.isView(value)
      ? value.byteLength
      : bytesOf(tensors);
    return [
      name,
      typeOf(value),
      shapeOf(value),
      dtypesOf(tensors),
      bytes === 0 && tensors.length === 0 ? "" : humanBytes(bytes),
    ];
  });
  const heads = [
    { head: "Name" },
    { head: "Type", cut: true },
    { head: "Shape", cut: true },
    { head: "Dtype" },
    { head: "Bytes", align: "right" },
  ] as const;
  const { columns } = shell.screen();
  return new Drawing(tableRows(heads, rows, { columns }));
}

async function time(shell: Shell, body: unknown): Promise<unknown> {
  if (typeof body !== "function") {
    throw new TypeError(
      `Cannot time ${
        Deno.inspect(body)
      }: expected a function, as in time(() => net(x))`,
    );
  }
  await synchronize();
  const start = performance.now();
  const value: unknown = await body();
  await synchronize();
  const text = humanTime(performance.now() - start);
  shell.print(paint(text, "dim", shell.screen().colors));
  return value;
}

async function memoryInUse(shell: Shell): Promise<Drawing> {
  await shell.collect();
  const { tensors, buffers, bytes, peakBytes, pooledBytes } = memory();
  const rows = [
    `live    ${humanBytes(bytes)} in ${counted(tensors, "tensor")} and ${
      counted(buffers, "buffer")
    }`,
    `peak    ${humanBytes(peakBytes)}`,
    `pooled  ${humanBytes(pooledBytes)}`,
  ];
  const held = [...await shell.variables()].flatMap(([name, value]) =>
    tensorsIn(name, value)
  );
  const unique = [...new Map(held.map(([name, x]) => [x, name])).keys()];
  if (unique.length === 0) return new Drawing(rows);
  const names = new Map(held.toReversed().map(([name, x]) => [x, name]));
  const largest = unique.toSorted((a, b) => bytesOf([b]) - bytesOf([a]))
    .slice(0, LARGEST);
  const heads = [
    { head: "Largest", cut: true },
    { head: "Shape", cut: true },
    { head: "Dtype" },
    { head: "Bytes", align: "right" },
  ] as const;
  const lines = largest.map((tensor) => [
    names.get(tensor) ?? "",
    shapeOf(tensor),
    tensor.dtype,
    humanBytes(bytesOf([tensor])),
  ]);
  const more = unique.length - largest.length;
  return new Drawing([
    ...rows,
    "",
    ...tableRows(heads, lines, { columns: shell.screen().columns }),
    ...more > 0 ? [`and ${counted(more, "smaller one")}`] : [],
  ]);
}

/** The library's own `device()`, shown in readable units. */
function deviceReport(): Drawing & DeviceInfo {
  const info = device();
  const { backend, name, vendor, architecture, software, features, limits } =
    info;
  const maker = [vendor, architecture].filter((text) =>
    // Some drivers give numbers for names.
    !/^(0x)?[0-9a-f]*$/i.test(text)
  ).join(", ");
  const seed = startSeed();
  const facts: [string, string][] = [
    ["adapter", software ? `${name}, a software adapter` : name],
    ["by", maker],
    ["backend", backend === "webgpu" ? "WebGPU" : "CPU, in float64"],
    ["features", features.join(", ") || "none"],
    ["buffer", humanBytes(limits.maxBufferSize)],
    ["binding", humanBytes(limits.maxStorageBufferBindingSize)],
    ["workgroup memory", humanBytes(limits.maxComputeWorkgroupStorageSize)],
    [
      "workgroup",
      counted(limits.maxComputeInvocationsPerWorkgroup, "invocation"),
    ],
    [
      "dispatch",
      `${
        counted(limits.maxComputeWorkgroupsPerDimension, "workgroup")
      } a dimension`,
    ],
    ["loops", `${counted(limits.maxLoopTrips, "trip")} an invocation`],
    ["seed", seed === undefined ? "" : String(seed)],
  ];
  const width = Math.max(...facts.map(([fact]) => fact.length));
  const rows = facts.filter(([, text]) => text !== "").map(([fact, text]) =>
    `${fact.padEnd(width)}  ${text}`
  );
  return Object.assign(new Drawing(rows), info);
}

function counted(n: number, noun: string): string {
  return `${Number.isFinite(n) ? grouped(n) : "unlimited"} ${noun}${
    n === 1 ? "" : "s"
  }`;
}
