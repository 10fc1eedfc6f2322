import { decodeText, isAscii } from "../../dicom/character-sets.ts";
import { encodeText } from "../../dicom/character-sets-encode.ts";
import type { DataElement, DataSet } from "../../dicom/data-set.ts";
import { isRegisteredUid } from "../../dicom/dictionary/registered-uids.ts";
import { formatTagHex, tagOf } from "../../dicom/tag.ts";
import { trimUid } from "../../dicom/uid.ts";
import { characterSetOf } from "../../dicom/values.ts";
import type { Vr } from "../../dicom/vr.ts";
import { Rejection } from "../engine/rejection.ts";
import { asciiDigits, plainLetters, transcribed } from "../rules/plain-letters.ts";
import { sequenceItems } from "../rules/sequence-items.ts";
import { SHORT_SCRIPTS } from "../rules/short-names.ts";
import { standardVr } from "../rules/standard-vr.ts";
import { splitValues } from "../rules/value-forms.ts";
import { DUMMIES } from "../tables/dummies.ts";
import { type HarvestedAs, harvestedAs, type IdentifierKind, strongerKind } from "./identifier-kinds.ts";
import { speltDate } from "./spelt-dates.ts";

/** What the source tells about the patient and everybody else, to be searched for in the output. */
export interface Harvest {
  /** Folded text (see `fold`) to its kind. */
  readonly identifiers: ReadonlyMap<string, IdentifierKind>;
  /** Text as it was spelt, where its letters or punctuation are other than in its folded form. */
  readonly spellings: ReadonlyMap<string, IdentifierKind>;
  /** Bytes as stored, each as a character of Latin-1, where they are no ASCII. */
  readonly rawValues: ReadonlyMap<string, IdentifierKind>;
  /** What the patient is called and numbered, however short, and the lines of the address, folded: no text that stays is any of it. */
  readonly patient: ReadonlySet<string>;
  /** UIDs that DICOM did not register. */
  readonly uids: ReadonlySet<string>;
  /** Dates by the path of their element. */
  readonly dates: ReadonlyMap<string, string>;
}

/** What earlier instances of a study came to: most of what one says, the others say too. */
export interface HarvestMemory {
  /** By kind, VR, character set and bytes of a value. */
  readonly values: Map<string, readonly Found[]>;
  /** Of elements of the top level that are the same object in many instances. */
  readonly elements: WeakMap<DataElement, HarvestedElement>;
  /** Of the last instance. */
  texts: HarvestedTexts | undefined;
  patient: HarvestedPatient | undefined;
}

export function createHarvestMemory(): HarvestMemory {
  return { values: new Map(), elements: new WeakMap(), texts: undefined, patient: undefined };
}

type Texts = Pick<Harvest, "identifiers" | "spellings" | "rawValues">;

interface HarvestedTexts {
  readonly found: readonly (readonly Found[])[];
  readonly texts: Texts;
}

interface HarvestedPatient {
  readonly elements: readonly (DataElement | undefined)[];
  readonly characterSet: string | undefined;
  readonly texts: ReadonlySet<string>;
}

/** What one element tells, with all that is in it. */
interface HarvestedElement {
  readonly characterSet: string | undefined;
  readonly uids: string[];
  readonly dates: (readonly [path: string, value: string])[];
  /** None of them empty. */
  readonly found: (readonly Found[])[];
}

interface Found {
  readonly into: keyof Texts;
  readonly text: string;
  readonly kind: IdentifierKind;
}

/** Patient's Name, Patient ID, Other Patient IDs and Names, Birth Name, Mother's Birth Name. PS3.3 C.2, C.7.1.1. */
const PATIENT_TAGS = [0x00100010, 0x00100020, 0x00101000, 0x00101001, 0x00101005, 0x00101060].map(tagOf);
const PATIENT_ID = tagOf(0x00100020);
const OTHER_PATIENT_IDS_SEQUENCE = tagOf(0x00101002);
const PATIENT_ADDRESS = tagOf(0x00101040);
/** Of an address; a house number alone is no text of anybody's. */
const SHORTEST_ADDRESS_LINE = 6;
/** An initial is no name. */
const SHORTEST_COMPONENT = 2;
/** Family name, given name, middle name. PS3.5 6.2.1.1. */
const NAMING_COMPONENTS = 3;
/** Sequences within sequences beyond this are not gone through. */
const DEPTH_LIMIT = 64;
const CODE_MEANING = 0x00080104;
const PATIENT_BIRTH_DATE = 0x00100030;
/** In an item of Person Identification Code Sequence. */
const IN_PERSON_CODES = /00401101\[[0-9]+\]\.$/;
const TELLING_VRS: ReadonlySet<string> = new Set(["PN", "LO", "SH", "ST", "LT", "UC", "UT", "DA", "DT"]);
const MINIMUM_DIGITS = 5;
/** Of a telephone number without the codes before it, which are written in many ways. */
const LOCAL_DIGITS = 8;
const LONG_NUMBER = /^[0-9]{6,}$/;
const DAY_IN_ID = /^(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])[0-3][0-9]$/;
const UID_LIKE = /^[0-9]+(?:\.[0-9]+){4,}$/;
/** A longer text is taken line by line, and a longer line up to here. */
const LINE_LIMIT = 96;
/** Three ways of writing a name, of 64 characters each, and more than that in the field. PS3.5 6.2. */
const NAME_LIMIT = 256;
const LINES_LIMIT = 200;
/** What one object can make us remember; beyond it an object is not proven. */
const IDENTIFIER_LIMIT = 100_000;
const MEMORY_LIMIT = 20_000;
const REMEMBERED_LENGTH = 512;
/** As much of an unknown value as tells whether it is text. */
const LOOKED_AT_BYTES = 256;
const E_MAIL = /[\p{L}\p{N}._%+-]{1,64}@[\p{L}\p{N}.-]{3,128}/gu;
const PRINTABLE = /^[^\p{Cc}\ufffd]*$/u;

