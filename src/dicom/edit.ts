import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { GatewayError } from "../errors/gateway-error.ts";
import type { DataSet, Part10File } from "./data-set.ts";
import { tags } from "./dictionary/tags.ts";
import { transferSyntaxOf } from "./dictionary/transfer-syntaxes.ts";
import type { Segment } from "./encode-segments.ts";
import { type GatherOptions, gathered } from "./gather.ts";
import { deflatedChunks } from "./inflate.ts";
import type { ParseOptions } from "./parser-state.ts";
import { readPart10File } from "./reader.ts";
import { type ElementEdits, metaEditsFor, splicedSegments } from "./splice.ts";
import { type ByteSink, encodePreambleAndMeta } from "./writer.ts";

export interface HeaderEdits {
  /** Elements of the top level; a sequence is edited by giving it whole. */
  readonly dataSet: ElementEdits;
  /** Of group 0002; the UIDs it repeats of the data set follow that by themselves. */
  readonly meta?: ElementEdits;
}

export interface SplicedFile {
  /** The whole edited file, in chunks of up to a mebibyte that are the sink's to keep. */
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
      for await (const chunk of splicedChunks(file, edits, { signal })) await sink.write(chunk);
    },
  };
}

/** The edits that make one data set from another: elements that are the same object stay as they are. */
export function editsBetween(before: DataSet, after: DataSet): ElementEdits {
  const removed = [...before.keys()].filter((tag) => !after.has(tag)).map((tag) => [tag, undefined] as const);
  const given = [...after].filter(([tag, element]) => before.get(tag) !== element);
  return new Map([...removed, ...given]);
}

async function* splicedChunks(
  file: Part10File,
  edits: HeaderEdits,
  options: GatherOptions,
): AsyncGenerator<Uint8Array> {
  const head = headSegments(file, edits);
  const { deflated } = transferSyntaxOf(file.transferSyntaxUid);
  if (!deflated) yield* gathered([...head, ...splicedSegments(file, edits.dataSet)], file.source, options);
  else if (edits.dataSet.size === 0) {
    yield* gathered([...head, copyOf(file.dataSetOffset, file.file.sizeBytes)], file.file, options);
  } else {
    yield* gathered(head, file.file, options);
    yield* deflatedChunks(gathered(splicedSegments(file, edits.dataSet), file.source, options));
    const { behindDeflated: range } = file;
    if (range !== undefined) yield* gathered([copyOf(range.offset, range.offset + range.length)], file.file, options);
  }
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

const OWNER_ONLY = 0o600;

/**
 * Edits the header of a file into another, which may be the same one: it is written under a temporary name and renamed when whole.
 * It is not synced. Only the header is read into memory; `options.stopBefore` may end that where the last edit goes.
 * @throws GatewayError as `readPart10File` and `spliceEdits`; what `edit` throws
 */
export async function editPart10File(
  inputPath: string,
  outputPath: string,
  edit: (file: Part10File) => HeaderEdits | Promise<HeaderEdits>,
  options: ParseOptions = {},
): Promise<void> {
  await using file = await readPart10File(inputPath, options);
  const edits = await edit(file);
  const temporaryPath = join(dirname(outputPath), `.${basename(outputPath)}.partial`);
  await rm(temporaryPath, { force: true });
  try {
    await using output = await open(temporaryPath, "wx", OWNER_ONLY);
    for await (const chunk of splicedChunks(file, edits, { signal: options.signal })) await output.writeFile(chunk);
  } catch (thrown) {
    await rm(temporaryPath, { force: true });
    throw thrown;
  }
  await rename(temporaryPath, outputPath);
}
