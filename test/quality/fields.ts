import type { DataElement } from "../../src/dicom/data-set.ts";
import { tagOfKeyword, vrOf } from "../../src/dicom/dictionary/dictionary.ts";
import type { Tag } from "../../src/dicom/tag.ts";
import { dataSetOf, element, sequenceElement, textElement } from "../../src/dicom/values.ts";
import type { Vr } from "../../src/dicom/vr.ts";
import type { ForeignWord } from "./tokens.ts";

/** What is asked of an output, one point each. */
export type Action = { readonly path: Path } & (
  | { readonly category: "tag retained" | "text not null" }
  | { readonly category: "text retained"; readonly words: readonly string[]; readonly numbers?: readonly number[] }
  | { readonly category: "text removed"; readonly words: readonly string[] }
  | {
      readonly category: "uid changed" | "uid consistent" | "date shifted" | "patient id consistent";
      readonly original: string;
    }
  | { readonly category: "pixels retained"; readonly bytes: Uint8Array; readonly except?: Rectangle }
  | { readonly category: "pixels hidden"; readonly rectangle: Rectangle }
);

export type Category = Action["category"];

export const CATEGORIES: readonly Category[] = [
  "tag retained",
  "text not null",
  "text retained",
  "text removed",
  "uid changed",
  "uid consistent",
  "date shifted",
  "patient id consistent",
  "pixels hidden",
  "pixels retained",
];

