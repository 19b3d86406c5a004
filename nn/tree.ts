/** Modules as text. */
import type { Module } from "./module.ts";

/** Class name and arguments of a module. */
export function titleOf(module: Module): string {
  return `${module.constructor.name}(${module.describe()})`;
}

/** The module as a tree of its layers, one a line. */
export function treeOf(module: Module, indent: string): string {
  const children = [...module.namedChildren()];
  if (children.length === 0) return titleOf(module);
  const lines = children.map(([name, child]) =>
    `${indent}  (${name}): ${treeOf(child, `${indent}  `)}`
  );
  return `${module.constructor.name}(\n${lines.join("\n")}\n${indent})`;
}

/** A module in a list that walks down a network. */
export interface TreeLine {
  /** Dotted name; "" for the network itself. */
  readonly name: string;
  /** Class name. */
  readonly kind: string;
  readonly depth: number;
}

/** The labels of such a list, drawn as a tree: `│ └─BatchNorm2d bn2`, with the part of the name that its parent's doesn't tell. */
export function treeLabels(lines: readonly TreeLine[]): string[] {
  return lines.map(({ name, kind, depth }, i) => {
    const parent = lines.slice(0, i)
      .findLast((above) => above.depth < depth && isAbove(above.name, name));
    const own = parent?.name ? name.slice(parent.name.length + 1) : name;
    const text = own ? `${kind} ${own}` : kind;
    return branchOf(lines, i) + text;
  });
}

function isAbove(name: string, below: string): boolean {
  return name === "" || below.startsWith(`${name}.`);
}

/** "├─" or "└─" before a line, with "│" where a branch to its left goes on. */
function branchOf(lines: readonly TreeLine[], i: number): string {
  const { depth } = lines[i];
  let text = "";
  for (let level = 1; level <= depth; level++) {
    // The next line that isn't deeper than this level says whether the branch goes on.
    const next = lines.slice(i + 1).find((line) => line.depth <= level);
    const goesOn = next?.depth === level;
    text += level === depth ? goesOn ? "├─" : "└─" : goesOn ? "│ " : "  ";
  }
  return text;
}
