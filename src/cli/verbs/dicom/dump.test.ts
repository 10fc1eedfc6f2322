import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { sampleCt, writeSample } from "../../../../test/peers/sample-objects.ts";
import { runCli } from "../../../../test/support/cli.ts";
import { tags } from "../../../dicom/dictionary/tags.ts";
import { DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN } from "../../../dicom/dictionary/transfer-syntaxes.ts";
import { bytesOf, dataSetOf, element, textElement } from "../../../dicom/values.ts";
import { encodeDataSet, encodeFileMeta } from "../../../dicom/writer.ts";

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
  const { BulkDataURI: uri } = document.dataset["7FE00010"];
  const { file, offset, length } = /^(?<file>.*)#(?<offset>\d+),(?<length>\d+)$/.exec(uri)?.groups ?? {};
  const bytes = await readFile(file ?? "");
  const pixels = bytesOf(sampleCt(1, 1, 1, 256).dataSet, tags.PixelData);
  expect(bytes.subarray(Number(offset)).subarray(0, Number(length))).toEqual(pixels);
});

it("gives long values of a deflated file inline, as they are nowhere in the file", async () => {
  const values = Buffer.alloc(100_000, "abc");
  const dataSet = dataSetOf([textElement(tags.PatientID, "PAT1"), element(tags.PixelData, "OW", values)]);
  const deflated = join(folder, "deflated.dcm");
  const { sopClassUid, sopInstanceUid } = { sopClassUid: "1.2.840.10008.5.1.4.1.1.7", sopInstanceUid: "1.2.3" };
  const syntax = DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN;
  const meta = encodeFileMeta({ sopClassUid, sopInstanceUid, transferSyntaxUid: syntax });
  await writeFile(deflated, Buffer.concat([meta, encodeDataSet(dataSet, syntax)]));
  const { exitCode, stdout } = await runCli(["dicom", "dump", "--json", deflated]);
  expect(exitCode).toBe(0);
  const { dataset } = JSON.parse(stdout);
  expect(dataset["00100020"]).toEqual({ vr: "LO", Value: ["PAT1"] });
  expect(Buffer.from(dataset["7FE00010"].InlineBinary, "base64").equals(values)).toBe(true);
});

it("tells of texts that are not in the character set that the file declares", async () => {
  const bytes = await readFile(sound);
  const wrong = join(folder, "wrong.dcm");
  // The second letter of the name in Latin-1, which no character set declares.
  const at = bytes.indexOf("Sample^Patient1");
  await writeFile(wrong, Buffer.concat([bytes.subarray(0, at + 1), Buffer.of(0xe9), bytes.subarray(at + 2)]));
  const { exitCode, stdout } = await runCli(["dicom", "dump", "--json", wrong]);
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout).findings).toMatchObject([
    { code: "TEXT_UNDECLARED", message: expect.stringContaining("(0010,0010)") },
  ]);
  const forPeople = await runCli(["dicom", "dump", wrong]);
  expect(forPeople.stdout).toContain("# TEXT_UNDECLARED at ");
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