/** Of an image of one frame and one byte a pixel. */
export interface Rectangle {
  readonly imageColumns: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** From the top level down: a tag, and the item of a sequence; private elements by creator, as blocks may move. */
export type Path = readonly Step[];
export interface Step {
  readonly tag: Tag;
  readonly item?: number;
  readonly creator?: string;
}

/** A value that must not stay as it is. */
export interface Planted {
  readonly text: string;
  readonly checks: readonly Check[];
  /** Of its characters, where they are not UTF-8. */
  readonly bytes?: Uint8Array;
  /** In its place, where the VR is of numbers. */
  readonly numbers?: readonly number[];
}

type Check =
  | { readonly category: "tag retained" | "text not null" }
  | { readonly category: "text retained" | "text removed"; readonly words: readonly string[] }
  | { readonly category: "uid changed" | "uid consistent" | "date shifted" | "patient id consistent" };

export type Field = string | number | readonly number[] | Uint8Array | Planted | readonly Fields[];

/** By keyword. Texts, numbers and bytes must stay as they are. */
export interface Fields {
  readonly [keyword: string]: Field;
}

export function gone(text: string, ...words: readonly string[]): Planted {
  return { text, checks: [{ category: "text removed", words: words.length === 0 ? [text] : words }] };
}

/** Must be there and empty or replaced: attributes of type 2. */
export function emptied(text: string, ...words: readonly string[]): Planted {
  return { text, checks: [...gone(text, ...words).checks, { category: "tag retained" }] };
}

export function replaced(text: string, ...words: readonly string[]): Planted {
  return { text, checks: [...gone(text, ...words).checks, { category: "text not null" }] };
}

/** A description with a name in it: the rest of its words must stay. */
export function described(text: string, token: string): Planted {
  const words = text.split(/[^A-Za-z0-9]+/).filter((word) => word !== "" && word !== token);
  return { text, checks: [...gone(text, token).checks, { category: "text retained", words }] };
}

export function uid(text: string): Planted {
  return { text, checks: [{ category: "uid changed" }, { category: "uid consistent" }] };
}

/** Dates and times of day: none may be lost. */
export function date(text: string): Planted {
  return { text, checks: [{ category: "date shifted" }, { category: "text not null" }] };
}

export function birthDate(text: string): Planted {
  return { text, checks: [{ category: "date shifted" }, { category: "tag retained" }] };
}

export function patientId(text: string): Planted {
  return { text, checks: [...replaced(text).checks, { category: "patient id consistent" }] };
}

/** Nothing is asked of it. */
export function unasked(value: string | readonly number[]): Planted {
  return typeof value === "string" ? { text: value, checks: [] } : { text: "", checks: [], numbers: value };
}

/** A word in a character set of its own. */
export function foreign({ text, bytes }: ForeignWord): Planted {
  return { ...gone(text), bytes };
}

export function code(value: string, scheme: string, meaning: string): Fields {
  return { CodeValue: value, CodingSchemeDesignator: scheme, CodeMeaning: meaning };
}

export interface Built {
  readonly elements: readonly DataElement[];
  readonly actions: readonly Action[];
}

/** Elements, and what is asked of each. */
export function build(fields: Fields, above: Path = []): Built {
  const elements: DataElement[] = [];
  const actions: Action[] = [];
  for (const [keyword, field] of Object.entries(fields)) {
    const tag = tagOfKeyword(keyword);
    if (tag === undefined) throw new Error(`no keyword of the dictionary: ${keyword}`);
    const built = buildOne(tag, field, above);
    elements.push(built.element);
    actions.push(...built.actions);
  }
  return { elements, actions };
}

interface BuiltOne {
  readonly element: DataElement;
  readonly actions: readonly Action[];
}

function buildOne(tag: Tag, field: Field, above: Path): BuiltOne {
  const path = [...above, { tag }];
  const vr = vrOf(tag);
  if (field instanceof Uint8Array)
    return { element: element(tag, vr, field), actions: [{ category: "pixels retained", path, bytes: field }] };
  if (isSequence(field, vr)) return buildSequence(tag, field, above);
  if (typeof field === "string") {
    const words = field.split(/[\\\s]+/).filter((word) => word !== "");
    const action: Action =
      words.length === 0 ? { category: "tag retained", path } : { category: "text retained", path, words };
    return { element: textElement(tag, field), actions: [action] };
  }
  if (typeof field === "object" && "checks" in field) {
    const bytes = field.numbers === undefined ? field.bytes : numberBytes(field.numbers, vr);
    const value = bytes === undefined ? textElement(tag, field.text) : element(tag, vr, evened(bytes));
    return { element: value, actions: field.checks.map((check) => actionOf(check, path, field.text)) };
  }
  const numbers = typeof field === "number" ? [field] : field;
  const bytes = numberBytes(numbers, vr);
  return { element: element(tag, vr, bytes), actions: [{ category: "text retained", path, words: [], numbers }] };
}

function isSequence(field: Field, vr: Vr): field is readonly Fields[] {
  return vr === "SQ" && Array.isArray(field);
}

function buildSequence(tag: Tag, items: readonly Fields[], above: Path): BuiltOne {
  const built = items.map((item, index) => build(item, [...above, { tag, item: index }]));
  const actions = built.flatMap((one) => one.actions);
  // Where nothing below must stay, the sequence need not either.
  const isKept =
    items.length === 0 || actions.some(({ category }) => category === "text retained" || category === "tag retained");
  return {
    element: sequenceElement(
      tag,
      built.map((one) => dataSetOf(one.elements)),
    ),
    actions: [...(isKept ? [{ category: "tag retained", path: [...above, { tag }] } as const] : []), ...actions],
  };
}

function actionOf(check: Check, path: Path, original: string): Action {
  return "words" in check
    ? { ...check, path }
    : check.category === "tag retained" || check.category === "text not null"
      ? { category: check.category, path }
      : { category: check.category, path, original };
}

const WRITERS: Readonly<
  Partial<Record<Vr, readonly [sizeBytes: number, write: (view: DataView, at: number, value: number) => void]>>
> = {
  US: [2, (view, at, value) => view.setUint16(at, value, true)],
  SS: [2, (view, at, value) => view.setInt16(at, value, true)],
  UL: [4, (view, at, value) => view.setUint32(at, value, true)],
  SL: [4, (view, at, value) => view.setInt32(at, value, true)],
  FL: [4, (view, at, value) => view.setFloat32(at, value, true)],
  FD: [8, (view, at, value) => view.setFloat64(at, value, true)],
  OF: [4, (view, at, value) => view.setFloat32(at, value, true)],
};

function numberBytes(numbers: readonly number[], vr: Vr): Uint8Array {
  if (vr === "AT")
    return Buffer.concat(
      numbers.map((tag) => Buffer.of((tag >>> 16) & 0xff, tag >>> 24, tag & 0xff, (tag >>> 8) & 0xff)),
    );
  const [sizeBytes, write] = WRITERS[vr] ?? [];
  if (sizeBytes === undefined || write === undefined) throw new Error(`no numbers in ${vr}: ${numbers}`);
  const bytes = new Uint8Array(sizeBytes * numbers.length);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of numbers.entries()) write(view, index * sizeBytes, value);
  return bytes;
}

export function evened(bytes: Uint8Array): Uint8Array {
  return bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.of(0x20)]);
}
