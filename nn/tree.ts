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
