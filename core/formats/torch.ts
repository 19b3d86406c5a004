/**
 * PyTorch's files, as `torch.save` writes them: a zip archive (since version 1.6), or pickles with the elements after them (before).
 *
 * Only plain values and tensors are read: see `pickle.ts` for why a file can't do anything else.
 */
import type { HostArray } from "../../wgsl/op.ts";
import { sizeOf } from "../../wgsl/shape.ts";
import {
  bytesOf,
  decodeElements,
  dtypeFor,
  gatherBytes,
  placeOf,
} from "./elements.ts";
import { refuseIn } from "./npz.ts";
import {
  Opaque,
  type PickleKey,
  type PickleValue,
  unpickle,
} from "./pickle.ts";
import { type Refuse, refuser, viewOf } from "./refuse.ts";
import { type StorageRef, TensorRef, TorchRules } from "./torch_pickle.ts";
import { readZip, unpack } from "./zip.ts";

/** A value of a file of PyTorch's, with tensors of type `T`. Tuples are arrays, dicts are maps. */
export type TorchTree<T> =
  | null
  | boolean
  | number
  | bigint
  | string
  | T
  | TorchTree<T>[]
  | Map<PickleKey, TorchTree<T>>;

/** Deepest nesting of lists, tuples and dicts. */
const MAX_DEPTH = 64;

/** What tensors may take beyond their storages by repeating elements: this, and 4 times the file. */
const FREE_BYTES = 2 ** 24;
const REPEATS = 4;

const DATA = "data.pkl";

/** Longest pickle that is unpacked. PyTorch stores them as they are. */
const MAX_DEFLATED = 2 ** 22;

/** The order of bytes that can be read, as PyTorch calls it. */
const LITTLE = "little";

/** The pickle of the number that a file of before 1.6 starts with. */
const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;
const LEGACY_START = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46];
const LEGACY_VERSION = 1001;

/** Whether bytes start as a file of PyTorch's from before version 1.6. */
export function isLegacyTorch(bytes: Uint8Array): boolean {
  return LEGACY_START.every((byte, i) => bytes[i] === byte);
}

/** Whether an archive with these names in it is PyTorch's. */
export function isTorchArchive(names: Iterable<string>): boolean {
  return [...names].some((name) => /^[^/]*\/data\.pkl$/.test(name));
}

/**
 * Reads a file that `torch.save` wrote. The arrays are copies, of the types that `elements.ts` lists. `file` names the bytes in errors.
 *
 * @throws {FileFormatError} when the bytes break a rule of the format or hold something else than tensors and plain values
 */
export async function decodeTorch(
  bytes: Uint8Array,
  file = "PyTorch data",
): Promise<TorchTree<HostArray>> {
  const refuse = refuser(file);
  const { value, at, length, elements } = isLegacyTorch(bytes)
    ? readLegacy(bytes, refuse)
    : await readArchive(bytes, refuse);
  const fail = (rule: string) => refuse(at, rule);
  const tree = checkTree(value, 8 * length + 1024, fail);
  checkExtent(tree, REPEATS * bytes.length + FREE_BYTES, fail);
  return mapTree(tree, (tensor) => readTensor(tensor, elements, refuse));
}

/** A storage's bytes, and where in the file they start. */
interface Elements {
  readonly bytes: Uint8Array;
  readonly start: number;
}

/** What a file holds before its tensors are built. */
interface Content {
  readonly value: PickleValue;
  /** Where the pickle of the value starts, and its bytes. */
  readonly at: number;
  readonly length: number;
  readonly elements: ReadonlyMap<StorageRef, Elements>;
}

