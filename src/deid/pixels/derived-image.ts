import type { DataElement, DataSet, ElementValue, SequenceItem } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { type Tag, tagOf } from "../../dicom/tag.ts";
import { codedElements, textElement } from "../engine/coded-entry.ts";
import { heldBytes } from "../engine/element-bytes.ts";
import { splitValues } from "../rules/value-forms.ts";

const IMAGE_TYPE = tagOf(0x00080008);
const FRAME_TYPE = tagOf(0x00089007);
const SOURCE_IMAGE_SEQUENCE = tagOf(0x00082112);
const PURPOSE_OF_REFERENCE = tagOf(0x0040a170);
/** Shared and Per-frame Functional Groups. PS3.3 C.7.6.16. */
const FUNCTIONAL_GROUPS = [0x52009229, 0x52009230].map(tagOf);
const DERIVED = "DERIVED";

/**
 * How the pixels were acquired, which PS3.3 asks of original images and allows in others: R-R intervals (C.7.6.18.1), bulk motion
 * (C.7.6.18.3), MR Acquisition Type and Pulse Sequence Name (C.8.13.4). Validators know of the first half alone.
 */
const OF_ORIGINALS = [0x00180023, 0x00181083, 0x00181084, 0x00189005, 0x00189070, 0x00189172, 0x00189173].map(tagOf);
/** Table Height and Beam Angle in Projection Pixel Calibration Sequence: likewise. PS3.3 C.8.19.6.9. */
const OF_ORIGINAL_FRAMES: ReadonlyMap<number, ReadonlySet<number>> = new Map([
  [0x00189401, new Set([0x00181130, 0x00189449])],
]);

/** MR and PET images of one frame have some of them as any other attribute. PS3.3 C.8.3.1, C.8.9.4. */
const ONE_FRAME_IMAGES: ReadonlySet<string> = new Set(["1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.128"]);

const OPHTHALMIC_PHOTOGRAPHY = /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.77\.1\.5\.[1256]$/;
/** Ophthalmic photographs and enhanced ultrasound volumes: what is derived names its source, and none is known. PS3.3 C.8.17.2, C.8.24.3. */
const NAMING_SOURCES = /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.(?:6\.2|77\.1\.5\.[1256])$/;
/** An ophthalmic image says by value 3 how it was derived, and what it was by value 4. PS3.3 C.8.17.2.1.4. */
const FLAVOUR = 2;

export interface ImageBecomingDerived {
  readonly sopClassUid: string;
  /** New UIDs for old ones. */
  readonly uid: (originalUid: string) => string;
}

/**
 * Makes of an image one that was derived from itself, in `kept`: the values of Image Type, the frames' types, which follow it, and what
 * depends on both. Answers with Image Type as it is now, undefined where there is none, and with the tags that went.
 */
export function deriveImage(
  kept: Map<Tag, DataElement>,
  image: ImageBecomingDerived,
): { readonly imageType: readonly [Tag, DataElement] | undefined; readonly removed: readonly Tag[] } {
  for (const tag of FUNCTIONAL_GROUPS) {
    const groups = kept.get(tag);
    if (groups?.value.kind === "sequence") kept.set(tag, { ...groups, value: withDerivedFrames(groups.value) });
  }
  const values = splitValues(heldBytes(kept.get(IMAGE_TYPE)) ?? new Uint8Array());
  const [first = "", ...others] = values;
  if (first === "") return { imageType: undefined, removed: [] };
  if (first === DERIVED) return { imageType: textElement(IMAGE_TYPE, "CS", values.join("\\")), removed: [] };
  const removed = ONE_FRAME_IMAGES.has(image.sopClassUid) ? [] : OF_ORIGINALS.filter((tag) => kept.delete(tag));
  const isOphthalmic = OPHTHALMIC_PHOTOGRAPHY.test(image.sopClassUid);
  if (isOphthalmic && (others[FLAVOUR - 1] ?? "") === "") others[FLAVOUR - 1] = "OTHER";
  if (NAMING_SOURCES.test(image.sopClassUid) && !hasItems(kept.get(SOURCE_IMAGE_SEQUENCE)))
    kept.set(SOURCE_IMAGE_SEQUENCE, nobodysImage(image));
  return { imageType: textElement(IMAGE_TYPE, "CS", [DERIVED, ...others].join("\\")), removed };
}

/** Frame Type is of the same pixels as Image Type, wherever in the groups it stands. PS3.3 C.8.16.1. */
function withDerivedFrames({ items }: Extract<ElementValue, { kind: "sequence" }>, sequence?: Tag): ElementValue {
  const unfit = sequence === undefined ? undefined : OF_ORIGINAL_FRAMES.get(sequence);
  const derived = items.map((item): SequenceItem => {
    const elements = [...item.dataSet].flatMap(([tag, element]): [Tag, DataElement][] => {
      if (unfit?.has(tag) === true) return [];
      if (tag === FRAME_TYPE) return [derivedType(element)];
      const { value } = element;
      return [[tag, value.kind === "sequence" ? { ...element, value: withDerivedFrames(value, tag) } : element]];
    });
    return { ...item, dataSet: new Map(elements) };
  });
  return { kind: "sequence", items: derived };
}

function derivedType(element: DataElement): [Tag, DataElement] {
  const [first = "", ...others] = splitValues(heldBytes(element) ?? new Uint8Array());
  if (first === "") return [FRAME_TYPE, element];
  return textElement(FRAME_TYPE, "CS", [DERIVED, ...others].join("\\"));
}

function hasItems(element: DataElement | undefined): boolean {
  return element?.value.kind === "sequence" && element.value.items.length > 0;
}

/** Image SOP Instance Reference, and what for. PS3.3 10.3, PS3.16 CID 7202. */
function nobodysImage({ sopClassUid, uid }: ImageBecomingDerived): DataElement {
  const purpose = { value: "121322", scheme: "DCM", meaning: "Source image for image processing operation" };
  const image = new Map([
    textElement(tags.ReferencedSOPClassUID, "UI", sopClassUid),
    textElement(tags.ReferencedSOPInstanceUID, "UI", uid("dummy")),
    [PURPOSE_OF_REFERENCE, sequence(PURPOSE_OF_REFERENCE, new Map(codedElements(purpose)))] as const,
  ]);
  return sequence(SOURCE_IMAGE_SEQUENCE, image);
}

function sequence(tag: Tag, dataSet: DataSet): DataElement {
  const items = [{ dataSet, undefinedLength: false }];
  return { tag, vr: "SQ", value: { kind: "sequence", items }, undefinedLength: false };
}
