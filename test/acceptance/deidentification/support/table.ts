import { readFileSync } from "node:fs";
import type { DataElement } from "../../../../src/dicom/data-set.ts";
import { tagOf } from "../../../../src/dicom/tag.ts";
import { dataSetOf, element, sequenceElement } from "../../../../src/dicom/values.ts";
import type { Vr } from "../../../../src/dicom/vr.ts";
import { type Random, seededRandom } from "../../../../src/units/random.ts";
import type { Tokens } from "./tokens.ts";

/** A row of PS3.15 2026c Table E.1-1, as printed. */
export interface TableRow {
  /** The first tag of the row. */
  readonly tag: number;
  readonly vr: Vr;
  readonly basic: string;
}

/** The first private element of the first block. */
const PRIVATE = 0x00091001;

/** All rows; a repeating group, or all private ones, count as one. */
export function confidentialityTable(): readonly TableRow[] {
  const url = new URL("../../../../data/deid-table.tsv", import.meta.url);
  const lines = readFileSync(url, "utf8")
    .trimEnd()
    .split("\n")
    .filter((line) => line.startsWith("("));
  return lines.map((line) => {
    const cells = line.split("\t");
    const pattern = (cells[0] ?? "").replace(/[(),]/g, "");
    const tag = pattern === "ggggeeee" ? PRIVATE : Number.parseInt(pattern.replaceAll("x", "0"), 16);
    return { tag, vr: firstVr(cells[3] ?? ""), basic: cells[7] ?? "" };
  });
}

/** "OB or OW" leaves a choice; what has no VR may hold anything. */
function firstVr(printed: string): Vr {
  const [first = ""] = printed.split(" ");
  return (first === "" || first === "See" ? "LO" : first) as Vr;
}

/** A value that is sound for its VR, and another for every one that is asked for. */
export type PlantedValues = (tag: number, vr: Vr) => DataElement;

const BINARY_BYTES: Readonly<Partial<Record<Vr, number>>> = {
  US: 2,
  SS: 2,
  UL: 4,
  SL: 4,
  AT: 4,
  FL: 4,
  FD: 8,
  OF: 4,
  OD: 8,
  OL: 4,
  SV: 8,
  UV: 8,
};

/** Identifiers as they look in sound objects: dates of a past that only they know, numbers of many digits, texts, UIDs. */
export function soundValues(
  tokens: Tokens,
  seed: number,
): { readonly values: PlantedValues; readonly planted: Uint8Array[] } {
  const random = seededRandom(seed);
  const planted: Uint8Array[] = [];
  const plant = (bytes: Uint8Array): Uint8Array => {
    if (bytes.length >= 6) planted.push(bytes);
    return bytes;
  };
  const values: PlantedValues = (tag, vr) => {
    const size = BINARY_BYTES[vr];
    if (vr === "SQ")
      return sequenceElement(tagOf(tag), [dataSetOf([values(0x00100010, "PN"), values(0x00080020, "DA")])]);
    if (size !== undefined) return element(tagOf(tag), vr, plant(random.bytes(size)));
    return element(tagOf(tag), vr, plant(Buffer.from(padded(textFor(vr, random, tokens), vr))));
  };
  return { values, planted };
}

function padded(text: string, vr: Vr): string {
  return text.length % 2 === 0 ? text : text + (vr === "UI" ? "\0" : " ");
}

function textFor(vr: Vr, random: Random, tokens: Tokens): string {
  const number = (low: number, count: number): string => String(low + Math.floor(random.next() * count));
  const two = (low: number, count: number): string => number(low, count).padStart(2, "0");
  const date = (): string => `${number(1910, 80)}${two(1, 12)}${two(1, 28)}`;
  const time = (): string => `${two(0, 24)}${two(0, 60)}${two(0, 60)}.${number(100_000, 900_000)}`;
  switch (vr) {
    case "DA":
      return date();
    case "TM":
      return time();
    case "DT":
      return date() + time();
    case "AS":
      return `${number(100, 900)}D`;
    case "IS":
      return number(1_000_000_000, 1_000_000_000);
    case "DS":
      return `${number(1_000, 9_000)}.${number(100_000, 900_000)}`;
    case "UI":
      return tokens.uid();
    default:
      return tokens.text();
  }
}

/** A token whatever the VR: text where there should be none. */
export function textValues(tokens: Tokens): PlantedValues {
  const values: PlantedValues = (tag, vr) => {
    if (vr === "SQ")
      return sequenceElement(tagOf(tag), [dataSetOf([values(0x00100010, "PN"), values(0x00080020, "DA")])]);
    const isNumber = BINARY_BYTES[vr] !== undefined;
    return element(
      tagOf(tag),
      isNumber ? "UN" : vr,
      Buffer.from(padded(vr === "UI" ? tokens.uid() : tokens.text(), vr)),
    );
  };
  return values;
}
