import { assertEquals } from "@std/assert";
import { FileFormatError } from "../../core/errors.ts";
import { decodeTorch } from "../../core/formats/torch.ts";
import { writeZip } from "../../core/formats/zip_write.ts";
import { assertFailsLater } from "../support/errors.ts";
import {
  archive,
  byte,
  refusesPickle,
  storage,
  tensor,
  text,
  tuple,
} from "../support/pickles.ts";
import { host } from "../support/plan.ts";

async function fixture(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const url = new URL(`../fixtures/formats/${name}`, import.meta.url);
  return await Deno.readFile(url);
}

const IN = 'in "x/data.pkl", ';
const ONLY =
  "but only tensors, dicts, lists, tuples, numbers, texts, booleans and None are read";

Deno.test("what a file names is never called: it is refused by that name", async () => {
  await refusesPickle(
    "cos\nsystem\n" + text("true") + "\x85R",
    2,
    `${IN}it names os.system, ${ONLY}`,
  );
  await refusesPickle("(ios\nsystem\n", 3, `${IN}it names os.system, ${ONLY}`);
  await refusesPickle(
    text("builtins") + text("eval") + "\x93",
    24,
    `${IN}it names builtins.eval, ${ONLY}`,
  );
  await refusesPickle(
    "ctorch\n__proto__\n",
    2,
    `${IN}it names torch.__proto__, ${ONLY}`,
  );
  await refusesPickle(
    "ca\n\x1b[31m\n",
    2,
    `${IN}it names "a.\\u001b[31m", ${ONLY}`,
  );
  for (
    const [name, at, rule] of [
      ["harm.pth", 82, `in "harm/data.pkl", it names posix.system, ${ONLY}`],
      ["harm_legacy.pth", 155, `it names posix.system, ${ONLY}`],
      [
        "numpy.pth",
        66,
        `in "numpy/data.pkl", it names numpy.core.multiarray.scalar, ${ONLY}`,
      ],
      ["script.pt", 1943, "it is a TorchScript program"],
    ] as const
  ) {
    await assertFailsLater(
      decodeTorch(await fixture(name), name),
      FileFormatError,
      `Cannot read ${name}: ${rule} (byte ${at})`,
    );
  }
});

Deno.test("a pickle that breaks the rules of its machine is refused at the opcode", async () => {
  const cases: [string, number, string][] = [
    ["", 2, "the pickle takes a value from an empty stack"],
    ["NN", 4, "the pickle leaves values behind"],
    ["(.", 3, "the pickle takes a value from an empty stack"],
    ["Nt", 3, "the pickle lacks a mark"],
    ["\x80\x01", 2, "a pickle of protocol 1, expected 2 to 5"],
    ["I1\n", 2, "the pickle has opcode 0x49, which is not read"],
    ["\x81", 2, "the pickle has opcode 0x81, which is not read"],
    [")N\x61", 4, "the pickle appends to what is no list"],
    ["]NNs", 5, "the pickle sets an item of what is no dict"],
    ["}(Nu", 5, "the pickle sets a key without a value"],
    ["}]Ns", 5, "a dict has a key that is neither text, number nor boolean"],
    ["h\x07", 2, "the pickle has no value 7 kept"],
    ["NNR", 4, "the pickle calls what is no name, or with no tuple"],
    [
      "ctorch\nSize\n]R",
      15,
      "the pickle calls what is no name, or with no tuple",
    ],
    ["NN\x93", 4, "the pickle names something by what is no text"],
    ["]]b", 4, "the pickle gives attributes to what is no OrderedDict"],
    ["X\x01\0\0\0\xff", 2, "the pickle holds a text that is not UTF-8"],
    ["\x8b\0\x01\0\0", 2, "an integer of 256 bytes, expected at most 255"],
    ["X\xff\xff\xff\xff", 8, "the file ends within its pickle"],
    [
      "\x8d\xff\xff\xff\xff\xff\xff\xff\xff",
      12,
      "the file ends within its pickle",
    ],
    ["ctorch", 9, "the file ends within its pickle"],
    ["\x95\xff\0\0\0\0\0\0\0", 12, "the file ends within its pickle"],
    ["N..", 4, "the pickle goes on after its end"],
  ];
  for (const [opcodes, at, rule] of cases) {
    await refusesPickle(opcodes, at, IN + rule);
  }
});

