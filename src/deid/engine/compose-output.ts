import { decodeText } from "../../dicom/character-sets.ts";
import type { DataElement, DataSet, Part10File } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import {
  EXPLICIT_VR_BIG_ENDIAN,
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
} from "../../dicom/dictionary/transfer-syntaxes.ts";
import { formatTag, type Tag, tagOf } from "../../dicom/tag.ts";
import { characterSetOf, textOf, uidOf } from "../../dicom/values.ts";
import { fileMetaOf } from "../../dicom/writer.ts";
import type { Pseudonym } from "../../staging/deidentified-file.ts";
import { replaceDocument } from "../pixels/empty-document.ts";
import type { PixelDecoder } from "../pixels/external-codec.ts";
import { type AppliedMask, pixelElements } from "../pixels/pixel-data.ts";
import { nativeSizeBytes, pixelLayoutOf } from "../pixels/pixel-layout.ts";
import { markMasked } from "../pixels/pixel-marks.ts";
import { decidePixels, type PixelQuestion } from "../pixels/pixel-policy.ts";
import { type OptionName, optionSet } from "../profiles/options.ts";
import type { Profile } from "../profiles/profile.ts";
import { derivedAge, isBirthDateTellable } from "../pseudonyms/patient-age.ts";
import type { PatientIdentity, Pseudonymizer, StudyPseudonyms } from "../pseudonyms/pseudonymizer.ts";
import { attributeTypesOf, TOP_LEVEL } from "../rules/attribute-type.ts";
import type { CompiledRules } from "../rules/compiled-rules.ts";
import { isShortWord } from "../rules/short-names.ts";
import { isRetainableUid } from "../rules/value-forms.ts";
import { fold, type Harvest } from "../verification/harvest.ts";
import { isNamingWord } from "../verification/identifier-kinds.ts";
import { textElement } from "./coded-entry.ts";
import { type ComposedSource, composeSource } from "./composed-source.ts";
import type { FilterContext } from "./filter-context.ts";
import { filterDataSet, inOrder } from "./filter-data-set.ts";
import { readLongTexts } from "./long-texts.ts";
import { appliedOptions, markElements, missingElements } from "./marks.ts";
import { Rejection } from "./rejection.ts";
import { contentModeOf, isStructuredAdmitted } from "./structured-policy.ts";
import { createTally, type Tally } from "./tally.ts";
import {
  createRecollection,
  createTreatmentMemory,
  type TreatmentBasis,
  type TreatmentMemory,
} from "./treated-elements.ts";

const VERIFICATION_FLAG = tagOf(0x0040a493);
const CONTENT_TEMPLATE = tagOf(0x0040a504);
const VERIFYING_OBSERVERS = tagOf(0x0040a073);
const ETHICS_COMMITTEE_NAME = tagOf(0x00120081);
const ETHICS_COMMITTEE_APPROVAL_NUMBER = tagOf(0x00120082);

/** Everything of an output file, before it is written. */
export interface ComposedOutput {
  readonly meta: DataSet;
  readonly dataSet: DataSet;
  readonly source: ComposedSource;
  readonly transferSyntaxUid: string;
  readonly sopClassUid: string;
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
  readonly pseudonym: Pseudonym;
  readonly pseudonyms: StudyPseudonyms;
  /** The options of the profile that were applied to this object, and no others. PS3.15 E.1.1. */
  readonly options: readonly OptionName[];
  /** Of native pixel data, without padding. */
  readonly pixelBytes: number | undefined;
  /** What was blackened in it. */
  readonly mask: AppliedMask | undefined;
  /** Elements of the top level that pixel policy wrote: these bytes and no others. */
  readonly written: readonly DataElement[];
  readonly tally: Tally;
}

