import { rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type LinkedStudy, linkerTable } from "../../../cohort/linker-table.ts";
import { slugOf } from "../../../cohort/pixl-extract.ts";
import { GatewayError } from "../../../errors/gateway-error.ts";
import { openHttpClient } from "../../../network/http-client/http-client.ts";
import { readText } from "../../../network/http-client/read-body.ts";
import { makeFolders } from "../../../units/make-folders.ts";
import type { Database } from "../database/connection.ts";
import { type ExportedImage, exportedImages } from "../database/images.ts";
import type { Extract } from "./extract.ts";

export interface ExportPatientDataOptions {
  readonly database: Database;
  /** HOST_EXPORT_ROOT_DIR: it must be there. */
  readonly root: string;
  readonly exportApiUrl: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface PatientDataReport {
  readonly project: string;
  /** Rows of the linker table. */
  readonly linked: number;
  readonly file: string;
}

const NAME = "IMAGE_LINKER.parquet";
const CONNECT_MS = 10_000;
const LONGEST_ANSWER_BYTES = 65_536;

/**
 * Writes down which exported study stands for which procedures of an OMOP extract, then has PIXL's export API upload the extract.
 * @throws GatewayError PIXL_EXTRACT_INVALID, FOLDER_NOT_WRITABLE, PIXL_EXPORT_REFUSED, PIXL_DATABASE_…; HttpError
 */
export async function exportPatientData(
  { rows, all, isOmop }: Extract,
  options: ExportPatientDataOptions,
): Promise<PatientDataReport> {
  const message = rows[0]?.message;
  if (!isOmop || message === undefined) throw new GatewayError("PIXL_EXTRACT_INVALID", { fault: "no-folder" });
  const { projectName: project, extractGeneratedTimestamp: generatedAt } = message;
  const links = linkedStudies(all, await exportedImages(options.database, project));
  const folder = join(options.root, project, "all_extracts", slugOf(generatedAt), "radiology");
  const file = await writeTable(options.root, folder, linkerTable(links));
  await askForUpload({ project_name: project, extract_datetime: generatedAt }, options);
  return { project, linked: links.length, file };
}

/** By MRN and accession number, as in PIXL; of several images, the one of the row's own UID if there is one. */
function linkedStudies(rows: Extract["all"], images: readonly ExportedImage[]): readonly LinkedStudy[] {
  const imagesOf = Map.groupBy(images, ({ mrn, accessionNumber }) => JSON.stringify([mrn, accessionNumber]));
  const links = rows.flatMap(({ message }): readonly LinkedStudy[] => {
    const { mrn, accessionNumber, studyUid, procedureOccurrenceId } = message;
    const found = imagesOf.get(JSON.stringify([mrn, accessionNumber])) ?? [];
    const own = found.filter((image) => studyUid !== "" && image.studyUid === studyUid);
    return (own.length > 0 ? own : found).map(({ pseudoStudyUid }) => ({
      procedureOccurrenceId: BigInt(procedureOccurrenceId ?? 0),
      pseudoStudyUid,
    }));
  });
  return links;
}

/** Whole or not at all. */
async function writeTable(root: string, folder: string, table: Uint8Array): Promise<string> {
  const file = join(folder, NAME);
  try {
    if (!(await stat(root)).isDirectory()) throw new RangeError("no folder");
    await makeFolders(folder);
    await writeFile(`${file}.part`, table, { flush: true });
    await rename(`${file}.part`, file);
  } catch (thrown) {
    throw new GatewayError("FOLDER_NOT_WRITABLE", { setting: "HOST_EXPORT_ROOT_DIR" }, thrown);
  }
  return file;
}

async function askForUpload(
  body: Readonly<Record<string, string>>,
  { exportApiUrl: baseUrl, timeoutMs, signal }: ExportPatientDataOptions,
): Promise<void> {
  const timeouts = { connectMs: CONNECT_MS, headersMs: timeoutMs, idleMs: timeoutMs };
  await using client = openHttpClient({ baseUrl, timeouts });
  await using response = await client.request({
    method: "POST",
    path: "export-patient-data",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    accepts: () => true,
    signal,
  });
  await readText(response, LONGEST_ANSWER_BYTES);
  if (response.status !== 200) throw new GatewayError("PIXL_EXPORT_REFUSED", { status: response.status });
}
