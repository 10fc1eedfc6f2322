import { at } from "./cursor.ts";
import type { DataElement, SequenceItem } from "./data-set.ts";
import type { Parser } from "./parser-state.ts";
import type { Tag } from "./tag.ts";
import type { Vr } from "./vr.ts";

/**
 * Elements of the top level of data sets that were read before. One that is the same again, byte for byte, is the same object: the slices of
 * a series mostly hold the same, and whoever knows what follows from an element need not find it out again. Of each tag the last one is
 * kept, within limits.
 */
export interface ElementMemory {
  /** Whether the next data set that says the same has this very object. */
  holds(element: DataElement): boolean;
  /** By tag; for the parser. */
  readonly values: Map<Tag, RememberedValue>;
  readonly sequences: Map<Tag, RememberedSequence>;
}

interface RememberedValue {
  readonly element: DataElement;
  readonly bytes: Uint8Array;
}

interface RememberedSequence {
  readonly element: DataElement;
  /** From its tag to its end, in explicit VR little endian. */
  readonly encoded: Uint8Array;
  /** Elements and items, itself included. */
  readonly count: number;
}

/** Half a megabyte of values, and what was read at once around each of the sequences. */
const VALUES_LIMIT = 1_024;
const VALUE_BYTES = 512;
const SEQUENCES_LIMIT = 64;
const SEQUENCE_BYTES = 4_096;

export function createElementMemory(): ElementMemory {
  const values = new Map<Tag, RememberedValue>();
  const sequences = new Map<Tag, RememberedSequence>();
  return {
    values,
    sequences,
    holds: (element) => values.get(element.tag)?.element === element || sequences.get(element.tag)?.element === element,
  };
}

/** The element of these bytes of the window: the one that was the same before, or one that is remembered from now on. */
export function rememberedValue(
  { values }: ElementMemory,
  tag: Tag,
  vr: Vr,
  window: Uint8Array,
  start: number,
  length: number,
): DataElement {
  const known = values.get(tag);
  if (known !== undefined && known.element.vr === vr && isAt(window, start, length, known.bytes)) return known.element;
  const isShort = length <= VALUE_BYTES;
  // In memory of its own: a few remembered bytes would hold all that was read with them.
  const view = new Uint8Array(window.buffer, window.byteOffset + start, length);
  const bytes = isShort ? new Uint8Array(view) : view;
  const element: DataElement = { tag, vr, undefinedLength: false, value: { kind: "bytes", bytes } };
  if (isShort && (known !== undefined || values.size < VALUES_LIMIT)) values.set(tag, { element, bytes });
  return element;
}

function isAt(window: Uint8Array, start: number, length: number, bytes: Uint8Array): boolean {
  if (length !== bytes.length) return false;
  for (let index = 0; index < length; index += 1) if (window[start + index] !== bytes[index]) return false;
  return true;
}

/** The sequence that begins at the position, when the bytes there are those of one that was read before, to its end within `bound`. */
export function recalledSequence(
  { cursor, count, limits }: Parser,
  { sequences }: ElementMemory,
  tag: Tag,
  bound: number,
): RememberedSequence | undefined {
  const known = sequences.get(tag);
  if (known === undefined) return undefined;
  const { length } = known.encoded;
  const start = at(cursor);
  if (start + length > cursor.bytes.length || cursor.position + length > bound) return undefined;
  if (count + known.count > limits.elements) return undefined;
  return isAt(cursor.bytes, start, length, known.encoded) ? known : undefined;
}

/** @param start its offset in the source; it ends at the position */
export function rememberSequence(
  { cursor }: Parser,
  { sequences }: ElementMemory,
  element: DataElement,
  start: number,
  count: number,
): void {
  const length = cursor.position - start;
  if (start < cursor.windowStart || length > SEQUENCE_BYTES) return;
  if (!sequences.has(element.tag) && sequences.size >= SEQUENCES_LIMIT) return;
  if (element.value.kind !== "sequence" || !areHeld(element.value.items)) return;
  const first = start - cursor.windowStart;
  sequences.set(element.tag, { element, encoded: new Uint8Array(cursor.bytes.subarray(first, first + length)), count });
}

/** What was left in the source stands elsewhere in another one. */
function areHeld(items: readonly SequenceItem[]): boolean {
  for (const { dataSet } of items) {
    for (const { value } of dataSet.values()) {
      if (value.kind === "sequence" ? !areHeld(value.items) : value.kind !== "bytes") return false;
    }
  }
  return true;
}
