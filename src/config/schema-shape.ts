import { z } from "zod";
import { manifest } from "./manifest.ts";

/** The part of JSON Schema (draft 2020-12) that the manifest turns into. */
export interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
  readonly oneOf?: readonly SchemaNode[];
  readonly anyOf?: readonly SchemaNode[];
}

/** JSON Schema of the settings file, for editors and `config schema`. */
export function settingsSchema(): Record<string, unknown> {
  return { title: "Radferry settings", ...z.toJSONSchema(manifest, { io: "input" }) };
}

export function rootNode(): SchemaNode {
  return settingsSchema();
}

/** The node itself, or its alternatives where several kinds are allowed. */
export function alternatives(node: SchemaNode): readonly SchemaNode[] {
  return node.oneOf ?? node.anyOf ?? [node];
}

/** Every property of every alternative by its name; alternatives that share a name are all kept. */
export function propertiesOf(nodes: readonly SchemaNode[]): ReadonlyMap<string, readonly SchemaNode[]> {
  const found = new Map<string, SchemaNode[]>();
  for (const node of nodes.flatMap(alternatives)) {
    for (const [name, child] of Object.entries(node.properties ?? {}))
      found.set(name, [...(found.get(name) ?? []), child]);
  }
  return found;
}

export function itemsOf(nodes: readonly SchemaNode[]): readonly SchemaNode[] {
  return nodes.flatMap(alternatives).flatMap(({ items }) => items ?? []);
}
