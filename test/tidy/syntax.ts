import { posix } from "node:path";
import { parseAst } from "vitest/node";
import type { SourceFile } from "./repository.ts";

/** A node of the ESTree that vitest's own parser makes of TypeScript. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [property: string]: unknown;
}

export interface Import {
  /** As written: a relative path or the name of a package. */
  readonly from: string;
  readonly names: readonly string[];
  /** `import type`: nothing of it is there when the program runs. */
  readonly isType: boolean;
  readonly line: number;
}

const trees = new WeakMap<SourceFile, SyntaxNode>();

export function syntaxOf(file: SourceFile): SyntaxNode {
  const tree =
    trees.get(file) ?? (parseAst(file.text, { lang: file.path.endsWith("x") ? "tsx" : "ts" }) as unknown as SyntaxNode);
  trees.set(file, tree);
  return tree;
}

/** The node and everything below it, in the order of the text, each with its parent. Without recursion: a generator within others passes every node through all of them. */
export function* nodesOf(top: SyntaxNode): Generator<readonly [SyntaxNode, SyntaxNode | undefined]> {
  const open: (readonly [SyntaxNode, SyntaxNode | undefined])[] = [[top, undefined]];
  for (let pair = open.pop(); pair !== undefined; pair = open.pop()) {
    yield pair;
    const [node] = pair;
    const children = Object.values(node).flat().filter(isNode);
    for (const child of children.reverse()) open.push([child, node]);
  }
}

const lineStarts = new WeakMap<SourceFile, readonly number[]>();

function lineStartsOf(file: SourceFile): readonly number[] {
  const starts = lineStarts.get(file) ?? [0, ...[...file.text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  lineStarts.set(file, starts);
  return starts;
}

/** The first line is 1. */
export function lineAt(file: SourceFile, offset: number): number {
  const behind = lineStartsOf(file).findIndex((start) => start > offset);
  return behind < 0 ? lineStartsOf(file).length : behind;
}

/** Values and types alike, static, dynamic and re-exported. */
export function importsOf(file: SourceFile): readonly Import[] {
  return [...nodesOf(syntaxOf(file))].flatMap(([node]) => {
    const from = isNode(node.source) ? node.source.value : undefined;
    return typeof from === "string"
      ? [{ from, names: importedNames(node), isType: node.importKind === "type", line: lineAt(file, node.start) }]
      : [];
  });
}

/** Relative imports as paths from the root of the repository. */
export function importedPaths(file: SourceFile): readonly string[] {
  return importsOf(file)
    .filter(({ from }) => from.startsWith("."))
    .map(({ from }) => resolveFrom(file, from));
}

/** Files that are started by URL: `new Worker(new URL("./worker.ts", import.meta.url))`. */
export function startedPaths(file: SourceFile): readonly string[] {
  return [...nodesOf(syntaxOf(file))].flatMap(([node]) => {
    const [first] = Array.isArray(node.arguments) ? node.arguments : [];
    const isUrl = node.type === "NewExpression" && nameOf(node.callee) === "URL";
    const target = isNode(first) ? first.value : undefined;
    return isUrl && typeof target === "string" && target.endsWith(".ts") ? [resolveFrom(file, target)] : [];
  });
}

export function nameOf(node: unknown): string | undefined {
  return isNode(node) && typeof node.name === "string" ? node.name : undefined;
}

/** `a.b.c` as text; undefined for anything else. */
export function memberName(node: SyntaxNode): string | undefined {
  if (node.type !== "MemberExpression" || !isNode(node.object)) return undefined;
  const [object, property] = [nameOf(node.object) ?? memberName(node.object), nameOf(node.property)];
  return object === undefined || property === undefined ? undefined : `${object}.${property}`;
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && "type" in value && "start" in value;
}

function resolveFrom(file: SourceFile, relativePath: string): string {
  return posix.join(posix.dirname(file.path), relativePath);
}

function importedNames(node: SyntaxNode): readonly string[] {
  const specifiers = Array.isArray(node.specifiers) ? node.specifiers : [];
  return specifiers.flatMap((specifier: SyntaxNode) => nameOf(specifier.imported ?? specifier.local) ?? []);
}
