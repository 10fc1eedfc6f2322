import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tags } from "../../src/dicom/dictionary/tags.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN, transferSyntaxOf } from "../../src/dicom/dictionary/transfer-syntaxes.ts";
import { readPart10File } from "../../src/dicom/reader.ts";
import { uidOf } from "../../src/dicom/values.ts";
import { fileMetaOf, writePart10 } from "../../src/dicom/writer.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { runProgram } from "./process.ts";

/** Angle brackets hold values, except where they name what the message is about. */
const NAMED_OR_VALUE = /(Element=|Module=|attribute )?<[^<>]*>/g;
/** `Character invalid for this VR = 'x' (0x78)`. */
const CHARACTER = /'[^']*' \((?:0x)?[0-9a-f]+\)/g;

/** What dciodvfy holds against an object, and how often, without the values: those differ once it is de-identified. */
export async function dciodvfyErrors(path: string): Promise<ReadonlyMap<string, number>> {
  const { output } = await runProgram("dciodvfy", [path], "/");
  const counts = new Map<string, number>();
  for (const line of output
    .split("\n")
    .filter((one) => one.startsWith("Error"))
    .map(withoutValues))
    counts.set(line, (counts.get(line) ?? 0) + 1);
  return counts;
}

/** Likewise of what came from elsewhere: dciodvfy does not read what is deflated. */
export async function dciodvfyErrorsOfSource(path: string): Promise<ReadonlyMap<string, number>> {
  await using file = await readPart10File(path);
  if (!transferSyntaxOf(file.transferSyntaxUid).deflated) return dciodvfyErrors(path);
  await using folder = await temporaryFolder();
  const chunks: Uint8Array[] = [];
  const { dataSet, source } = file;
  const transferSyntaxUid = EXPLICIT_VR_LITTLE_ENDIAN;
  const [sopClassUid = "", sopInstanceUid = ""] = [tags.SOPClassUID, tags.SOPInstanceUID].map((tag) =>
    uidOf(dataSet, tag),
  );
  const meta = fileMetaOf({ sopClassUid, sopInstanceUid, transferSyntaxUid });
  const sink = { write: (chunk: Uint8Array) => void chunks.push(Buffer.from(chunk)) };
  await writePart10(sink, { meta, dataSet, source, transferSyntaxUid });
  const inflated = join(folder.path, "inflated.dcm");
  await writeFile(inflated, Buffer.concat(chunks));
  // The folder is there as long as dciodvfy reads.
  return await dciodvfyErrors(inflated);
}

/** What is held against `after` that was not held against `before`, or not so often. */
export function newErrors(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): readonly string[] {
  return [...after].filter(([error, count]) => count > (before.get(error) ?? 0)).map(([error]) => error);
}

/** What dciodvfy holds against an output that it did not hold against its source, or not so often. */
export async function newDciodvfyErrors(source: string, output: string): Promise<readonly string[]> {
  return newErrors(await dciodvfyErrorsOfSource(source), await dciodvfyErrors(output));
}

function withoutValues(line: string): string {
  return line
    .replace(NAMED_OR_VALUE, (text, name?: string) => (name === undefined ? "<>" : text))
    .replace(CHARACTER, "");
}