async function readArchive(
  bytes: Uint8Array,
  refuse: Refuse,
): Promise<Content> {
  const entries = readZip(bytes, refuse);
  const pickle = entries.values().find(({ name }) => isTorchArchive([name]));
  if (!pickle) return refuse(bytes.length, "the archive lacks its data.pkl");
  const root = pickle.name.slice(0, -DATA.length);
  const script = entries.get(`${root}constants.pkl`);
  if (script) refuse(script.at, "it is a TorchScript program");
  const order = entries.get(`${root}byteorder`);
  if (order) {
    // The order is a word, of which nothing longer is unpacked.
    const short = order.size === LITTLE.length;
    const word = short && await unpack(bytes, order, refuse);
    if (!word || new TextDecoder().decode(word) !== LITTLE) {
      refuse(order.start, "its numbers are not little-endian");
    }
  }
  if (pickle.deflated && pickle.size > MAX_DEFLATED) {
    refuse(
      pickle.start,
      `the pickle unpacks to ${pickle.size} bytes, expected at most ${MAX_DEFLATED}`,
    );
  }
  const refuseInPickle = refuseIn(pickle, refuse);
  const rules = new TorchRules(refuseInPickle);
  const code = await unpack(bytes, pickle, refuse);
  const { value, end } = unpickle(code, 0, rules, refuseInPickle);
  if (end < code.length) {
    refuseInPickle(end, "the pickle goes on after its end");
  }
  const elements = new Map<StorageRef, Elements>();
  for (const storage of rules.storages.values()) {
    const { key, type, count } = storage;
    const label = JSON.stringify(`${root}data/${key}`);
    const entry = entries.get(`${root}data/${key}`) ??
      refuse(pickle.start, `the archive lacks the storage ${label}`);
    const extent = count * bytesOf(type);
    if (entry.size !== extent) {
      refuse(
        entry.at,
        `storage ${label} of ${count} ${type} takes ${extent} bytes but has ${entry.size}`,
      );
    }
    const content = await unpack(bytes, entry, refuse);
    elements.set(storage, { bytes: content, start: entry.start });
  }
  return { value, at: pickle.start, length: code.length, elements };
}

/** Five pickles (a magic number, the version, the system, the value, the storages' keys), then each storage: its length and its elements. */
function readLegacy(bytes: Uint8Array, refuse: Refuse): Content {
  const rules = new TorchRules(refuse);
  let at = 0;
  const next = (): PickleValue => {
    const { value, end } = unpickle(bytes, at, rules, refuse);
    at = end;
    return value;
  };
  if (next() !== LEGACY_MAGIC) refuse(0, "the magic number is another");
  const versionAt = at;
  if (next() !== LEGACY_VERSION) {
    refuse(versionAt, `the version is not ${LEGACY_VERSION}`);
  }
  const systemAt = at;
  const system = next();
  if (!(system instanceof Map) || system.get("little_endian") !== true) {
    refuse(systemAt, "its numbers are not little-endian");
  }
  const start = at;
  const value = next();
  const length = at - start;
  const keysAt = at;
  const keys = next();
  const known = [...rules.storages.keys()].sort();
  const listed = Array.isArray(keys) ? keys.toSorted() : [];
  if (
    listed.length !== known.length || known.some((key, i) => key !== listed[i])
  ) {
    refuse(keysAt, "the storages that it lists are not those that it uses");
  }
  const elements = new Map<StorageRef, Elements>();
  for (const key of keys as string[]) {
    const storage = rules.storages.get(key)!;
    const count = at + 8 <= bytes.length
      ? Number(viewOf(bytes).getBigUint64(at, true))
      : undefined;
    const end = at + 8 + storage.count * bytesOf(storage.type);
    if (count !== storage.count || end > bytes.length) {
      refuse(
        at,
        `storage ${
          JSON.stringify(key)
        } should have ${storage.count} elements of ${storage.type}, the file has ${
          count === storage.count ? "fewer" : count ?? "none"
        }`,
      );
    }
    elements.set(storage, {
      bytes: bytes.subarray(at + 8, end),
      start: at + 8,
    });
    at = end;
  }
  if (at < bytes.length) refuse(at, "the file goes on after its last storage");
  return { value, at: start, length, elements };
}

