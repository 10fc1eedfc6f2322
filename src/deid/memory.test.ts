import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { corpusFiles } from "../../test/support/corpus-truth.ts";
import type { DataSet } from "../dicom/data-set.ts";
import { neverAborted } from "../units/abort.ts";
import { createDeidentifier, type Deidentifier } from "./deidentifier.ts";
import { loadProfile } from "./profiles/load-profile.ts";
import { projectKeyOf } from "./pseudonyms/project-key.ts";
import { ctImage, part10Bytes, put, SOP_CLASSES, text } from "./testing/objects.ts";
import { createStudyVerification } from "./verification/study-verification.ts";

const corpus = process.env.RADFERRY_CORPUS;

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "deid-memory-"));
});
afterAll(() => rm(folder, { recursive: true }));

const engine = (): Deidentifier =>
  createDeidentifier({ profile: loadProfile("research"), key: projectKeyOf(Buffer.alloc(32, 5)), filters: {} });

async function outcomeOf(by: Deidentifier, path: string, study = createStudyVerification()): Promise<unknown> {
  const outputPath = join(folder, "out.dcm");
  const task = { path, outputPath, participantId: undefined, seriesInstanceCount: 9, study };
  const outcome = await by.instance(task, neverAborted());
  if (outcome.kind !== "deidentified") return outcome;
  const { file, links, summary } = outcome;
  const { findings } = await study.finish(neverAborted());
  return { file, links, summary, findings, bytes: (await readFile(outputPath)).toString("base64") };
}

/** One after the other by one engine, each twice, is as each by an engine of its own. */
async function expectTheSame(paths: readonly string[]): Promise<void> {
  const known = engine();
  for (const path of [...paths, ...paths])
    expect(await outcomeOf(known, path), path).toEqual(await outcomeOf(engine(), path));
}

const IMAGES: readonly (readonly [name: string, dataSet: DataSet])[] = [
  ["a slice", ctImage()],
  ["the next one", ctImage([text(0x00080018, "1.2.826.0.1.3680043.9.7.3.2"), text(0x00200013, "2")])],
  ["a patient whose name stands in a description", ctImage([text(0x00100010, "Lung^Axial")])],
  ["another patient", ctImage([text(0x00100010, "Took^Peregrin"), text(0x00100020, "MRN1")])],
  ["another study of the patient", ctImage([text(0x0020000d, "1.2.826.0.1.3680043.9.7.9")])],
  ["another SOP class", ctImage([text(0x00080016, SOP_CLASSES.mr), text(0x00080060, "MR")])],
  ["another device", ctImage([text(0x00080070, "Philips"), text(0x00081090, "Ingenia")])],
  ["a young patient", ctImage([text(0x00100030, "20100704"), text(0x00101010, "013Y")])],
  ["a description that is not ASCII", ctImage([text(0x00080005, "ISO_IR 192"), text(0x0008103e, "AXIAL LÜNG")])],
  ["another character set", ctImage([text(0x00080005, "ISO_IR 100"), text(0x0008103e, "AXIAL LUNG")])],
];

describe("what an engine remembers of earlier instances", () => {
  it("changes nothing of what becomes of later ones", async () => {
    const paths = await Promise.all(
      IMAGES.map(async ([name, dataSet]) => put(join(folder, `${name}.dcm`), await part10Bytes(dataSet))),
    );
    await expectTheSame(paths);
    await expectTheSame(paths.toReversed());
  });

  it("does not let a word stay that is the next patient's name", async () => {
    const path = async (name: string): Promise<string> =>
      put(join(folder, "named.dcm"), await part10Bytes(ctImage([text(0x00100010, name)])));
    const by = engine();
    const description = async (name: string): Promise<boolean> =>
      JSON.stringify(await outcomeOf(by, await path(name))).includes("findings") &&
      (await readFile(join(folder, "out.dcm"))).includes("LUNG");
    expect(await description("Brandybuck^Meriadoc")).toBe(true);
    expect(await description("Lung^Axial")).toBe(false);
    expect(await description("Brandybuck^Meriadoc")).toBe(true);
  });

  it("proves no output that is not what one before it was", async () => {
    const path = await put(join(folder, "in.dcm"), await part10Bytes(ctImage()));
    const outputPath = join(folder, "out.dcm");
    const by = engine();
    const verdict = () => by.verify({ path, outputPath, participantId: undefined }, neverAborted());
    await outcomeOf(by, path);
    const bytes = await readFile(outputPath);
    const at = bytes.indexOf("CHEST ");
    for (const [value, ok] of [
      ["CHEST ", true],
      ["BREAST", true],
      ["TOOK^P", false],
      ["CHEST ", true],
    ] as const) {
      bytes.write(value, at, "latin1");
      await writeFile(outputPath, bytes);
      expect((await verdict()).ok, value).toBe(ok);
    }
  });

  it.runIf(corpus !== undefined)(
    "changes nothing of the corpus",
    async () => {
      const files = (await corpusFiles(corpus ?? "")).filter(({ expected }) => expected === "ok");
      await expectTheSame(files.filter((_, index) => index % 8 === 0).map(({ path }) => join(corpus ?? "", path)));
    },
    60_000,
  );
});
