import { remembering } from "../../units/memo.ts";
import type { PseudonymSettings } from "../profiles/profile.ts";
import type { Rule } from "../rules/rule.ts";
import type { PseudonymKind } from "./pseudonymizer.ts";

/** What PS3.15 Table E.1-1 empties or removes and a profile's pseudonyms may replace. */
export const IDENTIFIER_TAGS: ReadonlyMap<number, Exclude<PseudonymKind, "ae-title">> = new Map([
  [0x00080050, "accession"],
  [0x00081010, "device"],
  [0x00181000, "device"],
  [0x00200010, "id"],
]);
/** Retrieve and Station AE Title: cleaned by the site's table where devices stay known. PS3.15 E.3.8. */
export const AE_TITLE_TAGS: ReadonlySet<number> = new Set([0x00080054, 0x00080055]);
const PATIENT_BIRTH_DATE = 0x00100030;

const REMEMBERED_PROFILES = 100;

/** Rules that the pseudonyms of a profile put in the place of the table's, by tag. */
export const pseudonymRules = remembering(REMEMBERED_PROFILES, rulesFor);

function rulesFor(settings: PseudonymSettings): ReadonlyMap<number, Pick<Rule, "treatment">> {
  const isReplaced: Readonly<Record<Exclude<PseudonymKind, "ae-title">, boolean>> = {
    accession: settings.accession === "pseudonym",
    id: settings.studyId === "pseudonym",
    device: settings.device === "pseudonym",
  };
  const rules = new Map<number, Pick<Rule, "treatment">>();
  for (const [tag, of] of IDENTIFIER_TAGS) {
    if (isReplaced[of]) rules.set(tag, { treatment: { kind: "identifier", of } });
  }
  const { birthDate } = settings;
  if (birthDate !== "empty") rules.set(PATIENT_BIRTH_DATE, { treatment: { kind: "birth-date", mode: birthDate } });
  return rules;
}
