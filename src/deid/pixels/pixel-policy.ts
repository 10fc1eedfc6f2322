import type { DataSet } from "../../dicom/data-set.ts";
import { tagOf } from "../../dicom/tag.ts";
import { heldBytes } from "../engine/element-bytes.ts";
import type { InstanceOutcome } from "../outcome.ts";
import { splitValues } from "../rules/value-forms.ts";
import { PIXEL_CLASSES, STRUCTURED_ROOTS } from "./sop-classes.ts";

const MODALITY = tagOf(0x00080060);
const IMAGE_TYPE = tagOf(0x00080008);
const BURNED_IN_ANNOTATION = tagOf(0x00280301);
const RECOGNIZABLE_VISUAL_FEATURES = tagOf(0x00280302);
const ENCAPSULATED_DOCUMENT = tagOf(0x00420011);
const PIXEL_DATA = [tagOf(0x7fe00008), tagOf(0x7fe00009), tagOf(0x7fe00010)];
/** Tomographic modalities, whose secondary images are screens and reports more often than not. */
const TOMOGRAPHIC = new Set(["CT", "MR"]);
/** Values of Image Type that say the pixels are somebody's screen. */
const SCREEN_IMAGE = /^(?:SECONDARY|SCREEN.*|.*SAVE|.*REPORT.*|PROT|PROTOCOL|DOSE.*|PATIENT.?PROTOCOL|SUMMARY)$/;

/** Why an object's kind keeps it from leaving; undefined: its pixels may. */
export function judgePixels(sopClassUid: string, dataSet: DataSet): InstanceOutcome | undefined {
  const kind = PIXEL_CLASSES.get(sopClassUid);
  const valuesOf = (tag: typeof MODALITY): string[] => splitValues(heldBytes(dataSet.get(tag)) ?? new Uint8Array());
  if (kind === "document" || dataSet.has(ENCAPSULATED_DOCUMENT)) return { kind: "excluded", reason: "document" };
  if (STRUCTURED_ROOTS.some((root) => sopClassUid.startsWith(root))) return { kind: "excluded", reason: "sop-class" };
  if (kind === undefined) return rejected("SOP_CLASS_NOT_ALLOWED", "sop-class");
  const hasPixels = PIXEL_DATA.some((tag) => dataSet.has(tag));
  if (kind === "no-pixels") return hasPixels ? rejected("SOP_CLASS_NOT_ALLOWED", "unexpected-pixel-data") : undefined;

  const burnedIn = valuesOf(BURNED_IN_ANNOTATION)[0] ?? "";
  if (burnedIn !== "" && burnedIn !== "NO") return rejected("BURNED_IN_ANNOTATION", "burned-in-annotation");
  const recognizable = valuesOf(RECOGNIZABLE_VISUAL_FEATURES)[0] ?? "";
  if (recognizable !== "" && recognizable !== "NO")
    return rejected("BURNED_IN_ANNOTATION", "recognizable-visual-features");
  if (kind === "needs-flag" && burnedIn !== "NO")
    return rejected("BURNED_IN_ANNOTATION", "burned-in-annotation-not-stated");

  if (hasEmbeddedOverlay(dataSet)) return rejected("BURNED_IN_ANNOTATION", "embedded-overlay");
  const modality = valuesOf(MODALITY)[0] ?? "";
  if (modality === "OT" || modality === "SC" || modality === "US") return rejected("BURNED_IN_ANNOTATION", "modality");
  if (TOMOGRAPHIC.has(modality) && valuesOf(IMAGE_TYPE).some((value) => SCREEN_IMAGE.test(value))) {
    return rejected("BURNED_IN_ANNOTATION", "image-type");
  }
  return undefined;
}

/**
 * Overlays of old kept their bits in the unused bits of Pixel Data (PS3.3 C.9.2, retired): an Overlay Bits Allocated (60xx,0100) without
 * Overlay Data (60xx,3000) of its own. Their text would leave with the pixels.
 */
function hasEmbeddedOverlay(dataSet: DataSet): boolean {
  const groups = [...dataSet.keys()]
    .filter((tag) => tag >>> 24 === 0x60 && (tag & 0xffff) === 0x0100)
    .map((tag) => tag >>> 16);
  return groups.some((group) => !dataSet.has(tagOf(group * 0x10000 + 0x3000)));
}

function rejected(code: "BURNED_IN_ANNOTATION" | "SOP_CLASS_NOT_ALLOWED", reason: string): InstanceOutcome {
  return { kind: "rejected", code, reason };
}
