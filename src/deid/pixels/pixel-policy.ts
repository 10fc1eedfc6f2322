import type { DataSet } from "../../dicom/data-set.ts";
import { tagOf } from "../../dicom/tag.ts";
import { heldBytes } from "../engine/element-bytes.ts";
import type { InstanceOutcome } from "../outcome.ts";
import { splitValues } from "../rules/value-forms.ts";
import { embeddedOverlays } from "./embedded-overlays.ts";
import { frameTypes } from "./frame-types.ts";
import { chooseMask, type MaskedArea } from "./masks.ts";
import { unsignedOf } from "./pixel-layout.ts";
import type { PixelSettings } from "./pixel-settings.ts";
import { PIXEL_CLASSES, type PixelClass, STRUCTURED_CLASSES, VIDEO_TRANSFER_SYNTAX } from "./sop-classes.ts";

const MODALITY = tagOf(0x00080060);
const IMAGE_TYPE = tagOf(0x00080008);
const BURNED_IN_ANNOTATION = tagOf(0x00280301);
const RECOGNIZABLE_VISUAL_FEATURES = tagOf(0x00280302);
const PHOTOMETRIC_INTERPRETATION = tagOf(0x00280004);
const SAMPLES_PER_PIXEL = tagOf(0x00280002);
const ENCAPSULATED_DOCUMENT = tagOf(0x00420011);
const PIXEL_DATA = [tagOf(0x7fe00008), tagOf(0x7fe00009), tagOf(0x7fe00010)];
const CONVERSION_TYPE = tagOf(0x00080064);
/** Tomographic modalities, whose secondary images are screens and reports more often than not, whatever their SOP class. */
const TOMOGRAPHIC = new Set(["CT", "MR"]);
/** Values of Image Type and Frame Type that say the pixels are somebody's screen. */
const SCREEN_IMAGE =
  /^(?:SECONDARY|.*SCREEN.*|.*SAVE|.*CAPTURE.*|.*SNAPSHOT.*|.*REPORT.*|(?:.* )?PROT|PROTOCOL|DOSE.*|PATIENT.?PROTOCOL|SUMMARY)$/i;
/** Doses are what these are images of. */
const DOSE_IMAGE = /^DOSE.*$/i;
/** Grey by their definition (PS3.3 C.8.2.1, C.8.4.8, C.8.9.4, C.8.8.3, C.8.20.2): in colours they are somebody's screen. MR has maps in colours. */
const GREY_GROUPS = new Set(["CT", "NM", "PT", "RTDOSE", "SEG"]);
/** How equipment captures that acquires nothing itself. PS3.3 C.8.6.1. */
const CONVERSIONS = new Set(["DV", "DI", "DF", "WSD", "SD", "SI", "DRW", "SYN"]);
const COLOURS = /^(?:RGB|YBR|ARGB|CMYK|HSV)/i;
/** Modalities that carry text whatever their SOP class says. */
const TEXT_MODALITIES = new Set(["OT", "SC", "US"]);

/** The object as it came, and what its project decided. */
export interface PixelQuestion {
  readonly settings: PixelSettings;
  readonly documents: "reject" | "replace";
  /** Whether the profile has reports, key objects and presentation states cleaned. */
  readonly admitsStructured: boolean;
  readonly sopClassUid: string;
  readonly transferSyntaxUid: string;
  readonly dataSet: DataSet;
  readonly bigEndian: boolean;
  /** Whether a codec of the site's decodes its transfer syntax. */
  readonly isDecodable: boolean;
}

/** What is done to the pixels of an object that may leave. */
export interface PixelTreatment {
  /** Blackened before it leaves. */
  readonly mask: MaskedArea | undefined;
  readonly clearHighBits: boolean;
  readonly jpegMetadata: "strip" | "reject";
  readonly replaceDocument: boolean;
  /** Words for the report. */
  readonly notes: readonly string[];
}

export type PixelDecision =
  | { readonly kind: "leave-out"; readonly outcome: LeftOut }
  | { readonly kind: "let-out"; readonly treatment: PixelTreatment };

type LeftOut = Exclude<InstanceOutcome, { readonly kind: "deidentified" }>;

/** What becomes of an object's pixels: a mask that fits it, else what the profile allows, else what its SOP class is known for. */
export function decidePixels(question: PixelQuestion): PixelDecision {
  const { dataSet, sopClassUid, settings } = question;
  const pixelClass = PIXEL_CLASSES.get(sopClassUid);
  const kind = pixelClass?.kind;
  const hasDocument = dataSet.has(ENCAPSULATED_DOCUMENT);
  const hasPixels = PIXEL_DATA.some((tag) => dataSet.has(tag));
  if (kind === "pdf" && question.documents === "replace" && !hasPixels)
    return letOut(question, { replaceDocument: true });
  if (kind === "pdf" || kind === "document" || hasDocument) return excluded("document");
  if (kind === "video" || VIDEO_TRANSFER_SYNTAX.test(question.transferSyntaxUid)) return excluded("video");
  const isStructured = STRUCTURED_CLASSES.has(sopClassUid);
  if (isStructured && !question.admitsStructured) return excluded("sop-class");
  if (pixelClass === undefined && !isStructured) return rejected("SOP_CLASS_NOT_ALLOWED", "sop-class");
  if (pixelClass === undefined || kind === "no-pixels")
    return hasPixels ? rejected("SOP_CLASS_NOT_ALLOWED", "unexpected-pixel-data") : letOut(question, {});
  return decideImage(question, pixelClass, settings);
}

