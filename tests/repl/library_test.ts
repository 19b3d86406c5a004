import { init } from "../../mod.ts";
import { libraryHost } from "../../repl/library.ts";
import { assertTranscript } from "./transcript.ts";

async function assertLesson(transcript: string): Promise<void> {
  await init({ seed: 0 });
  await assertTranscript(transcript, libraryHost("none"));
}

Deno.test("the library's names are there, and tensors are read before they are shown", () =>
  assertLesson(`
    > const t = tensor([[1, 2], [3, 4.5]])
    > t
    Tensor f32[2, 2] gpu
    [[1.  2. ]
     [3.  4.5]]
    > [t.sum(), { deep: t.shape }]
    [ Tensor f32[] gpu 10.5, { deep: [ 2, 2 ] } ]
    > t.sum().item()
    10.5
    > const row = t.slice(0, 0, 1);
    > await row.array()
    [ [ 1, 2 ] ]
    > new nn.Conv2d(1, 6, 5, { padding: 2 })(zeros([1, 1, 28, 28])).shape
    [ 1, 6, 28, 28 ]
  `));

Deno.test("an error of the library is shown without the library's own calls, and the session goes on", () =>
  assertLesson(`
    > const layer = new nn.Linear(3, 2)
    > const use = (x: unknown) => layer(x as never)
    > use(zeros([1, 4]))
    ShapeError: Cannot apply a linear layer with weight [2, 3] to [1, 4]: expected an input of shape [..., 3], in Linear(3, 2)
        at use (repl:2:29)
        at repl:3:1
    > layer(zeros([1, 3])).shape
    [ 1, 2 ]
  `));

Deno.test("drawings and summaries are shown as they are", () =>
  assertLesson(`
    > plot([0, 1], { width: 4, height: 2 })
    1 ┤  ⡠⠊
    0 ┤⡠⠊
      └┬──┬
       1  2
    > pictures([{ pixels: [0, 1, 2, 3], width: 2, height: 2 }])
    -*
  `));
