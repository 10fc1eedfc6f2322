import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import type { SearchDocument } from "../../src/operations/inquiries.ts";
import type { SearchWish } from "../../src/operations/search/documents.ts";
import { startOrthanc } from "../peers/orthanc.ts";
import { freePort } from "../peers/process.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { syntheticStudy } from "../peers/synthetic-studies.ts";
import { openService } from "../support/service.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const STUDIES = Array.from({ length: 24 }, (_, index) =>
  syntheticStudy({
    ...{ modality: index % 3 === 0 ? "MR" : "CT", rows: 2, columns: 2, instancesPerSeries: 1, seed: 700 + index },
  }),
);

describe.skipIf(!requirePeer("Orthanc"))("an Orthanc that gives five studies at a time", () => {
  it("is searched by ranges of days, by modality, by wildcard and by a pattern", async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, "key"), `${"1".repeat(64)}\n`, { mode: 0o600 });
    await using orthanc = await startOrthanc({ aeTitle: "LIMITED", configuration: { LimitFindResults: 5 } });
    const url = `http://127.0.0.1:${orthanc.httpPort}`;
    for (const { instances } of STUDIES)
      for (const { file } of instances) {
        const { status } = await fetch(`${url}/instances`, { method: "POST", body: new Uint8Array(file) });
        expect(status).toBe(200);
      }
    const address = `LIMITED@127.0.0.1:${orthanc.port}`;
    await using service = await openService({
      settings: {
        dicom: { port: await freePort() },
        archives: [{ name: "limited", kind: "dimse", address, retrieve: "get" }],
        destinations: [{ name: "store", kind: "folder", path: join(folder.path, "store") }],
        projects: [
          {
            ...{ name: "lung", archives: ["limited"], destinations: ["store"], profile: "research" },
            keyFile: join(folder.path, "key"),
          },
        ],
      },
    });
    const { operations } = service.gateway;
    const searchFor = async (wish: Partial<SearchWish>): Promise<Pick<SearchDocument, "summary">> => {
      const { id } = await operations.searchCohort({ project: "lung", archive: "limited", queries: [], ...wish });
      return await vi.waitFor(
        async () => {
          const document = await operations.showInquiry(id);
          if (document.kind !== "search" || document.state === "running") throw new Error("not yet");
          return document;
        },
        { timeout: 20_000, interval: 20 },
      );
    };
    const dated = { keys: [], from: "20240101", to: "20241231" };
    const all = await searchFor({ queries: [dated] });
    expect(all.summary).toMatchObject({ studies: 24, cutDays: 0, isComplete: true });
    expect(all.summary?.questions).toBeGreaterThan(5);
    const some = [
      { ...dated, modality: "MR" },
      { ...dated, description: "Thorax*" },
      { ...dated, description: "/^x/" },
    ];
    const { summary } = await searchFor({ queries: some });
    expect(summary).toMatchObject({ studies: 8 + 24, isComplete: true });
  });
});
