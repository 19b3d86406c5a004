import { assertEquals, assertThrows } from "@std/assert";
import {
  init,
  memory,
  nn,
  randn,
  type Tensor,
  tensor,
  zeros,
  zoo,
} from "../../../mod.ts";
import { type CamOptions, gradCam } from "../../../repl/term/cam.ts";
import { show } from "../../../repl/term/show.ts";
import fixtures from "../../fixtures/cam.json" with { type: "json" };
import { assertClose } from "../../support/tolerance.ts";

await init({ seed: 0 });

/** Maps x and -x, their means, and scores of two classes: 2 a + b and 3 b. */
function small() {
  const conv = new nn.Conv2d(1, 2, 1, { bias: false });
  const linear = new nn.Linear(2, 2, { bias: false });
  using filters = tensor([[[[1]]], [[[-1]]]]);
  using weights = tensor([[2, 1], [0, 3]]);
  conv.weight.assign(filters);
  linear.weight.assign(weights);
  return new nn.Sequential(
    conv,
    new nn.AdaptiveAvgPool2d(1),
    new nn.Flatten(),
    linear,
  );
}

Deno.test("of a linear head on means, the heat is the weighted sum of the maps over their number of places: CAM", async () => {
  const net = small();
  using x = tensor([[[[1, 2], [-3, 4]]]]);
  const heat = async (options: CamOptions) => {
    using map = gradCam(net, x, { resize: false, ...options });
    return await map.array();
  };
  // Class 0: 2 x - x = x. Class 1: -3 x. Four places.
  assertEquals(await heat({ target: 0 }), [[[0.25, 0.5], [0, 1]]]);
  assertEquals(await heat({ target: 1 }), [[[0, 0], [2.25, 0]]]);
  // Its scores are 1 and -3.
  assertEquals(await heat({}), [[[0.25, 0.5], [0, 1]]]);
  assertEquals(await heat({ layer: "0" }), [[[0.25, 0.5], [0, 1]]]);
  assertEquals(await heat({ layer: net.children()[0] }), [[[0.25, 0.5], [
    0,
    1,
  ]]]);
  net.dispose();
});

/** What tests/fixtures/cam.py fills its network with. */
function sines(shape: readonly number[], step: number): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Float64Array.from({ length: size }, (_, i) => Math.sin(i * step)),
    {
      shape,
      dtype: "f32",
    },
  );
}

Deno.test("the heat of a network with nonlinear layers agrees with PyTorch's gradients, at the picture's size", async () => {
  const net = new nn.Sequential(
    new nn.Conv2d(2, 4, 3, { padding: 1, bias: false }),
    new nn.Tanh(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(4, 3, 3, { bias: false }),
    new nn.Tanh(),
    new nn.Flatten(),
    new nn.Linear(18, 5, { bias: false }),
  );
  for (const [i, p] of net.parameters().entries()) {
    using values = sines(p.shape, [0.7, 1.1, 1.3][i]);
    p.assign(values);
  }
  using x = sines([2, 2, 8, 10], 0.9);
  const cases = [[{}, fixtures.best], [{ target: 0 }, fixtures.first]] as const;
  for (const [options, wanted] of cases) {
    using heat = gradCam(net, x, options);
    const { shape, dtype } = heat;
    assertClose(
      { shape, dtype, data: await heat.read() },
      { shape: [2, 8, 10], dtype, data: Float64Array.from(wanted.flat(2)) },
      4 * 9 * 18,
    );
  }
  net.dispose();
});

Deno.test("each example has a class of its own, and the heat gets the picture's size", async () => {
  const net = small();
  using x = tensor([[[[1, 2], [-3, 4]]], [[[1, 2], [-3, 4]]]]);
  using map = gradCam(net, x, { target: [0, 1], resize: false });
  assertEquals(await map.array(), [[[0.25, 0.5], [0, 1]], [[0, 0], [2.25, 0]]]);
  const coarse = new nn.Sequential(new nn.AvgPool2d(2), net);
  using large = tensor([[[[4, 4, 8, 8], [4, 4, 8, 8]]]]);
  using wide = gradCam(coarse, large, { target: 0 });
  // Maps of one row, 4 and 8: a quarter of a place beyond the middles both ways.
  assertEquals(await wide.array(), [[[2, 2.5, 3.5, 4], [2, 2.5, 3.5, 4]]]);
  net.dispose();
});

Deno.test("a network keeps its mode and gradients, may be frozen, and no memory stays behind", () => {
  const net = small().requiresGrad_(false).train();
  using x = randn([2, 1, 4, 4]);
  const { tensors, bytes } = memory();
  gradCam(net, x).dispose();
  assertEquals([memory().tensors, memory().bytes], [tensors, bytes]);
  assertEquals(net.training, true);
  assertEquals(net.parameters().map(({ grad }) => grad), [null, null]);
  net.dispose();
});

Deno.test("networks of the zoo are explained by their last maps: of residual, dense and inception blocks the whole block", async () => {
  const small = { stem: "small", width: 4, classes: 10 } as const;
  const cases = [
    [() => zoo.lenet(), [1, 1, 28, 28], "3"],
    [() => zoo.resnet18(small), [1, 3, 32, 32], "layer4"],
    [() => zoo.googlenet(), [1, 3, 64, 64], "inception5b"],
  ] as const;
  for (const [make, shape, layer] of cases) {
    const net = make();
    using x = randn(shape);
    using chosen = gradCam(net, x);
    using named = gradCam(net, x, { layer });
    assertEquals(chosen.shape, [1, ...shape.slice(2)]);
    assertEquals(await chosen.read(), await named.read());
    net.dispose();
  }
});

Deno.test("what gradCam gives is shown over its picture", async () => {
  const net = small();
  using x = tensor([[[[1, 2], [-3, 4]]]]);
  using heat = gradCam(net, x, { target: 0 });
  const drawing = await show(heat, {
    screen: { colors: "none", columns: 80 },
    scale: 2,
  });
  assertEquals(drawing.rows, ["++**  ::++", "  @@    @@", "      heat"]);
  net.dispose();
});

Deno.test("a layer that isn't there, has no maps or isn't called, and classes out of range are refused", () => {
  const net = small();
  using x = zeros([2, 1, 4, 4]);
  const refused = (options: CamOptions, message: string) => {
    assertThrows(() => gradCam(net, x, options), Error, message);
  };
  refused(
    { layer: "9" },
    "Cannot find a layer at \"9\": the paths are those of the network's state, without the parameters' names",
  );
  refused(
    { layer: "3" },
    "Cannot weigh the output of shape [2, 2]: expected maps [N, C, H, W]",
  );
  refused(
    { layer: new nn.ReLU() },
    "Cannot weigh the maps of a layer: the network didn't call it",
  );
  refused(
    { target: 2 },
    "Cannot explain the score of class 2: the network has classes 0 to 1",
  );
  refused(
    { target: [0] },
    "Cannot explain the scores of 2 examples: found 1 classes",
  );
  const conv = net.children()[0];
  assertThrows(
    () => gradCam(conv, x),
    Error,
    "Cannot explain scores of shape [2, 2, 4, 4]: expected [N, classes]",
  );
  assertThrows(
    () => gradCam(new nn.Flatten(), x),
    TypeError,
    "Cannot choose a layer of Flatten to weigh the maps of: it calls no convolution",
  );
  net.dispose();
});
