import { readFileSync } from "node:fs";

/** Type of an attribute of an IOD (PS3.3 5.3), as the shipped facts have it; "3" also where the IOD has it not. */
export type IodType = "1" | "2" | "3" | "unknown";

const STRICTNESS = ["1", "1C", "2", "2C", "3"];
const TOP_LEVEL = "00000000";
/** Macros that may stand anywhere in functional groups. */
const ANYWHERE = "*";

const modulesOf = new Map(
  linesOf("deid-sop-modules.tsv").map(([sopClass = "", modules = ""]) => [sopClass, modules.split(",")]),
);
const types = new Map<string, string>();
for (const [module = "", parent = "", tag = "", type = ""] of linesOf("deid-iod-types.tsv"))
  types.set(`${module} ${parent} ${tag}`, type);

/** The SOP classes whose modules are known. */
export const KNOWN_SOP_CLASSES: readonly string[] = [...modulesOf.keys()].filter((uid) => uid.startsWith("1."));

/** The sequences whose items have an attribute of their own Type in some module. */
export function parentsOf(tag: number): readonly number[] {
  const parents = [...types.keys()].filter((key) => key.endsWith(hex(tag))).map((key) => key.split(" ").at(-2) ?? "");
  return [...new Set(parents)]
    .filter((parent) => parent !== TOP_LEVEL && parent !== ANYWHERE)
    .map((parent) => Number.parseInt(parent, 16));
}

function hex(tag: number): string {
  return tag.toString(16).toUpperCase().padStart(8, "0");
}

/** At the top level, or in the items of a sequence: the strictest of its modules; a condition that is not looked at counts as fulfilled. */
export function iodTypeOf(sopClassUid: string, tag: number, parentTag?: number): IodType {
  const key = hex(tag);
  const typesAt = (parent: string): string[] =>
    (modulesOf.get(sopClassUid) ?? []).flatMap((module) => types.get(`${module} ${parent} ${key}`) ?? []);
  const here = typesAt(parentTag === undefined ? TOP_LEVEL : hex(parentTag));
  const found = here.length > 0 ? here : typesAt(ANYWHERE);
  const [strictest = "unknown"] = found.sort((a, b) => STRICTNESS.indexOf(a) - STRICTNESS.indexOf(b));
  return strictest.startsWith("1") ? "1" : strictest.startsWith("2") ? "2" : strictest === "3" ? "3" : "unknown";
}

function linesOf(name: string): string[][] {
  const text = readFileSync(new URL(`../../../../data/${name}`, import.meta.url), "utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\t"));
}
