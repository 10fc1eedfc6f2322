import { opendir } from "node:fs/promises";
import { join } from "node:path";
import { tags } from "../src/dicom/dictionary/tags.ts";
import { readPart10File } from "../src/dicom/reader.ts";
import { uidOf } from "../src/dicom/values.ts";

/**
 * `parse-main.ts FOLDER PASSES`: reads the header of every file, one after the other and on this thread, as its peers do; prints how long
 * it took and for how many.
 */
const [folder = "", passes = ""] = process.argv.slice(2);

const paths: string[] = [];
for await (const entry of await opendir(folder)) paths.push(join(folder, entry.name));
let files = 0;
const startedAtMs = performance.now();
for (let pass = 0; pass < Number(passes); pass += 1) {
  for (const path of paths) {
    await using file = await readPart10File(path, { stopBefore: tags.PixelData, blocking: true });
    if (uidOf(file.dataSet, tags.SOPInstanceUID) !== undefined) files += 1;
  }
}
process.stdout.write(`${JSON.stringify({ seconds: (performance.now() - startedAtMs) / 1_000, files })}\n`);