function readTensor(
  tensor: TensorRef,
  elements: ReadonlyMap<StorageRef, Elements>,
  refuse: Refuse,
): HostArray {
  const { storage, shape } = tensor;
  const { bytes, start } = elements.get(storage)!;
  const size = bytesOf(storage.type);
  const from = gatherBytes(bytes, size, tensor);
  const data = decodeElements(
    storage.type,
    from,
    (index, rule) =>
      refuse(
        start + size * placeOf(index, tensor),
        `storage ${JSON.stringify(storage.key)} ${rule}`,
      ),
  );
  return { shape, dtype: dtypeFor(storage.type), data };
}

/**
 * Checks that a value holds nothing but plain values and tensors, no list or dict that holds itself, and not more values than its pickle could
 * have spelled out: lists that hold one another twice grow exponentially.
 */
function checkTree(
  root: PickleValue,
  most: number,
  fail: (rule: string) => never,
): TorchTree<TensorRef> {
  /** Depth and number of values of each list and dict. */
  const known = new Map<object, readonly [number, number]>();
  const measure = (
    value: PickleValue,
    depth: number,
  ): readonly [number, number] => {
    if (value instanceof Opaque && !(value instanceof TensorRef)) {
      return fail(`${value.what} stands where a value is expected`);
    }
    if (!Array.isArray(value) && !(value instanceof Map)) return [0, 1];
    let [deepest, count] = known.get(value) ?? [0, 0];
    if (count === 0) {
      if (depth > MAX_DEPTH) return fail(TOO_DEEP);
      for (const child of value.values()) {
        const [height, size] = measure(child, depth + 1);
        deepest = Math.max(deepest, height + 1);
        count += size;
      }
      count++;
      known.set(value, [deepest, count]);
    }
    if (depth + deepest > MAX_DEPTH) fail(TOO_DEEP);
    if (count > most) {
      fail(`its lists and dicts repeat more than ${most} values`);
    }
    return [deepest, count];
  };
  measure(root, 0);
  return root as TorchTree<TensorRef>;
}

const TOO_DEEP =
  `lists or dicts nest deeper than ${MAX_DEPTH}, or hold themselves`;

/** Checks that tensors that repeat elements don't ask for more memory than the file could mean. */
function checkExtent(
  root: TorchTree<TensorRef>,
  most: number,
  fail: (rule: string) => never,
): void {
  let total = 0;
  mapTree(root, ({ shape, storage }) => {
    total += sizeOf(shape) * bytesOf(storage.type);
  });
  if (total > most) {
    fail(`its tensors take ${total} bytes, expected at most ${most}`);
  }
}

/** A value with each tensor replaced. What stood there twice stands there twice. */
export function mapTree<T extends object, U>(
  root: TorchTree<T>,
  replace: (tensor: T) => U,
): TorchTree<U> {
  const done = new Map<object, TorchTree<U>>();
  const visit = (value: TorchTree<T>): TorchTree<U> => {
    if (value === null || typeof value !== "object") return value;
    const known = done.get(value);
    if (known !== undefined) return known;
    const made = Array.isArray(value)
      ? value.map(visit)
      : value instanceof Map
      ? new Map(value.entries().map(([key, item]) => [key, visit(item)]))
      : replace(value);
    done.set(value, made);
    return made;
  };
  return visit(root);
}

/**
 * The tensors of a value by their paths: keys and places, joined by points. A lone tensor's path is empty. `fail` is called for a path that two
 * tensors have.
 */
export function namedTensors<T extends object>(
  root: TorchTree<T>,
  fail: (rule: string) => never,
): Map<string, T> {
  const named = new Map<string, T>();
  const visit = (value: TorchTree<T>, path: string): void => {
    if (value === null || typeof value !== "object") return;
    if (Array.isArray(value) || value instanceof Map) {
      for (const [key, item] of value.entries()) {
        visit(item, path === "" ? String(key) : `${path}.${key}`);
      }
      return;
    }
    if (named.has(path)) {
      fail(`${JSON.stringify(path)} is the path of two tensors`);
    }
    named.set(path, value);
  };
  visit(root, "");
  return named;
}
