import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { isMissing } from "../../units/durable-files.ts";
import type { Receipt, StudyDelivery } from "../destination.ts";

/** Beside the series folders. interfaces.md section 4. */
export const REPORT = "radferry-report.json";

const earlierReport = z.object({ files: z.array(z.object({ path: z.string() })) });

/** The de-identification report, the receipt, and the hash of each file; no identifier. */
export function reportText(delivery: StudyDelivery, receipt: Receipt): string {
  const { confirmedAtMs, ...facts } = receipt;
  const document = {
    ...delivery.report,
    pseudonym: delivery.pseudonym,
    studyInstanceUid: delivery.studyInstanceUid,
    receipt: { ...facts, confirmedAt: new Date(confirmedAtMs).toISOString() },
    files: delivery.files
      .map((file) => ({
        path: `${file.seriesInstanceUid}/${file.sopInstanceUid}.dcm`,
        sha256: file.sha256,
        sizeBytes: file.sizeBytes,
      }))
      .sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

/** Paths, from the study's folder, of what was delivered and concluded there before. */
export async function deliveredBefore(studyFolder: string): Promise<ReadonlySet<string>> {
  try {
    const { files } = earlierReport.parse(JSON.parse(await readFile(join(studyFolder, REPORT), "utf8")));
    return new Set(files.map(({ path }) => path));
  } catch (thrown) {
    // A report that is not ours vouches for nothing.
    if (isMissing(thrown) || thrown instanceof SyntaxError || thrown instanceof z.ZodError) return new Set();
    throw thrown;
  }
}
