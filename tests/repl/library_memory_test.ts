import { init } from "../../mod.ts";
import { libraryHost } from "../../repl/library.ts";
import { assertTranscript } from "./transcript.ts";

Deno.test("tensors that no variable holds are freed after their line", async () => {
  await init({ seed: 0 });
  await assertTranscript(
    `
    > const before = memory(); const since = () => memory().tensors - before.tensors
    > let kept = zeros([4]).add(1).mul(2)
    > since()
    1
    > for (let i = 0; i < 10; i++) kept.add(i);
    > since()
    1
    > kept = kept.reshape([2, 2])
    Tensor f32[2, 2] gpu
    [[2. 2.]
     [2. 2.]]
    > 0
    0
    > since()
    1
    > let inner = () => { const hidden = zeros([2]); return () => hidden }; let closure = inner()
    > since()
    2
    > closure = undefined
    > since()
    1
    > let model = new nn.Linear(3, 2); let optimizer = new nn.Adam(model.parameters())
    > for (let i = 0; i < 3; i++) { optimizer.zeroGrad(); model(zeros([1, 3])).sum().backward(); optimizer.step() }
    > optimizer.step()
    > since() > 3
    true
    > optimizer = undefined
    > model = undefined
    > kept = undefined
    > since()
    0
    > memory().bytes - before.bytes
    0
  `,
    libraryHost("none"),
  );
});
