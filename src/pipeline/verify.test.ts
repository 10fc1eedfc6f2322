import { describe, expect, it } from "vitest";
import type { Archive, ListedInstance, RetrieveRequest, StudyListing } from "../archive/archive.ts";
import { createRefusals } from "../archive/refusals.ts";
import { parseSeriesInstanceUid, parseSopInstanceUid, parseStudyInstanceUid } from "../dicom/uid.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { ErrorCode } from "../errors/registry.ts";
import type { JobChange } from "../store/records.ts";
import { retrieve } from "./retrieve.ts";
import type { RunRecall, StepContext } from "./step.ts";
import { createStudyLocks } from "./study-locks.ts";
import { verify } from "./verify.ts";

const STUDY = parseStudyInstanceUid("1.2.3");

function instance(number: number): ListedInstance {
  return {
    seriesInstanceUid: parseSeriesInstanceUid("1.2.3.1"),
    sopInstanceUid: parseSopInstanceUid(`1.2.3.1.${number}`),
    sopClassUid: undefined,
  };
}

/** A study of three, asked for and verified in one run. */
function scene({
  withholds = [],
  unlisted,
  counts,
  series,
  refuses,
  isFull = false,
}: {
  readonly withholds?: readonly number[];
  readonly unlisted?: number;
  /** How many instances it says there are, where it names none. */
  readonly counts?: number;
  readonly series?: readonly string[];
  /** What we do not take, and by which of its UIDs it is known; the archive then says of its whole request that it failed. */
  readonly refuses?: { readonly uids: readonly string[]; readonly failsWith: ErrorCode; readonly why?: ErrorCode };
  readonly isFull?: boolean;
} = {}) {
  const held = [1, 2, 3].map(instance);
  const staged: ListedInstance[] = [];
  const asked: string[] = [];
  const written: JobChange[] = [];
  const refusals = createRefusals();
  const studyLocks = createStudyLocks();
  let nowMs = 0;
  let isFirst = true;
  const archive: Pick<Archive, "name" | "listStudy" | "retrieve"> = {
    name: "pacs",
    async listStudy(): Promise<StudyListing> {
      asked.push("list");
      if (counts !== undefined) return { kind: "count", count: counts };
      return { kind: "instances", instances: [...held], ...(unlisted === undefined ? {} : { unlisted }) };
    },
    async retrieve({ instances }: RetrieveRequest) {
      asked.push(instances === undefined ? "study" : `${instances.length} instances`);
      if (refuses !== undefined) {
        refusals.noteRefusal(refuses.uids, refuses.why ?? "INSTANCE_MISMATCH");
        throw new GatewayError(refuses.failsWith);
      }
      const left = withholds.map((number) => `${instance(number).sopInstanceUid}`);
      const sent = (instances ?? held).filter(({ sopInstanceUid }) => !isFirst || !left.includes(sopInstanceUid));
      staged.push(...sent.filter((each) => !staged.includes(each)));
      isFirst = false;
      return { status: 0, completed: undefined, failed: undefined };
    },
  };
  const context = (recall: RunRecall): StepContext =>
    ({
      services: {
        staging: {
          isBelowReserve: async () => isFull,
          list: async () => [...staged],
          sync: async () => {},
          markSpent: async () => {},
        },
        studyLocks,
        refusals,
        retry: { attempts: 5, firstDelayMs: 1, maximumDelayMs: 1 },
        clock: { nowMs: () => nowMs },
      },
      project: { name: "trial", archives: [archive], partial: "hold" },
      job: { archive: "pacs", studyInstanceUid: STUDY, attempts: 0, seriesInstanceUids: series },
      signal: new AbortController().signal,
      recall,
      write: async (change: JobChange) => void written.push(change),
    }) as unknown as StepContext;
  return { held, staged, asked, written, refusals, context, pass: (durationMs: number) => (nowMs += durationMs) };
}

const received = (...numbers: readonly number[]) =>
  numbers.map((number) => ({ kind: "received", sopInstanceUid: `1.2.3.1.${number}`, seriesInstanceUid: "1.2.3.1" }));

it("verifies a study by the listing that it was fetched by, and accounts for it once", async () => {
  const of = scene();
  const recall: RunRecall = {};
  expect(await retrieve(of.context(recall))).toEqual({
    kind: "next",
    stage: "verifying",
    change: { ledger: received(1, 2, 3) },
  });
  expect(await verify(of.context(recall))).toMatchObject({
    kind: "next",
    stage: "deidentifying",
    change: { verdict: "complete", expected: 3 },
  });
  expect(of.asked).toEqual(["list", "study"]);
  expect(of.written.map(({ ledger = [] }) => ledger[0]?.kind)).toEqual(["expected"]);
});

it("asks for nothing while the disk has no room for it, and counts no try", async () => {
  const of = scene({ isFull: true });
  expect(await retrieve(of.context({}))).toMatchObject({ kind: "pause", code: "STAGING_FULL" });
  expect(of.asked).toEqual([]);
});

