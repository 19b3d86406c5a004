/**
 * Python's pickles, as far as they build plain values: a machine with a stack and a memo that runs a list of opcodes.
 *
 * Opcodes that import, call or build something else are either absent, so that a pickle with one is refused, or end in `rules`, which know
 * each name that may be used and compute its result here. Nothing that a file names is ever looked up or called. What a pickle builds is
 * counted, so that a small file can't fill the memory.
 *
 * Source: Python's library, pickletools.py, which documents each opcode; protocols 2 to 5.
 */
import { type Refuse, viewOf } from "./refuse.ts";

/** What a pickle makes that isn't a plain value. */
export abstract class Opaque {
  /** How messages call it. */
  abstract readonly what: string;
}

/** A name of Python's that a pickle may use, dotted. */
export class Global extends Opaque {
  readonly what = "a name";

  constructor(readonly name: string) {
    super();
  }
}

export type PickleKey = string | number | boolean;

/** A value of a pickle. Tuples are frozen arrays; dicts are maps. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Opaque
  | readonly PickleValue[]
  | Map<PickleKey, PickleValue>;

/** What a pickle may do beyond plain values. Each refuses what it doesn't know. */
export interface PickleRules {
  /** A name that the pickle uses, before anything is done with it. */
  global(name: string, at: number): Global;
  /** What a call of a name gives. */
  call(
    callee: Global,
    args: readonly PickleValue[],
    at: number,
  ): PickleValue;
  /** What stands outside of the pickle under an id. */
  persistent(id: PickleValue, at: number): PickleValue;
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Most objects, dict items and memo entries together: a byte of a pickle can ask for 200 bytes of memory. */
const MAX_OBJECTS = 2 ** 21;

/** Longest integer that is read, in bytes. */
const MAX_INTEGER_BYTES = 255;

/** Opcodes by their bytes, with their names in pickletools. */
const OPCODES: ReadonlyMap<number, (machine: Machine) => void> = new Map([
  [0x80, (m: Machine) => m.protocol()], // PROTO
  [0x95, (m) => m.frame()], // FRAME
  [0x28, (m) => m.mark()], // MARK
  [0x4e, (m) => m.push(null)], // NONE
  [0x88, (m) => m.push(true)], // NEWTRUE
  [0x89, (m) => m.push(false)], // NEWFALSE
  [0x4a, (m) => m.push(m.int32())], // BININT
  [0x4b, (m) => m.push(m.uint(1))], // BININT1
  [0x4d, (m) => m.push(m.uint(2))], // BININT2
  [0x8a, (m) => m.push(m.long(m.uint(1)))], // LONG1
  [0x8b, (m) => m.push(m.long(m.uint(4)))], // LONG4
  [0x47, (m) => m.push(m.float())], // BINFLOAT
  [0x8c, (m) => m.push(m.text(m.uint(1)))], // SHORT_BINUNICODE
  [0x58, (m) => m.push(m.text(m.uint(4)))], // BINUNICODE
  [0x8d, (m) => m.push(m.text(m.uint(8)))], // BINUNICODE8
  [0x55, (m) => m.push(m.text(m.uint(1)))], // SHORT_BINSTRING
  [0x54, (m) => m.push(m.text(m.uint(4)))], // BINSTRING
  [0x29, (m) => m.push(Object.freeze([]))], // EMPTY_TUPLE
  [0x85, (m) => m.push(Object.freeze(m.take(1)))], // TUPLE1
  [0x86, (m) => m.push(Object.freeze(m.take(2)))], // TUPLE2
  [0x87, (m) => m.push(Object.freeze(m.take(3)))], // TUPLE3
  [0x74, (m) => m.push(Object.freeze(m.toMark()))], // TUPLE
  [0x5d, (m) => m.push([])], // EMPTY_LIST
  [0x6c, (m) => m.push(m.toMark())], // LIST
  [0x61, (m) => m.append(m.take(1))], // APPEND
  [0x65, (m) => m.append(m.toMark())], // APPENDS
  [0x7d, (m) => m.push(new Map())], // EMPTY_DICT
  [0x64, (m) => m.dict()], // DICT
  [0x73, (m) => m.setItems(m.take(2))], // SETITEM
  [0x75, (m) => m.setItems(m.toMark())], // SETITEMS
  [0x71, (m) => m.put(m.uint(1))], // BINPUT
  [0x72, (m) => m.put(m.uint(4))], // LONG_BINPUT
  [0x94, (m) => m.memoize()], // MEMOIZE
  [0x68, (m) => m.get(m.uint(1))], // BINGET
  [0x6a, (m) => m.get(m.uint(4))], // LONG_BINGET
  [0x63, (m) => m.global(`${m.line()}.${m.line()}`)], // GLOBAL
  [0x69, (m) => m.global(`${m.line()}.${m.line()}`)], // INST
  [0x93, (m) => m.stackGlobal()], // STACK_GLOBAL
  [0x52, (m) => m.reduce()], // REDUCE
  [0x62, (m) => m.build()], // BUILD
  [0x51, (m) => m.persistent()], // BINPERSID
]);

const STOP = 0x2e;
const INST = 0x69;

/** Runs the pickle that starts at `start`; gives its value and where it ends. */
export function unpickle(
  bytes: Uint8Array,
  start: number,
  rules: PickleRules,
  refuse: Refuse,
): { readonly value: PickleValue; readonly end: number } {
  const machine = new Machine(bytes, start, rules, refuse);
  for (;;) {
    const code = machine.next();
    if (code === STOP) return { value: machine.stop(), end: machine.at };
    const run = OPCODES.get(code);
    if (run) run(machine);
    // INST builds an object, which is refused whatever it names, but for a forbidden name's own sake first.
    if (!run || code === INST) {
      const hex = code.toString(16).padStart(2, "0");
      machine.fail(`the pickle has opcode 0x${hex}, which is not read`);
    }
  }
}

function isTuple(value: PickleValue): value is readonly PickleValue[] {
  return Array.isArray(value) && Object.isFrozen(value);
}

class Machine {
  /** Where the next byte is read. */
  at: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #rules: PickleRules;
  readonly #refuse: Refuse;
  readonly #stack: PickleValue[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();
  #objects = 0;
  /** Where the running opcode stands. */
  #opcode = 0;

