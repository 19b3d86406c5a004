/** NaN, infinities, signs of zeros, subnormals and the ends of the range, against PyTorch. */
import { assert, assertEquals } from "@std/assert";
import {
  type Difference,
  DIFFERENCES,
} from "../../wgsl/pointwise/differences.ts";
import {
  type Accuracy,
  BINARY_OPS,
  clamp,
  gelu,
  UNARY_OPS,
} from "../../wgsl/pointwise/mod.ts";
import type { Op } from "../../wgsl/op.ts";
import { host, runReference, runVariant } from "../support/plan.ts";
import { isNearSubnormal, keepsSubnormals } from "../support/subnormals.ts";
import { ulpsBetween } from "../support/ulp.ts";
import fixture from "../fixtures/special_values.json" with { type: "json" };

/** A number as the fixture writes it: JSON has no NaN, Infinity or -0. */
type Written = number | string;
/** One result, or those of PyTorch's two loops. */
type Result = Written | readonly Written[];

const unaryInputs = (fixture.unaryInputs as readonly Written[]).map(Number);
const binaryInputs = (fixture.binaryInputs as readonly Written[]).map(Number);
const unaryResults = fixture.unary as Record<string, readonly Result[]>;
const binaryResults = fixture.binary as Record<string, readonly Result[]>;

const EXACT: Accuracy = { ulps: 0 };

/** An op of the fixture, with the attributes that it was written for. */
interface Subject {
  // deno-lint-ignore no-explicit-any -- attributes differ from op to op
  readonly op: Op<any>;
  readonly attrs: unknown;
  readonly accuracy: Accuracy;
}

function unarySubject(name: string): Subject {
  if (name === "clamp") {
    return { op: clamp, attrs: { min: -1, max: 2.5 }, accuracy: EXACT };
  }
  if (name === "geluTanh") {
    const attrs = { approximate: "tanh" };
    return { op: gelu, attrs, accuracy: gelu.accuracy };
  }
  const op = UNARY_OPS[name];
  return { op, attrs: op.defaults, accuracy: op.accuracy };
}

function expected(result: Result): number[] {
  return (Array.isArray(result) ? result : [result]).map(Number);
}

/** Whether a value is one of PyTorch's, up to the accuracy that is stated plus 1 ULP of its own. */
function agrees(
  got: number,
  result: Result,
  { ulps, of }: Accuracy,
  input: number,
): boolean {
  return expected(result).some((want) =>
    Number.isFinite(got) === Number.isFinite(want) &&
    ulpsBetween(got, want, of === "input" ? input : want) <= ulps + 1
  );
}

const used = new Set<Difference>();

/** Whether the table has a difference, and with this value. */
function isKnown(
  op: string,
  input: number,
  on: "gpu" | "reference",
  got: number,
  result: Result,
): boolean {
  const entry = DIFFERENCES.find((d) =>
    d.op === op && Object.is(Math.fround(d.input), input) &&
    (d.on === on || d.on === "both")
  );
  if (!entry) return false;
  used.add(entry);
  return expected(result).some((want) =>
    ulpsBetween(entry.pytorch, want) < 1
  ) &&
    ulpsBetween(got, entry.ours) <= 4;
}

Deno.test("every unary op gives what PyTorch gives for special values, but for the table of differences", async () => {
  const whole = await keepsSubnormals("special values of unary ops");
  const wrong: string[] = [];
  for (const [name, results] of Object.entries(unaryResults)) {
    const { op, attrs, accuracy } = unarySubject(name);
    const given = {
      inputs: [host(unaryInputs, [unaryInputs.length])],
      attrs,
    };
    const reference = runReference(op, given)[0].data;
    const gpu = (await runVariant(op, "naive", given))[0].data;
    results.forEach((result, i) => {
      const x = Math.fround(unaryInputs[i]);
      const check = (on: "gpu" | "reference", got: number) => {
        if (agrees(got, result, accuracy, x)) return;
        if (isKnown(name, x, on, got, result)) return;
        wrong.push(`${name}(${x}) on ${on}: ${got}, PyTorch ${result}`);
      };
      check("reference", Math.fround(reference[i]));
      const skipped = !whole &&
        [x, ...expected(result)].some(isNearSubnormal);
      if (!skipped) check("gpu", gpu[i]);
    });
  }
  assertEquals(wrong, []);
  const unused = DIFFERENCES.filter((entry) => !used.has(entry));
  assertEquals(unused, [], "entries of the table that are no longer true");
});

Deno.test("every binary op gives what PyTorch gives for pairs of special values", async () => {
  const whole = await keepsSubnormals("special values of binary ops");
  const n = binaryInputs.length;
  const left = Array.from({ length: n * n }, (_, i) => {
    return binaryInputs[Math.floor(i / n)];
  });
  const right = Array.from({ length: n * n }, (_, i) => binaryInputs[i % n]);
  const wrong: string[] = [];
  for (const [name, results] of Object.entries(binaryResults)) {
    const op = BINARY_OPS[name];
    const given = {
      inputs: [host(left, [n * n]), host(right, [n * n])],
      attrs: {},
    };
    const reference = runReference(op, given)[0].data;
    const gpu = (await runVariant(op, "naive", given))[0].data;
    results.forEach((result, i) => {
      const [a, b] = [left[i], right[i]];
      const check = (on: string, got: number) => {
        if (agrees(got, result, op.accuracy, a)) return;
        wrong.push(`${name}(${a}, ${b}) on ${on}: ${got}, PyTorch ${result}`);
      };
      check("reference", Math.fround(reference[i]));
      const skipped = !whole &&
        [a, b, ...expected(result)].some(isNearSubnormal);
      if (!skipped) check("gpu", gpu[i]);
    });
  }
  assertEquals(wrong, []);
});

Deno.test("the fixture covers every op of the tables", () => {
  const unary = Object.keys(UNARY_OPS);
  const missing = [
    ...unary.filter((name) => !(name in unaryResults)),
    ...Object.keys(BINARY_OPS).filter((name) => !(name in binaryResults)),
  ];
  assertEquals(missing, []);
  assert(unary.length > 35);
});
