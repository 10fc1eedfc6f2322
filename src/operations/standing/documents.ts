import type { ErrorCode } from "../../errors/registry.ts";
import type { StandingCounts, StandingReason, StandingRunState } from "../../store/standing.ts";
import type { SearchWish } from "../search/documents.ts";
import type { Timetable } from "./timetable.ts";

export interface NewStanding extends Omit<SearchWish, "countOnly"> {
  readonly name: string;
  /** As `Timetable.times`. */
  readonly times: readonly string[];
  /** Undefined: the archive's, else this machine's. */
  readonly timeZone?: string | undefined;
}

export interface StandingRunDocument extends StandingCounts {
  readonly number: number;
  readonly state: StandingRunState;
  readonly code: ErrorCode | null;
  readonly reason: StandingReason;
  readonly dueAt: string;
  /** Times that passed without a run while nothing was running, and that this one makes up for. */
  readonly missed: number;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly cohort: string | null;
}

/** Says nothing of patients. */
export interface StandingDocument extends Timetable {
  readonly name: string;
  readonly project: string;
  readonly archive: string;
  readonly paused: boolean;
  readonly nextRunAt: string | null;
  /** When the archive may be asked at that time only later; null: it may be asked then, or nobody knows when it may. */
  readonly opensAt: string | null;
  readonly lastRun: StandingRunDocument | null;
}

/** With what is asked for, which may name patients. */
export interface StandingDetailDocument extends StandingDocument {
  readonly wish: Omit<SearchWish, "project" | "archive" | "countOnly">;
  /** The newest first. */
  readonly runs: readonly StandingRunDocument[];
}
