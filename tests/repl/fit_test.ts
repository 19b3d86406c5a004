import { assert, assertEquals } from "@std/assert";
import { onInterrupt } from "../../core/runtime.ts";
import { init } from "../../mod.ts";
import { libraryHost } from "../../repl/library.ts";
import { Session } from "../../repl/session.ts";

const DATA = new URL("../support/small_data.ts", import.meta.url).href;

Deno.test("an interrupted line leaves the history of its training, which draws itself and goes on", async () => {
  await init({ device: "cpu", seed: 0 });
  const session = new Session(libraryHost("none"));
  const show = async (line: string) => {
    const outcome = await session.evaluate(line);
    assert(outcome.kind === "value", `${line}: ${Deno.inspect(outcome)}`);
    return outcome.text;
  };
  Reflect.set(globalThis, "pressCtrlC", () => session.interrupt());
  try {
    await session.evaluate(`
      const { smallNet, stripes } = await import("${DATA}");
      const [net, data] = [smallNet(), stripes(70)];
      const optimizer = new nn.SGD(net.parameters(), { lr: 0.01 });
      const options = { optimizer, onProgress: false };
      const onStep = ({ step }) => { if (step === 3) pressCtrlC(); };
    `);
    // Two steps an epoch: the third is in the middle of the second.
    const outcome = await session.evaluate(
      "const h = await nn.fit(net, data, { ...options, epochs: 9, callbacks: { onStep } })",
    );
    assertEquals(outcome, { kind: "silent" });
    assertEquals(
      await show("[h.stopped, h.steps, h.epochs.length]"),
      '[ "interrupted", 3, 1 ]',
    );
    const drawing = await show("h.plot({ width: 20, height: 4 })");
    assert(/^ +loss\n/.test(drawing), drawing);
    assertEquals(
      await show(
        "const { stopped, steps } = await nn.fit(net, data, { ...options, epochs: 9, from: h }); [stopped, steps]",
      ),
      '[ "finished", 18 ]',
    );
    await session.evaluate("net.dispose(); optimizer.dispose();");
  } finally {
    Reflect.deleteProperty(globalThis, "pressCtrlC");
    await session.close();
    onInterrupt(undefined);
  }
});
