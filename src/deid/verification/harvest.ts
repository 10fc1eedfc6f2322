import { decodeText } from "../../dicom/character-sets.ts";
import type { DataElement, DataSet } from "../../dicom/data-set.ts";
import { formatTagHex, isPrivate } from "../../dicom/tag.ts";
import { trimUid } from "../../dicom/uid.ts";
import { characterSetOf } from "../../dicom/values.ts";
import type { Vr } from "../../dicom/vr.ts";
import { isRegisteredUid } from "../pseudonyms/pseudonymizer.ts";
import { sequenceItems } from "../rules/sequence-items.ts";
import { standardVr } from "../rules/standard-vr.ts";
import { splitValues } from "../rules/value-forms.ts";

/** Kinds of identifiers, as reasons name them. */
export type IdentifierKind = "name" | "id" | "address" | "phone" | "device" | "institution" | "text" | "uid";

/** What the source tells about the patient and everybody else, to be searched for in the output. */
export interface Harvest {
  /** Folded text (see `fold`) to its kind. */
  readonly identifiers: ReadonlyMap<string, IdentifierKind>;
  /** Values as stored, for character sets that folding does not reach. */
  readonly rawValues: ReadonlyMap<string, IdentifierKind>;
  /** UIDs that DICOM did not register. */
  readonly uids: ReadonlySet<string>;
  /** Dates by the path of their element. */
  readonly dates: ReadonlyMap<string, string>;
}

/** Attributes of PS3.6 whose words identify, beyond every PN. */
const WORD_TAGS: ReadonlyMap<number, IdentifierKind> = new Map<number, IdentifierKind>([
  [0x00101040, "address"],
  [0x00080081, "address"],
  [0x00080092, "address"],
  [0x00080080, "institution"],
  [0x00081040, "institution"],
  [0x00402400, "text"],
]);
const ID_TAGS: ReadonlyMap<number, IdentifierKind> = new Map<number, IdentifierKind>([
  [0x00100020, "id"],
  [0x00101000, "id"],
  [0x00101090, "id"],
  [0x00080050, "id"],
  [0x00200010, "id"],
  [0x00380010, "id"],
  [0x00400253, "id"],
  [0x00401001, "id"],
  [0x00402016, "id"],
  [0x00402017, "id"],
  [0x00321033, "id"],
  [0x00120040, "id"],
  [0x00181000, "device"],
  [0x00081010, "device"],
  [0x00102154, "phone"],
  [0x00102155, "phone"],
  [0x00080094, "phone"],
]);
const TEXT_VRS = new Set(["AE", "LO", "LT", "SH", "ST", "UC", "UT", "UR"]);
/** Free text is searched for whole, when it is long enough to be told from chance. */
const MINIMUM_TEXT_LENGTH = 6;
const MINIMUM_WORD_LENGTH = 3;
const MINIMUM_ADDRESS_LENGTH = 4;
const MINIMUM_DIGITS = 5;
const MINIMUM_PHONE_DIGITS = 6;
/** What one object can make us remember; beyond it an object is not proven. */
const IDENTIFIER_LIMIT = 100_000;

/** Case, accents, blanks and punctuation taken away. */
export function fold(text: string): string {
  return text
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, "");
}

/** @throws RangeError when there is more than can be searched for */
export function harvestIdentifiers(dataSet: DataSet): Harvest {
  const identifiers = new Map<string, IdentifierKind>();
  const rawValues = new Map<string, IdentifierKind>();
  const uids = new Set<string>();
  const dates = new Map<string, string>();

  const add = (text: string, kind: IdentifierKind, minimumLength: number): void => {
    const folded = fold(text);
    const isNumber = /^[0-9]+$/.test(folded);
    if (folded.length < (isNumber ? Math.max(minimumLength, MINIMUM_DIGITS) : minimumLength)) return;
    // The same word may be an identifier here and a mere text there.
    const known = identifiers.get(folded);
    if (known === undefined || known === "text") identifiers.set(folded, kind);
    if (identifiers.size > IDENTIFIER_LIMIT) throw new RangeError("too many identifiers");
  };
  const addWords = (text: string, kind: IdentifierKind, minimumLength: number): void => {
    add(text, kind, minimumLength);
    for (const word of text.split(/[^\p{L}\p{N}]+/u)) add(word, kind, minimumLength);
  };
  const addText = (tag: number, vr: Vr, bytes: Uint8Array, characterSet: string | undefined): void => {
    const idKind = ID_TAGS.get(tag);
    const wordKind = WORD_TAGS.get(tag);
    for (const value of decodeText(bytes, vr, characterSet).split("\\")) {
      if (vr === "PN") addWords(value, "name", MINIMUM_WORD_LENGTH);
      else if (idKind === "phone") add(value, idKind, MINIMUM_PHONE_DIGITS);
      else if (idKind !== undefined) add(value, idKind, MINIMUM_WORD_LENGTH);
      else if (wordKind !== undefined) addWords(value, wordKind, MINIMUM_ADDRESS_LENGTH);
      else add(value, "text", MINIMUM_TEXT_LENGTH);
    }
    if (vr === "PN" && bytes.some((byte) => byte >= 0x80)) rawValues.set(Buffer.from(bytes).toString("latin1"), "name");
  };
  const visit = (element: DataElement, characterSet: string | undefined, path: string): void => {
    const items = sequenceItems(element);
    if (items !== undefined) {
      for (const [index, item] of items.entries()) visitAll(item.dataSet, `${path}[${index}].`, characterSet);
      return;
    }
    if (element.value.kind !== "bytes") return;
    const { bytes } = element.value;
    const vr = element.vr === "UN" ? (standardVr(element.tag) ?? "UN") : element.vr;
    if (vr === "UI") {
      for (const uid of splitValues(bytes).map(trimUid)) if (uid !== "" && !isRegisteredUid(uid)) uids.add(uid);
    } else if (vr === "DA" || vr === "DT") dates.set(path, splitValues(bytes).join("\\"));
    else if (vr === "PN" || TEXT_VRS.has(vr) || (isPrivate(element.tag) && vr === "UN")) {
      addText(element.tag, vr, bytes, characterSet);
    }
  };
  const visitAll = (within: DataSet, prefix: string, inheritedCharacterSet: string | undefined): void => {
    const characterSet = characterSetOf(within, { inheritedCharacterSet });
    for (const element of within.values()) visit(element, characterSet, prefix + formatTagHex(element.tag));
  };
  visitAll(dataSet, "", undefined);
  return { identifiers, rawValues, uids, dates };
}
