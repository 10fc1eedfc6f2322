import type { DataSet } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { tagOf } from "../../dicom/tag.ts";
import { itemsOf, textsOf } from "../../dicom/values.ts";
import { heldBytes, numberBytes } from "../engine/element-bytes.ts";
import { hasSoundBits, type PixelLayout, pixelLayoutOf } from "./pixel-layout.ts";
import type { MaskConditions, PixelMask, Rectangle, TextTest } from "./pixel-settings.ts";

/** What a mask blackens in every frame of one object. */
export interface MaskedArea {
  readonly maskName: string;
  /** Within the image, none empty; they may overlap. */
  readonly rectangles: readonly Rectangle[];
}

export type MaskChoice =
  | { readonly kind: "none" }
  | { readonly kind: "chosen"; readonly area: MaskedArea }
  /** There is a mask for this device, but it cannot be carried out here. */
  | { readonly kind: "refused"; readonly reason: MaskRefusal };

export type MaskRefusal =
  | "mask-size"
  | "mask-layout"
  | "mask-needs-codec"
  | "mask-regions"
  | "mask-covers-nothing"
  | "mask-photometric-interpretation";

/** Implicit and explicit VR, big endian, deflated; RLE. PS3.5 A.1, A.2, A.3, A.5, A.4.2. */
const MASKABLE_SYNTAX = /^1\.2\.840\.10008\.1\.2(?:\.1|\.2|\.1\.99|\.5)?$/;
const MASKABLE_BITS: ReadonlySet<number> = new Set([8, 16, 32]);
const ULTRASOUND_REGIONS = tagOf(0x00186011);
/** Region Location Min X0, Min Y0, Max X1, Max Y1. PS3.3 C.8.5.5. */
const REGION_BOUNDS = [0x00186018, 0x0018601a, 0x0018601c, 0x0018601e] as const;
const REGION_LIMIT = 256;

export interface MaskedObject {
  readonly dataSet: DataSet;
  readonly sopClassUid: string;
  readonly transferSyntaxUid: string;
  readonly bigEndian: boolean;
  /** Whether a codec of the site's decodes its transfer syntax. */
  readonly isDecodable: boolean;
}

/** The first mask whose conditions hold. A mask made for this device in another size of image is a reason to stop: it has matched nothing. */
export function chooseMask(object: MaskedObject, masks: readonly PixelMask[]): MaskChoice {
  const fitting = masks.filter(({ when }) => isOfDevice(when, object));
  if (fitting.length === 0) return { kind: "none" };
  const layout = pixelLayoutOf(object.dataSet, object.bigEndian);
  if (layout === undefined) return refused("mask-layout");
  const mask = fitting.find(({ when }) => when.rows === layout.rows && when.columns === layout.columns);
  if (mask === undefined) return refused("mask-size");
  const isOurs = MASKABLE_SYNTAX.test(object.transferSyntaxUid);
  if (!isOurs && !object.isDecodable) return refused("mask-needs-codec");
  // How samples are arranged is known once a codec has decoded them.
  if (isOurs ? !isMaskable(layout) : !hasMaskableWords(layout)) return refused("mask-layout");
  const regions = mask.area.kind === "rectangles" ? [] : regionsOf(object, layout);
  if (regions === undefined) return refused("mask-regions");
  const rectangles = mask.area.kind === "rectangles" ? mask.area.rectangles : outsideOf(regions, layout);
  const clipped = rectangles.flatMap((rectangle) => clip(rectangle, layout));
  if (clipped.length === 0) return refused("mask-covers-nothing");
  return { kind: "chosen", area: { maskName: mask.name, rectangles: clipped } };
}

function refused(reason: MaskRefusal): MaskChoice {
  return { kind: "refused", reason };
}

