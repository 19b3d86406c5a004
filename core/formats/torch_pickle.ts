/**
 * What a pickle of PyTorch may name, and what its calls mean: tensors on storages, ordered dicts, sizes.
 *
 * Source: torch/_utils.py and torch/serialization.py, which write `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)`
 * and put ("storage", type, key, location, elements) in a storage's place.
 */
import { formatShape, sizeOf } from "../../wgsl/shape.ts";
import type { ElementType, Strided } from "./elements.ts";
import { extentOf, tooLarge } from "./elements.ts";
import {
  Global,
  Opaque,
  type PickleKey,
  type PickleRules,
  type PickleValue,
} from "./pickle.ts";
import type { Refuse } from "./refuse.ts";

/** Storages by their names in Python. */
const STORAGES: ReadonlyMap<string, ElementType> = new Map([
  ["torch.DoubleStorage", "F64"],
  ["torch.FloatStorage", "F32"],
  ["torch.HalfStorage", "F16"],
  ["torch.BFloat16Storage", "BF16"],
  ["torch.LongStorage", "I64"],
  ["torch.IntStorage", "I32"],
  ["torch.ShortStorage", "I16"],
  ["torch.CharStorage", "I8"],
  ["torch.ByteStorage", "U8"],
  ["torch.BoolStorage", "BOOL"],
]);

const ORDERED_DICT = "collections.OrderedDict";
const SIZE = "torch.Size";
const TENSOR_V1 = "torch._utils._rebuild_tensor";
const TENSOR = "torch._utils._rebuild_tensor_v2";
const PARAMETER = "torch._utils._rebuild_parameter";
const CALLS = [ORDERED_DICT, SIZE, TENSOR_V1, TENSOR, PARAMETER];

/** Elements outside of the pickle, which tensors can share. */
export class StorageRef extends Opaque {
  readonly what = "a storage";

  constructor(
    readonly key: string,
    readonly type: ElementType,
    readonly count: number,
  ) {
    super();
  }
}

/** A tensor: its storage, and where in it the elements stand. */
export class TensorRef extends Opaque implements Strided {
  readonly what = "a tensor";

  constructor(
    readonly storage: StorageRef,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {
    super();
  }
}

/** Rules for the pickle of a file of tensors. */
export class TorchRules implements PickleRules {
  readonly storages = new Map<string, StorageRef>();
  readonly #refuse: Refuse;

  constructor(refuse: Refuse) {
    this.#refuse = refuse;
  }

  global(name: string, at: number): Global {
    if (CALLS.includes(name) || STORAGES.has(name)) return new Global(name);
    const plain = /^[\w.]{1,100}$/.test(name);
    return this.#refuse(
      at,
      `it names ${
        plain ? name : JSON.stringify(name.slice(0, 100))
      }, but only tensors, dicts, lists, tuples, numbers, texts, booleans and None are read`,
    );
  }

  call(
    { name }: Global,
    args: readonly PickleValue[],
    at: number,
  ): PickleValue {
    switch (name) {
      case ORDERED_DICT:
        return this.#dict(args, at);
      case SIZE:
        if (args.length !== 1) break;
        return Object.freeze([...this.#sizes(args[0], at)]);
      case TENSOR_V1:
        if (args.length !== 4) break;
        return this.#tensor(args, at);
      case TENSOR:
        if (args.length < 6 || args.length > 7) break;
        if (typeof args[4] !== "boolean") break;
        // Version 2 can add marks here, such as one that all elements are to be negated.
        if (args.length === 7 && !isEmptyMap(args[6])) break;
        return this.#tensor(args, at);
      case PARAMETER:
        if (args.length !== 3 || typeof args[1] !== "boolean") break;
        if (args[0] instanceof TensorRef) return args[0];
    }
    return this.#refuse(at, `it calls ${name} with what that doesn't take`);
  }

  persistent(id: PickleValue, at: number): StorageRef {
    const [tag, type, key, location, count, view] = Array.isArray(id) ? id : [];
    const elements = type instanceof Global && STORAGES.get(type.name);
    const fits = tag === "storage" && elements && typeof key === "string" &&
      typeof location === "string" && isCount(count) && (view ?? null) === null;
    if (!fits) {
      return this.#refuse(
        at,
        "a storage is described by what isn't type, key, location and number of elements",
      );
    }
    const known = this.storages.get(key);
    if (known?.type === elements && known.count === count) return known;
    if (known) {
      this.#refuse(at, `storage ${JSON.stringify(key)} is described twice`);
    }
    const storage = new StorageRef(key, elements, count);
    this.storages.set(key, storage);
    return storage;
  }

  /** An ordered dict: empty, or from a list of pairs as Python 2 wrote. */
  #dict(args: readonly PickleValue[], at: number): PickleValue {
    const dict = new Map<PickleKey, PickleValue>();
    const items = args[0] ?? [];
    if (args.length < 2 && Array.isArray(items)) {
      for (const item of items) {
        const [key, value] = Array.isArray(item) ? item : [];
        if (typeof key !== "string" || value === undefined) {
          this.#refuse(at, `${ORDERED_DICT} is given what is no pair`);
        }
        dict.set(key, value);
      }
      return dict;
    }
    return this.#refuse(at, `${ORDERED_DICT} is given what is no list`);
  }

  #tensor(args: readonly PickleValue[], at: number): TensorRef {
    const [storage, offset, size, stride] = args;
    if (!(storage instanceof StorageRef) || !isCount(offset)) {
      return this.#refuse(at, "a tensor is built without storage and offset");
    }
    const shape = this.#sizes(size, at);
    const strides = this.#sizes(stride, at);
    if (shape.length !== strides.length) {
      this.#refuse(
        at,
        `a tensor of shape ${
          formatShape(shape)
        } has ${strides.length} strides, expected one an axis`,
      );
    }
    if (extentOf(storage.type, shape) === undefined) {
      this.#refuse(at, `a tensor ${tooLarge(shape)}`);
    }
    const last = shape.reduce(
      (sum, n, d) => sum + (n - 1) * strides[d],
      offset,
    );
    const end = sizeOf(shape) === 0 ? offset : last + 1;
    if (end > storage.count) {
      this.#refuse(
        at,
        `a tensor of shape ${formatShape(shape)} with strides ${
          formatShape(strides)
        } from element ${offset} leaves its storage of ${storage.count} elements`,
      );
    }
    return new TensorRef(storage, offset, shape, strides);
  }

  #sizes(value: PickleValue | undefined, at: number): readonly number[] {
    if (Array.isArray(value) && value.every(isCount)) return value;
    return this.#refuse(
      at,
      "sizes or strides are not a tuple of integers of 0 or more",
    );
  }
}

function isEmptyMap(value: PickleValue): boolean {
  return value instanceof Map && value.size === 0;
}

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
