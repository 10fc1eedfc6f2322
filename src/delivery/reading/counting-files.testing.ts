import { type FileSource, fileSource } from "../../dicom/sources.ts";
import type { OpenFile, StagedCopy } from "./staged-copy.ts";
import type { StudyReading } from "./study-reading.ts";

/** Opens files, and counts what is done with them. */
export interface CountingFiles {
  readonly open: OpenFile;
  /** Paths, in their order. */
  readonly opened: readonly string[];
  readonly openNow: number;
  readonly readBytes: number;
}

/** @param openFile what opens them. @default the disk */
export function countingFiles(openFile: OpenFile = fileSource): CountingFiles {
  const opened: string[] = [];
  let openNow = 0;
  let readBytes = 0;
  return {
    opened,
    get openNow() {
      return openNow;
    },
    get readBytes() {
      return readBytes;
    },
    async open(path): Promise<FileSource> {
      const file = await openFile(path);
      opened.push(path);
      openNow += 1;
      return {
        ...file,
        async readInto(target, offset) {
          const count = await file.readInto(target, offset);
          readBytes += count;
          return count;
        },
        async [Symbol.asyncDispose]() {
          openNow -= 1;
          await file[Symbol.asyncDispose]();
        },
      };
    },
  };
}

/** All of each, one after the other, and no more of the study. Returns their bytes. */
export async function readAll(reading: StudyReading, copies: readonly StagedCopy[]): Promise<readonly Buffer[]> {
  const contents: Buffer[] = [];
  for (const copy of copies) contents.push(Buffer.concat(await Array.fromAsync(reading.read(copy))));
  reading[Symbol.dispose]();
  return contents;
}
