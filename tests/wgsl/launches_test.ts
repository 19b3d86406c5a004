/** The launches of real layers, held against the limits that every device keeps. No device is needed. */
import { assert, assertEquals, assertGreater } from "@std/assert";
import { casesOf, FAMILIES } from "../../bench/families.ts";
import { contiguousView } from "../../wgsl/shape.ts";
import { checkLaunch, PORTABLE_LIMITS } from "../support/plan.ts";

for (const family of FAMILIES) {
  Deno.test(`no launch of the ${family} kernels passes a limit at the layers of the classic networks`, () => {
    let launches = 0;
    for (const { name, op, inputs, attrs } of casesOf(family)) {
      const request = {
        inputs,
        outputs: op.infer(inputs, attrs).map(contiguousView),
        attrs,
        limits: PORTABLE_LIMITS,
      };
      const variants = op.variants.filter((v) => v.applies?.(request) ?? true);
      assert(variants.length > 0, `no variant of ${op.name} for ${name}`);
      for (const variant of variants) {
        for (const launch of variant.plan(request).launches) {
          checkLaunch(launch, PORTABLE_LIMITS);
          launches++;
        }
      }
    }
    assertGreater(launches, 0);
  });
}

Deno.test("a launch that passes a limit is noticed", () => {
  const [{ op, inputs, attrs }] = casesOf("softmax");
  const outputs = op.infer(inputs, attrs).map(contiguousView);
  const limits = PORTABLE_LIMITS;
  const [launch] = op.variants.find((v) => v.name === "naive")!
    .plan({ inputs, outputs, attrs, limits }).launches;
  const messageOf = (changes: object): string => {
    try {
      checkLaunch({ ...launch, ...changes }, limits);
    } catch (error) {
      return (error as Error).message;
    }
    return "";
  };
  const { label } = launch.kernel;
  assertEquals(messageOf({}), "");
  assertEquals(messageOf({ trips: 60_001 }), `${label}: 60001 trips`);
  assertEquals(
    messageOf({ workgroups: [65_536, 1, 1] }),
    `${label}: 65536,1,1 workgroups`,
  );
});