export interface ComposeOptions {
  readonly profile: Profile;
  readonly pseudonymizer: Pseudonymizer;
  readonly participantId: string | undefined;
  /** Of this file: what it names stays in no description. */
  readonly harvest: Harvest;
  /** Decodes what a mask needs decoded, with the site's codecs. */
  readonly decoder?: PixelDecoder | undefined;
  /** Whether other instances have this very element. @default none */
  readonly isLasting?: (element: DataElement) => boolean;
  readonly treatments?: TreatmentMemory;
  readonly signal: AbortSignal;
}

/**
 * Composes a new object from what the rules let pass of a file.
 * @throws Rejection; GatewayError PARTICIPANT_ID_INVALID
 */
export async function composeOutput(file: Part10File, options: ComposeOptions): Promise<ComposedOutput> {
  const { dataSet } = file;
  const { profile, pseudonymizer } = options;
  const original = originalUids(dataSet, profile.rules);
  const pseudonyms = pseudonymizer.ofStudy(identityOf(dataSet, original.study, options.participantId));
  const { patient: pseudonym, uid } = pseudonyms;
  const tally = createTally();
  let hasUtf8 = false;
  const basis = basisOf(file, original.sopClass, pseudonyms, profile);
  const { isLasting = () => false, treatments = createTreatmentMemory() } = options;
  const recollection = createRecollection(treatments.on(basis), isLasting, tally, {
    isIdentifier: (folded) =>
      isNamingWord(options.harvest.identifiers.get(folded), folded) ||
      (isShortWord(folded) && options.harvest.patient.has(folded)),
    isPatients: (text) => options.harvest.patient.has(fold(text)),
    noteUtf8: () => {
      hasUtf8 = true;
    },
  });
  const context: FilterContext = {
    ...basis,
    ...recollection.answers,
    recollection,
    within: [],
    pseudonym: pseudonyms.patientText,
    shiftDays: pseudonyms.shiftDays,
    identifier: (kind, bytes) => pseudonyms.identifier(kind, decodeText(bytes, "SH", basis.characterSet)),
    uid,
    source: composeSource(file.source),
    longTexts: await readLongTexts(dataSet, file.source, profile.rules, options.signal),
    rename: createRenaming(),
    tally,
    signal: options.signal,
  };
  const kept = filterDataSet(dataSet, TOP_LEVEL, 0, context);
  const { mask, written } = await addPixels(kept, file, original.sopClass, options, context);
  addAge(kept, dataSet, profile, tally);
  const applied = appliedOptions(profile, tally.applied, mask !== undefined);
  settleVerification(kept);
  settleCommittee(kept, dataSet, tally);
  noteTemplate(dataSet, tally);
  if (hasUtf8) kept.set(...textElement(tags.SpecificCharacterSet, "CS", "ISO_IR 192"));
  addOurs(kept, context, profile, applied);
  noteFindings(file, tally);

  const isEncapsulated = [...kept.values()].some((element) => element.value.kind === "fragments");
  const transferSyntaxUid = isEncapsulated ? file.transferSyntaxUid : EXPLICIT_VR_LITTLE_ENDIAN;
  const leaving = (tag: Tag, uidOfSource: string): string => uidOf(kept, tag) ?? uid(uidOfSource);
  const sopInstanceUid = leaving(tags.SOPInstanceUID, original.sopInstance);
  return {
    meta: fileMetaOf({ sopClassUid: original.sopClass, sopInstanceUid, transferSyntaxUid }),
    dataSet: sorted(kept),
    source: context.source,
    transferSyntaxUid,
    sopClassUid: original.sopClass,
    studyInstanceUid: leaving(tags.StudyInstanceUID, original.study),
    seriesInstanceUid: leaving(tags.SeriesInstanceUID, original.series),
    sopInstanceUid,
    pseudonym,
    pseudonyms,
    options: applied,
    pixelBytes: nativePixelBytes(kept, isEncapsulated),
    mask,
    written,
    tally,
  };
}