it("asks once for a study that two jobs want, whether they fetch it or look for what is missing", async () => {
  for (const step of [retrieve, verify]) {
    const of = scene();
    await Promise.all([step(of.context({})), step(of.context({}))]);
    expect(of.asked.filter((what) => what !== "list")).toEqual([step === retrieve ? "study" : "3 instances"]);
  }
});

it("leaves alone what lies in staging and is not of the account, and has the rest made durable at the end", async () => {
  const of = scene();
  of.staged.push(instance(9));
  const recall: RunRecall = {};
  expect(await retrieve(of.context(recall))).toMatchObject({ change: { ledger: received(1, 2, 3) } });
  expect(recall.fetched).toBe(STUDY);
  const events = [{ event: "verified", detail: { verdict: "complete", received: 3, missing: 0 } }];
  expect(await verify(of.context(recall))).toMatchObject({ change: { expected: 3, events } });
  expect(of.asked).toEqual(["list", "study"]);
});

it.each([
  { name: "when the fetching took its time", after: 10_001, forgets: false },
  { name: "in a run of its own", after: 0, forgets: true },
])("asks again what there is $name", async ({ after, forgets }) => {
  const of = scene();
  const recall: RunRecall = {};
  await retrieve(of.context(recall));
  of.held.push(instance(4));
  of.pass(after);
  const verified = await verify(of.context(forgets ? {} : recall));
  expect(verified).toMatchObject({ change: { verdict: "complete", expected: 4 } });
  expect(of.asked).toEqual(["list", "study", "list", "1 instances", "list"]);
});

it("asks for the missing only, and lists again what there is then", async () => {
  const of = scene({ withholds: [2] });
  const recall: RunRecall = {};
  expect(await retrieve(of.context(recall))).toMatchObject({ change: { ledger: received(1, 3) } });
  expect(await verify(of.context(recall))).toMatchObject({ change: { verdict: "complete", expected: 3 } });
  expect(of.asked).toEqual(["list", "study", "1 instances", "list"]);
  expect(of.written.flatMap(({ ledger = [] }) => ledger)).toEqual(expect.arrayContaining(received(2)));
});

it("accounts for what came late, after the study was accounted for", async () => {
  const of = scene({ withholds: [3] });
  const recall: RunRecall = {};
  await retrieve(of.context(recall));
  of.staged.push(instance(3));
  await verify(of.context(recall));
  expect(of.asked).toEqual(["list", "study"]);
  expect(of.written.flatMap(({ ledger = [] }) => ledger)).toEqual(expect.arrayContaining(received(1, 2, 3)));
});

it.each([
  { name: "the whole study", series: undefined, verdict: "partial", code: "INSTANCES_MISSING" },
  { name: "a series that they may belong to", series: ["1.2.3.1"], verdict: "unknown", code: "COMPLETENESS_UNKNOWN" },
])("never calls $name complete while instances exist that nobody listed", async ({ series, verdict, code }) => {
  const of = scene({ unlisted: 2, ...(series === undefined ? {} : { series }) });
  const recall: RunRecall = {};
  await retrieve(of.context(recall));
  expect(await verify(of.context(recall))).toMatchObject({ kind: "end", state: "held", code, change: { verdict } });
});

describe("an archive that counts instances and names none", () => {
  it("is asked again for the study, and told how many are missing", async () => {
    const of = scene({ counts: 5 });
    const recall: RunRecall = {};
    await retrieve(of.context(recall));
    await expect(verify(of.context(recall))).rejects.toMatchObject({
      code: "INSTANCES_MISSING",
      details: { missing: 2 },
    });
    expect(of.written.flatMap(({ events = [] }) => events)).toContainEqual({
      event: "fetching missing instances",
      detail: { missing: 2 },
    });
  });

  it("says nothing of some of its series, and only those are accounted for", async () => {
    const of = scene({ counts: 4, series: ["1.2.3.1"] });
    of.staged.push({ ...instance(9), seriesInstanceUid: parseSeriesInstanceUid("1.2.3.2") });
    const recall: RunRecall = {};
    expect(await retrieve(of.context(recall))).toMatchObject({ change: { ledger: received(1, 2, 3) } });
    expect(await verify(of.context(recall))).toMatchObject({ state: "held", change: { verdict: "unknown" } });
  });

  it("is told to have failed where it does, as nobody could name what never came", async () => {
    const of = scene({ counts: 3, refuses: { uids: [], failsWith: "ARCHIVE_UNABLE" } });
    await expect(retrieve(of.context({}))).rejects.toMatchObject({ code: "ARCHIVE_UNABLE" });
  });

  it("holds the study in the end, for its instances", async () => {
    const context = scene({ counts: 5 }).context({});
    await retrieve(context);
    expect(await verify({ ...context, job: { ...context.job, attempts: 4 } })).toMatchObject({
      ...{ kind: "end", state: "held", code: "INSTANCES_MISSING" },
      change: {
        ...{ verdict: "partial", expected: 5 },
        events: [{ event: "verified", detail: { verdict: "partial", received: 3, missing: 2 } }],
      },
    });
  });
});

