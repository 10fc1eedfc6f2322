import { expect, it } from "vitest";
import type { AvailabilityPolicy } from "../../archive/availability/policy.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { type ArchiveCondition, newCondition } from "../../store/archive-condition.ts";
import { contextOf } from "../context.testing.ts";
import type { ArchiveFacts, OperationsContext, ProjectFacts } from "../context.ts";
import { createOperations } from "../create-operations.ts";
import type { SearchQuery, SearchWish } from "./documents.ts";

/** A Friday. */
const NOW = "2026-03-27T12:00:00.000Z";
const neverAsked = (): never => {
  throw new GatewayError("INTERNAL", { why: "the archive was asked" });
};
const ALWAYS: AvailabilityPolicy = {
  ...{ windows: undefined, timeZone: "UTC", studiesPerMinute: undefined, bytesPerSecond: undefined },
};

interface Scene {
  readonly availability?: Partial<AvailabilityPolicy>;
  readonly condition?: Partial<ArchiveCondition>;
}

function operationsOf({ availability, condition }: Scene = {}) {
  const archive = { name: "vna", associations: 4, find: neverAsked, findStudies: neverAsked, echo: neverAsked };
  const governed = { ...archive, whileOpen: neverAsked };
  const facts = { archive, governed, availability: { ...ALWAYS, ...availability }, endpoint: "VNA@127.0.0.1:9" };
  const store = { archiveCondition: async () => ({ ...newCondition("vna"), ...condition }) };
  const context: OperationsContext = {
    ...contextOf({ role: "operator", told: [], store }),
    archives: new Map([["vna", facts as unknown as ArchiveFacts]]),
    projects: new Map([["lung", { name: "lung", archives: ["vna"] } as unknown as ProjectFacts]]),
    clock: { nowMs: () => Date.parse(NOW), sleep: () => Promise.resolve() },
  };
  return createOperations(context);
}

function estimateOf(queries: readonly SearchQuery[], scene?: Scene, more: Partial<SearchWish> = {}) {
  return operationsOf(scene).estimateSearch({ project: "lung", archive: "vna", queries, ...more });
}

const MARCH = { keys: [], from: "20260301", to: "20260331" };

it("counts a question for each query, and what more there may be, without asking the archive", async () => {
  expect(await estimateOf([MARCH])).toMatchObject({
    ...{ queries: 1, questions: { least: 1, forDates: 60, forSeries: 0, most: 61 } },
    ...{ associations: 4, secondsPerQuestion: null, leastSeconds: null, state: "open", startsAt: NOW, closesAt: null },
    retrieval: { studiesPerMinute: null, workSeconds: null, doneAt: null },
  });
  const [day, undated] = [{ keys: [], from: "20260301", to: "20260301" }, { keys: ["PatientID=7"] }];
  expect((await estimateOf([day, day, day])).questions).toEqual({ least: 3, forDates: 0, forSeries: 0, most: 3 });
  expect((await estimateOf([undated])).questions).toEqual({ least: 1, forDates: 4_999, forSeries: 0, most: 5_000 });
});

it("counts a question for each study where the archive may not tell modalities", async () => {
  const day = { keys: [], from: "20260301", to: "20260301", modality: "CT" };
  expect((await estimateOf([day])).questions).toEqual({ least: 1, forDates: 0, forSeries: 2_000, most: 2_001 });
  expect((await estimateOf([{ ...day, modality: "C*" }])).questions).toMatchObject({ forSeries: 0, most: 1 });
  expect((await estimateOf([day, day, day])).questions.most).toBe(5_000);
});

it("says when it can begin, and how long what it may find takes at the archive's rate", async () => {
  const availability = { windows: ["Mon-Fri 20:00-22:00"], studiesPerMinute: 1 };
  expect(await estimateOf([MARCH], { availability }, { maximumStudies: 180 })).toMatchObject({
    ...{ state: "closed", startsAt: "2026-03-27T20:00:00.000Z" },
    // Two hours on Friday, one on Monday.
    retrieval: { maximumStudies: 180, workSeconds: 10_800, doneAt: "2026-03-30T21:00:00.000Z" },
  });
  const paused = await estimateOf([MARCH], { availability, condition: { paused: true } }, { maximumStudies: 180 });
  expect(paused).toMatchObject({ state: "paused", startsAt: null, retrieval: { workSeconds: 10_800, doneAt: null } });
  const sparedUntilMs = Date.parse("2026-03-27T12:30:00.000Z");
  const spared = await estimateOf([MARCH], { condition: { sparedUntilMs } });
  expect(spared).toMatchObject({ state: "resting", startsAt: "2026-03-27T12:30:00.000Z" });
  const open = await estimateOf([MARCH], { availability: { windows: ["Mon-Fri 08:00-22:00"] } });
  expect(open).toMatchObject({ state: "open", startsAt: NOW, closesAt: "2026-03-27T22:00:00.000Z" });
});

it.each([
  ["everything", { queries: [{ keys: [] }] }, "SEARCH_TOO_BROAD"],
  ["everything without a cap", { queries: [{ keys: [] }], yesAll: true }, "SEARCH_TOO_BROAD"],
  ["another project", { queries: [MARCH], project: "heart" }, "PROJECT_UNKNOWN"],
  ["another archive", { queries: [MARCH], archive: "pacs" }, "ARCHIVE_UNKNOWN"],
])("refuses what the search would: %s", async (_, wish, code) => {
  await expect(estimateOf([], {}, wish)).rejects.toMatchObject({ code });
});
