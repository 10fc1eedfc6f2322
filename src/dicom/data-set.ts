import type { Tag } from "./tag.ts";
import type { Vr } from "./vr.ts";

/** Bytes left where they are: `length` bytes from `offset` of the source the data set was read from. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/**
 * The value of an element, as stored: padding included, in the byte order of the data set's transfer syntax.
 * - `bytes`: held in memory.
 * - `range`: too long to hold (pixel data, documents); read on demand.
 * - `sequence`: items, each a data set.
 * - `fragments`: encapsulated pixel data (PS3.5 A.4): the first fragment is the basic offset table, possibly empty.
 */
export type ElementValue =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "range"; readonly range: ByteRange }
  | { readonly kind: "sequence"; readonly items: readonly SequenceItem[] }
  | { readonly kind: "fragments"; readonly fragments: readonly ByteRange[] };

export interface SequenceItem {
  readonly dataSet: DataSet;
  /** True when the item was written with undefined length and a delimiter. PS3.5 7.5.1. */
  readonly undefinedLength: boolean;
}

export interface DataElement {
  readonly tag: Tag;
  /** The VR the value is read as: the file's own, else the dictionary's, else UN. */
  readonly vr: Vr;
  readonly value: ElementValue;
  /** True for sequences, UN and encapsulated pixel data written with length FFFFFFFFH. PS3.5 7.1.1. */
  readonly undefinedLength: boolean;
}

/** Elements by tag, in the order they were read (ascending in a conformant object). */
export type DataSet = ReadonlyMap<Tag, DataElement>;

/** Where byte ranges are read from: a file, a buffer, or the inflated form of a deflated file. */
export interface ByteSource {
  readonly sizeBytes: number;
  /** Exactly `length` bytes from `offset`, fewer only at the end. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Fills `target` from `offset`, for sources that can without a copy; answers how many bytes were there, fewer only at the end. */
  readInto?(target: Uint8Array, offset: number): Promise<number>;
}

/** Something odd that was read all the same. `message` holds no value of the object. */
export interface Finding {
  readonly code: string;
  readonly offset: number;
  readonly message: string;
}

/** Where the elements of the top level begin in the source, in the order they were read, repeated ones included. */
export interface Layout {
  readonly tags: readonly Tag[];
  readonly offsets: readonly number[];
  /** Behind the last one: where reading stopped. */
  readonly endOffset: number;
}

/** A Part 10 file, header in memory, bulk by range. PS3.10 7. */
export interface Part10File {
  readonly preamble: Uint8Array | undefined;
  readonly meta: DataSet;
  readonly dataSet: DataSet;
  readonly transferSyntaxUid: string;
  /** Where the data set starts in the file. */
  readonly dataSetOffset: number;
  /** What the ranges of `dataSet` refer to: the file, or its inflated data set. */
  readonly source: ByteSource;
  /** The file as it is stored. */
  readonly file: ByteSource;
  /** Absent when tolerated damage ended the reading. */
  readonly layout: Layout | undefined;
  /** The first element that was not read because `stopBefore` said so. */
  readonly stoppedBefore: Tag | undefined;
  /** Bytes of `source` behind the data set that are no part of it: padding, a second object, rubbish. */
  readonly trailing: ByteRange | undefined;
  /** Bytes of `file` behind the end of a deflated data set, other than its padding. PS3.5 A.5. */
  readonly behindDeflated: ByteRange | undefined;
  readonly findings: readonly Finding[];
}
