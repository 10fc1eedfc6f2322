import { resolve } from "node:path";
import { GatewayError } from "../errors/gateway-error.ts";
import { neverAborted } from "../units/abort.ts";
import { createKeyedLocks } from "../units/keyed-locks.ts";
import type { DataSet, Part10File } from "./data-set.ts";
import { tags } from "./dictionary/tags.ts";
import { transferSyntaxOf } from "./dictionary/transfer-syntaxes.ts";
import type { Segment } from "./encode-segments.ts";
import { writeWhole } from "./file-output.ts";
import { COPY_WINDOW_BYTES, type GatherOptions, gathered } from "./gather.ts";
import { deflatedChunks } from "./inflate.ts";
import type { ParseOptions } from "./parser-state.ts";
import { readPart10File } from "./reader.ts";
import type { FileSourceOptions } from "./sources.ts";
import { type ElementEdits, metaEditsFor, splicedSegments } from "./splice.ts";
import { type ByteSink, encodePreambleAndMeta } from "./writer.ts";

export interface HeaderEdits {
  /** Elements of the top level; a sequence is edited by giving it whole. */
  readonly dataSet: ElementEdits;
  /** Of group 0002; the UIDs it repeats of the data set follow that by themselves. */
  readonly meta?: ElementEdits;
}

export interface SplicedFile {
  /** The whole edited file, in chunks of a few bytes up to a mebibyte that are the sink's to keep. */
  writeTo(sink: ByteSink, signal?: AbortSignal): Promise<void>;
}

/**
 * A file with a changed header. What is not edited is copied by range as it is: pixel data is neither parsed nor held, and everything
 * that an edit does not touch keeps its bytes, whatever its form. A deflated data set is deflated anew. PS3.10 7, PS3.5 7.
 * @throws GatewayError INTERNAL when an edit cannot be made: of the transfer syntax, behind `stopBefore`, of a damaged file
 */
export function spliceEdits(file: Part10File, edits: HeaderEdits): SplicedFile {
  return {
    async writeTo(sink, signal) {
      for await (const batch of splicedBatches(file, edits, { signal })) {
        for (const chunk of batch) await sink.write(chunk);
      }
    },
  };
}

/** The edits that make one data set from another: elements that are the same object stay as they are. */
export function editsBetween(before: DataSet, after: DataSet): ElementEdits {
  const removed = [...before.keys()].filter((tag) => !after.has(tag)).map((tag) => [tag, undefined] as const);
  const given = [...after].filter(([tag, element]) => before.get(tag) !== element);
  return new Map([...removed, ...given]);
}

type Batches = AsyncGenerator<readonly Uint8Array[]>;

async function* splicedBatches(file: Part10File, edits: HeaderEdits, options: GatherOptions): Batches {
  const head = headSegments(file, edits);
  const { deflated } = transferSyntaxOf(file.transferSyntaxUid);
  if (!deflated) yield* gathered([...head, ...splicedSegments(file, edits.dataSet)], file.source, options);
  else if (edits.dataSet.size === 0) {
    yield* gathered([...head, copyOf(file.dataSetOffset, file.file.sizeBytes)], file.file, options);
  } else {
    yield* gathered(head, file.file, options);
    yield* deflatedAnew(file, edits, options.signal);
    const { behindDeflated: range } = file;
    if (range !== undefined) yield* gathered([copyOf(range.offset, range.offset + range.length)], file.file, options);
  }
}

/** Always in new memory: the deflater may hold on to what it was given. */
async function* deflatedAnew(file: Part10File, edits: HeaderEdits, signal: AbortSignal | undefined): Batches {
  const batches = gathered(splicedSegments(file, edits.dataSet), file.source, { signal });
  for await (const chunk of deflatedChunks(flat(batches))) yield [chunk];
}

async function* flat(batches: Batches): AsyncGenerator<Uint8Array> {
  for await (const batch of batches) yield* batch;
}

function copyOf(start: number, end: number): Segment {
  return { kind: "range", range: { offset: start, length: end - start }, swapBytes: 1 };
}

/** Preamble and file meta: as they are, unless something of the meta changes. */
function headSegments(file: Part10File, edits: HeaderEdits): readonly Segment[] {
  const following = [...metaEditsFor(edits.dataSet)].filter(([tag]) => file.meta.has(tag));
  const metaEdits = new Map([...following, ...(edits.meta ?? [])]);
  if (metaEdits.has(tags.TransferSyntaxUID)) throw new GatewayError("INTERNAL", { what: "edit of a transfer syntax" });
  if (metaEdits.size === 0) return [copyOf(0, file.dataSetOffset)];
  const meta = new Map(file.meta);
  for (const [tag, edit] of metaEdits) {
    if (edit === undefined) meta.delete(tag);
    else meta.set(tag, edit);
  }
  const sorted = new Map([...meta].sort(([a], [b]) => a - b));
  return [{ kind: "bytes", bytes: encodePreambleAndMeta(sorted, file.preamble) }];
}

const editing = createKeyedLocks<string>();

/** Memory of copies that are over, for those to come: asking for a mebibyte each time would cost as much as copying it. */
const spareMemory: Uint8Array[] = [];
const MAXIMUM_SPARE = 8;

/**
 * Edits the header of a file into another, which may be the same one: it is written under a temporary name and renamed when whole.
 * It is not synced. Only the header is read into memory; `options.stopBefore` may end that where the last edit goes.
 * @throws GatewayError as `readPart10File` and `spliceEdits`; NodeJS.ErrnoException; what `edit` throws
 */
export async function editPart10File(
  inputPath: string,
  outputPath: string,
  edit: (file: Part10File) => HeaderEdits | Promise<HeaderEdits>,
  options: ParseOptions & FileSourceOptions = {},
): Promise<void> {
  // Of two edits of one file the second begins with what the first has made of it.
  using _ = await editing.acquire(resolve(outputPath), options.signal ?? neverAborted());
  await using file = await readPart10File(inputPath, options);
  const edits = await edit(file);
  const memory = spareMemory.pop() ?? Buffer.allocUnsafeSlow(COPY_WINDOW_BYTES);
  try {
    const batches = splicedBatches(file, edits, { signal: options.signal, memory: () => memory });
    await writeWhole(outputPath, batches, options);
  } finally {
    if (spareMemory.length < MAXIMUM_SPARE) spareMemory.push(memory);
  }
}
