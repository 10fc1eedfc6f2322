import type { Archive } from "../../archive/archive.ts";
import type { GovernedArchive } from "../../archive/availability/govern-archive.ts";
import { GatewayError, toGatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import { abortAfter } from "../../units/abort.ts";
import { confirmModality, isUnsure } from "./confirm-modality.ts";
import type { SearchedQuery, SearchSummary, SearchWish } from "./documents.ts";
import type { FoundMark, FoundStudies } from "./found-studies.ts";
import { type Question, questionOf } from "./question.ts";
import { askByWindows, type DateWindow, windowOf } from "./windows.ts";

/** As many as a cohort file may have rows. */
export const MAXIMUM_STUDIES = 500_000;
/** On disk, of what one search found. */
const MAXIMUM_FOUND_BYTES = 256 * 1024 * 1024;
export const MAXIMUM_QUESTIONS = 5_000;
const MAXIMUM_QUERIES = 2_000;
/** Studies whose modality is asked for by itself, for one question. */
export const MAXIMUM_UNSURE = 2_000;
export const QUESTION_TIMEOUT_MS = 300_000;
/** What archives are set to cut their answers at, often without saying so. Exactly as many answers are looked at again. */
const USUAL_CAPS: ReadonlySet<number> = new Set([
  ...[100, 200, 250, 256, 300, 400, 500, 512, 1_000, 1_024, 1_500, 2_000, 2_048, 2_500, 3_000, 4_000, 5_000, 10_000],
  ...[20_000, 25_000, 50_000, 100_000],
]);
/** How archives say that they will not answer so much; a shorter range may be answered. PS3.4 C.4.1.1.4. */
const REFUSED_FOR_SIZE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  ...(["FIND_LIMIT_REACHED", "ARCHIVE_OUT_OF_RESOURCES", "ARCHIVE_UNABLE", "DIMSE_FAILED", "TIMED_OUT"] as const),
]);

/** What is asked, looked through before the archive hears of it. */
export type CheckedWish = Pick<SearchWish, "queries" | "maximumStudies" | "archiveCap"> & {
  readonly questions: readonly Question[];
};

/** @throws GatewayError SEARCH_QUERY_INVALID, SEARCH_TOO_BROAD, QUERY_KEY_… */
export function checkWish({
  queries,
  yesAll = false,
  maximumStudies,
  archiveCap,
}: Omit<SearchWish, "project">): CheckedWish {
  if (queries.length === 0 || queries.length > MAXIMUM_QUERIES)
    throw new GatewayError("SEARCH_QUERY_INVALID", {
      problem: `1 to ${MAXIMUM_QUERIES} queries`,
      queries: queries.length,
    });
  const questions = queries.map((query, index) => questionOf(query, index + 1));
  const broad = questions.findIndex(({ asksForAll }) => asksForAll);
  if (broad !== -1 && !(yesAll && maximumStudies !== undefined))
    throw new GatewayError("SEARCH_TOO_BROAD", { query: broad + 1 });
  return { queries, maximumStudies, archiveCap, questions };
}

export interface Asking {
  readonly archive: Archive;
  readonly governed: Pick<GovernedArchive, "whileOpen">;
  readonly found: FoundStudies;
  readonly signal: AbortSignal;
  readonly nowMs: number;
}

interface Search extends Asking {
  readonly wish: CheckedWish;
  readonly maximumStudies: number;
  readonly counts: {
    questions: number;
    passedOver: number;
    modalityUntold: number;
    cutDays: number;
    unfinished: number;
  };
  isFull: boolean;
}

export interface AskedSummary extends Omit<SearchSummary, "isKept"> {
  /** There is more than may be kept. */
  readonly isFull: boolean;
}

/** Asks all of it; what the archive refuses ends its query, and the others are asked. @param tell hears of each query */
export async function askArchive(
  asking: Asking,
  wish: CheckedWish,
  tell: (query: SearchedQuery) => void,
): Promise<AskedSummary> {
  const search: Search = {
    ...asking,
    wish,
    maximumStudies: Math.min(wish.maximumStudies ?? MAXIMUM_STUDIES, MAXIMUM_STUDIES),
    counts: { questions: 0, passedOver: 0, modalityUntold: 0, cutDays: 0, unfinished: 0 },
    isFull: false,
  };
  for (const [index, question] of wish.questions.entries()) tell(await askQuery(search, question, index + 1));
  await asking.found.flush();
  const { unfinished, ...counts } = search.counts;
  const { rows: studies, instances, withoutCount: studiesWithoutCount } = asking.found.mark;
  const isComplete = unfinished === 0 && counts.cutDays === 0;
  const { isFull } = search;
  return { queries: wish.queries.length, studies, instances, studiesWithoutCount, ...counts, isComplete, isFull };
}