  constructor(
    bytes: Uint8Array,
    at: number,
    rules: PickleRules,
    refuse: Refuse,
  ) {
    this.at = at;
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
    this.#rules = rules;
    this.#refuse = refuse;
  }

  next(): number {
    this.#opcode = this.at;
    return this.uint(1);
  }

  fail(rule: string): never {
    return this.#refuse(this.#opcode, rule);
  }

  stop(): PickleValue {
    const [value] = this.take(1);
    if (this.#stack.length > 0) this.fail("the pickle leaves values behind");
    return value;
  }

  protocol(): void {
    const version = this.uint(1);
    if (version < 2 || version > 5) {
      this.fail(`a pickle of protocol ${version}, expected 2 to 5`);
    }
  }

  /** Announces how many bytes belong together, for readers from a stream. */
  frame(): void {
    const bytes = this.uint(8);
    const start = this.at;
    this.skip(bytes);
    this.at = start;
  }

  /** Steps over bytes; gives where they start. */
  skip(count: number): number {
    const start = this.at;
    if (count > this.#bytes.length - start) {
      this.#refuse(this.#bytes.length, "the file ends within its pickle");
    }
    this.at += count;
    return start;
  }

  uint(bytes: 1 | 2 | 4 | 8): number {
    const at = this.skip(bytes);
    switch (bytes) {
      case 1:
        return this.#bytes[at];
      case 2:
        return this.#view.getUint16(at, true);
      case 4:
        return this.#view.getUint32(at, true);
      case 8:
        return Number(this.#view.getBigUint64(at, true));
    }
  }

  int32(): number {
    return this.#view.getInt32(this.skip(4), true);
  }

  /** An integer in two's complement: a bigint where a number can't have it. */
  long(bytes: number): number | bigint {
    if (bytes > MAX_INTEGER_BYTES) {
      this.fail(
        `an integer of ${bytes} bytes, expected at most ${MAX_INTEGER_BYTES}`,
      );
    }
    const start = this.skip(bytes);
    let value = 0n;
    for (let i = bytes - 1; i >= 0; i--) {
      value = (value << 8n) | BigInt(this.#bytes[start + i]);
    }
    value = BigInt.asIntN(8 * bytes, value);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  float(): number {
    return this.#view.getFloat64(this.skip(8), false);
  }

  text(bytes: number): string {
    const start = this.skip(bytes);
    return this.#decode(start, this.at);
  }

  /** A text up to the end of its line. */
  line(): string {
    const start = this.at;
    const end = this.#bytes.indexOf(0x0a, start);
    if (end < 0) this.skip(this.#bytes.length + 1);
    this.at = end + 1;
    return this.#decode(start, end);
  }

  #decode(start: number, end: number): string {
    try {
      return UTF8.decode(this.#bytes.subarray(start, end));
    } catch {
      return this.fail("the pickle holds a text that is not UTF-8");
    }
  }

  push(value: PickleValue): void {
    if (typeof value === "object" && value !== null) this.#count(1);
    this.#stack.push(value);
  }

  #count(objects: number): void {
    this.#objects += objects;
    if (this.#objects > MAX_OBJECTS) {
      this.fail(`the pickle builds more than ${MAX_OBJECTS} objects`);
    }
  }

  mark(): void {
    this.#marks.push(this.#stack.length);
  }

  /** Takes the upper values, in the order in which they were pushed. */
  take(count: number): PickleValue[] {
    const bottom = this.#marks.at(-1) ?? 0;
    if (this.#stack.length - count < bottom) {
      this.fail("the pickle takes a value from an empty stack");
    }
    return this.#stack.splice(this.#stack.length - count);
  }

  /** Takes the values above the last mark, and the mark. */
  toMark(): PickleValue[] {
    const start = this.#marks.pop() ?? this.fail("the pickle lacks a mark");
    return this.#stack.splice(start);
  }

  #top(): PickleValue {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0)) this.take(1);
    return this.#stack[this.#stack.length - 1];
  }

  append(values: readonly PickleValue[]): void {
    const list = this.#top();
    if (!Array.isArray(list) || Object.isFrozen(list)) {
      return this.fail("the pickle appends to what is no list");
    }
    for (const value of values) list.push(value);
  }

  dict(): void {
    const items = this.toMark();
    this.push(new Map());
    this.setItems(items);
  }

  setItems(items: readonly PickleValue[]): void {
    const dict = this.#top();
    if (!(dict instanceof Map)) {
      return this.fail("the pickle sets an item of what is no dict");
    }
    if (items.length % 2) this.fail("the pickle sets a key without a value");
    this.#count(items.length / 2);
    for (let i = 0; i < items.length; i += 2) {
      dict.set(this.#key(items[i]), items[i + 1]);
    }
  }

  #key(value: PickleValue): PickleKey {
    switch (typeof value) {
      case "string":
      case "number":
      case "boolean":
        return value;
      default:
        return this.fail(
          "a dict has a key that is neither text, number nor boolean",
        );
    }
  }

  put(index: number): void {
    this.#count(1);
    this.#memo.set(index, this.#top());
  }

  memoize(): void {
    this.put(this.#memo.size);
  }

  get(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) this.fail(`the pickle has no value ${index} kept`);
    else this.push(value);
  }

  global(name: string): void {
    this.push(this.#rules.global(name, this.#opcode));
  }

  stackGlobal(): void {
    const [module, name] = this.take(2);
    if (typeof module !== "string" || typeof name !== "string") {
      return this.fail("the pickle names something by what is no text");
    }
    this.global(`${module}.${name}`);
  }

  reduce(): void {
    const [callee, args] = this.take(2);
    if (!(callee instanceof Global) || !isTuple(args)) {
      return this.fail("the pickle calls what is no name, or with no tuple");
    }
    this.push(this.#rules.call(callee, args, this.#opcode));
  }

  /** Attributes of an OrderedDict, such as the versions that PyTorch keeps there: not used. */
  build(): void {
    const [state] = this.take(1);
    if (!(this.#top() instanceof Map) || !(state instanceof Map)) {
      this.fail("the pickle gives attributes to what is no OrderedDict");
    }
  }

  persistent(): void {
    const [id] = this.take(1);
    this.push(this.#rules.persistent(id, this.#opcode));
  }
}
