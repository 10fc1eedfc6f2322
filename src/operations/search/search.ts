import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Archive } from "../../archive/archive.ts";
import { csvLine } from "../../cohort/export.ts";
import { GatewayError, toGatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import { abortAfter } from "../../units/abort.ts";
import { archiveNamed } from "../archives.ts";
import { submitCohort } from "../cohorts.ts";
import type { OperationsContext } from "../context.ts";
import type { SubmitDocument } from "../documents.ts";
import type { FoundFile, SearchDocument } from "../inquiries.ts";
import type { SearchedQuery, SearchSummary, SearchWish } from "./documents.ts";
import { type Question, questionOf, SEARCH_COLUMNS } from "./question.ts";
import { type Answered, askByWindows, type DateWindow, windowOf } from "./windows.ts";

/** Rows of one answer that are held before they are written; an archive that has more is asked by shorter ranges. */
const ROWS_PER_QUESTION = 10_000;
/** As many as a cohort file may have rows. */
const MAXIMUM_STUDIES = 500_000;
const MAXIMUM_QUESTIONS = 5_000;
const MAXIMUM_QUERIES = 2_000;
const QUESTION_TIMEOUT_MS = 300_000;
/** Files of processes that died; a search's own goes with it. */
const LEFT_BEHIND_MS = 24 * 3_600_000;
/** What archives are set to cut their answers at, often without saying so. Exactly as many answers are looked at again. */
const USUAL_CAPS: ReadonlySet<number> = new Set([
  ...[100, 200, 250, 256, 300, 400, 500, 512, 1_000, 1_024, 1_500, 2_000, 2_048, 2_500, 3_000, 4_000, 5_000, 10_000],
]);
/** How archives say that they will not answer so much; a shorter range may be answered. PS3.4 C.4.1.1.4. */
const REFUSED_FOR_SIZE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  ...(["FIND_LIMIT_REACHED", "ARCHIVE_OUT_OF_RESOURCES", "ARCHIVE_UNABLE", "DIMSE_FAILED", "TIMED_OUT"] as const),
]);

/** See `Operations.searchCohort`. */
export async function searchCohort(context: OperationsContext, wish: SearchWish): Promise<SearchDocument> {
  const { project, queries, yesAll = false, maximumStudies } = wish;
  const facts = context.projects.get(project);
  if (facts === undefined) throw new GatewayError("PROJECT_UNKNOWN", { project });
  const { archive } = archiveNamed(context, wish.archive);
  if (!facts.archives.includes(wish.archive)) throw new GatewayError("ARCHIVE_UNKNOWN", { archive: wish.archive });
  if (queries.length === 0 || queries.length > MAXIMUM_QUERIES)
    throw new GatewayError("SEARCH_QUERY_INVALID", {
      problem: `1 to ${MAXIMUM_QUERIES} queries`,
      queries: queries.length,
    });
  const questions = queries.map((query, index) => questionOf(query, index + 1));
  const broad = questions.findIndex(({ asksForAll }) => asksForAll);
  if (broad !== -1 && !(yesAll && maximumStudies !== undefined))
    throw new GatewayError("SEARCH_TOO_BROAD", { query: broad + 1 });
  const detail = { archive: wish.archive, queries: queries.length };
  await context.audit.record({
    event: "cohort-searched",
    actor: context.actor,
    outcome: "success",
    project,
    detail,
  });
  const file = wish.countOnly === true ? undefined : await makeFile(context);
  const subject = { project, archive: wish.archive, total: queries.length, file };
  return context.inquiries.beginSearch(subject, async (tell, signal) => {
    await using found = file === undefined ? undefined : await open(file.path, "a", 0o600);
    const search: Search = {
      archive,
      wish,
      found,
      signal,
      nowMs: context.clock.nowMs(),
      maximumStudies: Math.min(maximumStudies ?? MAXIMUM_STUDIES, MAXIMUM_STUDIES),
      counts: { studies: 0, questions: 0, passedOver: 0, cutDays: 0, unfinished: 0 },
    };
    await found?.writeFile(csvLine(SEARCH_COLUMNS));
    for (const [index, question] of questions.entries()) tell(await searchOne(search, question, index + 1));
    await found?.sync();
    return summaryOf(search);
  });
}

