import { parseDocument } from "yaml";
import type { Finding } from "../units/file-problems.ts";
import type { YamlPath } from "../units/yaml-places.ts";
import { formatYamlPath } from "../units/yaml-places.ts";
import { alternatives, itemsOf, propertiesOf, rootNode, type SchemaNode } from "./schema-shape.ts";
import type { Environment } from "./settings-file.ts";

/** One value from outside the file: its setting's path in the sender's spelling, its text, and what to call the sender. */
export interface Override {
  readonly segments: readonly string[];
  readonly text: string;
  readonly source: string;
}

export type Flags = Readonly<Record<string, string | number | boolean>>;

export interface Overridden {
  readonly values: unknown;
  readonly findings: readonly (Finding & { readonly source: string })[];
  /** Who set a path, keyed by `formatYamlPath`. */
  readonly sources: ReadonlyMap<string, string>;
}

const PREFIX = "RADFERRY__";
const POSITION = /^\d{1,4}$/;

/** `RADFERRY__ARCHIVES__0__ADDRESS`, in the order of their names so that list items come first to last. */
export function environmentOverrides(environment: Environment): readonly Override[] {
  return Object.entries(environment)
    .filter(([name, text]) => name.startsWith(PREFIX) && text !== undefined)
    .sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }))
    .map(([name, text]) => ({ segments: name.slice(PREFIX.length).split("__"), text: text ?? "", source: name }));
}

/** Flags by setting path: `{"dicom.port": 11113, "archives[0].address": "…"}`. */
export function flagOverrides(flags: Flags): readonly Override[] {
  return Object.entries(flags).map(([path, value]) => ({
    segments: path.replaceAll("[", ".").replaceAll("]", "").split("."),
    text: String(value),
    source: `--${path}`,
  }));
}

/** Lays overrides over a copy of the values, later over earlier. Segments compare without case and underscores. */
export function applyOverrides(values: unknown, overrides: readonly Override[]): Overridden {
  const copy: unknown = structuredClone(values);
  const findings: (Finding & { source: string })[] = [];
  const sources = new Map<string, string>();
  for (const { segments, text, source } of overrides) {
    const target = locate(segments);
    if (target === undefined) {
      findings.push({ path: [], code: "SETTING_UNKNOWN", message: `${source} does not name a setting.`, source });
    } else if (!assign(copy, target.path, readScalar(text, target.nodes))) {
      const message = `${source} names a list item that would leave a gap, or something inside a single value.`;
      findings.push({ path: target.path, code: "SETTING_INVALID", message, source });
    } else {
      sources.set(formatYamlPath(target.path), source);
    }
  }
  return { values: copy, findings, sources };
}

interface Target {
  readonly path: YamlPath;
  readonly nodes: readonly SchemaNode[];
}

function locate(segments: readonly string[]): Target | undefined {
  const path: (string | number)[] = [];
  let nodes: readonly SchemaNode[] = [rootNode()];
  for (const segment of segments) {
    const items = itemsOf(nodes);
    if (items.length > 0 && POSITION.test(segment)) {
      path.push(Number(segment));
      nodes = items;
      continue;
    }
    const named = [...propertiesOf(nodes)].find(([name]) => comparable(name) === comparable(segment));
    if (named === undefined) return undefined;
    path.push(named[0]);
    nodes = named[1];
  }
  return { path, nodes };
}

function comparable(name: string): string {
  return name.toLowerCase().replaceAll("_", "");
}

/** Quotes are left where a program hands a variable on as it stands in its file. */
const QUOTED = /^(["']).*\1$/s;

/** Read as a YAML scalar, but text stays as it was written where the setting is a text: `007` is no number there, ` #` no comment. */
function readScalar(text: string, nodes: readonly SchemaNode[]): unknown {
  const isText = nodes.flatMap(alternatives).every(({ type }) => type === "string");
  if (isText && !QUOTED.test(text.trim())) return text.trim();
  const document = parseDocument(text, { logLevel: "silent", prettyErrors: false });
  const value: unknown = document.errors.length > 0 ? text : document.toJS();
  if (typeof value === "string") return value;
  return isText || (typeof value === "object" && value !== null) ? text : (value ?? text);
}

function assign(root: unknown, path: YamlPath, value: unknown): boolean {
  let holder = root;
  for (const [depth, segment] of path.entries()) {
    const isLast = depth === path.length - 1;
    const missing: unknown = isLast ? value : typeof path[depth + 1] === "number" ? [] : {};
    if (Array.isArray(holder)) {
      if (typeof segment !== "number" || segment > holder.length) return false;
      if (isLast || holder[segment] === undefined || holder[segment] === null) holder[segment] = missing;
      holder = holder[segment];
    } else if (isRecord(holder) && typeof segment === "string") {
      if (isLast || holder[segment] === undefined || holder[segment] === null) holder[segment] = missing;
      holder = holder[segment];
    } else {
      return false;
    }
  }
  return true;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
