import { assertEquals } from "@std/assert";
import { init } from "../../mod.ts";
import { nearestName } from "../../repl/help/names.ts";
import { libraryHost } from "../../repl/library.ts";
import { assertTranscript } from "./transcript.ts";

async function assertLesson(transcript: string): Promise<void> {
  await init({ seed: 0 });
  await assertTranscript(transcript, libraryHost("none"));
}

Deno.test("an unknown name has the nearest one behind it, also inside nn, the zoo and a tensor", () =>
  assertLesson(`
    > conv2dd(1)
    ReferenceError: conv2dd is not defined, did you mean conv2d?
    > const weights = [1]
    > wieghts
    ReferenceError: wieghts is not defined, did you mean weights?
    > new Conv2d(1, 2, 3)
    ReferenceError: Conv2d is not defined, did you mean nn.Conv2d?
    > resnet18()
    ReferenceError: resnet18 is not defined, did you mean zoo.resnet18?
    > reshape(1, [2])
    ReferenceError: reshape is not defined, did you mean x.reshape?
    > RELU
    ReferenceError: RELU is not defined, did you mean relu?
    > foo
    ReferenceError: foo is not defined
    > qwertyuiop
    ReferenceError: qwertyuiop is not defined
  `));

Deno.test("an unknown property or method has the nearest one, a promise says that it must be awaited", () =>
  assertLesson(`
    > const x = zeros([2, 3])
    > x.shpe
    there is no shpe in x (Tensor), did you mean shape?
    > x.rehsape([3, 2])
    TypeError: x.rehsape is not a function, did you mean reshape?
    > x.shpe[0]
    TypeError: Cannot read properties of undefined (reading '0'), there is no shpe in x (Tensor), did you mean shape?
    > x.relu().mll(2)
    TypeError: x.relu(...).mll is not a function, did you mean mul?
    > new nn.Conv2dd(1)
    TypeError: nn.Conv2dd is not a constructor, did you mean Conv2d?
    > nn.Conv2d(1, 2, 3)
    TypeError: Class constructor Conv2d cannot be invoked without 'new', write new nn.Conv2d(…)
    > const p = x.sum().item()
    p is a promise: write const p = await …
    > p.toFixed(2)
    TypeError: p.toFixed is not a function, p is a promise: await it first
    > const net = zoo.lenet()
    > net.parametrs()
    TypeError: net.parametrs is not a function, did you mean parameters?
    > net.at(0).wieght
    > const options = { lr: 1 }
    > options.lrr
    there is no lrr in options (object), did you mean lr?
    > options.momentum
    > x.grad
    null
    > net(zeros([1, 3, 28, 28]))
    ShapeError: Cannot convolve [1, 3, 28, 28] with [6, 1, 5, 5]: the input has 3 channels, the weight expects 1 (1 a group × 1 groups), in 0: Conv2d(1, 6, kernelSize=[5,5], padding=2)
    > net(zeros([1, 1, 28, 28])).shape
    [ 1, 10 ]
  `));

Deno.test("a look at what a getter of somebody's own would give doesn't run it", () =>
  assertLesson(`
    > let ran = 0
    > const own = { get size() { ran++; return { width: 1 } }, other: 1 }
    > own.size.widht
    > ran
    1
    > own.othr
    there is no othr in own (object), did you mean other?
    > ran
    1
  `));

Deno.test("functions of the library show their form and what they do", () =>
  assertLesson(`
    > relu
    relu(x: Tensor): Tensor
    max(x, 0).
    > nn.Dropout
    new nn.Dropout(p = 0.5)
    In training mode, sets values to 0 with probability \`p\` and scales the others up; otherwise does nothing (Srivastava et al. 2014).
    > (a: number) => a
    [Function (anonymous)]
  `));

Deno.test("the nearest name is the same but for its case, or differs in a third of its letters at most", () => {
  const cases: readonly (readonly [string, string[], string | undefined])[] = [
    ["relu", ["Relu", "relu6"], "Relu"],
    ["rleu", ["gelu", "relu"], "relu"],
    ["mll", ["all", "mul"], "mul"],
    ["foo", ["zoo"], undefined],
    ["x", ["y"], undefined],
    ["maxpool", ["maxPool2d", "maxPool"], "maxPool"],
    ["zonv2d", ["conv2d"], "conv2d"],
    ["conv", ["matmul"], undefined],
  ];
  for (const [name, names, nearest] of cases) {
    assertEquals(nearestName(name, names), nearest);
  }
});