interface Search {
  readonly archive: Archive;
  readonly wish: SearchWish;
  /** Undefined: nothing is kept. */
  readonly found: FileHandle | undefined;
  readonly signal: AbortSignal;
  readonly nowMs: number;
  readonly maximumStudies: number;
  readonly counts: { studies: number; questions: number; passedOver: number; cutDays: number; unfinished: number };
}

function summaryOf({ counts, wish, found }: Search): SearchSummary {
  const { unfinished, ...told } = counts;
  const isComplete = unfinished === 0 && counts.cutDays === 0;
  return { queries: wish.queries.length, ...told, isComplete, isKept: found !== undefined };
}

/** What the archive refuses ends this query; the others are asked. */
async function searchOne(search: Search, question: Question, number: number): Promise<SearchedQuery> {
  const { counts, found, wish, signal } = search;
  const before = { ...counts };
  const { from, to } = wish.queries[number - 1] ?? { from: undefined, to: undefined };
  const span = windowOf(from, to, search.nowMs);
  let code: ErrorCode | null = null;
  try {
    for await (const { rows, isCut } of askByWindows(span, question.isDated, (window) =>
      ask(search, question, window),
    )) {
      const room = search.maximumStudies - counts.studies;
      const taken = rows.slice(0, room);
      counts.studies += taken.length;
      if (isCut) counts.cutDays += 1;
      await found?.writeFile(taken.map(csvLine).join(""));
      if (taken.length < rows.length) throw new GatewayError("FIND_LIMIT_REACHED", { by: "us" });
    }
  } catch (thrown) {
    signal.throwIfAborted();
    code = toGatewayError(thrown).code;
    if (code === "INTERNAL") throw thrown;
    counts.unfinished += 1;
  }
  const { studies, questions, cutDays } = before;
  return {
    number,
    studies: counts.studies - studies,
    questions: counts.questions - questions,
    cutDays: counts.cutDays - cutDays,
    code,
  };
}

/** @throws GatewayError SEARCH_TOO_LONG; what the archive refuses a single day with */
async function ask(
  { archive, counts, wish, signal }: Search,
  question: Question,
  window: DateWindow | undefined,
): Promise<Answered<readonly string[]>> {
  if (counts.questions >= MAXIMUM_QUESTIONS) throw new GatewayError("SEARCH_TOO_LONG", { limit: MAXIMUM_QUESTIONS });
  counts.questions += 1;
  const rows: (readonly string[])[] = [];
  let answers = 0;
  let passedOver = 0;
  using limited = abortAfter(QUESTION_TIMEOUT_MS, signal);
  try {
    for await (const answer of archive.find(question.identifier(window), ROWS_PER_QUESTION, limited)) {
      answers += 1;
      const row = question.rowOf(answer);
      if (row === undefined) passedOver += 1;
      else rows.push(row);
    }
  } catch (thrown) {
    signal.throwIfAborted();
    const { code } = toGatewayError(thrown);
    const canBeDivided = window === undefined || window.first < window.last;
    if (!REFUSED_FOR_SIZE.has(code) || (!canBeDivided && code !== "FIND_LIMIT_REACHED")) throw thrown;
    return { rows, isCut: true };
  }
  counts.passedOver += passedOver;
  const isCut = answers >= (wish.archiveCap ?? ROWS_PER_QUESTION) || USUAL_CAPS.has(answers);
  return { rows, isCut };
}

async function makeFile({ home, random, clock }: OperationsContext): Promise<FoundFile> {
  const folder = join(home, "searches");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const name of await readdir(folder)) {
    const { mtimeMs } = await stat(join(folder, name)).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (clock.nowMs() - mtimeMs > LEFT_BEHIND_MS) await rm(join(folder, name), { force: true });
  }
  const path = join(folder, `${Buffer.from(random.bytes(12)).toString("hex")}.csv`);
  return { path, remove: () => rm(path, { force: true }) };
}

/** See `Operations.searchResult`. That it is given out is written down first. */
export async function* searchResult(
  { inquiries, actor, audit }: OperationsContext,
  id: string,
): AsyncGenerator<Uint8Array> {
  const { project, path } = inquiries.found(id, actor);
  await audit.record({ event: "cohort-searched", actor, outcome: "success", project, detail: { given: true } });
  yield* createReadStream(path);
}

/** See `Operations.submitSearch`. */
export async function submitSearch(context: OperationsContext, id: string): Promise<SubmitDocument> {
  const { project, path } = context.inquiries.found(id, context.actor);
  return await submitCohort(context, path, project);
}
