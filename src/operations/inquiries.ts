import { GatewayError } from "../errors/gateway-error.ts";
import { type Actor, maySeeProject } from "../units/actor.ts";
import type { Clock } from "../units/clock.ts";
import type { Random } from "../units/random.ts";
import type { CheckedStudy, CheckSummary } from "./check/documents.ts";
import type { PlannedRow, PlanSummary } from "./plan/documents.ts";
import type { SearchEstimate, SearchedQuery, SearchSummary } from "./search/documents.ts";
import type { FoundFile, FoundStudies } from "./search/found-studies.ts";
import { type Undertaking, type UndertakingState, undertake, type Work } from "./undertaking.ts";

/** Inquiries that run at once, of all users together: each asks archives and destinations beside the work itself. */
const MAXIMUM_RUNNING = 4;
/** Inquiries in memory, running or ended. */
const MAXIMUM_KEPT = 16;
/** How long what was found can be read after the end. */
const KEPT_MS = 3_600_000;

/** A question that takes its time: how far it is, and at its end what it came to. */
interface InquiryFacts<S> extends UndertakingState<S> {
  readonly id: string;
  readonly project: string;
}
export interface PlanDocument extends InquiryFacts<PlanSummary> {
  readonly kind: "plan";
}
export interface CheckDocument extends InquiryFacts<CheckSummary> {
  readonly kind: "check";
  readonly cohort: string;
}
/** What it finds is in a file, not in memory. */
export interface SearchDocument extends InquiryFacts<SearchSummary> {
  readonly kind: "search";
  readonly archive: string;
  /** What it was expected to cost before anything was asked. */
  readonly estimate: SearchEstimate;
}
export type InquiryDocument = PlanDocument | CheckDocument | SearchDocument;
/** Found so far: rows of a plan, studies of a check, queries of a search. */
export type InquiryItem = PlannedRow | CheckedStudy | SearchedQuery;

/** Items after a number, in order. */
export interface ItemPage {
  readonly after: number;
  readonly limit: number;
}

interface Subject {
  readonly project: string;
  /** Items that there will be. */
  readonly total: number;
}

/**
 * Questions under way, and what they found: kept in memory for a while, and nowhere else. Disposing ends them.
 * @throws GatewayError INQUIRIES_EXHAUSTED when too many run; INQUIRY_NOT_FOUND for what is not there, is forgotten, or is of a project that the
 * asker may not see
 */
export interface Inquiries extends AsyncDisposable {
  beginPlan(subject: Subject, work: Work<PlannedRow, PlanSummary>): PlanDocument;
  beginCheck(subject: Subject & { readonly cohort: string }, work: Work<CheckedStudy, CheckSummary>): CheckDocument;
  /** The file is removed when the search is forgotten, not when this throws. */
  beginSearch(
    subject: Subject & {
      readonly archive: string;
      readonly estimate: SearchEstimate;
      readonly file: FoundFile | undefined;
    },
    work: Work<SearchedQuery, SearchSummary>,
  ): SearchDocument;
  /** The project of a search that has ended, and what it found. @throws GatewayError SEARCH_NOT_KEPT */
  found(id: string, actor: Actor): { readonly project: string; readonly file: FoundStudies };
  look(id: string, actor: Actor): InquiryDocument;
  items(id: string, actor: Actor, page: ItemPage): readonly InquiryItem[];
  list(actor: Actor): readonly InquiryDocument[];
  /** Ends it if it runs; what was found so far stays. */
  cancel(id: string, actor: Actor): Promise<InquiryDocument>;
}

interface Kept {
  readonly project: string;
  readonly work: Pick<Undertaking<InquiryItem, unknown>, "after" | "endedAtMs" | "stop">;
  readonly file?: FoundFile | undefined;
  document(): InquiryDocument;
}

/** Forgets inquiries, each together with its file. */
function createShelf(kept: Map<string, Kept>, clock: Clock) {
  const removals = new Set<Promise<void>>();
  const drop = (id: string): void => {
    const removal = kept.get(id)?.file?.remove();
    kept.delete(id);
    if (removal === undefined) return;
    removals.add(removal);
    removal.catch(() => undefined).finally(() => removals.delete(removal));
  };
  const forget = (): void => {
    for (const [id, { work }] of kept)
      if (work.endedAtMs !== undefined && clock.nowMs() - work.endedAtMs >= KEPT_MS) drop(id);
  };
  const empty = async (): Promise<void> => {
    for (const id of [...kept.keys()]) drop(id);
    await Promise.allSettled(removals);
  };
  return { forget, drop, empty };
}

export function createInquiries({ clock, random }: { readonly clock: Clock; readonly random: Random }): Inquiries {
  const kept = new Map<string, Kept>();
  const { forget, drop, empty } = createShelf(kept, clock);
  const find = (id: string, actor: Actor): Kept => {
    forget();
    const inquiry = kept.get(id);
    if (inquiry === undefined || !maySeeProject(actor, inquiry.project)) throw new GatewayError("INQUIRY_NOT_FOUND");
    return inquiry;
  };
  const makeRoom = (): string => {
    forget();
    const running = [...kept.values()].filter(({ work }) => work.endedAtMs === undefined).length;
    if (running >= MAXIMUM_RUNNING) throw new GatewayError("INQUIRIES_EXHAUSTED", { limit: MAXIMUM_RUNNING });
    const oldest = [...kept].find(([, { work }]) => work.endedAtMs !== undefined);
    if (kept.size >= MAXIMUM_KEPT && oldest !== undefined) drop(oldest[0]);
    return `inquiry-${Buffer.from(random.bytes(8)).toString("hex")}`;
  };
  const cancelled = new GatewayError("CANCELLED");
  return {
    beginPlan({ project, total }, ask) {
      const id = makeRoom();
      const work = undertake(total, clock, ask);
      const document = (): PlanDocument => ({ id, kind: "plan", project, ...work.state() });
      kept.set(id, { project, work, document });
      return document();
    },
    beginCheck({ project, cohort, total }, ask) {
      const id = makeRoom();
      const work = undertake(total, clock, ask);
      const document = (): CheckDocument => ({ id, kind: "check", project, cohort, ...work.state() });
      kept.set(id, { project, work, document });
      return document();
    },
    beginSearch({ project, archive, estimate, total, file }, ask) {
      const id = makeRoom();
      const work = undertake(total, clock, ask);
      const document = (): SearchDocument => ({ id, kind: "search", project, archive, estimate, ...work.state() });
      kept.set(id, { project, work, file, document });
      return document();
    },
    found(id, actor) {
      const { project, file, document } = find(id, actor);
      const { state } = document();
      if (file === undefined || state === "running" || state === "failed") throw new GatewayError("SEARCH_NOT_KEPT");
      return { project, file };
    },
    look: (id, actor) => find(id, actor).document(),
    items: (id, actor, { after, limit }) => find(id, actor).work.after(after, limit),
    list(actor) {
      forget();
      return [...kept.values()].filter(({ project }) => maySeeProject(actor, project)).map((one) => one.document());
    },
    async cancel(id, actor) {
      const { work, document } = find(id, actor);
      await work.stop(cancelled);
      return document();
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...kept.values()].map(({ work }) => work.stop(cancelled)));
      await empty();
    },
  };
}
