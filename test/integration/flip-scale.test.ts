import { expect, it } from "vitest";
import { createFlipImaging } from "../../src/flip.ts";
import { PROJECT, QUERY, startFlipSite } from "../peers/flip-site.ts";
import type { PacsRequest } from "../peers/xnat/state.ts";

const STUDIES = 10_000;
const accessions = Array.from({ length: STUDIES }, (_, index) => `ACC${index}`);

it("finds the buckets of 10,000 studies in as many requests as XNAT has pages", async () => {
  await using site = await startFlipSite({ accessions });
  const { state } = site.xnat;
  const row = (index: number, facts: Partial<PacsRequest>): PacsRequest => ({
    id: index + 1,
    created: Date.now(),
    timestamp: Date.now(),
    username: "somebody",
    pacsId: 1,
    xnatProject: PROJECT,
    studyInstanceUid: `1.2.826.0.1.3680043.10.1561.${index}`,
    seriesIds: [`1.2.826.0.1.3680043.10.1561.${index}.1`],
    relabelMap: { Subject: `S${index}`, Session: `ACC${index}` },
    destinationAeTitle: "XNAT:8104",
    status: "QUEUED",
    priority: 10,
    queuedTime: Date.now(),
    accessionNumber: `ACC${index}`,
    patientId: `P${index}`,
    studyDate: "20240101",
    errorMessage: undefined,
    retries: 0,
    executedTime: undefined,
    ...facts,
  });
  const project = state.projects.get(PROJECT);
  for (const [index, label] of accessions.entries()) {
    const facts = { xsiType: "xnat:ctSessionData", uid: "", date: "", insertDate: "", subject: "S", project: PROJECT };
    const none = { scans: new Map(), resources: new Map(), assessors: new Map() };
    if (index < 4_000) project?.experiments.set(`E${index}`, { id: `E${index}`, label, ...facts, ...none });
    else if (index < 6_500) state.queued.push(row(index, {}));
    else if (index < 8_000) state.executed.push(row(index, { status: "ISSUED", executedTime: Date.now() }));
    else if (index < 9_000) state.executed.push(row(index, { status: "FAILED", executedTime: Date.now() }));
  }
  await using flip = createFlipImaging(site.environment);
  await flip.getImportStatus(PROJECT, QUERY);
  const start = site.xnat.requests.length;
  const status = await flip.getImportStatus(PROJECT, QUERY);
  const asked = site.xnat.requests.slice(start);
  const counts = Object.fromEntries(Object.entries(status).map(([list, { length }]) => [list, length]));
  expect(counts).toEqual({ successful: 4_000, queued: 2_500, processing: 1_500, failed: 1_000, queueFailed: 1_000 });
  // Pages of 1,000: three of the queue, three of the history (the third may be empty), and one request for each listing.
  expect(asked.filter((each) => each.includes("/import/queue"))).toHaveLength(3);
  expect(asked.filter((each) => each.includes("/import/history"))).toHaveLength(3);
  expect(asked).toHaveLength(10);
});
