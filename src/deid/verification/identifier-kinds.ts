import { lookupElement } from "../../dicom/dictionary/dictionary.ts";
import { isPrivate, type Tag } from "../../dicom/tag.ts";
import type { Vr } from "../../dicom/vr.ts";
import { remembering } from "../../units/memo.ts";
import type { OptionName } from "../profiles/options.ts";
import { CONFIDENTIALITY_TABLE } from "../tables/confidentiality-table.generated.ts";
import { TECHNICAL_WORDS } from "../tables/text-forms.ts";
import { ENGLISH_WORDS } from "../tables/vocabulary.generated.ts";

/** Kinds of identifiers, as reasons name them. `text` is free text of no kind of its own; `private` the same in private elements. */
export type IdentifierKind =
  | "name"
  | "id"
  | "address"
  | "phone"
  | "e-mail"
  | "device"
  | "institution"
  | "ae-title"
  | "date"
  | "birth-date"
  | "text"
  | "private"
  | "uid";

/** Whether it names somebody or something; free text may be any word. */
export function isNaming(kind: IdentifierKind | undefined): boolean {
  return kind !== undefined && kind !== "text" && kind !== "private";
}

/** Words that say nothing of anybody. */
export const STOP_WORDS: ReadonlySet<string> = new Set([...TECHNICAL_WORDS, ...ENGLISH_WORDS.split(" ")]);
/** Of what is called by what is done there, or stands there: heart centres, a station named after the head. */
const KINDS_OF_PLACES: ReadonlySet<IdentifierKind> = new Set(["address", "ae-title", "device", "institution"]);

/** Whether a word of a description is what somebody or something is called; the name of a place is more than a word of the vocabulary. */
export function isNamingWord(kind: IdentifierKind | undefined, folded: string): boolean {
  return kind !== undefined && isNaming(kind) && !(KINDS_OF_PLACES.has(kind) && STOP_WORDS.has(folded));
}

/** How the values of an attribute are taken apart. */
export interface HarvestedAs {
  readonly kind: IdentifierKind;
  /** Its words are identifiers by themselves. */
  readonly byWord: boolean;
  /** Shorter ones are not told from chance. */
  readonly minimumLength: number;
}

const NAME: HarvestedAs = { kind: "name", byWord: true, minimumLength: 3 };
const ID: HarvestedAs = { kind: "id", byWord: false, minimumLength: 3 };
const DEVICE: HarvestedAs = { kind: "device", byWord: false, minimumLength: 3 };
const ADDRESS: HarvestedAs = { kind: "address", byWord: true, minimumLength: 4 };
const INSTITUTION: HarvestedAs = { kind: "institution", byWord: true, minimumLength: 4 };
const PHONE: HarvestedAs = { kind: "phone", byWord: false, minimumLength: 6 };
const AE_TITLE: HarvestedAs = { kind: "ae-title", byWord: false, minimumLength: 3 };
const TEXT: HarvestedAs = { kind: "text", byWord: false, minimumLength: 6 };
const PRIVATE: HarvestedAs = { kind: "private", byWord: false, minimumLength: 6 };

/** By the keyword of PS3.6, the first that fits. */
const BY_KEYWORD: readonly (readonly [RegExp, HarvestedAs])[] = [
  [/Telephone|Telecom|PhoneNumber/, PHONE],
  [/Institution|Department|OrganizationName|Custodian/, INSTITUTION],
  [/Address|Residence|Location$/, ADDRESS],
  [/AETitle|ApplicationEntity/, AE_TITLE],
  [/SerialNumber|StationName|(?:Device|Detector|Gantry|Plate|Grid|Cassette|Gateway)I[dD]/, DEVICE],
  [/(?:ID|IDs|Number|Identifier|Locator)$/, ID],
  [/(?:Physician|Operator|Person|Observer|Performer|Reader|Author|Creator).*Name/, NAME],
];

/** What an option lets stay wherever it stands is not searched for. PS3.15 E.3.6 to E.3.11. */
const RETAINED_BY: ReadonlyMap<OptionName, IdentifierKind> = new Map<OptionName, IdentifierKind>([
  ["retain-device-identity", "device"],
  ["retain-institution-identity", "institution"],
  ["retain-longitudinal-full-dates", "date"],
  ["retain-uids", "uid"],
]);

/** What tells of a device or an institution, whatever its name says: an option that retains the attribute must find it of its kind. */
const RETAINED_AS: ReadonlyMap<number, IdentifierKind> = new Map(
  CONFIDENTIALITY_TABLE.flatMap(({ tag, options }): [number, IdentifierKind][] => {
    if (options["retain-device-identity"] === "K") return [[tag, "device"]];
    return options["retain-institution-identity"] === "K" ? [[tag, "institution"]] : [];
  }),
);

const REMEMBERED_PROFILES = 100;

/** The same set for the same options, as a profile has them. */
export const retainedKinds = remembering(
  REMEMBERED_PROFILES,
  (options: readonly OptionName[]): ReadonlySet<IdentifierKind> =>
    new Set(options.flatMap((option) => RETAINED_BY.get(option) ?? [])),
);

/** The same word may be a name here and a mere text there: the kind that names it, whichever was met first. */
export function strongerKind(known: IdentifierKind | undefined, other: IdentifierKind): IdentifierKind {
  return known !== undefined && RANK[known] >= RANK[other] ? known : other;
}

/** No two are equal, so that the order of a study's instances makes no difference. */
const RANK: Readonly<Record<IdentifierKind, number>> = {
  ...{ name: 11, id: 10, "e-mail": 9, phone: 8, uid: 7, address: 6 },
  // Of whoever is born on the day of the study both are told.
  ...{ date: 5, "birth-date": 4.5, device: 4, "ae-title": 3, institution: 2, private: 1, text: 0 },
};

const TEXT_VRS: ReadonlySet<string> = new Set(["AE", "LO", "LT", "SH", "ST", "UC", "UT", "UR"]);
const known = new Map<string, HarvestedAs | undefined>();

/** Undefined: values of this attribute and VR identify nobody. */
export function harvestedAs(tag: Tag, vr: Vr): HarvestedAs | undefined {
  if (vr === "PN") return NAME;
  const isText = TEXT_VRS.has(vr);
  if (isPrivate(tag)) return isText || vr === "UN" ? PRIVATE : undefined;
  if (!isText) return undefined;
  if (vr === "AE") return AE_TITLE;
  const keyword = lookupElement(tag)?.keyword ?? "";
  if (!known.has(keyword)) {
    const as = BY_KEYWORD.find(([pattern]) => pattern.test(keyword))?.[1] ?? TEXT;
    known.set(keyword, { ...as, kind: RETAINED_AS.get(tag) ?? as.kind });
  }
  return known.get(keyword);
}
