import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { inflateRawSync } from "node:zlib";
import { DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN } from "../../src/dicom/dictionary/transfer-syntaxes.ts";
import { bytesSource, readPart10 } from "../../src/dicom/reader.ts";

const REPORT = "radferry-report.json";

interface Report {
  readonly files: readonly { readonly path: string; readonly sha256: string; readonly sizeBytes: number }[];
}

/** Paths of the DICOM files below a destination's folder, and what is wrong with them by the reports beside them. */
export async function deliveredFiles(
  folder: string,
): Promise<{ readonly paths: readonly string[]; readonly problems: readonly string[] }> {
  const names = await readdir(folder, { recursive: true });
  const paths = names.filter((name) => name.endsWith(".dcm"));
  const problems: string[] = [];
  const reported = new Set<string>();
  for (const report of names.filter((name) => name.endsWith(REPORT))) {
    const { files } = JSON.parse(await readFile(join(folder, report), "utf8")) as Report;
    for (const { path, sha256, sizeBytes } of files) {
      const name = join(dirname(report), path);
      reported.add(name);
      const bytes = await readFile(join(folder, name)).catch(() => Buffer.alloc(0));
      if (bytes.length !== sizeBytes) problems.push(`${name} has another size than reported`);
      if (createHash("sha256").update(bytes).digest("hex") !== sha256) problems.push(`${name} has another content`);
    }
  }
  problems.push(...paths.filter((path) => !reported.has(path)).map((path) => `${path} is in no report`));
  return { paths: paths.map((path) => join(folder, path)), problems };
}

/** UIDs shorter than this are found by chance in pixels. */
const MINIMUM_UID_LENGTH = 12;
const UID_IN_BYTES = /[0-9]+(?:\.[0-9]+)+/g;

/** Paths (from `folder`) of files that hold one of the UIDs anywhere in their bytes. */
export async function filesWithUids(
  folder: string,
  paths: readonly string[],
  uids: ReadonlySet<string>,
): Promise<readonly string[]> {
  const searched = new Set([...uids].filter((uid) => uid.length >= MINIMUM_UID_LENGTH));
  const found: string[] = [];
  for (const path of paths) {
    const text = (await plainBytes(path)).toString("latin1");
    if (text.match(UID_IN_BYTES)?.some((uid) => searched.has(uid))) found.push(relative(folder, path));
  }
  return found;
}

/** The file, its data set inflated where it is deflated. */
async function plainBytes(path: string): Promise<Buffer> {
  const bytes = await readFile(path);
  const { transferSyntaxUid, dataSetOffset } = await readPart10(bytesSource(bytes));
  if (transferSyntaxUid !== DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN) return bytes;
  return Buffer.concat([bytes.subarray(0, dataSetOffset), inflateRawSync(bytes.subarray(dataSetOffset))]);
}
