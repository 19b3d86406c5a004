/** Graphs as they are traced, and what is constant in them. */
import { assert, assertEquals } from "@std/assert";
import {
  concat,
  memory,
  nn,
  noGrad,
  ones,
  randn,
  randomState,
  scope,
  type Tensor,
  tensor,
  zeros,
} from "../../../mod.ts";
import {
  constantCells,
  coversCell,
  Uses,
} from "../../../core/compile/graph.ts";
import { trace, type Traced } from "../../../core/compile/trace.ts";
import { improve } from "../../../core/compile/mod.ts";
import { onBothDevices } from "../../support/devices.ts";
import { contiguousView } from "../../../wgsl/shape.ts";

function traced(
  shape: readonly number[],
  f: (x: Tensor) => Tensor[],
): Traced<Tensor[]> {
  return noGrad(() =>
    trace([{ shape, dtype: "f32" }], ([x]) => f(x), (list) => list)
  );
}

const namesOf = ({ graph }: Traced<unknown>) =>
  graph.calls.map(({ op }) => op.name);

onBothDevices("a trace lists calls, inputs, weights and results", () => {
  const w = randn([3, 2]);
  const { graph } = traced([4, 3], (x) => [x.matmul(w).relu()]);
  const [product, activation] = graph.calls;
  assertEquals([product.op.name, activation.op.name], ["matmul", "relu"]);
  const [x, weight] = product.inputs.map(({ cell }) => cell);
  assertEquals(x.source, { kind: "input", index: 0 });
  assertEquals(x, graph.inputs[0]);
  assert(weight.source.kind === "weight");
  assertEquals(weight.source.storage, w.storage);
  assertEquals(weight.bytes, 24);
  assertEquals(activation.inputs[0].cell, product.outputs[0].cell);
  assertEquals(graph.outputs[0].cell, activation.outputs[0].cell);
  assert(graph.outputs.every(coversCell));
});

onBothDevices("views cost no call", () => {
  const tracing = traced([4, 3], (x) => [
    x.transpose(0, 1).slice(0, 1, 3).unsqueeze(0).squeeze(0).relu(),
  ]);
  const { graph } = tracing;
  assertEquals(namesOf(tracing), ["relu"]);
  assertEquals(graph.calls[0].inputs[0].view, {
    shape: [2, 4],
    strides: [1, 3],
    offset: 1,
    dtype: "f32",
  });
});

onBothDevices("layers are named, and so are their gradients", () => {
  const net = new nn.Sequential(new nn.Linear(3, 2), new nn.ReLU());
  const tracing = trace(
    [{ shape: [1, 3], dtype: "f32" }],
    ([x]) => {
      const y = net(x);
      y.sum().backward();
      return [y.detach()];
    },
    (list) => list,
  );
  const paths = new Set(tracing.graph.calls.map(({ path }) => path));
  assert(paths.has("0 (Linear)"), [...paths].join());
  assert(paths.has("1 (ReLU)"), [...paths].join());
  assert([...paths].some((path) => path?.startsWith("gradient of ")));
  for (const p of net.parameters()) p.grad = null;
  net.dispose();
});

onBothDevices(
  "tracing takes no memory, draws nothing and frees its tensors",
  () => {
    const before = [memory().bytes, memory().tensors, randomState()];
    const tracing = traced([2, 2], (x) => [x.add(randn([2, 2])), zeros([3])]);
    assertEquals([memory().bytes, memory().tensors, randomState()], before);
    assertEquals(tracing.random.blocks > 0, true);
    assertEquals(namesOf(tracing), ["normal", "add", "full"]);
  },
);

onBothDevices("the peak is that of running call by call", () => {
  const f = (x: Tensor) => {
    using s = scope();
    const y = x.exp();
    const z = y.relu();
    y.dispose();
    return s.keep([z.tanh()]);
  };
  const { eagerPeakBytes } = traced([256], f);
  assertEquals(eagerPeakBytes, 2 * 1024);
});

onBothDevices(
  "constant is what weights and constants alone make, and no result",
  () => {
    const w = randn([3]);
    const { graph } = traced([3], (x) => {
      const y = w.exp().add(tensor([1, 2, 3])); // constant
      const z = y.mul(randn([3])); // drawn
      return [x.add(y), z, ones([3]).mul(2)];
    });
    const constant = constantCells(graph);
    const which = graph.calls.map(({ op, outputs }) =>
      `${op.name} ${outputs.every(({ cell }) => constant.has(cell))}`
    );
    assertEquals(which, [
      "exp true",
      "add true",
      "normal false",
      "mul false",
      "add false",
      "full true",
      "mul false",
    ]);
  },
);

onBothDevices(
  "what is changed in place isn't constant, nor is a part of what varies",
  () => {
    const [mean, variance] = [zeros([2]), ones([2])];
    const w = randn([1, 64]);
    const { graph } = traced([4, 2], (x) => [
      nn.batchNorm(x, mean, variance, { training: true }),
      mean.mul(2),
      concat([x.reshape([1, 8]).exp(), w], 1).relu(),
    ]);
    improve(graph);
    const constant = constantCells(graph);
    for (const { outputs, op } of graph.calls) {
      assert(outputs.every(({ cell }) => !constant.has(cell)), op.name);
    }
  },
);

onBothDevices("uses tell writers and readers", () => {
  const { graph } = traced([2], (x) => {
    const y = x.exp();
    return [y.mul(y).relu()];
  });
  const uses = new Uses(graph);
  const [exp, square, relu] = graph.calls;
  const y = exp.outputs[0].cell;
  assertEquals(uses.writers(y), [exp]);
  assertEquals(uses.readers(y), [square, square]);
  assertEquals(uses.onlyReader(exp), undefined);
  assertEquals(uses.onlyReader(square), relu);
  assertEquals(uses.onlyReader(relu), undefined);
  assert(uses.isResult(relu.outputs[0].cell) && !uses.isResult(y));
  assert(uses.writtenOnce(y) && !uses.writtenOnce(graph.inputs[0]));
});

onBothDevices("a place covers its cell only in order and whole", () => {
  const { graph } = traced([2, 3], (x) => [x.exp()]);
  const { cell } = graph.calls[0].outputs[0];
  const view = contiguousView({ shape: [2, 3], dtype: "f32" });
  assert(coversCell({ cell, view }));
  assert(
    coversCell({ cell, view: contiguousView({ ...view, shape: [6, 1] }) }),
  );
  assert(
    coversCell({ cell, view: { ...view, shape: [1, 6], strides: [9, 1] } }),
  );
  assert(!coversCell({ cell, view: { ...view, strides: [1, 2] } }));
  assert(!coversCell({ cell, view: { ...view, offset: 1 } }));
  assert(!coversCell({ cell, view: contiguousView({ ...view, shape: [5] }) }));
  assert(!coversCell({ cell, view: { ...view, dtype: "i32" } }));
});
