import type { ErrorCode } from "../errors/registry.ts";
import type { AuditEvent } from "../units/audit.ts";
import type { JobState } from "./job-states.ts";
import type { NewCohort } from "./records.ts";

/** A search that is asked again by a timetable. */
export interface StandingCohort {
  /** Nobody else's while it is there. */
  readonly name: string;
  readonly project: string;
  readonly archive: string;
  /** JSON of whoever writes and reads them; the queries may name patients. */
  readonly wish: string;
  readonly timetable: string;
  readonly paused: boolean;
  readonly createdAtMs: number;
  /** Undefined: by nothing in its timetable. */
  readonly nextRunAtMs: number | undefined;
}

/**
 * `running` until its studies are submitted, over restarts; `incomplete`: something could not be asked, and what was found is submitted; `failed`:
 * nothing is.
 */
export const STANDING_RUN_STATES = ["running", "done", "incomplete", "failed"] as const;
export type StandingRunState = (typeof STANDING_RUN_STATES)[number];
export const STANDING_REASONS = ["timetable", "caught-up", "asked"] as const;
export type StandingReason = (typeof STANDING_REASONS)[number];

/** What a search came to. */
export interface StandingCounts {
  readonly found: number;
  /** Studies that were no jobs of the project. */
  readonly fresh: number;
  /** Delivered ones of which the archive has more than before. */
  readonly changed: number;
  readonly known: number;
  /** Rows that a list of the project, or what is wrong with them, keeps out. */
  readonly refused: number;
}

export interface StandingRun extends StandingCounts {
  readonly standing: string;
  /** Counts from 1 for each standing cohort. */
  readonly number: number;
  readonly state: StandingRunState;
  readonly code: ErrorCode | undefined;
  readonly reason: StandingReason;
  readonly dueAtMs: number;
  /** Times of the timetable that passed without a run besides, and are made up for by this one. */
  readonly missed: number;
  readonly startedAtMs: number;
  readonly endedAtMs: number | undefined;
  /** Undefined: there was nothing to fetch. */
  readonly cohort: string | undefined;
}

/** What is known of a study before a run. */
export interface KnownStudy {
  /** Its job in the project. */
  readonly job: string | undefined;
  readonly state: JobState | undefined;
  /** How many instances the job brought or was to bring; undefined where it is for some series only, or the archive never said. */
  readonly instances: number | undefined;
  /** How many the archive said it has when a run last looked. */
  readonly seen: number | undefined;
}

export interface StandingEnd {
  readonly state: Exclude<StandingRunState, "running">;
  readonly code?: ErrorCode | undefined;
  readonly counts: StandingCounts;
  /** What is to be fetched; absent or without requests: nothing, and no cohort is made. */
  readonly cohort?: NewCohort | undefined;
  /** Jobs that are delivered again, for what is new of them. */
  readonly again?: readonly string[];
  /** What the archive says that studies have, to be compared with at the next run. */
  readonly seen?: readonly { readonly studyInstanceUid: string; readonly instances: number }[];
  /** Written in the same transaction. The cohort that was made is added to it. */
  readonly audit?: Omit<AuditEvent, "detail"> & { readonly detail: NonNullable<AuditEvent["detail"]> };
}

/** The part of the store that keeps standing cohorts. */
export interface StandingStore {
  /** False: the name is taken. @param audit of this and of what follows: written in the same transaction, when something was changed */
  addStandingCohort(
    standing: Omit<StandingCohort, "createdAtMs" | "paused">,
    audit: AuditEvent,
    nowMs: number,
  ): Promise<boolean>;
  /** By name. */
  listStandingCohorts(page: {
    readonly after?: string | undefined;
    readonly limit: number;
  }): Promise<readonly StandingCohort[]>;
  standingCohort(name: string): Promise<StandingCohort | undefined>;
  /** False when there is none of this name. */
  changeStandingCohort(
    name: string,
    change: { readonly paused?: boolean; readonly nextRunAtMs?: number | undefined },
    audit: AuditEvent,
    nowMs: number,
  ): Promise<boolean>;
  /** With its runs; cohorts that they made stay. False when there is none. */
  removeStandingCohort(name: string, audit: AuditEvent, nowMs: number): Promise<boolean>;
  /** Due and not paused, or with a run to go on with. */
  dueStandingCohorts(limit: number, nowMs: number): Promise<readonly StandingCohort[]>;
  /** The run to go on with when there is one, else a new one; the standing cohort is next due as told. Undefined when it was removed. */
  beginStandingRun(
    name: string,
    run: Pick<StandingRun, "reason" | "dueAtMs" | "missed"> & { readonly nextRunAtMs: number | undefined },
    nowMs: number,
  ): Promise<StandingRun | undefined>;
  /** Submits what it found and ends it, all or nothing. Undefined when it is not running any more. */
  endStandingRun(name: string, number: number, end: StandingEnd, nowMs: number): Promise<StandingRun | undefined>;
  /** The newest first. */
  standingRuns(
    name: string,
    page: { readonly before?: number | undefined; readonly limit: number },
  ): Promise<readonly StandingRun[]>;
  /** Runs with a code, in the order they ended, after a number of this order. */
  standingTroubles(page: {
    readonly after: number;
    readonly limit: number;
  }): Promise<readonly (StandingRun & { readonly trouble: number; readonly project: string })[]>;
  /** Of several studies, in their order. */
  knownStudies(name: string, studyInstanceUids: readonly string[]): Promise<readonly KnownStudy[]>;
}
