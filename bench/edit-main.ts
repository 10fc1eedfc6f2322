import { opendir } from "node:fs/promises";
import { join } from "node:path";
import { tags } from "../src/dicom/dictionary/tags.ts";
import { editPart10File } from "../src/dicom/edit.ts";
import { textElement } from "../src/dicom/values.ts";

/**
 * `edit-main.ts IN OUT`: replaces four elements and removes one in every file, one after the other and on this
 * thread, as its peers do; prints how long it took.
 */
const [input = "", output = ""] = process.argv.slice(2);

const names: string[] = [];
for await (const entry of await opendir(input)) names.push(entry.name);
const dataSet = new Map([
  [tags.PatientName, textElement(tags.PatientName, "Anonymous")],
  [tags.PatientID, textElement(tags.PatientID, "SUBJECT-0001")],
  [tags.AccessionNumber, textElement(tags.AccessionNumber, "0000")],
  [tags.InstitutionName, textElement(tags.InstitutionName, "Somewhere")],
  [tags.PatientAddress, undefined],
]);
const startedAtMs = performance.now();
for (const name of names) {
  const options = { stopBefore: tags.PixelData, blocking: true };
  await editPart10File(join(input, name), join(output, name), () => ({ dataSet }), options);
}
process.stdout.write(
  `${JSON.stringify({ seconds: (performance.now() - startedAtMs) / 1_000, files: names.length })}\n`,
);