/** Case, accents, blanks and punctuation taken away. */
export function fold(text: string): string {
  return plainLetters(text.normalize("NFKD").toLowerCase()).replace(/[^\p{L}\p{N}]/gu, "");
}

export interface HarvestOptions {
  readonly meta?: DataSet;
  readonly memory?: HarvestMemory;
  /** Whether other instances have this very element: what it tells is worth remembering. @default none */
  readonly isLasting?: (element: DataElement) => boolean;
}

/** @throws RangeError when there is more than can be searched for; Rejection for sequences within sequences beyond 64, also where they would go */
export function harvestIdentifiers(
  dataSet: DataSet,
  { meta, memory = createHarvestMemory(), isLasting = () => false }: HarvestOptions = {},
): Harvest {
  const uids = new Set<string>();
  const dates = new Map<string, string>();
  const found: (readonly Found[])[] = [];
  const characterSet = characterSetOf(dataSet);
  const take = (told: HarvestedElement): void => {
    for (const uid of told.uids) uids.add(uid);
    for (const [path, value] of told.dates) dates.set(path, value);
    for (const each of told.found) found.push(each);
  };
  for (const element of dataSet.values()) {
    const known = memory.elements.get(element);
    if (known !== undefined && known.characterSet === characterSet) {
      take(known);
      continue;
    }
    const told: HarvestedElement = { characterSet, uids: [], dates: [], found: [] };
    visit(element, characterSet, "", 0, told, memory);
    if (isLasting(element)) memory.elements.set(element, told);
    take(told);
  }
  // The names of the implementation that wrote the file, (0002,0012) and (0002,0013), are nobody's.
  const toldByMeta: HarvestedElement = { characterSet: undefined, uids: [], dates: [], found: [] };
  for (const element of meta?.values() ?? []) {
    if (element.vr === "AE" || element.vr === "UI") visit(element, undefined, "", 0, toldByMeta, memory);
  }
  take(toldByMeta);
  return { ...textsOf(found, memory), patient: patientTexts(dataSet, characterSet, memory), uids, dates };
}

function visit(
  element: DataElement,
  characterSet: string | undefined,
  prefix: string,
  depth: number,
  told: HarvestedElement,
  memory: HarvestMemory,
): void {
  const items = sequenceItems(element);
  if (items !== undefined) {
    const path = prefix + formatTagHex(element.tag);
    if (depth >= DEPTH_LIMIT && items.length > 0) throw new Rejection("DEIDENTIFICATION_UNPROVEN", "depth");
    for (const [index, { dataSet }] of items.entries()) {
      const inItem = characterSetOf(dataSet, { inheritedCharacterSet: characterSet });
      for (const each of dataSet.values()) visit(each, inItem, `${path}[${index}].`, depth + 1, told, memory);
    }
    return;
  }
  if (element.value.kind !== "bytes" || element.value.bytes.length === 0) return;
  const { bytes } = element.value;
  const vr = isPersonsName(element.tag, prefix) ? "PN" : vrOfContent(element);
  if (vr === "UI") {
    for (const uid of splitValues(bytes).map(trimUid)) if (uid !== "" && !isRegisteredUid(uid)) told.uids.push(uid);
  } else if (vr === "DA" || vr === "DT") {
    const value = splitValues(bytes).join("\\");
    told.dates.push([prefix + formatTagHex(element.tag), value]);
    const kind = element.tag === PATIENT_BIRTH_DATE ? "birth-date" : "date";
    addFound(told, memory, `${kind} ${value}`, () => datesIn(value, vr, kind));
  } else {
    const as = harvestedAs(element.tag, vr);
    if (as === undefined || (vr === "UN" && isBinary(bytes))) return;
    const key = `${as.kind} ${as.byWord} ${vr} ${characterSet} ${latin(bytes)}`;
    addFound(told, memory, key, () => foundIn(bytes, vr, characterSet, as));
  }
}

