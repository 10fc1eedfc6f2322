import { GatewayError } from "../errors/gateway-error.ts";
import type { ByteRange, DataElement, Layout, Part10File } from "./data-set.ts";
import { tags } from "./dictionary/tags.ts";
import { type TransferSyntax, transferSyntaxOf } from "./dictionary/transfer-syntaxes.ts";
import { encodeSegments, lengthOf, type Segment } from "./encode-segments.ts";
import { elementOf, groupOf, type Tag, tagOf } from "./tag.ts";
import { element, numberOf } from "./values.ts";

/** By tag: the element that is to stand there instead, or undefined where none shall. A tag that is not there yet is inserted. */
export type ElementEdits = ReadonlyMap<Tag, DataElement | undefined>;

/** Bytes of the source that are replaced; an insertion has no length. */
interface Cut {
  readonly start: number;
  readonly end: number;
  readonly tag: Tag;
  readonly segments: readonly Segment[];
}

/**
 * The data set with its edits, in pieces: what is not edited is a range of the source, as it is encoded there, and is neither read nor
 * understood. Trailing bytes stay. Values of edits that are ranges refer to the same source.
 * Group lengths of edited groups are put right; in items of edited sequences they are left out, as they are retired. PS3.5 7.2.
 * @throws GatewayError INTERNAL when the file was not read to where an edit goes
 */
export function splicedSegments(file: Part10File, edits: ElementEdits): readonly Segment[] {
  const { layout, stoppedBefore } = file;
  if (layout === undefined) throw new GatewayError("INTERNAL", { what: "edit of a file that was not read whole" });
  for (const tag of edits.keys()) {
    if (stoppedBefore !== undefined && tag >= stoppedBefore)
      throw new GatewayError("INTERNAL", { what: "edit behind where reading was to stop" });
  }
  const start = file.file === file.source ? file.dataSetOffset : 0;
  const syntax = transferSyntaxOf(file.transferSyntaxUid);
  const cuts = [...edits].flatMap(([tag, edit]) => cutsOf(layout, tag, edit, syntax));
  const all = [...cuts, ...groupLengthCuts(file, layout, edits, cuts)];
  return between(all.sort(byPlace), start, file.source.sizeBytes);
}

/** Insertions at one place in the order of their tags, before what is replaced there. */
function byPlace(a: Cut, b: Cut): number {
  return a.start - b.start || a.end - b.end || a.tag - b.tag;
}

/** An element that was there more than once is replaced at its first place. */
function cutsOf(layout: Layout, tag: Tag, edit: DataElement | undefined, syntax: TransferSyntax): readonly Cut[] {
  const segments = edit === undefined ? [] : encodedEdit(edit, syntax);
  const places = layout.tags.flatMap((other, index) => (other === tag ? [index] : []));
  if (places.length === 0) {
    const next = layout.tags.findIndex((other) => other > tag);
    const start = layout.offsets[next] ?? layout.endOffset;
    return edit === undefined ? [] : [{ start, end: start, tag, segments }];
  }
  return places.map((index, nth) => ({ ...extentAt(layout, index), tag, segments: nth === 0 ? segments : [] }));
}

function extentAt(layout: Layout, index: number): { readonly start: number; readonly end: number } {
  return {
    start: layout.offsets[index] ?? layout.endOffset,
    end: layout.offsets[index + 1] ?? layout.endOffset,
  };
}

function encodedEdit(edit: DataElement, syntax: TransferSyntax): readonly Segment[] {
  return encodeSegments(new Map([[edit.tag, edit]]), syntax, { omitGroupLengthsInItems: true });
}

/** Edits change the length of their groups, where the group says its length. An edit of the group length itself is taken as it is. */
function groupLengthCuts(file: Part10File, layout: Layout, edits: ElementEdits, cuts: readonly Cut[]): readonly Cut[] {
  const syntax = transferSyntaxOf(file.transferSyntaxUid);
  const groups = new Set([...edits.keys()].map(groupOf));
  return [...groups].flatMap((group) => {
    const tag = tagOf(group << 16);
    if (!file.dataSet.has(tag) || edits.has(tag)) return [];
    const length = lengthBefore(file, layout, group) + lengthChange(cuts, group);
    const edit = length === 0 ? undefined : groupLengthElement(tag, length, syntax.littleEndian);
    return cutsOf(layout, tag, edit, syntax);
  });
}

/** What stands in the group; of one that was not read to its end, what it says. */
function lengthBefore(
  { dataSet, transferSyntaxUid, stoppedBefore }: Part10File,
  layout: Layout,
  group: number,
): number {
  const { littleEndian } = transferSyntaxOf(transferSyntaxUid);
  if (stoppedBefore !== undefined && groupOf(stoppedBefore) <= group)
    return numberOf(dataSet, tagOf(group << 16), { littleEndian }) ?? 0;
  let length = 0;
  for (const [index, tag] of layout.tags.entries()) {
    if (groupOf(tag) !== group || elementOf(tag) === 0) continue;
    const { start, end } = extentAt(layout, index);
    length += end - start;
  }
  return length;
}

function lengthChange(cuts: readonly Cut[], group: number): number {
  return cuts
    .filter(({ tag }) => groupOf(tag) === group)
    .reduce((sum, { start, end, segments }) => sum + lengthOf(segments) - (end - start), 0);
}

function groupLengthElement(tag: Tag, length: number, littleEndian: boolean): DataElement {
  const bytes = Buffer.alloc(4);
  if (littleEndian) bytes.writeUInt32LE(length);
  else bytes.writeUInt32BE(length);
  return element(tag, "UL", bytes);
}

function between(cuts: readonly Cut[], from: number, end: number): readonly Segment[] {
  const pieces: Segment[] = [];
  let position = from;
  for (const cut of cuts) {
    copy(pieces, position, cut.start);
    pieces.push(...cut.segments);
    position = cut.end;
  }
  copy(pieces, position, end);
  return pieces;
}

function copy(pieces: Segment[], start: number, end: number): void {
  const range: ByteRange = { offset: start, length: end - start };
  if (range.length > 0) pieces.push({ kind: "range", range, swapBytes: 1 });
}

/** What an edited file meta must say: the UIDs of the data set, where it said them before. PS3.10 table 7.1-1. */
const NAMED_IN_META: readonly (readonly [meta: Tag, dataSet: Tag])[] = [
  [tags.MediaStorageSOPClassUID, tags.SOPClassUID],
  [tags.MediaStorageSOPInstanceUID, tags.SOPInstanceUID],
];

/** The edits of the file meta that follow from edits of the data set. */
export function metaEditsFor(edits: ElementEdits): ElementEdits {
  return new Map(
    NAMED_IN_META.flatMap(([metaTag, tag]) => {
      const edit = edits.get(tag);
      return edit === undefined ? [] : [[metaTag, { ...edit, tag: metaTag }] as const];
    }),
  );
}
