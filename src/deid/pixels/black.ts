import type { DataElement, DataSet } from "../../dicom/data-set.ts";
import { tagOf } from "../../dicom/tag.ts";
import { swapWords } from "../engine/composed-source.ts";
import { heldBytes, numberBytes } from "../engine/element-bytes.ts";
import type { FilterContext } from "../engine/filter-context.ts";
import type { PixelLayout } from "./pixel-layout.ts";

/** Red, green and blue: Palette Color Lookup Table Descriptor and Data. PS3.3 C.7.6.3.1.5, C.7.6.3.1.6. */
const PALETTES = [
  [tagOf(0x00281101), tagOf(0x00281201)],
  [tagOf(0x00281102), tagOf(0x00281202)],
  [tagOf(0x00281103), tagOf(0x00281203)],
] as const;
const PALETTE_LIMIT_BYTES = 2 * 65_536;

/** Least, middle and greatest value of a colour component. */
type Level = "least" | "middle" | "greatest";

/** PS3.3 C.7.6.3.1.2; of YBR_PARTIAL_422 luminance starts at 16. */
const LEVELS: ReadonlyMap<string, readonly (Level | "sixteen")[]> = new Map<string, readonly (Level | "sixteen")[]>([
  ["MONOCHROME1", ["greatest"]],
  ["MONOCHROME2", ["least"]],
  ["RGB", ["least", "least", "least"]],
  ["YBR_FULL", ["least", "middle", "middle"]],
  ["YBR_FULL_422", ["least", "middle", "middle"]],
  ["YBR_PARTIAL_422", ["sixteen", "middle", "middle"]],
]);

/** The stored value of black for each sample of a pixel; undefined when the photometric interpretation does not tell. */
export async function blackSamples(
  dataSet: DataSet,
  layout: PixelLayout,
  context: Pick<FilterContext, "source" | "bigEndian">,
): Promise<readonly number[] | undefined> {
  if (layout.photometricInterpretation === "PALETTE COLOR") {
    const darkest = await darkestIndex(dataSet, context);
    return layout.samplesPerPixel !== 1 || darkest === undefined || darkest >= 2 ** layout.bitsStored
      ? undefined
      : [darkest * lowestBit(layout)];
  }
  const levels = LEVELS.get(layout.photometricInterpretation);
  if (levels === undefined || levels.length !== layout.samplesPerPixel) return undefined;
  if (levels.length > 1 && layout.isSigned) return undefined;
  return levels.map((level) => storedWord(level, layout));
}

function lowestBit({ highBit, bitsStored }: PixelLayout): number {
  return 2 ** (highBit + 1 - bitsStored);
}

/** Negative values fill the bits above the high bit with ones, as readers that do not look at Bits Stored need it. */
function storedWord(level: Level | "sixteen", layout: PixelLayout): number {
  const { bitsStored, bitsAllocated, isSigned } = layout;
  const values = isSigned
    ? { least: -(2 ** (bitsStored - 1)), middle: 0, greatest: 2 ** (bitsStored - 1) - 1 }
    : { least: 0, middle: 2 ** (bitsStored - 1), greatest: 2 ** bitsStored - 1 };
  const value = level === "sixteen" ? 2 ** Math.max(0, bitsStored - 4) : values[level];
  return (value * lowestBit(layout) + 2 ** bitsAllocated) % 2 ** bitsAllocated;
}

/** The index whose red, green and blue add up to least. Segmented palettes are not expanded. */
async function darkestIndex(
  dataSet: DataSet,
  context: Pick<FilterContext, "source" | "bigEndian">,
): Promise<number | undefined> {
  const sums: number[] = [];
  let first: number | undefined;
  for (const [descriptorTag, dataTag] of PALETTES) {
    const descriptor = descriptorOf(dataSet.get(descriptorTag), context.bigEndian);
    const bytes = await paletteBytes(dataSet.get(dataTag), context);
    if (descriptor === undefined || bytes === undefined) return undefined;
    const { entries, firstValue } = descriptor;
    const isPacked = descriptor.bits === 8 && bytes.length < 2 * entries;
    if (bytes.length < entries * (isPacked ? 1 : 2) || (first !== undefined && first !== firstValue)) return undefined;
    if (sums.length > 0 && sums.length !== entries) return undefined;
    first = firstValue;
    for (let index = 0; index < entries; index += 1) {
      const component = isPacked ? bytes.readUInt8(index) : bytes.readUInt16LE(2 * index);
      sums[index] = (sums[index] ?? 0) + component;
    }
  }
  const least = sums.reduce((best, sum, index) => (sum < (sums[best] ?? 0) ? index : best), 0);
  return first === undefined ? undefined : first + least;
}

/** Entries (0: 65,536), first value mapped, bits of an entry. Entries of 8 bits are two to a word, or one to a word of which a byte is empty. */
function descriptorOf(
  element: DataElement | undefined,
  bigEndian: boolean,
): { readonly entries: number; readonly firstValue: number; readonly bits: number } | undefined {
  const held = heldBytes(element);
  const bytes = held?.length === 6 ? numberBytes(held, "US", bigEndian) : undefined;
  if (bytes === undefined) return undefined;
  const words = Buffer.from(bytes);
  const firstValue = words.readInt16LE(2);
  if (firstValue < 0) return undefined;
  return { entries: words.readUInt16LE(0) || 65_536, firstValue, bits: words.readUInt16LE(4) };
}

async function paletteBytes(
  element: DataElement | undefined,
  { source, bigEndian }: Pick<FilterContext, "source" | "bigEndian">,
): Promise<Buffer | undefined> {
  if (element?.value.kind !== "bytes" && element?.value.kind !== "range") return undefined;
  const { value } = element;
  if (value.kind === "range" && value.range.length > PALETTE_LIMIT_BYTES) return undefined;
  const bytes = value.kind === "bytes" ? value.bytes : await source.read(value.range.offset, value.range.length);
  return Buffer.from(bigEndian && element.vr !== "UN" && element.vr !== "OB" ? swapWords(bytes, 2) : bytes);
}