/** A name that is written as a code is a name: what the standard says of the attribute counts, where it says that it is told in words. */
function vrOfContent({ tag, vr }: Pick<DataElement, "tag" | "vr">): Vr {
  const standard = standardVr(tag);
  if (vr === "UN") return standard ?? "UN";
  return standard !== undefined && TELLING_VRS.has(standard) ? standard : vr;
}

/** The meaning of a code that is a person. PS3.3 10.1. */
function isPersonsName(tag: number, prefix: string): boolean {
  return tag === CODE_MEANING && IN_PERSON_CODES.test(prefix);
}

function addFound(
  { found }: HarvestedElement,
  { values }: HarvestMemory,
  key: string,
  find: () => readonly Found[],
): void {
  const known = values.get(key);
  const made = known ?? find();
  if (known === undefined && values.size < MEMORY_LIMIT && key.length <= REMEMBERED_LENGTH) values.set(key, made);
  if (made.length > 0) found.push(made);
}

/** The same maps as those of the instance before, where the same was found. */
function textsOf(found: readonly (readonly Found[])[], memory: HarvestMemory): Texts {
  const before = memory.texts;
  const isSame = (known: HarvestedTexts): boolean =>
    known.found.length === found.length && known.found.every((each, index) => each === found[index]);
  if (before !== undefined && isSame(before)) return before.texts;
  const texts = {
    identifiers: new Map<string, IdentifierKind>(),
    spellings: new Map<string, IdentifierKind>(),
    rawValues: new Map<string, IdentifierKind>(),
  };
  for (const each of found) {
    for (const { into, text, kind } of each) texts[into].set(text, strongerKind(texts[into].get(text), kind));
    if (texts.identifiers.size + texts.spellings.size > IDENTIFIER_LIMIT) throw new RangeError("too many identifiers");
  }
  memory.texts = { found, texts };
  return texts;
}

function patientTexts(dataSet: DataSet, characterSet: string | undefined, memory: HarvestMemory): ReadonlySet<string> {
  const elements = patientElements(dataSet);
  const before = memory.patient;
  const isSame = (known: HarvestedPatient): boolean =>
    known.characterSet === characterSet &&
    known.elements.length === elements.length &&
    known.elements.every((each, index) => each === elements[index]);
  if (before !== undefined && isSame(before)) return before.texts;
  const texts = new Set<string>();
  for (const element of elements) {
    if (element?.value.kind !== "bytes") continue;
    const isName = vrOfContent(element) === "PN";
    for (const value of decodeText(element.value.bytes, isName ? "PN" : "LO", characterSet).split("\\")) {
      texts.add(fold(value));
      for (const text of isName ? partsOfName(value) : [])
        if (fold(text).length >= SHORTEST_COMPONENT) texts.add(fold(text));
      for (const line of element.tag === PATIENT_ADDRESS ? value.split(/[,;^\r\n]/).map(fold) : [])
        if (line.length >= SHORTEST_ADDRESS_LINE) texts.add(line);
    }
  }
  texts.delete("");
  memory.patient = { elements, characterSet, texts };
  return texts;
}

function patientElements(dataSet: DataSet): readonly (DataElement | undefined)[] {
  const others = dataSet.get(OTHER_PATIENT_IDS_SEQUENCE);
  const items = (others === undefined ? undefined : sequenceItems(others)) ?? [];
  return [...PATIENT_TAGS, PATIENT_ADDRESS]
    .map((tag) => dataSet.get(tag))
    .concat(items.map((item) => item.dataSet.get(PATIENT_ID)));
}

/** Components of every way the name is written, and their words; of prefix and suffix only those that are longer than a title. PS3.5 6.2.1. */
function partsOfName(name: string): readonly string[] {
  return name.split("=").flatMap((group) =>
    group.split("^").flatMap((component, index) => {
      const parts = [component, ...wordsOf(component)];
      return index < NAMING_COMPONENTS ? parts : parts.filter((part) => fold(part).length > SHORTEST_COMPONENT);
    }),
  );
}

/** Joiners and soft hyphens are within words. Unicode, general category Cf. */
function wordsOf(text: string): readonly string[] {
  return text.replace(/\p{Cf}/gu, "").split(/[^\p{L}\p{M}\p{N}]+/u);
}

function latin(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** Control characters other than those of text and padding. PS3.5 6.1.3. */
function isBinary(bytes: Uint8Array): boolean {
  const looked = Math.min(bytes.length, LOOKED_AT_BYTES);
  for (let at = 0; at < looked; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0c && byte !== 0x0d && byte !== 0x1b && byte !== 0)
      return true;
  }
  return false;
}