function basisOf(
  { dataSet, transferSyntaxUid }: Part10File,
  sopClassUid: string,
  pseudonyms: StudyPseudonyms,
  profile: Profile,
): TreatmentBasis {
  return {
    rules: profile.rules,
    types: attributeTypesOf(sopClassUid),
    pseudonyms,
    characterSet: characterSetOf(dataSet),
    birthDateTellable: isBirthDateTellable(dataSet),
    bigEndian: transferSyntaxUid === EXPLICIT_VR_BIG_ENDIAN,
    implicitVr: transferSyntaxUid === IMPLICIT_VR_LITTLE_ENDIAN,
    contentMode: contentModeOf(sopClassUid, profile),
  };
}

function sorted(kept: DataSet): DataSet {
  const elements = inOrder(kept);
  return Array.isArray(elements) ? new Map(elements.map((element) => [element.tag, element])) : kept;
}

function identityOf(dataSet: DataSet, studyInstanceUid: string, participantId: string | undefined): PatientIdentity {
  return {
    patientId: textOf(dataSet, tags.PatientID) ?? "",
    issuer: textOf(dataSet, tags.IssuerOfPatientID),
    participantId,
    studyInstanceUid,
    accessionNumber: textOf(dataSet, tags.AccessionNumber),
  };
}

/** What pixel policy looks at. */
export function pixelQuestionOf(
  file: Part10File,
  sopClassUid: string,
  profile: Profile,
  decoder: Pick<PixelDecoder, "knows"> | undefined,
): PixelQuestion {
  const { dataSet, transferSyntaxUid } = file;
  const bigEndian = transferSyntaxUid === EXPLICIT_VR_BIG_ENDIAN;
  const admitsStructured = isStructuredAdmitted(sopClassUid, profile);
  const { pixels: settings, documents } = profile;
  const isDecodable = decoder?.knows(transferSyntaxUid) === true;
  return { settings, documents, admitsStructured, sopClassUid, transferSyntaxUid, dataSet, bigEndian, isDecodable };
}

/** Pixel data as the policy lets it out, and what that makes of the attributes about it. */
async function addPixels(
  kept: Map<Tag, DataElement>,
  file: Part10File,
  sopClassUid: string,
  { profile, decoder }: ComposeOptions,
  context: FilterContext,
): Promise<{ readonly mask: AppliedMask | undefined; readonly written: readonly DataElement[] }> {
  const decision = decidePixels(pixelQuestionOf(file, sopClassUid, profile, decoder));
  if (decision.kind === "leave-out") {
    const { outcome } = decision;
    throw new Rejection(outcome.kind === "rejected" ? outcome.code : "SOP_CLASS_NOT_ALLOWED", outcome.reason);
  }
  const { treatment } = decision;
  for (const note of treatment.notes) context.tally.note(note);
  const { dataSet, transferSyntaxUid } = file;
  const { elements, mask, decodedLayout } = await pixelElements(dataSet, transferSyntaxUid, treatment, {
    ...context,
    decoder,
  });
  for (const [tag, element] of elements) kept.set(tag, element);
  const written = elements.map(([, element]) => element).filter(({ value }) => value.kind === "bytes");
  if (mask !== undefined) {
    const marks = markMasked(kept, { sopClassUid, uid: context.uid, transferSyntaxUid, decodedLayout });
    written.push(...marks.written);
    for (const tag of marks.removed) context.tally.action(tag, "removed");
  }
  if (treatment.replaceDocument) written.push(...replaceDocument(kept));
  for (const { tag } of written) context.tally.action(tag, "replaced");
  return { mask, written };
}

/** Nobody vouches for a report whose verifying observers are gone. PS3.3 C.17.2. */
function settleVerification(kept: Map<Tag, DataElement>): void {
  if (!kept.has(VERIFICATION_FLAG) || kept.has(VERIFYING_OBSERVERS)) return;
  kept.set(...textElement(VERIFICATION_FLAG, "CS", "UNVERIFIED"));
}

