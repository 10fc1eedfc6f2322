import { type Document, isMap, isNode, isScalar, isSeq, type LineCounter } from "yaml";

/** Keys and list positions from the top of a document down. */
export type YamlPath = readonly (string | number)[];

/** Where something was written, both from 1. */
export interface YamlPlace {
  readonly line: number;
  readonly column: number;
}

/** "projects[0].name". */
export function formatYamlPath(path: YamlPath): string {
  return path.reduce<string>(
    (text, segment) =>
      typeof segment === "number" ? `${text}[${segment}]` : text === "" ? segment : `${text}.${segment}`,
    "",
  );
}

/** Of the key or list item at a path, or of the nearest thing above it; undefined when nothing of the path is there. */
export function offsetIn(document: Document.Parsed, path: YamlPath): number | undefined {
  let node: unknown = document.contents;
  let offset: number | undefined;
  for (const segment of path) {
    const next = childOf(node, segment);
    if (next === undefined) break;
    offset = next.offset ?? offset;
    node = next.value;
  }
  return offset;
}

function childOf(node: unknown, segment: string | number): { offset: number | undefined; value: unknown } | undefined {
  if (isSeq(node) && typeof segment === "number") {
    const item = node.items[segment];
    return item === undefined ? undefined : { offset: offsetOf(item), value: item };
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(segment));
  return pair === undefined ? undefined : { offset: offsetOf(pair.key), value: pair.value };
}

function offsetOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

export function placeAt(lineCounter: LineCounter, offset: number): YamlPlace {
  const { line, col } = lineCounter.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}
