import { readFile } from "node:fs/promises";
import type { Part10File } from "../../src/dicom/data-set.ts";
import { readPart10File } from "../../src/dicom/reader.ts";
import { formatTag } from "../../src/dicom/tag.ts";
import { type Action, CATEGORIES, type Category, type Path, type Rectangle } from "./fields.ts";
import { bulkBytes, type Found, find, isEmpty, valueNumbers, valueText, withoutNotes } from "./output-values.ts";
import type { PlantedFile, PlantedSet } from "./planted-set.ts";
import { createTokenSearch } from "./token-search.ts";
import type { Place, Token } from "./tokens.ts";

/** What a program made of a set. */
export interface Outputs {
  /** By the names of the inputs; missing: nothing came out. */
  readonly paths: ReadonlyMap<string, string>;
  /** As the program tells them; undefined: the first new UID or patient id that is met counts. */
  readonly map?:
    | { readonly uids: ReadonlyMap<string, string>; readonly patients: ReadonlyMap<string, string> }
    | undefined;
}

export interface Points {
  readonly points: number;
  readonly of: number;
}

export interface Miss {
  readonly file: string;
  readonly modality: string;
  readonly category: Category;
  readonly path: string;
  readonly points: number;
}

export interface Score {
  readonly categories: ReadonlyMap<Category, Points>;
  /** The same for each kind of object. */
  readonly modalities: ReadonlyMap<string, ReadonlyMap<Category, Points>>;
  readonly files: Points;
  readonly leaked: ReadonlySet<Token>;
  readonly tokens: number;
  /** Actions without their whole point, but for those of missing files. */
  readonly misses: readonly Miss[];
}

/** Passed by a file that is not there: nothing is told. */
export const REMOVALS: ReadonlySet<Category> = new Set([
  "text removed",
  "uid changed",
  "date shifted",
  "pixels hidden",
]);

/**
 * One point for each planted action, by category. A missing file passes removals and fails the rest; whether a token leaked, the bytes of all
 * files say, whatever their elements do.
 */
export async function score(set: PlantedSet, { paths, map }: Outputs): Promise<Score> {
  const search = createTokenSearch(set.tokens);
  const leaked = new Set<Token>();
  const counted = createCount();
  const misses: Miss[] = [];
  const known = { uids: new Map(map?.uids), patients: new Map(map?.patients), isTold: map !== undefined };
  let delivered = 0;
  for (const file of set.files) {
    const path = paths.get(file.name);
    if (path === undefined) {
      for (const { category } of file.actions) counted.add(file, category, REMOVALS.has(category) ? 1 : 0);
      continue;
    }
    delivered += 1;
    for (const token of search.foundIn(await readFile(path))) leaked.add(token);
    await using output = await readPart10File(path);
    for (const action of file.actions) {
      const points = await pointsOf(action, output, known);
      counted.add(file, action.category, points);
      if (points < 1)
        misses.push({
          file: file.name,
          modality: file.modality,
          category: action.category,
          path: pathText(action.path),
          points,
        });
    }
  }
  const files = { points: delivered, of: set.files.length };
  return { ...counted.result(), files, leaked, tokens: set.tokens.length, misses };
}

export function percent({ points, of }: Points): number {
  return of === 0 ? 100 : (100 * points) / of;
}

/** Categories weigh alike. */
export function overall(categories: ReadonlyMap<Category, Points>): number {
  const all = [...categories.values()].map(percent);
  return all.reduce((sum, one) => sum + one, 0) / all.length;
}

/** How many tokens of each place are among those. */
export function byPlace(tokens: Iterable<Token>): ReadonlyMap<Place, number> {
  const counts = new Map<Place, number>();
  for (const { place } of tokens) counts.set(place, (counts.get(place) ?? 0) + 1);
  return counts;
}

interface KnownNames {
  readonly uids: Map<string, string>;
  readonly patients: Map<string, string>;
  readonly isTold: boolean;
}

