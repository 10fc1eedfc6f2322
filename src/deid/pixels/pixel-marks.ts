import type { DataElement } from "../../dicom/data-set.ts";
import { type Tag, tagOf } from "../../dicom/tag.ts";
import { textElement } from "../engine/coded-entry.ts";
import { heldBytes } from "../engine/element-bytes.ts";
import { splitValues } from "../rules/value-forms.ts";
import { deriveImage, type ImageBecomingDerived } from "./derived-image.ts";
import type { PixelLayout } from "./pixel-layout.ts";

const BURNED_IN_ANNOTATION = tagOf(0x00280301);
const LOSSY_IMAGE_COMPRESSION = tagOf(0x00282110);
const PHOTOMETRIC_INTERPRETATION = tagOf(0x00280004);
const PLANAR_CONFIGURATION = tagOf(0x00280006);
/** Smallest and Largest Image Pixel Value, and of the series: no longer true once pixels were changed. PS3.3 C.7.6.3. */
const PIXEL_VALUE_RANGE = [0x00280106, 0x00280107, 0x00280108, 0x00280109].map(tagOf);

/** Compressions that lose nothing. PS3.5 A.4, PS3.6 A-1. */
const LOSSLESS_SYNTAX = /^1\.2\.840\.10008\.1\.2(?:\.1|\.2|\.1\.99|\.5|\.4\.(?:57|58|65|66|70|80|90|92|110|201|202))?$/;
/** JPEG of quantised cosines: what it was made of is lost. ISO 10918-1 4.1. */
const LOSSY_SYNTAX = /^1\.2\.840\.10008\.1\.2\.4\.(?:5[0-6]|59|6[0-4])$/;

/** An image as it came, and how its samples were arranged when a codec had decoded it. */
export interface MaskedImage extends ImageBecomingDerived {
  readonly transferSyntaxUid: string;
  readonly decodedLayout: PixelLayout | undefined;
}

/**
 * What a masked object says of itself: derived, and without burned-in text. Answers with the elements that were written, and with the tags
 * that went. PS3.3 C.7.6.1.1.2, C.7.6.1.
 */
export function markMasked(
  kept: Map<Tag, DataElement>,
  image: MaskedImage,
): { readonly written: readonly DataElement[]; readonly removed: readonly Tag[] } {
  const untrue = PIXEL_VALUE_RANGE.filter((tag) => kept.delete(tag));
  const { imageType, removed } = deriveImage(kept, image);
  const written: (readonly [Tag, DataElement])[] = [textElement(BURNED_IN_ANNOTATION, "CS", "NO")];
  if (imageType !== undefined) written.push(imageType);
  if (isLossy(kept, image.transferSyntaxUid)) written.push(textElement(LOSSY_IMAGE_COMPRESSION, "CS", "01"));
  if (image.decodedLayout !== undefined) written.push(...arrangementOf(image.decodedLayout));
  for (const [tag, element] of written) kept.set(tag, element);
  return { written: written.map(([, element]) => element), removed: [...untrue, ...removed] };
}

/** What was once lost stays lost: an image that was compressed with loss, or that does not deny it where there may have been one. PS3.3 C.7.6.1.1.5. */
function isLossy(kept: ReadonlyMap<Tag, DataElement>, transferSyntaxUid: string): boolean {
  if (LOSSLESS_SYNTAX.test(transferSyntaxUid)) return false;
  const [stated] = splitValues(heldBytes(kept.get(LOSSY_IMAGE_COMPRESSION)) ?? new Uint8Array());
  return LOSSY_SYNTAX.test(transferSyntaxUid) ? stated !== "01" : stated !== "01" && stated !== "00";
}

function arrangementOf(layout: PixelLayout): [Tag, DataElement][] {
  const photometric = textElement(PHOTOMETRIC_INTERPRETATION, "CS", layout.photometricInterpretation);
  if (layout.samplesPerPixel === 1) return [photometric];
  const value = { kind: "bytes", bytes: Uint8Array.of(layout.planarConfiguration ?? 0, 0) } as const;
  const planar: DataElement = { tag: PLANAR_CONFIGURATION, vr: "US", value, undefinedLength: false };
  return [photometric, [PLANAR_CONFIGURATION, planar]];
}
