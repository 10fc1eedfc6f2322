import { decodeText } from "../../dicom/character-sets.ts";
import type { DataSet } from "../../dicom/data-set.ts";
import { characterSetOf } from "../../dicom/values.ts";
import type { Profile } from "../profiles/profile.ts";
import { sequenceItems } from "../rules/sequence-items.ts";
import { AE_TITLE_TAGS, IDENTIFIER_TAGS, pseudonymRules } from "./pseudonym-rules.ts";
import type { StudyPseudonyms } from "./pseudonymizer.ts";

/** The keyed texts that may stand in the output for accession numbers, study ids and devices of the source, at any depth. */
export function expectedIdentifiers(
  dataSet: DataSet,
  pseudonyms: StudyPseudonyms,
  { pseudonyms: settings, options }: Pick<Profile, "pseudonyms" | "options">,
): ReadonlySet<string> {
  const knowsDevices = options.includes("retain-device-identity");
  const replaced = pseudonymRules(settings);
  const characterSet = characterSetOf(dataSet);
  const expected = new Set<string>();
  const visit = (within: DataSet): void => {
    for (const element of within.values()) {
      const items = sequenceItems(element);
      if (items !== undefined) for (const item of items) visit(item.dataSet);
      const isAeTitle = knowsDevices && AE_TITLE_TAGS.has(element.tag);
      const kind = isAeTitle ? "ae-title" : replaced.has(element.tag) ? IDENTIFIER_TAGS.get(element.tag) : undefined;
      if (kind === undefined || element.value.kind !== "bytes") continue;
      const identifier = pseudonyms.identifier(kind, decodeText(element.value.bytes, "SH", characterSet));
      for (const value of identifier.split("\\")) expected.add(value);
    }
  };
  if (replaced.size > 0 || knowsDevices) visit(dataSet);
  return expected;
}
