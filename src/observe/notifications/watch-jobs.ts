import { JOB_STATES, type JobState } from "../../store/job-states.ts";
import type { NoticeMark } from "../../store/notices.ts";
import type { JobChanged } from "../../store/overview.ts";
import type { CohortStatus } from "../../store/records.ts";
import type { Store } from "../../store/store.ts";
import type { Clock } from "../../units/clock.ts";
import type { Notice, NoticeEvent } from "../../units/notifications.ts";
import type { Tell } from "./outbox.ts";

const MARK = "jobs";
const COHORT = "cohort:";
const PAGE = 500;
/** At one look; the next goes on. */
const MOST_PAGES = 20;
const AT_THE_END = Number.MAX_SAFE_INTEGER;

const STUDY_EVENTS: { readonly [State in JobState]?: NoticeEvent } = {
  failed: "study-failed",
  quarantined: "study-quarantined",
};

export interface JobWatch {
  readonly store: Pick<Store, "jobChanges" | "cohortsOfEach" | "cohortStatus">;
  readonly clock: Pick<Clock, "nowMs">;
  readonly tell: Tell;
  /** As they are kept; what this looker changes is changed in here too. */
  readonly marks: Map<string, string>;
  readonly isWanted: (event: NoticeEvent) => boolean;
}

/** Follows what becomes of jobs from where it was left, over restarts. What was before the first look is not told. */
export async function watchJobs(watch: JobWatch): Promise<void> {
  const { store, tell, marks } = watch;
  if (marks.get(MARK) === undefined) {
    const { last } = await store.jobChanges({ after: AT_THE_END, limit: 1 });
    await tell([], [{ name: MARK, value: String(last) }]);
    marks.set(MARK, String(last));
    return;
  }
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const { changes } = await store.jobChanges({ after: Number(marks.get(MARK)), limit: PAGE });
    const end = changes.at(-1)?.number;
    if (end === undefined) return;
    const cohorts = watch.isWanted("cohort-done") ? await doneCohorts(watch, changes) : NO_COHORTS;
    const passed = [...marks].filter(([name, value]) => name.startsWith(COHORT) && Number(value) <= end);
    const changed: readonly NoticeMark[] = [
      { name: MARK, value: String(end) },
      ...cohorts.marks.filter(({ value }) => Number(value) > end),
      ...passed.map(([name]) => ({ name, value: undefined })),
    ];
    await tell([...studyNotices(watch, changes), ...cohorts.notices], changed);
    for (const { name, value } of changed) {
      if (value === undefined) marks.delete(name);
      else marks.set(name, value);
    }
    if (changes.length < PAGE) return;
  }
}

function studyNotices({ clock }: JobWatch, changes: readonly JobChanged[]): readonly Notice[] {
  return changes.flatMap(({ job: { id: job, project, state, code } }) => {
    const event = STUDY_EVENTS[state];
    if (event === undefined) return [];
    return [{ event, atMs: clock.nowMs(), project, facts: { job, project, code: code ?? "INTERNAL" } }];
  });
}

interface DoneCohorts {
  readonly notices: readonly Notice[];
  readonly marks: readonly { readonly name: string; readonly value: string }[];
}

const NO_COHORTS: DoneCohorts = { notices: [], marks: [] };

/** A cohort is told once for all changes up to the one that was the last when it was found done. */
async function doneCohorts({ store, clock, marks }: JobWatch, changes: readonly JobChanged[]): Promise<DoneCohorts> {
  const ended = changes.filter(({ job }) => JOB_STATES[job.state].done);
  const cohortsOf = await store.cohortsOfEach(ended.map(({ job }) => job.id));
  const candidates = new Set(
    ended.flatMap(({ number }, index) =>
      (cohortsOf[index] ?? []).filter((cohort) => number > Number(marks.get(COHORT + cohort) ?? 0)),
    ),
  );
  const notices: Notice[] = [];
  const told: { readonly name: string; readonly value: string }[] = [];
  for (const cohort of candidates) {
    const status = await store.cohortStatus(cohort);
    if (!status.done) continue;
    // Asked after the state: what changes between the two is not told again.
    const { last } = await store.jobChanges({ after: AT_THE_END, limit: 1 });
    notices.push(cohortNotice(status, clock.nowMs()));
    told.push({ name: COHORT + cohort, value: String(last) });
  }
  return { notices, marks: told };
}

function cohortNotice({ cohort, project, total, states }: CohortStatus, atMs: number): Notice {
  const { delivered = 0, excluded = 0, held = 0, quarantined = 0, failed = 0, cancelled = 0 } = states;
  const counts = { delivered, excluded, notFound: states["not-found"] ?? 0, held, quarantined, failed, cancelled };
  return { event: "cohort-done", atMs, project, facts: { cohort, project, total, ...counts } };
}
