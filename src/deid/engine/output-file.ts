import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import type { ByteSource } from "../../dicom/data-set.ts";
import { transferSyntaxOf } from "../../dicom/dictionary/transfer-syntaxes.ts";
import { encodeSegments, type Segment } from "../../dicom/encode-segments.ts";
import { createAnew, type FileOperations, type OutputFile, writeAll } from "../../dicom/file-output.ts";
import { encodePreambleAndMeta } from "../../dicom/writer.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { makeFolders } from "../../units/make-folders.ts";
import type { ComposedOutput } from "./compose-output.ts";
import { Rejection } from "./rejection.ts";

export interface WrittenOutput {
  readonly temporaryPath: string;
  readonly sizeBytes: number;
  /** Lower-case hexadecimal; empty where none was asked for. */
  readonly sha256: string;
  /** What was read of the source and still stands in the memory it was read into: of outputs that fit into it. */
  readonly copies: readonly SourceCopy[];
}

/** Bytes of a composed source, as they were read. */
export interface SourceCopy {
  readonly offset: number;
  readonly bytes: Buffer;
}

export interface WriteOptions {
  readonly files: FileOperations;
  /** Taken by what is copied. */
  readonly memory: Buffer;
  readonly signal: AbortSignal;
  /** @default true */
  readonly isHashed?: boolean;
}

/**
 * Writes the output under a temporary name beside its final one. It is not synced: output is made again from its input after a power cut,
 * and whoever delivers it syncs the copy that counts.
 * @throws Rejection for a transfer syntax that is never written
 */
export async function writeOutput(
  outputPath: string,
  output: ComposedOutput,
  { files, memory, signal, isHashed = true }: WriteOptions,
): Promise<WrittenOutput> {
  const syntax = transferSyntaxOf(output.transferSyntaxUid);
  if (syntax.deflated) throw new Rejection("DEIDENTIFICATION_UNPROVEN", "transfer-syntax");
  const head: Segment = { kind: "bytes", bytes: encodePreambleAndMeta(output.meta) };
  const segments = [head, ...encodeSegments(output.dataSet, syntax)];
  const temporaryPath = join(dirname(outputPath), `.${basename(outputPath)}.partial`);
  const file = await createInFolder(temporaryPath, files);
  try {
    const hash = isHashed ? createHash("sha256") : undefined;
    let sizeBytes = 0;
    let copies: readonly SourceCopy[];
    try {
      copies = await fillUp(segments, output.source, memory, async (bytes) => {
        signal.throwIfAborted();
        hash?.update(bytes);
        sizeBytes += bytes.length;
        await writeAll(file, [bytes]);
      });
    } finally {
      await file.close();
    }
    return { temporaryPath, sizeBytes, sha256: hash?.digest("hex") ?? "", copies };
  } catch (thrown) {
    await files.remove(temporaryPath);
    throw thrown;
  }
}

/** The folder is made where it is missing, which is seldom. */
async function createInFolder(path: string, files: FileOperations): Promise<OutputFile> {
  try {
    return await createAnew(path, files);
  } catch (thrown) {
    if (!(thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT")) throw thrown;
    await makeFolders(dirname(path), { mode: 0o700 });
    return createAnew(path, files);
  }
}

/**
 * The bytes of the segments, one behind the other in `memory`, whenever it is full and at the end. What is written has the byte order of
 * what was composed: no word is swapped here. Answers what stands in `memory` of the source.
 * @throws GatewayError DICOM_TRUNCATED when the source has become shorter
 */
async function fillUp(
  segments: readonly Segment[],
  source: ByteSource & { readInto(target: Uint8Array, offset: number): Promise<number> },
  memory: Buffer,
  flush: (bytes: Uint8Array) => Promise<void>,
): Promise<readonly SourceCopy[]> {
  const copies: SourceCopy[] = [];
  let used = 0;
  let isOverwritten = false;
  for (const segment of segments) {
    const length = segment.kind === "bytes" ? segment.bytes.length : segment.range.length;
    for (let done = 0; done < length; ) {
      const room = memory.subarray(used, used + length - done);
      const offset = segment.kind === "bytes" ? done : segment.range.offset + done;
      const count =
        segment.kind === "bytes" ? copyInto(room, segment.bytes, offset) : await source.readInto(room, offset);
      if (count === 0) throw new GatewayError("DICOM_TRUNCATED", { offset, what: "value" });
      if (segment.kind === "range" && !isOverwritten) copies.push({ offset, bytes: room.subarray(0, count) });
      done += count;
      used += count;
      if (used < memory.length) continue;
      await flush(memory);
      used = 0;
      isOverwritten = true;
    }
  }
  if (used > 0) await flush(memory.subarray(0, used));
  return isOverwritten ? [] : copies;
}

function copyInto(target: Uint8Array, bytes: Uint8Array, offset: number): number {
  const part = bytes.subarray(offset, offset + target.length);
  target.set(part);
  return part.length;
}
