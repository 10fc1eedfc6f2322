import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { tags } from "../../src/dicom/dictionary/tags.ts";
import { textOf } from "../../src/dicom/values.ts";
import type { SearchDocument } from "../../src/operations/inquiries.ts";
import type { FoundStudy, SearchQuery, SearchSummary, SearchWish } from "../../src/operations/search/documents.ts";
import { startDcmqrscp } from "../peers/dcmtk.ts";
import { freePort } from "../peers/free-port.ts";
import { startOrthanc } from "../peers/orthanc.ts";
import { runProgram } from "../peers/process.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { syntheticStudy } from "../peers/synthetic-studies.ts";
import { openService } from "../support/service.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const STUDIES = Array.from({ length: 24 }, (_, index) =>
  syntheticStudy({
    ...{ modality: index % 3 === 0 ? "MR" : "CT", rows: 2, columns: 2, instancesPerSeries: 1, seed: 700 + index },
  }),
);
const INSTANCES = STUDIES.flatMap(({ instances }) => instances);
const STUDY = syntheticStudy({ modality: "CT", seed: 699 });
const DATES = INSTANCES.map(({ dataSet }) => textOf(dataSet, tags.StudyDate) ?? "");
const YEAR = { keys: [], from: "20240101", to: "20241231" };
const [dcmqrscp, storescu] = [requirePeer("dcmqrscp"), requirePeer("storescu")];

interface Searched {
  readonly summary: SearchSummary | null;
  readonly studies: readonly FoundStudy[];
}

interface SearchSite extends AsyncDisposable {
  searchFor(wish: Partial<SearchWish>): Promise<Searched>;
}

/** A gateway with that archive. */
async function openSearchSite(address: string): Promise<SearchSite> {
  const service = await openService({
    files: { key: "1".repeat(64) },
    settings: {
      dicom: { port: await freePort() },
      archives: [{ name: "pacs", kind: "dimse", address, retrieve: "get" }],
      destinations: [{ name: "store", kind: "folder", path: "store" }],
      projects: [{ name: "lung", archives: ["pacs"], destinations: ["store"], profile: "research", keyFile: "key" }],
    },
  });
  const { operations } = service.gateway;
  return {
    async searchFor(wish) {
      const { id } = await operations.searchCohort({ project: "lung", archive: "pacs", queries: [], ...wish });
      const { summary } = await vi.waitFor(
        async (): Promise<SearchDocument> => {
          const document = await operations.showInquiry(id);
          if (document.kind !== "search" || document.state === "running") throw new Error("not yet");
          return document;
        },
        { timeout: 20_000, interval: 20 },
      );
      return { summary, studies: await Array.fromAsync(operations.searchStudies(id, { after: 0, limit: 100 })) };
    },
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  };
}

describe.skipIf(!requirePeer("Orthanc"))("an Orthanc that gives five studies at a time", () => {
  it("is searched by ranges of days, by modality, by wildcard and by a pattern", async () => {
    await using orthanc = await startOrthanc({ aeTitle: "LIMITED", configuration: { LimitFindResults: 5 } });
    const url = `http://127.0.0.1:${orthanc.httpPort}/instances`;
    for (const { file } of INSTANCES)
      expect(await fetch(url, { method: "POST", body: new Uint8Array(file) })).toMatchObject({ status: 200 });
    await using site = await openSearchSite(`LIMITED@127.0.0.1:${orthanc.port}`);
    const all = await site.searchFor({ queries: [YEAR] });
    expect(all.summary).toMatchObject({ studies: 24, cutDays: 0, isComplete: true });
    expect(all.summary?.questions).toBeGreaterThan(5);
    const some = [
      { ...YEAR, modality: "MR" },
      { ...YEAR, description: "Thorax*" },
      { ...YEAR, description: "/^x/" },
    ];
    const { summary } = await site.searchFor({ queries: some });
    expect(summary).toMatchObject({ studies: 8 + 24, isComplete: true });
  });
});

describe.skipIf(!dcmqrscp || !storescu)("dcmtk's dcmqrscp", () => {
  it("is searched by ranges of days, by wildcards, by patient and by a pattern", async () => {
    await using folder = await temporaryFolder();
    const storageDir = join(folder.path, "storage");
    await mkdir(storageDir);
    await using archive = await startDcmqrscp({ aeTitle: "QRSCP", storageDir });
    const files = INSTANCES.map(({ sopInstanceUid }) => join(folder.path, `${sopInstanceUid}.dcm`));
    for (const [index, { file }] of INSTANCES.entries()) await writeFile(files[index] ?? "", file);
    const stored = await runProgram(
      "storescu",
      ["-aec", "QRSCP", "127.0.0.1", String(archive.port), ...files],
      folder.path,
    );
    expect(stored).toMatchObject({ exitCode: 0 });
    await using site = await openSearchSite(`QRSCP@127.0.0.1:${archive.port}`);
    const found = async (query: Partial<SearchQuery>): Promise<number | undefined> =>
      (await site.searchFor({ queries: [{ keys: [], ...query }] })).summary?.studies;

    const whole = await site.searchFor({ queries: [YEAR] });
    expect(whole.summary).toMatchObject({ studies: 24, questions: 1, studiesWithoutCount: 24, isComplete: true });
    // As many answers as the archive is said to give at most: the range is halved until each part has fewer.
    const parts = await site.searchFor({ queries: [YEAR], archiveCap: 24 });
    expect(parts.summary).toMatchObject({ studies: 24, cutDays: 0, isComplete: true });
    expect(parts.summary?.questions).toBeGreaterThan(2);
    const uidsOf = ({ studies }: Searched) => studies.map(({ studyInstanceUid }) => studyInstanceUid).toSorted();
    expect(uidsOf(parts)).toEqual(uidsOf(whole));
    const [day = ""] = DATES;
    expect(await found({ from: day, to: day })).toBe(DATES.filter((date) => date === day).length);
    expect(await found({ to: day })).toBe(DATES.filter((date) => date <= day).length);

    const [{ patientId, studyInstanceUid } = STUDY, other = STUDY] = STUDIES;
    expect(await found({ keys: [`PatientID=${patientId}`] })).toBe(1);
    expect(await found({ keys: [`PatientID=${patientId.slice(0, 4)}????`] })).toBe(1);
    expect(await found({ keys: [`StudyInstanceUID=${studyInstanceUid}\\${other.studyInstanceUid}`] })).toBe(2);
    expect(await found({ ...YEAR, description: "T?orax*" })).toBe(24);
    // It tells capital letters from small ones, and a text without wildcards is the whole text.
    expect(await found({ ...YEAR, description: "thorax*" })).toBe(0);
    expect(await found({ ...YEAR, description: "Thorax" })).toBe(0);
    expect(await found({ ...YEAR, description: "/^thorax of/i" })).toBe(24);
    // It does not know ModalitiesInStudy, which is optional, and answers as if it were not asked for (PS3.4 C.2.2.1.3): the series tell.
    const { summary, studies } = await site.searchFor({ queries: [{ ...YEAR, modality: "MR" }] });
    expect(summary).toMatchObject({ studies: 8, passedOver: 16, questions: 25, modalityUntold: 0, isComplete: true });
    expect(studies.map(({ modalities }) => modalities)).toEqual(Array(8).fill("MR"));
  });
});
