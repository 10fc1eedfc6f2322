import { open } from "node:fs/promises";
import type { Piece } from "./pieces.ts";
import type { StudySearch } from "./study-verification.ts";

/** A file beside the instances of a study that a program outside made of them. */
export interface AttachmentTask {
  /** As it will be called. */
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly search: StudySearch;
}

/** Text up to here is searched as text: folded, and word by word. */
const WHOLE_TEXT_BYTES = 2 ** 20;
/** Preamble and prefix. PS3.10 7.1. */
const PART_10_PREFIX = { offset: 128, text: "DICM" } as const;

/**
 * Why the file may not be delivered: it is DICOM, which belongs among the instances, or its name or its bytes hold an identifier of the study.
 * What is compressed is searched as it stands. Undefined: it may.
 */
export async function attachmentProblem(task: AttachmentTask, signal: AbortSignal): Promise<string | undefined> {
  const name = Buffer.from(task.name, "utf8");
  const pieces: Piece[] = [{ place: "name", how: "text", bytes: name, offset: 0, length: name.length }];
  const head = await beginning(task);
  const { offset, text } = PART_10_PREFIX;
  if (head.toString("latin1", offset, offset + text.length) === text) return "dicom-among-files";
  const isText = task.sizeBytes <= WHOLE_TEXT_BYTES && isPlainText(head);
  const content = { place: "content", offset: 0, length: task.sizeBytes };
  pieces.push({ ...content, how: "binary", bytes: undefined });
  if (isText) pieces.push({ ...content, how: "text", bytes: head });
  try {
    const [hit] = await task.search([{ outputPath: task.path, inFile: pieces }], signal);
    return hit === undefined ? undefined : `identifier: ${hit.reason}`;
  } catch (thrown) {
    if (thrown instanceof RangeError) return "too-many-identifiers";
    throw thrown;
  }
}

async function beginning({ path, sizeBytes }: AttachmentTask): Promise<Buffer> {
  await using file = await open(path, "r");
  const bytes = Buffer.alloc(Math.min(sizeBytes, WHOLE_TEXT_BYTES));
  const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
  return bytes.subarray(0, bytesRead);
}

function isPlainText(bytes: Buffer): boolean {
  if (bytes.includes(0)) return false;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
