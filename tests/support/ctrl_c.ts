/** Run by tests/nn/fit_resume_test.ts in a process of its own: gets Ctrl-C in the seventh step of a long training, and prints how it ended. */
import { init, nn } from "../../mod.ts";
import { smallNet, stripes } from "./small_data.ts";

await init({ device: "cpu", seed: 0 });
const net = smallNet();
const { stopped, steps } = await nn.fit(net, stripes(70), {
  optimizer: new nn.SGD(net.parameters(), { lr: 0.01 }),
  epochs: 1000,
  batchSize: 16,
  onProgress: false,
  callbacks: {
    onStep: ({ step }) => {
      if (step === 7) Deno.kill(Deno.pid, "SIGINT");
    },
  },
});
console.log(JSON.stringify({ stopped, steps }));
