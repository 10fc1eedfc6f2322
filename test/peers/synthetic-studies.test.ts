import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { bytesSource, readPart10 } from "../../src/dicom/reader.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { runProgram } from "./process.ts";
import { requirePeer } from "./require-peer.ts";
import { syntheticStudy } from "./synthetic-studies.ts";

const MODALITIES = ["CT", "MR", "PT", "DX", "US"] as const;

it("makes the same bytes from the same seed, and other people from another", () => {
  const plan = { seed: 5, modality: "CT", instancesPerSeries: 2 } as const;
  const [first, again, other] = [syntheticStudy(plan), syntheticStudy(plan), syntheticStudy({ ...plan, seed: 6 })];
  expect(again.instances.map(({ file }) => file)).toEqual(first.instances.map(({ file }) => file));
  expect(other.patientId).not.toBe(first.patientId);
  expect(other.studyInstanceUid).not.toBe(first.studyInstanceUid);
});

it.each(MODALITIES)("puts every identifier it names into a %s study", (modality) => {
  const { instances, identifiers } = syntheticStudy({ seed: 7, modality, series: 2, instancesPerSeries: 2 });
  const bytes = Buffer.concat(instances.map(({ file }) => file));
  expect(identifiers.length).toBeGreaterThan(15);
  expect(identifiers.filter((identifier) => !bytes.includes(identifier))).toEqual([]);
});

it.each(MODALITIES)("writes %s files that read back without a finding", async (modality) => {
  const [instance] = syntheticStudy({ seed: 8, modality }).instances;
  const { findings, transferSyntaxUid } = await readPart10(bytesSource(instance?.file ?? Buffer.alloc(0)));
  expect(findings).toEqual([]);
  expect(transferSyntaxUid).toBe(instance?.transferSyntaxUid);
});

describe.skipIf(!requirePeer("dciodvfy"))("held against the standard by dciodvfy", () => {
  it.each(MODALITIES)("a %s instance has no error", async (modality) => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "instance.dcm");
    await writeFile(path, syntheticStudy({ seed: 9, modality }).instances[0]?.file ?? "");
    const { output } = await runProgram("dciodvfy", [path], folder.path);
    expect(output.split("\n").filter((line) => line.startsWith("Error"))).toEqual([]);
  });
});
