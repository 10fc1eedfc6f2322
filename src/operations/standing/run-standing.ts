import { rm } from "node:fs/promises";
import { AVAILABILITY_CODES } from "../../archive/availability/govern-archive.ts";
import { type CohortFile, readCohortFile } from "../../cohort/read-cohort.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import type { KnownStudy, StandingCohort, StandingCounts, StandingEnd, StandingRun } from "../../store/standing.ts";
import type { OperationsContext } from "../context.ts";
import { askArchive, checkWish } from "../search/ask-archive.ts";
import type { FoundStudy, SearchedQuery } from "../search/documents.ts";
import { createFoundFile, type FoundStudies } from "../search/found-studies.ts";
import { archiveOf } from "../search/of-project.ts";
import { pathOfCohortFile, pathOfFound, writeCohortFile } from "../search/search.ts";
import { withdrawnRows } from "../withdrawn-rows.ts";
import { timetableOf, wishOf } from "./create-standing-operations.ts";
import { dateIn, queriesOn } from "./relative-dates.ts";

/** Studies that the store is asked about at once. */
const BATCH = 200;

/**
 * Searches, and submits what is new or changed with the run's end in one step: cut short, it is the same run that is done again. `later`: the
 * archive may not be asked now.
 * @throws GatewayError STANDING_SEARCH_GREW, PROJECT_UNKNOWN, ARCHIVE_UNKNOWN, STORE_…; the signal's reason
 */
export async function runStandingCohort(
  context: OperationsContext,
  standing: StandingCohort,
  run: StandingRun,
  signal: AbortSignal,
): Promise<StandingRun | "later" | undefined> {
  const { store, clock } = context;
  await using opened = new AsyncDisposableStack();
  const found = await createFoundFile(await pathOfFound(context));
  opened.defer(() => found.remove());
  const code = await search(context, standing, found, signal);
  if (code !== undefined && AVAILABILITY_CODES.has(code)) return "later";
  const path = pathOfCohortFile(context);
  opened.defer(() => rm(path, { force: true }));
  const sorted = createSorting();
  await writeCohortFile(path, sorted.wanted(context, standing.name, found));
  const file = sorted.counts.fresh + sorted.counts.changed > 0 ? await read(context, standing, path) : undefined;
  const end = endOf(standing, run, { code, sorted, file, actor: context.actor });
  return await store.endStandingRun(standing.name, run.number, end, clock.nowMs());
}

/** Answers why something could not be asked. */
async function search(
  context: OperationsContext,
  standing: StandingCohort,
  found: FoundStudies,
  signal: AbortSignal,
): Promise<ErrorCode | undefined> {
  const { archive, governed } = archiveOf(context, standing);
  const nowMs = context.clock.nowMs();
  const wish = wishOf(standing);
  const queries = queriesOn(wish.queries, dateIn(timetableOf(standing).timeZone, nowMs));
  const checked = checkWish({ ...wish, archive: standing.archive, queries });
  const codes: ErrorCode[] = [];
  const tell = ({ code }: SearchedQuery): void => void (code === null || codes.push(code));
  const { isFull, cutDays } = await askArchive({ archive, governed, found, signal, nowMs }, checked, tell);
  const held = codes.find((code) => AVAILABILITY_CODES.has(code));
  if (held === undefined && isFull) throw new GatewayError("STANDING_SEARCH_GREW", { standing: standing.name });
  return held ?? codes[0] ?? (cutDays > 0 ? "FIND_LIMIT_REACHED" : undefined);
}

interface Sorting {
  readonly counts: { found: number; fresh: number; changed: number; known: number };
  /** Study Instance UIDs of those that are no jobs. */
  readonly fresh: ReadonlySet<string>;
  readonly again: string[];
  readonly seen: { readonly studyInstanceUid: string; readonly instances: number }[];
  /** What is to be fetched; the rest is known when it has ended. */
  wanted(context: OperationsContext, name: string, found: FoundStudies): AsyncGenerator<FoundStudy>;
}

function createSorting(): Sorting {
  const counts = { found: 0, fresh: 0, changed: 0, known: 0 };
  const fresh = new Set<string>();
  const again: string[] = [];
  const seen: { readonly studyInstanceUid: string; readonly instances: number }[] = [];
  const passed = new Set<string>();
  const isWanted = ({ studyInstanceUid, instances }: FoundStudy, known: KnownStudy): boolean => {
    counts.found += 1;
    const verdict = verdictOf(instances, known);
    counts[verdict] += 1;
    if (verdict === "fresh") fresh.add(studyInstanceUid);
    const isSettled = known.job === undefined || known.state === "delivered";
    if (instances !== null && isSettled && instances !== known.seen) seen.push({ studyInstanceUid, instances });
    if (verdict === "changed" && known.job !== undefined) again.push(known.job);
    return verdict !== "known";
  };
  return {
    counts,
    fresh,
    again,
    seen,
    async *wanted({ store }, name, found) {
      for await (const batch of batchesOf(found.after(0), passed)) {
        const uids = batch.map(({ studyInstanceUid }) => studyInstanceUid);
        const known = await store.knownStudies(name, uids);
        for (const [index, study] of batch.entries()) {
          const facts = known[index];
          if (facts !== undefined && isWanted(study, facts)) yield study;
        }
      }
    },
  };
}

/** What is under way, or waits for a person, is looked at again at a later run. */
function verdictOf(instances: number | null, { job, state, instances: brought, seen }: KnownStudy) {
  if (job === undefined) return "fresh";
  const before = seen ?? brought;
  return state === "delivered" && instances !== null && before !== undefined && instances > before
    ? "changed"
    : "known";
}

/** Each study once, whichever queries found it. */
async function* batchesOf(
  studies: AsyncIterable<FoundStudy>,
  passed: Set<string>,
): AsyncGenerator<readonly FoundStudy[]> {
  let batch: FoundStudy[] = [];
  for await (const study of studies) {
    if (passed.has(study.studyInstanceUid)) continue;
    passed.add(study.studyInstanceUid);
    batch.push(study);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

async function read(context: OperationsContext, { project }: StandingCohort, path: string): Promise<CohortFile> {
  const facts = context.projects.get(project);
  if (facts === undefined) throw new GatewayError("PROJECT_UNKNOWN", { project });
  const { accessionNumbersUnique, optOut } = facts;
  const isWithdrawn = await withdrawnRows(context, project);
  return await readCohortFile(path, { project, accessionNumbersUnique, optOut, isWithdrawn });
}

function endOf(
  { name, project }: StandingCohort,
  { number }: StandingRun,
  {
    code,
    sorted,
    file,
    actor,
  }: {
    readonly code: ErrorCode | undefined;
    readonly sorted: Sorting;
    readonly file: CohortFile | undefined;
    readonly actor: OperationsContext["actor"];
  },
): StandingEnd {
  const refused = file?.refused.length ?? 0;
  const counts: StandingCounts = { ...sorted.counts, fresh: Math.max(0, sorted.counts.fresh - refused), refused };
  const cohort = file && { project, columns: file.columns, requests: file.requests, refused: [] };
  // Of a study that is refused nothing is kept, who was withdrawn among them.
  const asked = new Set(file?.requests.map(({ studyInstanceUid }) => studyInstanceUid));
  const seen = sorted.seen.filter(({ studyInstanceUid: uid }) => asked.has(uid) || !sorted.fresh.has(uid));
  const detail = { standing: name, run: number };
  return {
    ...{ state: code === undefined ? "done" : "incomplete", code, counts, cohort },
    ...{ again: sorted.again, seen },
    audit: { event: "cohort-submitted", actor, outcome: "success", project, detail },
  };
}
