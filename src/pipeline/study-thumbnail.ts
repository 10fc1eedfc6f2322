import { thumbnailOf } from "../deid/pixels/thumbnail.ts";
import { readPart10File } from "../dicom/reader.ts";
import type { DeidentifiedFile } from "../staging/deidentified-file.ts";

/** Series that are looked at before a study goes without a picture. */
const SERIES_LIMIT = 3;
/** The headers of larger ones take long to read. */
const LARGEST_FILE_BYTES = 256 << 20;
/** One of 128 by 128 pixels has less than 20 KiB, whatever is in it. */
const LARGEST_PNG_BYTES = 64 << 10;

/**
 * PNG of an instance in the middle of a study's largest series, or of its next ones; null when none can be made. Of what was verified and is
 * about to leave, and of nothing else: no study waits for it, or fails with it.
 */
export async function thumbnailOfStudy(
  files: readonly DeidentifiedFile[],
  signal: AbortSignal,
): Promise<Uint8Array | null> {
  const bySeries = Map.groupBy(files, ({ seriesInstanceUid }) => seriesInstanceUid);
  const series = [...bySeries.values()].sort((a, b) => b.length - a.length).slice(0, SERIES_LIMIT);
  for (const instances of series) {
    signal.throwIfAborted();
    const file = instances[Math.floor(instances.length / 2)];
    if (file === undefined || file.sizeBytes > LARGEST_FILE_BYTES) continue;
    const png = await thumbnailOfFile(file.path).catch(() => undefined);
    if (png !== undefined && png.length <= LARGEST_PNG_BYTES) return png;
  }
  return null;
}

async function thumbnailOfFile(path: string): Promise<Uint8Array | undefined> {
  await using output = await readPart10File(path);
  const png = await thumbnailOf(output);
  return typeof png === "string" ? undefined : png;
}
