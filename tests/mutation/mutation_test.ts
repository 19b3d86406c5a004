/** The mutation check itself: its faults, its choice of them, and how it judges a run. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { choose, randomFrom, type Target } from "./choice.ts";
import { changeOf, reasonFor } from "./equivalent.ts";
import { faultsIn, OPERATORS, withFault } from "./faults.ts";
import { formatResult, type Outcome, shareCaught } from "./result.ts";
import { judge } from "./trial.ts";
import { listFiles, readText } from "../support/tree.ts";

const KERNEL = `// y[i] = x[i] + x[i - 1]; a + b < c
struct Params { count: u32, x_base: u32, y_base: u32 }
@group(0) @binding(1) var<storage, read> x: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  /* id.x - 1u */
  if (id.x >= params.count) {
    return;
  }
  stage[id.y] = x[params.x_base + id.x];
  workgroupBarrier();
  y[params.y_base + id.x] = f(stage[id.y], 0.5) - 1.0;
}
`;

/** Every change in a text, as what stands for what. */
function changes(text: string, language: "wgsl" | "ts"): string[] {
  return faultsIn(text, language).map(({ operator, start, end, replacement }) =>
    `${operator}: ${text.slice(start, end)} → ${replacement}`
  );
}

Deno.test("a kernel's faults are those of its operators, and none is in a comment, an attribute or a type", () => {
  assertEquals(
    changes(KERNEL, "wgsl"),
    [
      "boundary: >= → >",
      "arithmetic: + → -",
      "arithmetic: + → -",
      "arithmetic: - → +",
      "operands: f(stage[id.y], 0.5) - 1.0 → 1.0 - f(stage[id.y], 0.5)",
    ].filter((line) => !line.startsWith("operands")).concat([
      "term:  + id.x → ",
      "term:  + id.x → ",
      "term:  - 1.0 → ",
      "statement: stage[id.y] = x[params.x_base + id.x]; → ",
      "statement: y[params.y_base + id.x] = f(stage[id.y], 0.5) - 1.0; → ",
      "guard: if (id.x >= params.count) {\n    return;\n  } → ",
      "condition: (id.x >= params.count) → (true)",
      "condition: (id.x >= params.count) → (false)",
      "barrier: workgroupBarrier(); → ",
      "number: 0.5 → 0.505",
      "number: 1.0 → 0.0",
      "index: [id.y] → [(id.y) + 1]",
      "index: [id.y] → [(id.y) - 1]",
      "index: [params.x_base + id.x] → [(params.x_base + id.x) + 1]",
      "index: [params.x_base + id.x] → [(params.x_base + id.x) - 1]",
      "index: [params.y_base + id.x] → [(params.y_base + id.x) + 1]",
      "index: [params.y_base + id.x] → [(params.y_base + id.x) - 1]",
      "index: [id.y] → [(id.y) + 1]",
      "index: [id.y] → [(id.y) - 1]",
      "twin: x_base → y_base",
      "twin: y_base → x_base",
      "field: count → x_base",
      "field: x_base → y_base",
      "component: x → y",
      "component: y → x",
      "component: x → y",
      "component: x → y",
      "component: y → x",
      "arguments: stage[id.y], 0.5 → 0.5, stage[id.y]",
    ]),
  );
});

const PLAN = `import { words } from "./launch.ts";
/** Sizes: height - 1. */
const MOST = 8;
export const op: Op<Attrs> = {
  name: "op - 1",
  infer([x], attrs) { return [{ shape: [x.shape[0] - 1] }]; },
  reference([x], [y]) { sum(x, y, 2); },
  gradient: { rule({ grads: [dy] }) { return [dy]; } },
  plan({ limits }) {
    const tiles = Math.ceil(height / MOST);
    return { params: words(height, tiles), flops: 2 * tiles, trips: MOST };
  },
};
function sum(x: HostArray, y: HostArray, n: number): { a: 1 | 2 } {
  y.data[0] = x.data[0] * n;
}
`;

Deno.test("a plan's faults leave out its imports, shape rule, oracle, derivative and figures", () => {
  assertEquals(changes(PLAN, "ts"), [
    "arithmetic: / → *",
    "function: ceil → floor",
    "operands: height / MOST → MOST / height",
    "number: 8 → 7",
    "number: 8 → 9",
    "arguments: height, tiles → tiles, height",
  ]);
});

Deno.test("each fault of the library changes one place of its file and nothing else", async () => {
  const files = (await listFiles(".wgsl", ".ts")).filter((file) =>
    /^wgsl\/\w+\//.test(file)
  );
  const seen = new Set<string>();
  for (const file of files) {
    const text = await readText(file);
    for (const fault of faultsIn(text, file.endsWith(".ts") ? "ts" : "wgsl")) {
      const { start, end, replacement, operator } = fault;
      seen.add(operator);
      assert(start < end && end <= text.length, `${file}: ${operator}`);
      assertNotEquals(text.slice(start, end), replacement);
      assert(!text.slice(start, end).includes("//"), `${file}: ${operator}`);
      const line = text.slice(text.lastIndexOf("\n", start) + 1, start);
      assert(!/^\s*(\/\/|\*|\/\*)/.test(line), `${file}: ${operator} ${line}`);
    }
  }
  assertEquals([...seen].sort(), Object.keys(OPERATORS).sort());
  const fault = { operator: "term", start: 1, end: 5, replacement: "" };
  assertEquals(withFault("a + b;", fault), "a;");
});

const TARGETS: Target[] = ["pool", "conv", "move"].flatMap((family) => [
  { family, file: `wgsl/${family}/a.wgsl`, text: KERNEL },
  { family, file: `wgsl/${family}/b.wgsl`, text: KERNEL },
  { family, file: `wgsl/${family}/op.ts`, text: PLAN },
]);

function chosen(seed: number, count = 12): string[] {
  return choose(TARGETS, count, seed).map(({ target, faults }) =>
    `${target.file} ${JSON.stringify(faults.next().value)}`
  );
}

Deno.test("the same seed makes the same faults, and another makes others", () => {
  assertEquals(chosen(1), chosen(1));
  assertNotEquals(chosen(1), chosen(2));
  const random = randomFrom(7);
  const values = Array.from({ length: 1000 }, random);
  assert(values.every((x) => x >= 0 && x < 1));
  assertEquals(new Set(values).size, 1000);
});

Deno.test("each kernel has a fault before one has two, then kernels and plans and families take turns", () => {
  const files = chosen(3).map((line) => line.split(" ")[0]);
  const kernels = TARGETS.map(({ file }) => file).filter((file) =>
    file.endsWith(".wgsl")
  );
  assertEquals(files.slice(0, 6).sort(), kernels.sort());
  const rest = files.slice(6);
  assertEquals(rest.filter((file) => file.endsWith(".ts")).length, 3);
  for (const kind of [".ts", ".wgsl"]) {
    const families = rest.filter((file) => file.endsWith(kind))
      .map((file) => file.split("/")[1]);
    assertEquals(families.sort(), ["conv", "move", "pool"]);
  }
  // No fault is made twice, however many are asked for.
  const all = chosen(4, 200).filter((line) => !line.endsWith("undefined"));
  assertEquals(new Set(all).size, all.length);
});

Deno.test("a run is judged by its summary, and a fault that doesn't compile is none", () => {
  assertEquals(judge("x ... ok\n\nok | 3 passed | 0 failed (1s)\n"), "passed");
  assertEquals(judge("\nFAILED | 2 passed | 1 failed (1s)\n"), "failed");
  assertEquals(judge("thread 'main' panicked"), "failed");
  const broken = "Shader 'wgsl/a.wgsl' parsing error: unknown identifier";
  assertEquals(judge(`${broken}\nFAILED | 0 passed | 1 failed`), "invalid");
});

Deno.test("an equivalent fault is known by its file and the text of its line", () => {
  const [fault] = faultsIn(KERNEL, "wgsl");
  const change = changeOf(KERNEL, fault);
  assertEquals(change, {
    line: 7,
    was: "if (id.x >= params.count) {",
    becomes: "if (id.x > params.count) {",
  });
  assertEquals(reasonFor("wgsl/none.wgsl", change), undefined);
});

Deno.test("the table counts equivalent faults apart and names those that were missed", () => {
  const outcome = (kind: Outcome["kind"], family: string): Outcome => ({
    kind,
    family,
    file: `wgsl/${family}/a.wgsl`,
    line: 7,
    was: "a < b",
    becomes: "a <= b",
    operator: "boundary",
    by: "",
  });
  const outcomes = [
    outcome("caught", "pool"),
    outcome("caught", "pool"),
    outcome("caught", "conv"),
    outcome("missed", "conv"),
    outcome("equivalent", "conv"),
  ];
  assertEquals(shareCaught(outcomes), 0.75);
  assertEquals(shareCaught([]), 0);
  assertEquals(
    formatResult(outcomes),
    `
| family | faults | caught | missed | share | equivalent |
| --- | ---: | ---: | ---: | ---: | ---: |
| conv | 2 | 1 | 1 | 50.0 % | 1 |
| pool | 2 | 2 | 0 | 100.0 % | 0 |
| all | 4 | 3 | 1 | 75.0 % | 1 |

| operator | faults | caught | missed | share | equivalent |
| --- | ---: | ---: | ---: | ---: | ---: |
| boundary | 4 | 3 | 1 | 75.0 % | 1 |
| all | 4 | 3 | 1 | 75.0 % | 1 |

missed wgsl/conv/a.wgsl:7 (boundary)
  was     a < b
  becomes a <= b`,
  );
});