async function askQuery(search: Search, question: Question, number: number): Promise<SearchedQuery> {
  const { counts, found, wish, signal } = search;
  const before = { ...counts, studies: found.mark.rows };
  const { from, to } = wish.queries[number - 1] ?? { from: undefined, to: undefined };
  let code: ErrorCode | null = null;
  try {
    const answers = askByWindows(windowOf(from, to, search.nowMs), {
      isBounded: question.isDated,
      ask: (window) => ask(search, question, window),
      drop: ({ before: mark }) => found.backTo(mark),
    });
    for await (const { isCut, isFull, passedOver, modalityUntold } of answers) {
      counts.passedOver += passedOver;
      counts.modalityUntold += modalityUntold;
      if (isCut) counts.cutDays += 1;
      if (isFull) search.isFull = true;
      if (isFull) throw new GatewayError("FIND_LIMIT_REACHED", { by: "us" });
    }
  } catch (thrown) {
    signal.throwIfAborted();
    code = toGatewayError(thrown).code;
    if (code === "INTERNAL") throw thrown;
    counts.unfinished += 1;
  }
  return {
    number,
    studies: found.mark.rows - before.studies,
    questions: counts.questions - before.questions,
    cutDays: counts.cutDays - before.cutDays,
    code,
  };
}

interface Asked {
  /** What was kept before it. */
  readonly before: FoundMark;
  readonly isCut: boolean;
  /** As much is kept as may be. */
  readonly isFull: boolean;
  readonly passedOver: number;
  readonly modalityUntold: number;
}

/** Each answer goes where it is kept as it comes. @throws GatewayError SEARCH_TOO_LONG; what the archive refuses a single day with */
async function ask(search: Search, question: Question, window: DateWindow | undefined): Promise<Asked> {
  const { archive, counts, found, governed, maximumStudies, wish, signal } = search;
  if (counts.questions >= MAXIMUM_QUESTIONS) throw new GatewayError("SEARCH_TOO_LONG", { limit: MAXIMUM_QUESTIONS });
  counts.questions += 1;
  const before = found.mark;
  const told = { passedOver: 0, modalityUntold: 0 };
  const unsure: (readonly string[])[] = [];
  let answers = 0;
  const listen = async (watched: AbortSignal): Promise<boolean> => {
    for await (const answer of archive.find(question.identifier(window), MAXIMUM_STUDIES, watched)) {
      answers += 1;
      const row = question.rowOf(answer);
      if (row === undefined) told.passedOver += 1;
      else if (unsure.length < MAXIMUM_UNSURE && isUnsure(row, question.modalities)) unsure.push(row);
      else if (found.mark.rows >= maximumStudies || found.mark.sizeBytes > MAXIMUM_FOUND_BYTES) return true;
      else await keep(row);
    }
    return false;
  };
  const keep = async (row: readonly string[]): Promise<void> => {
    if (isUnsure(row, question.modalities)) told.modalityUntold += 1;
    await found.add(row);
  };
  /** Once the question is answered: an archive may allow one association at a time. */
  const confirm = async (watched: AbortSignal): Promise<boolean> => {
    for (const row of unsure) {
      const mayAsk = counts.questions < MAXIMUM_QUESTIONS;
      if (mayAsk) counts.questions += 1;
      const confirmed = mayAsk ? await confirmModality(archive, row, question.modalities ?? [], watched) : row;
      if (confirmed === undefined) told.passedOver += 1;
      else if (found.mark.rows >= maximumStudies) return true;
      else await keep(confirmed);
    }
    return false;
  };
  using limited = abortAfter(QUESTION_TIMEOUT_MS, signal);
  try {
    const isFull = await governed.whileOpen(listen, limited);
    const isCut = !isFull && (answers >= (wish.archiveCap ?? Number.POSITIVE_INFINITY) || USUAL_CAPS.has(answers));
    const isFullNow = isFull || (!isCut && (await governed.whileOpen(confirm, limited)));
    return { before, isCut, isFull: isFullNow, ...told };
  } catch (thrown) {
    signal.throwIfAborted();
    const { code } = toGatewayError(thrown);
    const canBeDivided = window === undefined || window.first < window.last;
    if (REFUSED_FOR_SIZE.has(code) && (canBeDivided || code === "FIND_LIMIT_REACHED"))
      return { before, isCut: true, isFull: false, ...told };
    await found.backTo(before);
    throw thrown;
  }
}