function decideImage(question: PixelQuestion, pixelClass: PixelClass, settings: PixelSettings): PixelDecision {
  // Each has one value. Where one has more, none of them is overlooked.
  const statedOf = (tag: typeof MODALITY): readonly string[] =>
    valuesOf(question.dataSet, tag).filter((value) => value !== "");
  if (statedOf(RECOGNIZABLE_VISUAL_FEATURES).some((value) => value !== "NO"))
    return rejected("BURNED_IN_ANNOTATION", "recognizable-visual-features");
  const overlays = embeddedOverlays(question.dataSet, question.bigEndian);
  const clearable = settings.clearHighBits !== "never" && isClearable(question.transferSyntaxUid);
  if (overlays === "in-pixels" || (overlays === "in-unused-bits" && !clearable))
    return rejected("BURNED_IN_ANNOTATION", "embedded-overlay");
  const clearHighBits = overlays === "in-unused-bits" || settings.clearHighBits === "always";

  const choice = chooseMask(question, settings.masks);
  if (choice.kind === "refused") return rejected("PIXEL_MASK_NOT_APPLICABLE", choice.reason);
  if (choice.kind === "chosen") return letOut(question, { mask: choice.area, clearHighBits });

  const burnedIn = statedOf(BURNED_IN_ANNOTATION);
  if (burnedIn.some((value) => value !== "NO")) return rejected("BURNED_IN_ANNOTATION", "burned-in-annotation");
  const isAllowed = settings.allow.includes(pixelClass.group);
  if (pixelClass.kind === "needs-mask")
    return isAllowed ? letOut(question, { clearHighBits }) : rejected("SOP_CLASS_NOT_ALLOWED", "sop-class");
  if (settings.default === "reject" && !isAllowed) return rejected("SOP_CLASS_NOT_ALLOWED", "sop-class");
  const isUnflagged = pixelClass.kind === "needs-flag" && burnedIn.length === 0;
  if (isUnflagged && settings.allowAbsent === undefined)
    return rejected("BURNED_IN_ANNOTATION", "burned-in-annotation-not-stated");
  const modalities = statedOf(MODALITY).map((value) => value.toUpperCase());
  if (modalities.some((value) => TEXT_MODALITIES.has(value))) return rejected("BURNED_IN_ANNOTATION", "modality");
  const isAcquired = pixelClass.kind === "pass" || isUnflagged || modalities.some((value) => TOMOGRAPHIC.has(value));
  const screen = isAcquired ? screenEvidence(question, pixelClass.group) : undefined;
  if (screen !== undefined) return rejected("BURNED_IN_ANNOTATION", screen);
  return letOut(question, { clearHighBits, notes: isUnflagged ? ["burned-in-annotation-signed-off"] : [] });
}

/** What tells that an object of a class of acquired images is a capture of a screen. PS3.3 C.7.6.1.1.2. */
function screenEvidence({ dataSet, bigEndian }: PixelQuestion, group: string): string | undefined {
  const isScreen = (value: string): boolean =>
    SCREEN_IMAGE.test(value) && !(group === "RTDOSE" && DOSE_IMAGE.test(value));
  if (valuesOf(dataSet, IMAGE_TYPE).some(isScreen)) return "image-type";
  if (frameTypes(dataSet).some(isScreen)) return "frame-type";
  const isGrey = GREY_GROUPS.has(group);
  const conversions = isGrey || group === "MR" ? valuesOf(dataSet, CONVERSION_TYPE) : [];
  if (conversions.some((value) => CONVERSIONS.has(value.toUpperCase()))) return "conversion-type";
  if (!isGrey) return undefined;
  const hasColours = valuesOf(dataSet, PHOTOMETRIC_INTERPRETATION).some((value) => COLOURS.test(value));
  return hasColours || (unsignedOf(dataSet, SAMPLES_PER_PIXEL, bigEndian) ?? 1) > 1 ? "colour" : undefined;
}

function valuesOf(dataSet: DataSet, tag: typeof MODALITY): readonly string[] {
  return splitValues(heldBytes(dataSet.get(tag)) ?? new Uint8Array());
}

/** Uncompressed, or RLE, which is decoded for it: bits of other compressed words are not cleared. */
function isClearable(transferSyntaxUid: string): boolean {
  return /^1\.2\.840\.10008\.1\.2(?:\.1|\.2|\.1\.99|\.5)?$/.test(transferSyntaxUid);
}

function letOut({ settings }: PixelQuestion, chosen: Partial<PixelTreatment>): PixelDecision {
  const { jpegMetadata } = settings;
  const usual = { mask: undefined, clearHighBits: false, replaceDocument: false, notes: [] };
  return { kind: "let-out", treatment: { ...usual, jpegMetadata, ...chosen } };
}

function excluded(reason: "document" | "video" | "sop-class"): PixelDecision {
  return { kind: "leave-out", outcome: { kind: "excluded", reason } };
}

function rejected(
  code: "BURNED_IN_ANNOTATION" | "PIXEL_MASK_NOT_APPLICABLE" | "SOP_CLASS_NOT_ALLOWED",
  reason: string,
): PixelDecision {
  return { kind: "leave-out", outcome: { kind: "rejected", code, reason } };
}
