import { expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import type { DataSet } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { parseSeriesInstanceUid, parseSopInstanceUid } from "../../dicom/uid.ts";
import { dataSetOfTexts, textOf } from "../../dicom/values.ts";
import { createManualClock } from "../../units/manual-clock.testing.ts";
import type { Archive, ListedInstance, RetrieveRequest } from "../archive.ts";
import { type FolderStorage, openFolderStorage } from "./folder-storage.ts";
import { createScriptArchive } from "./script-archive.ts";

const LISTED: readonly ListedInstance[] = ["1.2.1.1", "1.2.1.2", "1.2.1.3"].map((uid) => ({
  seriesInstanceUid: parseSeriesInstanceUid("1.2.1"),
  sopInstanceUid: parseSopInstanceUid(uid),
  sopClassUid: "1.2.840.10008.5.1.4.1.1.2",
}));

interface Scene {
  readonly archive: Archive;
  readonly asked: string[];
  readonly requests: RetrieveRequest[];
  /** What each retrieval brings in turn. */
  brings: readonly (readonly string[])[];
}

/** Lists one study of one series; what is retrieved appears in the storage. */
function scene(storage: () => FolderStorage | undefined): Scene {
  const asked: string[] = [];
  const requests: RetrieveRequest[] = [];
  const answers: Readonly<Record<string, readonly DataSet[]>> = {
    STUDY: [dataSetOfTexts([[tags.StudyInstanceUID, "1.2"]]), dataSetOfTexts([[tags.StudyInstanceUID, "../x"]])],
    SERIES: [
      dataSetOfTexts([
        [tags.StudyInstanceUID, "1.2"],
        [tags.SeriesInstanceUID, "1.2.1"],
        [tags.Modality, "CT"],
      ]),
      dataSetOfTexts([
        [tags.StudyInstanceUID, "9.9"],
        [tags.SeriesInstanceUID, "9.9.1"],
      ]),
    ],
    IMAGE: LISTED.map(({ sopInstanceUid }) => dataSetOfTexts([[tags.SOPInstanceUID, sopInstanceUid]])),
  };
  const made: Scene = {
    asked,
    requests,
    brings: [LISTED.map(({ sopInstanceUid }) => sopInstanceUid)],
    archive: {
      name: "vna",
      kind: "dimse",
      capabilities: { search: "itself", retrieves: "instance", connects: "us" },
      associations: 1,
      echo: async () => {},
      findStudies: async () => [],
      async *find(identifier) {
        const level = textOf(identifier, tags.QueryRetrieveLevel) ?? "";
        asked.push(level);
        yield* answers[level] ?? [];
      },
      listStudy: async () => ({ kind: "instances", instances: LISTED }),
      async retrieve(request) {
        const brought = made.brings[requests.length] ?? [];
        requests.push(request);
        const written = storage()?.written as object[] | undefined;
        const { studyInstanceUid } = request;
        for (const sopInstanceUid of brought)
          written?.push({ studyInstanceUid, seriesInstanceUid: "1.2.1", sopInstanceUid });
        return { status: 0, completed: brought.length, failed: 0 };
      },
      rehearseRetrieval: async () => ({ kind: "nothing-to-try" }),
      async [Symbol.asyncDispose]() {},
    },
  };
  return made;
}

it("asks for series and instances only when they are gone through, and drops answers of others", async () => {
  await using folder = await temporaryFolder();
  const storage = await openFolderStorage({ folder: folder.path });
  const { archive, asked } = scene(() => undefined);
  const script = createScriptArchive({ archive, storage, clock: createManualClock() });
  const studies = await Array.fromAsync(script.find({ PatientID: "1" }));
  expect(studies.map(({ studyInstanceUid }) => studyInstanceUid)).toEqual(["1.2"]);
  expect(asked).toEqual(["STUDY"]);
  const series = await Array.fromAsync(studies[0]?.series() ?? []);
  expect(series.map((each) => [each.seriesInstanceUid, each.text("Modality")])).toEqual([["1.2.1", "CT"]]);
  expect(asked).toEqual(["STUDY", "SERIES"]);
  const instances = await Array.fromAsync(studies[0]?.instances() ?? []);
  expect(instances.map(({ sopInstanceUid }) => sopInstanceUid)).toEqual(LISTED.map((each) => each.sopInstanceUid));
});

it("answers the same question from memory until that expires, also a day later", async () => {
  await using folder = await temporaryFolder();
  const storage = await openFolderStorage({ folder: folder.path });
  const { archive, asked } = scene(() => undefined);
  const clock = createManualClock();
  const script = createScriptArchive({ archive, storage, clock, cacheExpiryMs: 600_000 });
  const search = (patient: string) => Array.fromAsync(script.find({ PatientID: patient }));
  await search("1");
  await search("1");
  await search("2");
  expect(asked).toHaveLength(2);
  await clock.advance(86_400_000 + 1_000);
  await search("1");
  expect(asked).toHaveLength(3);
});

it("does not remember a list that was left in the middle", async () => {
  await using folder = await temporaryFolder();
  const storage = await openFolderStorage({ folder: folder.path });
  const { archive, asked } = scene(() => undefined);
  const script = createScriptArchive({ archive, storage, clock: createManualClock(), cacheExpiryMs: 600_000 });
  for await (const _ of script.find({})) break;
  await Array.fromAsync(script.find({}));
  expect(asked).toHaveLength(2);
});

it.each([
  [[["1.2.1.1", "1.2.1.2", "1.2.1.3"]], "complete", [], 1],
  [[["1.2.1.1"], ["1.2.1.3", "1.2.1.2"]], "complete", [], 2],
  [[["1.2.1.1"], []], "partial", ["1.2.1.2", "1.2.1.3"], 2],
] as const)("asks again for the missing only: %j is %s", async (brings, verdict, missing, requests) => {
  await using folder = await temporaryFolder();
  const storage = await openFolderStorage({ folder: folder.path });
  const made = scene(() => storage);
  made.brings = brings;
  const script = createScriptArchive({ archive: made.archive, storage, clock: createManualClock() });
  const retrieved = await script.retrieve({ studyInstanceUid: "1.2" });
  expect(retrieved.verdict).toBe(verdict);
  expect(retrieved.missing.map(({ sopInstanceUid }) => sopInstanceUid)).toEqual(missing);
  expect(made.requests).toHaveLength(requests);
});

it.each([
  [["1.2.1.1", "1.2.1.2", "1.2.1.3"], "complete"],
  [["1.2.1.1", "1.2.1.2", "1.2.1.2"], "partial"],
])("counts an instance that is sent twice once: %j of three are %s", async (brings, verdict) => {
  await using folder = await temporaryFolder();
  const storage = await openFolderStorage({ folder: folder.path });
  const made = scene(() => storage);
  made.brings = [brings];
  const archive: Archive = { ...made.archive, listStudy: async () => ({ kind: "count", count: 3 }) };
  const script = createScriptArchive({ archive, storage, clock: createManualClock() });
  expect((await script.retrieve({ studyInstanceUid: "1.2" })).verdict).toBe(verdict);
});

it.each([
  ["a study of which it has more than it can name", {}, { instances: LISTED, unlisted: 1 }, "partial"],
  ["a series of such a study", { seriesInstanceUid: "1.2.1" }, { instances: LISTED, unlisted: 1 }, "unknown"],
  ["a study of which it has nothing", {}, { instances: [] }, "partial"],
  ["a series that it does not have", { seriesInstanceUid: "1.2.9" }, { instances: LISTED }, "partial"],
] as const)("calls nothing complete of %s", async (_, what, listing, verdict) => {
  await using folder = await temporaryFolder();
  const storage = await openFolderStorage({ folder: folder.path });
  const made = scene(() => storage);
  const archive: Archive = { ...made.archive, listStudy: async () => ({ kind: "instances", ...listing }) };
  const script = createScriptArchive({ archive, storage, clock: createManualClock() });
  expect((await script.retrieve({ studyInstanceUid: "1.2", ...what })).verdict).toBe(verdict);
});

it("tells studies apart that are retrieved at once", async () => {
  await using folder = await temporaryFolder();
  const storage = await openFolderStorage({ folder: folder.path });
  const made = scene(() => storage);
  made.brings = [["1.2.1.1"], ["1.3.1.1", "1.3.1.2"]];
  const archive: Archive = { ...made.archive, listStudy: async () => ({ kind: "count", count: 2 }) };
  const script = createScriptArchive({ archive, storage, clock: createManualClock() });
  const [short, whole] = await Promise.all([
    script.retrieve({ studyInstanceUid: "1.2" }),
    script.retrieve({ studyInstanceUid: "1.3" }),
  ]);
  expect(short).toMatchObject({ verdict: "partial", files: [{ sopInstanceUid: "1.2.1.1" }] });
  expect(whole).toMatchObject({
    verdict: "complete",
    files: [{ sopInstanceUid: "1.3.1.1" }, { sopInstanceUid: "1.3.1.2" }],
  });
});

it("takes no UID that is none", async () => {
  await using folder = await temporaryFolder();
  const storage = await openFolderStorage({ folder: folder.path });
  const script = createScriptArchive({ ...scene(() => storage), storage, clock: createManualClock() });
  await expect(script.retrieve({ studyInstanceUid: "../1" })).rejects.toThrow();
});
