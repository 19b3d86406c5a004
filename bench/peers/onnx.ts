/**
 * Writes models in the ONNX format, which is Protocol Buffers (https://protobuf.dev/programming-guides/encoding/).
 *
 * The numbers of the fields are those of onnx.proto, version 1.14: ModelProto, GraphProto, NodeProto, AttributeProto, TensorProto, ValueInfoProto.
 */
import type { HostTensor } from "./work.ts";

/** A node: what it computes, of which values and under which name. */
export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly output: string;
  /** Integers, or lists of them. */
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
}

/** A model, whose result is `y`. */
export interface OnnxModel {
  /** Shapes of what is given at each call, by name. */
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  /** What is part of the model, by name. */
  readonly weights?: Readonly<Record<string, HostTensor>>;
  /** In an order in which they can be computed. */
  readonly nodes: readonly OnnxNode[];
}

/** Version of the format, and of the operators in it: the last in which the axes of ReduceSum are an attribute. */
const IR_VERSION = 7;
const OPSET = 12;

/** TensorProto.DataType, AttributeProto.AttributeType. */
const FLOAT = 1;
const INT = 2;
const INTS = 7;

/** The bytes of a model. */
export function onnxModel(
  { inputs, weights = {}, nodes }: OnnxModel,
): Uint8Array<ArrayBuffer> {
  const graph = [
    ...nodes.flatMap((node) => message(1, nodeBytes(node))),
    ...text(2, "bench"),
    ...Object.entries(inputs).flatMap(([name, shape]) =>
      message(11, valueInfo(name, shape))
    ),
    ...message(12, valueInfo("y")),
  ];
  const initializers = Object.entries(weights).map((entry) =>
    initializer(...entry)
  );
  const size = initializers.reduce((n, bytes) => n + bytes.length, 0);
  return Uint8Array.from(concatenated([
    Uint8Array.from([
      ...number(1, IR_VERSION),
      ...message(8, number(2, OPSET)),
      ...tag(7, 2),
      ...varint(graph.length + size),
      ...graph,
    ]),
    ...initializers,
  ]));
}

function nodeBytes(
  { op, inputs, output, attributes = {} }: OnnxNode,
): number[] {
  return [
    ...inputs.flatMap((name) => text(1, name)),
    ...text(2, output),
    ...text(4, op),
    ...Object.entries(attributes).flatMap(([name, value]) =>
      message(5, attribute(name, value))
    ),
  ];
}

function attribute(name: string, value: number | readonly number[]): number[] {
  return typeof value === "number"
    ? [...text(1, name), ...number(3, value), ...number(20, INT)]
    : [
      ...text(1, name),
      ...value.flatMap((item) => number(8, item)),
      ...number(20, INTS),
    ];
}

/** Without a shape the runtime works it out. */
function valueInfo(name: string, shape?: readonly number[]): number[] {
  const dims = shape?.flatMap((n) => message(1, number(1, n)));
  const type = [
    ...number(1, FLOAT),
    ...dims ? message(2, dims) : [],
  ];
  return [...text(1, name), ...message(2, message(1, type))];
}

/** A field of the graph that holds a weight. */
function initializer(name: string, { shape, data }: HostTensor): Uint8Array {
  const head = [
    ...shape.flatMap((n) => number(1, n)),
    ...number(2, FLOAT),
    ...text(8, name),
    ...tag(9, 2),
    ...varint(data.byteLength),
  ];
  return concatenated([
    Uint8Array.from([...tag(5, 2), ...varint(head.length + data.byteLength)]),
    Uint8Array.from(head),
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  ]);
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, { length }) => n + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** A field's number and wire type: 0 for an integer, 2 for bytes. */
function tag(field: number, wire: 0 | 2): number[] {
  return varint(field * 8 + wire);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  while (value >= 128) {
    bytes.push(value % 128 + 128);
    value = Math.floor(value / 128);
  }
  return [...bytes, value];
}

function number(field: number, value: number): number[] {
  return [...tag(field, 0), ...varint(value)];
}

function message(field: number, body: readonly number[]): number[] {
  return [...tag(field, 2), ...varint(body.length), ...body];
}

function text(field: number, value: string): number[] {
  return message(field, [...new TextEncoder().encode(value)]);
}
