import type { YamlPath } from "../units/yaml-places.ts";
import { isNeverSupported, supportedValues } from "./not-supported.ts";
import { alternatives, itemsOf, propertiesOf, rootNode, type SchemaNode } from "./schema-shape.ts";

/** One line of the settings page. */
export interface SettingRow {
  /** As `archives[].address`. */
  readonly path: string;
  readonly type: string;
  /** Of the environment; of lists, that of the first item. */
  readonly variable: string;
  /** As YAML; `required` where there is none, empty where the setting may be left out. */
  readonly default: string;
  readonly description: string;
  /** Known, but not available in this version. */
  readonly supported: boolean;
}

/** Every single setting in the order of the file. */
export function settingsTable(): readonly SettingRow[] {
  return [...rowsBelow([rootNode()], "", [])];
}

/** Descriptions of groups and single settings alike, keyed by path as in the table. */
export function settingDescriptions(): ReadonlyMap<string, string> {
  return new Map(describe([rootNode()], ""));
}

function* rowsBelow(
  nodes: readonly SchemaNode[],
  path: string,
  pattern: YamlPath,
  presets: unknown = undefined,
): Generator<SettingRow> {
  for (const [name, children] of propertiesOf(nodes)) {
    const at = path === "" ? name : `${path}.${name}`;
    const here = [...pattern, name];
    const items = itemsOf(children);
    if (propertiesOf(items).size > 0) yield* rowsBelow(items, `${at}[]`, [...here, "*"]);
    else if (propertiesOf(children).size > 0) yield* rowsBelow(children, at, here, presetOf(children));
    else {
      const required = nodes
        .flatMap(alternatives)
        .every(({ properties, required }) => properties?.[name] === undefined || required?.includes(name));
      const preset = presetOf(children) ?? presetIn(presets, name);
      const type = typeText(children, here);
      yield {
        path: at,
        type,
        variable: variableOf(items.length > 0 ? `${at}[]` : at),
        default: preset === undefined ? (required ? "required" : "") : JSON.stringify(preset).replaceAll('"', ""),
        description: children.find(({ description }) => description !== undefined)?.description ?? "",
        supported: !isNeverSupported(here) && isReachable(nodes, name, pattern),
      };
    }
  }
}

/** As people write it: case and single underscores say nothing. */
function variableOf(path: string): string {
  const parts = path.replaceAll("[]", ".0").split(".");
  return ["RADFERRY", ...parts.map((part) => part.replaceAll(/(?<=[a-z\d])(?=[A-Z])/g, "_").toUpperCase())].join("__");
}

function presetOf(nodes: readonly SchemaNode[]): unknown {
  return nodes.find((node) => node.default !== undefined)?.default;
}

/** A whole group may have a default, such as the kind of store. */
function presetIn(presets: unknown, name: string): unknown {
  return typeof presets === "object" && presets !== null ? Reflect.get(presets, name) : undefined;
}

/** Whether some alternative that this version can run has the setting. */
function isReachable(nodes: readonly SchemaNode[], name: string, pattern: YamlPath): boolean {
  return nodes.flatMap(alternatives).some(({ properties }) => {
    if (properties?.[name] === undefined) return false;
    return Object.entries(properties).every(([other, { const: only }]) => {
      const can = supportedValues([...pattern, other]);
      return only === undefined || can === undefined || can.includes(only);
    });
  });
}

function typeText(nodes: readonly SchemaNode[], pattern: YamlPath): string {
  const choices =
    supportedValues(pattern) ?? nodes.flatMap((node) => node.enum ?? (node.const === undefined ? [] : [node.const]));
  if (choices.length > 0) return [...new Set(choices)].join(" | ");
  const [first] = nodes.flatMap(alternatives);
  return first?.type === "array" ? `list of ${first.items?.type ?? "string"}` : (first?.type ?? "string");
}

function* describe(nodes: readonly SchemaNode[], path: string): Generator<[string, string]> {
  for (const [name, children] of propertiesOf(nodes)) {
    const at = path === "" ? name : `${path}.${name}`;
    const description = children.find((child) => child.description !== undefined)?.description;
    if (description !== undefined) yield [at, description];
    yield* describe(children, at);
    yield* describe(itemsOf(children), `${at}[]`);
  }
}