/** Every condition but the size. */
function isOfDevice(when: MaskConditions, { dataSet, sopClassUid, transferSyntaxUid }: MaskedObject): boolean {
  const { sopClassUids, transferSyntaxUids, manufacturer, model, software, regionCount } = when;
  if (sopClassUids !== undefined && !sopClassUids.includes(sopClassUid)) return false;
  if (transferSyntaxUids !== undefined && !transferSyntaxUids.includes(transferSyntaxUid)) return false;
  if (regionCount !== undefined && itemsOf(dataSet, ULTRASOUND_REGIONS).length !== regionCount) return false;
  return (
    holds(manufacturer, textsOf(dataSet, tags.Manufacturer)) &&
    holds(model, textsOf(dataSet, tags.ManufacturerModelName)) &&
    holds(software, textsOf(dataSet, tags.SoftwareVersions))
  );
}

/** An object that does not name its device is none that a condition names. */
function holds(condition: TextTest | undefined, texts: readonly string[]): boolean {
  return condition === undefined || texts.some((text) => text !== "" && condition.test(text));
}

/** Samples of several planes need to say how they are arranged; parts of bytes and bits in odd places are not gone into. */
export function isMaskable(layout: PixelLayout): boolean {
  const { columns, photometricInterpretation, planarConfiguration, samplesPerPixel } = layout;
  const isArranged = samplesPerPixel === 1 || planarConfiguration === 0 || planarConfiguration === 1;
  const isShared = photometricInterpretation.endsWith("_422");
  if (isShared && (planarConfiguration !== 0 || columns % 2 !== 0)) return false;
  return isArranged && hasMaskableWords(layout);
}

function hasMaskableWords(layout: PixelLayout): boolean {
  return MASKABLE_BITS.has(layout.bitsAllocated) && hasSoundBits(layout);
}

/** Ultrasound regions within the image; undefined when there are none, or one is not where a region can be. */
function regionsOf({ dataSet, bigEndian }: MaskedObject, layout: PixelLayout): readonly Rectangle[] | undefined {
  const items = itemsOf(dataSet, ULTRASOUND_REGIONS);
  if (items.length === 0 || items.length > REGION_LIMIT) return undefined;
  const regions: Rectangle[] = [];
  for (const { dataSet: item } of items) {
    const [left, top, right, bottom] = REGION_BOUNDS.map((tag) => unsigned32Of(item, tag, bigEndian));
    if (left === undefined || top === undefined || right === undefined || bottom === undefined) return undefined;
    if (left > right || top > bottom || right >= layout.columns || bottom >= layout.rows) return undefined;
    regions.push({ x: left, y: top, width: right - left + 1, height: bottom - top + 1 });
  }
  return regions;
}

function unsigned32Of(item: DataSet, tag: number, bigEndian: boolean): number | undefined {
  const bytes = heldBytes(item.get(tagOf(tag)));
  const ordered = bytes?.length === 4 ? numberBytes(bytes, "UL", bigEndian) : undefined;
  return ordered === undefined ? undefined : Buffer.from(ordered).readUInt32LE();
}

/** What of the image no region covers: between each two horizontal edges, the gaps of the regions there. */
function outsideOf(regions: readonly Rectangle[], { rows, columns }: PixelLayout): readonly Rectangle[] {
  const edges = [...new Set([0, rows, ...regions.flatMap(({ y, height }) => [y, y + height])])].sort((a, b) => a - b);
  const outside: Rectangle[] = [];
  for (const [index, top] of edges.slice(0, -1).entries()) {
    const height = (edges[index + 1] ?? rows) - top;
    const covering = regions.filter(({ y, height: size }) => y <= top && top < y + size).sort((a, b) => a.x - b.x);
    let left = 0;
    for (const { x, width } of covering) {
      if (x > left) outside.push({ x: left, y: top, width: x - left, height });
      left = Math.max(left, x + width);
    }
    if (left < columns) outside.push({ x: left, y: top, width: columns - left, height });
  }
  return outside;
}

function clip({ x, y, width, height }: Rectangle, { rows, columns }: PixelLayout): readonly Rectangle[] {
  const [left, top] = [Math.max(0, x), Math.max(0, y)];
  const [right, bottom] = [Math.min(columns, x + width), Math.min(rows, y + height)];
  return left < right && top < bottom ? [{ x: left, y: top, width: right - left, height: bottom - top }] : [];
}