function foundIn(bytes: Uint8Array, vr: Vr, characterSet: string | undefined, as: HarvestedAs): readonly Found[] {
  const decoded = decodeText(bytes, vr === "UN" ? "UT" : vr, characterSet);
  const lines = linesOf(decoded, vr);
  const found = lines.flatMap((line) => foundInText(line, as, characterSet));
  for (const [mail] of decoded.matchAll(E_MAIL))
    found.push(...foundInText(mail, { ...as, kind: "e-mail" }, characterSet));
  if (as.kind === "name" && bytes.some((byte) => byte >= 0x80 || byte === 0x1b)) {
    // Each way of writing the name, and all of it, as the bytes stand. PS3.5 6.2.1.
    const stored = latin(bytes).replace(/[ \0]+$/, "");
    for (const text of [stored, ...stored.split("=")]) {
      if (text.length >= MINIMUM_DIGITS) found.push({ into: "rawValues", text, kind: "name" });
    }
  }
  return found;
}

/** Values of one line each; what holds control characters is no text. */
function linesOf(decoded: string, vr: Vr): readonly string[] {
  const lines = decoded.split(vr === "UN" ? /[\r\n\f\0]+/ : /[\\\r\n\f\0]+/).map((line) => line.trim());
  return lines
    .filter((line) => line !== "" && (vr !== "UN" || PRINTABLE.test(line)))
    .slice(0, LINES_LIMIT)
    .map((line) => line.slice(0, vr === "PN" ? NAME_LIMIT : LINE_LIMIT));
}

function foundInText(text: string, as: HarvestedAs, characterSet: string | undefined): Found[] {
  const { kind, minimumLength } = as;
  const words = as.byWord ? wordsOf(text) : [];
  const groups = kind === "name" ? [...text.split("="), ...text.split(/[=^]/)] : [];
  const plain = asciiDigits(text.normalize("NFKC"));
  const numbers = kind === "phone" ? telephoneNumbers(plain) : kind === "id" ? numbersIn(plain) : [];
  return [...new Set([text, ...groups, ...words, ...numbers])].flatMap((each) =>
    foundSpelt(each.trim(), kind, minimumLength, characterSet),
  );
}

/** Without what is written around them, and as they are called from nearby. */
function telephoneNumbers(text: string): readonly string[] {
  const numbers = text.split(/[^0-9 ()+./-]+/).map((number) => number.replace(/[^0-9]/g, ""));
  return numbers.flatMap((number) => [number, number.slice(-LOCAL_DIGITS)]);
}

/** Numbers that an identifier is made of beside others: without its check digit, its letters or its year. A UID is made of others' numbers. */
function numbersIn(text: string): readonly string[] {
  const numbers = UID_LIKE.test(text) ? [] : (text.match(/[0-9]+/g) ?? []);
  const isLong = (number: string): boolean =>
    LONG_NUMBER.test(number) || (numbers.length === 1 && number.length >= MINIMUM_DIGITS);
  return numbers.filter((number) => isLong(number) && !DAY_IN_ID.test(number));
}

function foundSpelt(
  text: string,
  kind: IdentifierKind,
  minimumLength: number,
  characterSet: string | undefined,
): readonly Found[] {
  const folded = fold(text);
  const isNumber = /^[0-9]+$/.test(folded);
  const minimum = SHORT_SCRIPTS.test(folded) ? 2 : isNumber ? Math.max(minimumLength, MINIMUM_DIGITS) : minimumLength;
  if (folded.length < minimum) return [];
  const found: Found[] = [{ into: "identifiers", text: folded, kind }];
  const significant = folded.replace(/^0+/, "");
  if (isNumber && significant.length >= minimum && significant !== folded)
    found.push({ into: "identifiers", text: significant, kind });
  const written = transcribed(text);
  if (written !== undefined) found.push({ into: "identifiers", text: fold(written), kind });
  // Upper case of ASCII is found with lower case; of other letters it is other bytes.
  if (text.toLowerCase() === folded && isAscii(text)) return found;
  found.push({ into: "spellings", text, kind });
  const stored = encodeText(text, "LO", characterSet);
  if (stored?.some((byte) => byte >= 0x80)) found.push({ into: "rawValues", text: latin(stored), kind });
  return found;
}

function datesIn(value: string, vr: Vr, kind: "date" | "birth-date"): readonly Found[] {
  return value.split("\\").flatMap((one): Found[] => {
    const spelt = one === DUMMIES[vr] ? undefined : speltDate(one, kind === "birth-date");
    const { inDigits = [], inWords = [] } = spelt ?? {};
    return [
      ...inDigits.map((text): Found => ({ into: "spellings", text, kind })),
      ...inWords.map((text): Found => ({ into: "identifiers", text, kind })),
    ];
  });
}
