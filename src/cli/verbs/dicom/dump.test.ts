import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { sampleCt, writeSample } from "../../../../test/peers/sample-objects.ts";
import { runCli } from "../../../../test/support/cli.ts";

let folder = "";
let sound = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "radferry-dump-"));
  // 256 rows: 128 KiB of pixels, which is more than a dump holds in memory.
  sound = await writeSample(folder, sampleCt(1, 1, 1, 256));
});
afterEach(() => rm(folder, { recursive: true }));

it("shows a file for people", async () => {
  const { exitCode, stdout } = await runCli(["dicom", "dump", sound]);
  expect(exitCode).toBe(0);
  expect(stdout).toContain(`# ${sound}: ExplicitVRLittleEndian 1.2.840.10008.1.2.1\n`);
  expect(stdout).toContain("(0008,0050) SH [ACC1] # 4 AccessionNumber\n");
});

it("gives one document a line, with long values by reference", async () => {
  const { exitCode, stdout } = await runCli(["dicom", "dump", "--json", sound, sound]);
  expect(exitCode).toBe(0);
  const [line = "", ...others] = stdout.trimEnd().split("\n");
  expect(others).toEqual([line]);
  const document = JSON.parse(line);
  expect(document).toMatchObject({
    file: sound,
    transferSyntax: "1.2.840.10008.1.2.1",
    meta: { "00020010": { vr: "UI", Value: ["1.2.840.10008.1.2.1"] } },
    dataset: { "00100020": { vr: "LO", Value: ["PAT1"] } },
    findings: [],
  });
  const { size } = { size: (await readFile(sound)).length };
  expect(document.dataset["7FE00010"]).toEqual({ vr: "OW", BulkDataURI: `${sound}#${size - 131_072},131072` });
});

it("lists what is malformed with its findings, goes on with the others, and answers 3", async () => {
  const bytes = await readFile(sound);
  const truncated = join(folder, "truncated.dcm");
  await writeFile(truncated, bytes.subarray(0, bytes.length - 131_072 - 100));
  const nonsense = join(folder, "nonsense.txt");
  await writeFile(nonsense, "no DICOM object at all\n");
  const missing = join(folder, "missing.dcm");

  const { exitCode, stdout } = await runCli(["dicom", "dump", "--json", truncated, nonsense, missing, sound]);
  expect(exitCode).toBe(3);
  const documents = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(documents).toMatchObject([
    { file: truncated, dataset: { "00100020": { Value: ["PAT1"] } }, findings: [{ code: "DICOM_TRUNCATED" }] },
    { file: nonsense, transferSyntax: "", dataset: {}, findings: [{ code: "NOT_DICOM", offset: 0 }] },
    { file: missing, findings: [{ code: "FILE_UNREADABLE", message: "the file cannot be read (ENOENT)" }] },
    { file: sound, findings: [] },
  ]);
  for (const { findings } of documents)
    for (const finding of findings) expect(Object.keys(finding)).toEqual(["code", "offset", "message"]);

  const forPeople = await runCli(["dicom", "dump", truncated, nonsense]);
  expect(forPeople.exitCode).toBe(3);
  expect(forPeople.stdout).toContain(`# ${nonsense}: unknown\n# NOT_DICOM at 0: This is no DICOM object.\n`);
});

it("does not hold oddities against a file", async () => {
  const bytes = await readFile(sound);
  const bare = join(folder, "bare.dcm");
  await writeFile(bare, bytes.subarray(128));
  const { exitCode, stdout } = await runCli(["dicom", "dump", "--json", bare]);
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout).findings).toMatchObject([{ code: "PREAMBLE_MISSING" }]);
});
