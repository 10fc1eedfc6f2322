import { MODULE_TYPES, SOP_CLASS_MODULES } from "../tables/iod-types.generated.ts";
import type { ByType, Fallback } from "./rule.ts";

/** Type of an attribute in an IOD (PS3.3 5.3), or that the table does not say. */
export type AttributeType = "1" | "1C" | "2" | "2C" | "3" | "unknown";

/** The parent of attributes at the top level. */
export const TOP_LEVEL = 0;

/** Types of one IOD's attributes. `parentTag` is the sequence around the item, `TOP_LEVEL` for none. */
export type AttributeTypes = (parentTag: number, tag: number) => AttributeType;

/** Reports, key objects and presentation states, whose modules are in no table here: they cannot be without a number. PS3.3 C.17.2, 10.9. */
const NUMBERED_CLASSES = /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.(?:88|11)\./;
const INSTANCE_NUMBER = "00000000 00200013";

const STRICTNESS: readonly string[] = ["1", "1C", "2", "2C", "3"];
const FIELDS = 3;
const ANY_PARENT = "*";
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
  const types = new Map<string, AttributeType>();
  for (const module of (SOP_CLASS_MODULES[sopClassUid] ?? "").split(",")) {
    const fields = (MODULE_TYPES[module] ?? "").split(" ");
    for (let index = 0; index + FIELDS <= fields.length; index += FIELDS) {
      const [parent = "", tag = "", type = ""] = fields.slice(index, index + FIELDS);
      const key = `${parent} ${tag}`;
      const before = types.get(key);
      if (before === undefined || STRICTNESS.indexOf(type) < STRICTNESS.indexOf(before))
        types.set(key, type as AttributeType);
    }
  }
  if (NUMBERED_CLASSES.test(sopClassUid)) types.set(INSTANCE_NUMBER, "1");
  return (parentTag, tag) =>
    types.get(`${hex(parentTag)} ${hex(tag)}`) ?? types.get(`${ANY_PARENT} ${hex(tag)}`) ?? "unknown";
}

function hex(tag: number): string {
  return tag.toString(16).toUpperCase().padStart(8, "0");
}
