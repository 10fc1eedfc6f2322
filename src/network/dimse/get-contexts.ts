import { storageSopClasses } from "../../dicom/dictionary/sop-classes.ts";
import {
  DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
  EXPLICIT_VR_BIG_ENDIAN,
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
  transferSyntaxes,
} from "../../dicom/dictionary/transfer-syntaxes.ts";
import { MAXIMUM_CONTEXTS } from "../upper-layer/pdu-decoder.ts";
import type { ProposedContext } from "./service-types.ts";
import { IDENTIFIER_TRANSFER_SYNTAXES, RETRIEVED_TRANSFER_SYNTAXES } from "./storage-contexts.ts";

/** Beside the context of the C-GET itself. */
const STORAGE_CONTEXTS = MAXIMUM_CONTEXTS - 1;

/** Associations for one request, at most: what fits in none of them is not asked for. */
const MAXIMUM_GROUPS = 8;

/** Compressed syntaxes that archives hold most, first. PS3.6 table A-1. */
const COMMON_COMPRESSED = [
  "1.2.840.10008.1.2.4.70",
  "1.2.840.10008.1.2.4.90",
  "1.2.840.10008.1.2.4.50",
  "1.2.840.10008.1.2.4.91",
  "1.2.840.10008.1.2.4.51",
  "1.2.840.10008.1.2.5",
  "1.2.840.10008.1.2.4.80",
  "1.2.840.10008.1.2.4.57",
] as const;

/** Written by few. */
const RARE = [DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN] as const;

/** Each alone: an acceptor that prefers one for the context of both (pynetdicom: implicit VR) loses private VRs when it converts, or does not convert. */
const PLAIN_ALONE = [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN] as const;

/** Both in one context, which every archive accepts. */
const PLAIN: readonly string[] = IDENTIFIER_TRANSFER_SYNTAXES;
const SPECIAL: ReadonlySet<string> = new Set([...PLAIN_ALONE, ...COMMON_COMPRESSED, ...RARE]);
/** Every syntax by itself, the likeliest first. */
const OTHERS = [
  ...PLAIN_ALONE,
  ...COMMON_COMPRESSED,
  ...[...transferSyntaxes.keys()].filter((uid) => !SPECIAL.has(uid)),
  ...RARE,
];

/** Classes whose instances archives keep compressed. */
const COMPRESSED_CLASSES = [
  storageSopClasses.CTImageStorage,
  storageSopClasses.MRImageStorage,
  storageSopClasses.SecondaryCaptureImageStorage,
  storageSopClasses.ComputedRadiographyImageStorage,
  storageSopClasses.DigitalXRayImageStorageForPresentation,
  storageSopClasses.DigitalMammographyXRayImageStorageForPresentation,
  storageSopClasses.BreastTomosynthesisImageStorage,
  storageSopClasses.UltrasoundImageStorage,
  storageSopClasses.UltrasoundMultiFrameImageStorage,
  storageSopClasses.XRayAngiographicImageStorage,
  storageSopClasses.PositronEmissionTomographyImageStorage,
  storageSopClasses.NuclearMedicineImageStorage,
  storageSopClasses.EnhancedCTImageStorage,
  storageSopClasses.EnhancedMRImageStorage,
  storageSopClasses.MultiFrameTrueColorSecondaryCaptureImageStorage,
] as const;

/**
 * Contexts in the SCP role for a C-GET, in groups that each need an association of its own, the likeliest first. An acceptor picks one
 * syntax for each context, and can then send what it holds in that one: so each class has a context for plain instances, and one for each
 * syntax. Further groups are for what could not be sent over the ones before.
 * @param sopClassUids what is asked for; the classes of the standard when empty, in which case not every pair is in a group
 */
export function storageContextGroups(sopClassUids: readonly string[]): readonly (readonly ProposedContext[])[] {
  const classes = [...new Set(sopClassUids)];
  const contexts = classes.length === 0 ? contextsOfUnknown() : contextsOf(classes);
  return inGroups(contexts, STORAGE_CONTEXTS).slice(0, MAXIMUM_GROUPS);
}

/**
 * One group for each commonly compressed syntax, of contexts in that alone. Some archives (dcmqrscp among them) answer over the first
 * context that they accepted for a class, whatever its syntax: they send a compressed object only where no other context is offered.
 * @param sopClassUids what is asked for; the classes commonly compressed when empty
 */
export function singleSyntaxGroups(sopClassUids: readonly string[]): readonly (readonly ProposedContext[])[] {
  const classes = sopClassUids.length === 0 ? COMPRESSED_CLASSES : [...new Set(sopClassUids)];
  return COMMON_COMPRESSED.map((syntax) => pairs(classes.slice(0, STORAGE_CONTEXTS), [syntax]));
}

/** Classes put together so that one association has a context for each of theirs in each syntax. */
export function sopClassGroups(sopClassUids: readonly string[]): readonly (readonly string[])[] {
  return inGroups([...new Set(sopClassUids)], Math.floor(STORAGE_CONTEXTS / (1 + OTHERS.length)));
}

function contextsOf(classes: readonly string[]): readonly ProposedContext[] {
  return [...classes.map((uid) => context(uid, PLAIN)), ...pairs(classes, OTHERS)];
}

/** First what one association holds of all classes, in whichever syntax the acceptor prefers; then what is commonly compressed. */
function contextsOfUnknown(): readonly ProposedContext[] {
  const all = Object.values(storageSopClasses).map((uid) => context(uid, RETRIEVED_TRANSFER_SYNTAXES));
  const compressed = pairs(COMPRESSED_CLASSES, COMMON_COMPRESSED);
  return [...all.slice(0, STORAGE_CONTEXTS), ...compressed, ...all.slice(STORAGE_CONTEXTS)];
}

function pairs(classes: readonly string[], syntaxes: readonly string[]): readonly ProposedContext[] {
  return syntaxes.flatMap((syntax) => classes.map((uid) => context(uid, [syntax])));
}

function context(abstractSyntaxUid: string, transferSyntaxUids: readonly string[]): ProposedContext {
  return { abstractSyntaxUid, transferSyntaxUids, role: "scp" };
}

function inGroups<T>(list: readonly T[], size: number): readonly (readonly T[])[] {
  const groups: (readonly T[])[] = [];
  for (let start = 0; start < list.length; start += size) groups.push(list.slice(start, start + size));
  return groups;
}
