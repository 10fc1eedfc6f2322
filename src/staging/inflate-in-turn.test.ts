import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { sampleCt } from "../../test/peers/sample-objects.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import {
  DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
  EXPLICIT_VR_LITTLE_ENDIAN,
} from "../dicom/dictionary/transfer-syntaxes.ts";
import { bytesSource } from "../dicom/reader.ts";
import { encodeDataSet, encodeFileMeta } from "../dicom/writer.ts";
import { inspectInstance } from "../network/instance-files/inspect.ts";
import { inflateInTurn } from "../network/instance-files/read-in-turn.ts";
import { readHeldHeader, readStagedInstance } from "./read-staged-instance.ts";

function fileIn(transferSyntaxUid: string): Buffer {
  const { sopClassUid, sopInstanceUid, dataSet } = sampleCt(1, 1, 1);
  const meta = encodeFileMeta({ sopClassUid, sopInstanceUid, transferSyntaxUid });
  return Buffer.concat([meta, encodeDataSet(dataSet, transferSyntaxUid)]);
}

/** Reads by every way that instances come in, and answers which were done while another instance was inflated, and after it. */
async function readBesideAnother(file: Buffer): Promise<{ readonly meanwhile: number; readonly after: number }> {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "staged.dcm");
  await writeFile(path, file);
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const other = inflateInTurn(async ({ beforeInflating }) => {
    await beforeInflating?.();
    await released;
  }, undefined);
  let done = 0;
  const count = async (reading: Promise<unknown>): Promise<void> => {
    await reading;
    done += 1;
  };
  const all = [
    count(readStagedInstance(path)),
    count(readHeldHeader([file], path)),
    count(inspectInstance(bytesSource(file))),
  ];
  await Promise.race([Promise.all(all), new Promise((resolve) => setTimeout(resolve, 100))]);
  const meanwhile = done;
  release();
  await Promise.all([...all, other]);
  return { meanwhile, after: done };
}

it("instances that are sent are inflated one after the other, however many come at once", async () => {
  expect(await readBesideAnother(fileIn(DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN))).toEqual({ meanwhile: 0, after: 3 });
});

it("what is not deflated does not wait for that", async () => {
  expect(await readBesideAnother(fileIn(EXPLICIT_VR_LITTLE_ENDIAN))).toEqual({ meanwhile: 3, after: 3 });
});
