import type { z } from "zod";
import type { Finding } from "../units/file-problems.ts";
import { expectationOf } from "../units/schema-expectation.ts";
import type { YamlPath } from "../units/yaml-places.ts";
import { manifest } from "./manifest.ts";
import { itemsOf, propertiesOf, rootNode, type SchemaNode } from "./schema-shape.ts";

type Issue = z.core.$ZodIssue;

/** What zod found, as findings with a code, a plain message and no value. */
export function findingsOf(issues: readonly Issue[], values: unknown): readonly Finding[] {
  return issues.flatMap(intoAlternative).flatMap((issue) => findingsOfIssue(issue, values));
}

/** Of a value that may be of several kinds, what is wrong with the one kind that it is of. */
function intoAlternative(issue: Issue): readonly Issue[] {
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return [issue];
  const [ofItsKind, ...others] = issue.errors.filter((issues) => issues.every(({ path }) => path.length > 0));
  if (ofItsKind === undefined || others.length > 0) return [issue];
  return ofItsKind.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
}

function findingsOfIssue(issue: Issue, values: unknown): readonly Finding[] {
  const path = pathOf(issue);
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey([...path, key]));
  if (valueAt(values, path) === undefined)
    return [{ path, code: "SETTING_MISSING", message: `Missing: ${expectationOf(issue)}.` }];
  return [{ path, code: "SETTING_INVALID", message: `${sentence(expectationOf(issue))}.` }];
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function unknownKey(path: YamlPath): Finding {
  const known = [...propertiesOf(nodesAt(path.slice(0, -1))).keys()];
  const near = known.find((name) => simplified(name) === simplified(String(path.at(-1))));
  const remedy = near === undefined ? `Known here: ${known.join(", ")}.` : `Write it ${near}.`;
  return { path, code: "SETTING_UNKNOWN", remedy };
}

function simplified(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}

function nodesAt(path: YamlPath): readonly SchemaNode[] {
  return path.reduce<readonly SchemaNode[]>(
    (nodes, segment) => (typeof segment === "number" ? itemsOf(nodes) : (propertiesOf(nodes).get(segment) ?? [])),
    [rootNode()],
  );
}

function pathOf(issue: Issue): YamlPath {
  return issue.path.filter((segment) => typeof segment !== "symbol");
}

function valueAt(values: unknown, path: YamlPath): unknown {
  return path.reduce<unknown>((value, segment) => {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, segment)) return undefined;
    return Reflect.get(value, segment);
  }, values);
}

export function parseManifest(values: unknown) {
  return manifest.safeParse(values);
}