Deno.test("a value that isn't plain, holds itself or repeats itself without end is refused", async () => {
  await refusesPickle(
    "ctorch\nSize\n",
    0,
    "a name stands where a value is expected",
  );
  await refusesPickle(
    storage("ByteStorage", 0),
    0,
    "a storage stands where a value is expected",
  );
  const deep = "lists or dicts nest deeper than 64, or hold themselves";
  await refusesPickle("]q\0h\0a", 0, deep);
  await refusesPickle("]".repeat(66) + "a".repeat(65), 0, deep);
  // Each tuple holds the one before it twice: 2^40 values in 206 bytes.
  let doubled = "]q\0";
  for (let i = 0; i < 40; i++) {
    doubled += `h${String.fromCharCode(i)}\x86q${String.fromCharCode(i + 1)}`;
  }
  const most = 8 * 206 + 1024;
  await refusesPickle(
    doubled,
    0,
    `its lists and dicts repeat more than ${most} values`,
  );
});

Deno.test("a pickle that builds more than a file of tensors needs is refused before the memory is full", async () => {
  const most = 2 ** 21;
  const rule = `${IN}the pickle builds more than ${most} objects`;
  await refusesPickle(`N${"\x94".repeat(most + 1)}`, 3 + most, rule);
  await refusesPickle(")".repeat(most + 1), 2 + most, rule);
  const long = new Map([["x/data.pkl", new Uint8Array(2 ** 22 + 1)]]);
  await assertFailsLater(
    decodeTorch(await writeZip(long, { compress: true }), "x.pth"),
    FileFormatError,
    "Cannot read x.pth: the pickle unpacks to 4194305 bytes, expected at most 4194304 (byte 60)",
  );
});

Deno.test("tensors that leave their storage, or storages that aren't there, are refused", async () => {
  const bytes = storage("ByteStorage", 4);
  const data = [1, 2, 3, 4];
  const value = await decodeTorch(
    await archive(tensor(bytes, 1, [1, 2], [9, 2]), data),
  );
  assertEquals(value, host([2, 4], [1, 2], "u32"));
  const rebuild = "ctorch._utils\n_rebuild_tensor_v2\n";
  const cases: [string, string][] = [
    [
      tensor(bytes, 1, [2], [3]),
      "a tensor of shape [2] with strides [3] from element 1 leaves its storage of 4 elements",
    ],
    [
      tensor(bytes, 5, [0], [1]),
      "a tensor of shape [0] with strides [1] from element 5 leaves its storage of 4 elements",
    ],
    [
      tensor(bytes, 0, [2], []),
      "a tensor of shape [2] has 0 strides, expected one an axis",
    ],
    [
      tensor(bytes, 0, new Array(8).fill(255), new Array(8).fill(0)),
      "a tensor has shape [255, 255, 255, 255, 255, 255, 255, 255], which is too large",
    ],
    [tensor("N", 0, [2], [1]), "a tensor is built without storage and offset"],
    [
      `${rebuild}${tuple(bytes, byte(0), text("2"), ")", "\x89", "N")}R`,
      "sizes or strides are not a tuple of integers of 0 or more",
    ],
    [
      `${rebuild}${
        tuple(bytes, byte(0), ")", ")", "\x89", "N", `}${text("neg")}\x88s`)
      }R`,
      "it calls torch._utils._rebuild_tensor_v2 with what that doesn't take",
    ],
    [
      "ctorch._utils\n_rebuild_parameter\nN\x85R",
      "it calls torch._utils._rebuild_parameter with what that doesn't take",
    ],
    [
      "ccollections\nOrderedDict\n]Na\x85R",
      "collections.OrderedDict is given what is no pair",
    ],
    [
      "ccollections\nOrderedDict\nK\x01\x85R",
      "collections.OrderedDict is given what is no list",
    ],
    [
      "NQ",
      "a storage is described by what isn't type, key, location and number of elements",
    ],
    [
      `${storage("LongStorage", 4)}${storage("ByteStorage", 4)}`,
      'storage "0" is described twice',
    ],
  ];
  for (const [opcodes, rule] of cases) {
    // At the last opcode, which stands behind the two bytes of the protocol.
    await refusesPickle(opcodes, 1 + opcodes.length, IN + rule, data);
  }
  await refusesPickle(
    tensor(storage("ByteStorage", 0, "7"), 0, [0], [1]),
    0,
    'the archive lacks the storage "x/data/7"',
  );
});