describe("of series that were asked for, when the archive lists only some", () => {
  const series = ["1.2.3.1", "1.2.3.9", "1.2.3.9"];

  it("holds the study, and says how many are not there", async () => {
    const of = scene({ series });
    const recall: RunRecall = {};
    await retrieve(of.context(recall));
    expect(await verify(of.context(recall))).toMatchObject({
      ...{ kind: "end", state: "held", code: "SERIES_MISSING" },
      change: {
        verdict: "partial",
        events: [{ event: "verified", detail: { verdict: "partial", received: 3, missing: 0, absentSeries: 1 } }],
      },
    });
  });

  it("delivers what is there where the project wants that, and does not call it complete", async () => {
    const of = scene({ series });
    const context = of.context({});
    await retrieve(context);
    const project = { ...context.project, partial: "deliver" as const };
    expect(await verify({ ...context, project })).toMatchObject({
      ...{ kind: "next", stage: "deidentifying" },
      change: { verdict: "partial" },
    });
  });
});

describe("an archive that fails at what is missing", () => {
  it.each<ErrorCode>(["HTTP_NOT_FOUND", "HTTP_SERVER_FAILED", "RAD69_REPOSITORY_FAILED", "INSTANCE_INCOMPLETE"])(
    "withholds it where others of the study came, though it answers %s",
    async (failsWith) => {
      const of = scene({ refuses: { uids: [], failsWith } });
      of.staged.push(instance(1));
      await expect(verify(of.context({}))).rejects.toMatchObject({
        code: "INSTANCES_MISSING",
        details: { missing: 2 },
      });
    },
  );

  it.each<readonly [ErrorCode, boolean]>([
    ["HTTP_NOT_FOUND", false],
    ["HTTP_UNAUTHORISED", true],
    ["HTTP_CONNECTION_LOST", true],
  ])(
    "is told with its own code %s where that says nothing of the instances, or nothing came",
    async (code, isBegun) => {
      const of = scene({ refuses: { uids: [], failsWith: code } });
      if (isBegun) of.staged.push(instance(1));
      await expect(verify(of.context({}))).rejects.toMatchObject({ code });
    },
  );
});

describe("what we refused ourselves", () => {
  const ofStudy = [STUDY];
  const ofAll = [1, 2, 3].map((number) => `${instance(number).sopInstanceUid}`);

  it.each<readonly [ErrorCode, readonly string[]]>([
    ["ARCHIVE_UNABLE", ofAll],
    ["ARCHIVE_UNABLE", ofStudy],
    ["ARCHIVE_OUT_OF_RESOURCES", ofAll],
  ])("fails the study for good, though the archive answers as for %s", async (failsWith, uids) => {
    const of = scene({ refuses: { uids, failsWith } });
    const recall: RunRecall = {};
    await retrieve(of.context(recall));
    const verified = await verify(of.context(recall));
    expect(verified).toMatchObject({ kind: "end", state: "failed", code: "INSTANCE_MISMATCH" });
    expect(of.asked).toEqual(["list", "study", "3 instances", "list"]);
  });

  it("puts the study off, and counts no try, where we may take it soon", async () => {
    const of = scene({ refuses: { uids: ofAll, failsWith: "ARCHIVE_UNABLE", why: "STAGING_FULL" } });
    expect(await verify(of.context({}))).toMatchObject({ kind: "pause", code: "STAGING_FULL" });
  });

  it("ends nothing while others may still come", async () => {
    const of = scene({ refuses: { uids: ofAll.slice(1), failsWith: "ARCHIVE_UNABLE" } });
    await expect(verify(of.context({}))).rejects.toMatchObject({ code: "INSTANCES_MISSING" });
  });

  it("ends nothing while others may still come, where we know of the study alone that it was refused", async () => {
    const of = scene({ refuses: { uids: ofStudy, failsWith: "ARCHIVE_UNABLE" } });
    of.staged.push(instance(1));
    await expect(verify(of.context({}))).rejects.toMatchObject({ code: "INSTANCES_MISSING" });
  });

  it("holds nothing up that came whole all the same", async () => {
    const of = scene();
    of.staged.push(...of.held);
    of.refusals.noteRefusal(ofStudy, "STAGING_FULL");
    expect(await verify(of.context({}))).toMatchObject({ kind: "next", change: { verdict: "complete" } });
  });

  it("is no excuse for an archive that cannot be reached", async () => {
    const of = scene({ refuses: { uids: ofAll, failsWith: "CONNECTION_FAILED" } });
    await expect(retrieve(of.context({}))).rejects.toMatchObject({ code: "CONNECTION_FAILED" });
  });
});
