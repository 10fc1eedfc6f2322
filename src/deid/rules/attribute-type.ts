import { MODULE_TYPES, SOP_CLASS_MODULES } from "../tables/iod-types.generated.ts";
import type { ByType, Fallback } from "./rule.ts";

/** Type of an attribute in an IOD (PS3.3 5.3), or that the table does not say. */
export type AttributeType = "1" | "1C" | "2" | "2C" | "3" | "unknown";

/** The parent of attributes at the top level. */
export const TOP_LEVEL = 0;

/** Types of one IOD's attributes. `parentTag` is the sequence around the item, `TOP_LEVEL` for none. */
export type AttributeTypes = (parentTag: number, tag: number) => AttributeType;

/** Reports, key objects and presentation states, also of classes newer than the table: they cannot be without a number. PS3.3 C.17.2, 10.9. */
const NUMBERED_CLASSES = /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.(?:88|11)\./;
const INSTANCE_NUMBER = 0x00200013;

const STRICTNESS: readonly string[] = ["1", "1C", "2", "2C", "3"];
const FIELDS = 3;
const ANY_PARENT = -1;
const bySopClass = new Map<string, AttributeTypes>();

export function attributeTypesOf(sopClassUid: string): AttributeTypes {
  const known = bySopClass.get(sopClassUid);
  if (known !== undefined) return known;
  const made = load(sopClassUid);
  bySopClass.set(sopClassUid, made);
  return made;
}

/** A condition is not evaluated: an attribute of Type 1C or 2C that is present counts as required. */
export function fallbackFor(byType: ByType, type: AttributeType): Fallback {
  if (type === "3") return byType.optional;
  if (type === "unknown") return byType.unknown;
  return type.startsWith("1") ? byType.required : byType.empty;
}

function load(sopClassUid: string): AttributeTypes {
  /** By tag, then by the sequence around it. */
  const types = new Map<number, Map<number, AttributeType>>();
  for (const module of (SOP_CLASS_MODULES[sopClassUid] ?? "").split(",")) {
    const fields = (MODULE_TYPES[module] ?? "").split(" ");
    for (let index = 0; index + FIELDS <= fields.length; index += FIELDS) {
      const [parent = "", tag = "", type = ""] = fields.slice(index, index + FIELDS);
      const parentTag = parent === "*" ? ANY_PARENT : Number.parseInt(parent, 16);
      const ofTag = byParent(types, Number.parseInt(tag, 16));
      const before = ofTag.get(parentTag);
      if (before === undefined || STRICTNESS.indexOf(type) < STRICTNESS.indexOf(before))
        ofTag.set(parentTag, type as AttributeType);
    }
  }
  if (NUMBERED_CLASSES.test(sopClassUid)) byParent(types, INSTANCE_NUMBER).set(TOP_LEVEL, "1");
  return (parentTag, tag) => {
    const ofTag = types.get(tag);
    return ofTag?.get(parentTag) ?? ofTag?.get(ANY_PARENT) ?? "unknown";
  };
}

function byParent(types: Map<number, Map<number, AttributeType>>, tag: number): Map<number, AttributeType> {
  const known = types.get(tag) ?? new Map<number, AttributeType>();
  types.set(tag, known);
  return known;
}