async function pointsOf(action: Action, file: Part10File, known: KnownNames): Promise<number> {
  const found = find(file.dataSet, action.path);
  switch (action.category) {
    case "tag retained":
      return found === undefined ? 0 : 1;
    case "text not null":
      return found === undefined || isEmpty(found) ? 0 : 1;
    case "text retained":
      return found === undefined ? 0 : retained(action, found);
    case "text removed":
      return found === undefined ? 1 : 1 - share(action.words, valueText(found));
    case "uid changed":
    case "date shifted":
      return found !== undefined && valueText(found).includes(action.original) ? 0 : 1;
    case "uid consistent":
      return found === undefined ? 0 : consistent(known.uids, known.isTold, action.original, plain(found));
    case "patient id consistent":
      return found === undefined ? 0 : consistent(known.patients, known.isTold, action.original, plain(found));
    case "pixels retained":
    case "pixels hidden":
      return found === undefined ? Number(action.category === "pixels hidden") : await pixelPoints(action, file, found);
  }
}

/** Padding and what hides behind it: another check's matter. */
function plain(found: Found): string {
  return (valueText(found).split("\0", 1)[0] ?? "").trim();
}

function retained(action: Extract<Action, { category: "text retained" }>, found: Found): number {
  if (action.numbers === undefined) return share(action.words, valueText(found)) === 1 ? 1 : 0;
  const values = valueNumbers(found);
  const isSame = action.numbers.every(
    (number, index) => Math.fround(number) === Math.fround(values[index] ?? Number.NaN),
  );
  return isSame && values.length === action.numbers.length ? 1 : 0;
}

function share(words: readonly string[], text: string): number {
  const folded = text.toLowerCase();
  return words.filter((word) => folded.includes(word.toLowerCase())).length / Math.max(words.length, 1);
}

function consistent(known: Map<string, string>, isTold: boolean, original: string, output: string): number {
  if (!isTold && !known.has(original)) known.set(original, output);
  return known.get(original) === output && output !== original && output !== "" ? 1 : 0;
}

async function pixelPoints(
  action: Extract<Action, { category: "pixels retained" | "pixels hidden" }>,
  file: Part10File,
  found: Found,
): Promise<number> {
  const bytes = await bulkBytes(file, found);
  if (action.category === "pixels hidden") {
    const inside = rectangleBytes(bytes, action.rectangle);
    return inside.every((byte) => byte === inside[0]) ? 1 : 0;
  }
  const isCompressed = found.element.value.kind === "fragments";
  const wanted = isCompressed ? withoutNotes(Buffer.from(action.bytes)) : Buffer.from(action.bytes);
  const [ours, theirs] = [wanted, bytes.subarray(0, wanted.length)].map((pixels) => outside(pixels, action.except));
  return ours !== undefined && theirs !== undefined && ours.equals(theirs) ? 1 : 0;
}

function rectangleBytes(pixels: Buffer, { imageColumns, x, y, width, height }: Rectangle): Buffer {
  const rows = Array.from({ length: height }, (_, row) => (y + row) * imageColumns + x);
  return Buffer.concat(rows.map((start) => pixels.subarray(start, start + width)));
}

function outside(pixels: Buffer, rectangle: Rectangle | undefined): Buffer {
  if (rectangle === undefined) return pixels;
  const copy = Buffer.from(pixels);
  const { imageColumns, x, y, width, height } = rectangle;
  for (let row = y; row < y + height; row += 1) copy.fill(0, row * imageColumns + x, row * imageColumns + x + width);
  return copy;
}

function pathText(path: Path): string {
  return path.map(({ tag, item }) => formatTag(tag) + (item === undefined ? "" : `[${item}]`)).join("/");
}

interface Count {
  add(file: PlantedFile, category: Category, points: number): void;
  result(): Pick<Score, "categories" | "modalities">;
}

function createCount(): Count {
  const empty = (): Map<Category, Points> => new Map(CATEGORIES.map((category) => [category, { points: 0, of: 0 }]));
  const categories = empty();
  const modalities = new Map<string, Map<Category, Points>>();
  const addTo = (counts: Map<Category, Points>, category: Category, points: number): void => {
    const before = counts.get(category) ?? { points: 0, of: 0 };
    counts.set(category, { points: before.points + points, of: before.of + 1 });
  };
  return {
    add({ modality }, category, points) {
      const own = modalities.get(modality) ?? empty();
      modalities.set(modality, own);
      addTo(categories, category, points);
      addTo(own, category, points);
    },
    result: () => ({ categories, modalities }),
  };
}
