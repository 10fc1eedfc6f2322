import type { NewStanding, StandingDetailDocument, StandingDocument } from "./documents.ts";

/**
 * Searches that are asked again by a timetable, each time for what is new or changed. Part of `Operations`.
 * @throws GatewayError STANDING_NOT_FOUND
 */
export interface StandingOperations {
  /**
   * @throws GatewayError STANDING_NAME_TAKEN, STANDING_TIMETABLE_INVALID, PROJECT_UNKNOWN, ARCHIVE_UNKNOWN, SEARCH_QUERY_INVALID, SEARCH_TOO_BROAD,
   * QUERY_KEY_…
   */
  addStanding(wish: NewStanding): Promise<StandingDocument>;
  listStanding(): Promise<readonly StandingDocument[]>;
  showStanding(name: string): Promise<StandingDetailDocument>;
  /** No further run begins; one that is under way goes on. */
  pauseStanding(name: string): Promise<StandingDocument>;
  /** Runs that were due while it was paused are left out. */
  resumeStanding(name: string): Promise<StandingDocument>;
  /** Has the running service begin a run, also of one that is paused; does nothing when a run is under way. */
  runStanding(name: string): Promise<StandingDocument>;
  /** The cohorts that its runs submitted stay. */
  removeStanding(name: string): Promise<void>;
}