/** A committee has a name for the sake of its approval's number, and goes with it. PS3.3 C.7.1.3. */
function settleCommittee(kept: Map<Tag, DataElement>, dataSet: DataSet, tally: Tally): void {
  const hasLost = dataSet.has(ETHICS_COMMITTEE_APPROVAL_NUMBER) && !kept.has(ETHICS_COMMITTEE_APPROVAL_NUMBER);
  if (!hasLost || !kept.delete(ETHICS_COMMITTEE_NAME)) return;
  tally.action(ETHICS_COMMITTEE_NAME, "removed");
}

/** A report that says which template it follows may lack what the template asks for. PS3.16. */
function noteTemplate(dataSet: DataSet, tally: Tally): void {
  if (dataSet.has(CONTENT_TEMPLATE) && tally.notes.has("content-item-removed")) tally.note("template-incomplete");
}

/** Numbered in the order in which they are met. */
function createRenaming(): (prefix: string, name: string) => string {
  const numbers = new Map<string, number>();
  return (prefix, name) => {
    const number = numbers.get(name) ?? numbers.size + 1;
    numbers.set(name, number);
    return prefix + number;
  };
}

/** Of what is named anew any text will do; what stays must be a UID. PS3.5 9.1. */
function originalUids(
  dataSet: DataSet,
  rules: CompiledRules,
): { sopClass: string; sopInstance: string; study: string; series: string } {
  const read = (tag: Tag): string => {
    const uid = uidOf(dataSet, tag);
    if (uid === undefined || uid === "") throw new Rejection("INSTANCE_NOT_PARSABLE", "uid-missing");
    if (rules.ruleOf(tag, []).treatment.kind === "kept-uid" && !isRetainableUid(uid))
      throw new Rejection("INSTANCE_NOT_PARSABLE", `uid-malformed ${formatTag(tag)}`);
    return uid;
  };
  return {
    sopClass: read(tags.SOPClassUID),
    sopInstance: read(tags.SOPInstanceUID),
    study: read(tags.StudyInstanceUID),
    series: read(tags.SeriesInstanceUID),
  };
}

/** Where the profile asks for ages and the source has dates alone. */
function addAge(kept: Map<Tag, DataElement>, dataSet: DataSet, profile: Profile, tally: Tally): void {
  const isWanted = profile.pseudonyms.deriveAge && profile.options.includes("retain-patient-characteristics");
  if (!isWanted || textOf(dataSet, tags.PatientAge) !== undefined) return;
  const age = derivedAge(dataSet);
  if (age === undefined) return;
  kept.set(...textElement(tags.PatientAge, "AS", age));
  tally.action(tags.PatientAge, "added");
  tally.apply(optionSet("retain-patient-characteristics"));
}

function addOurs(
  kept: Map<Tag, DataElement>,
  context: FilterContext,
  profile: Profile,
  options: readonly OptionName[],
): void {
  for (const [tag, element] of [
    ...markElements(profile, context.tally.applied, options),
    ...missingElements(kept, context.types, context.pseudonym),
  ]) {
    kept.set(tag, element);
    context.tally.action(tag, "added");
  }
}

/** What the reader found odd is left behind with everything else that was not named; the report says how often. */
function noteFindings(file: Part10File, tally: Tally): void {
  for (const { code } of file.findings) tally.note(code.toLowerCase().replaceAll("_", "-"));
}

/** Measured from the output's own attributes: they must agree with what was copied. */
function nativePixelBytes(kept: DataSet, isEncapsulated: boolean): number | undefined {
  const pixels = [tags.PixelData, tags.FloatPixelData, tags.DoubleFloatPixelData]
    .map((tag) => kept.get(tag))
    .find(Boolean);
  if (pixels === undefined || isEncapsulated) return undefined;
  const layout = pixelLayoutOf(kept, false);
  if (layout === undefined) throw new Rejection("PIXEL_DATA_INCONSISTENT", "layout-missing");
  const bits = { [tags.FloatPixelData]: 32, [tags.DoubleFloatPixelData]: 64 }[pixels.tag] ?? layout.bitsAllocated;
  return nativeSizeBytes({ ...layout, bitsAllocated: bits });
}
