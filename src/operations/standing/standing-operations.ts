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
  /** A run that is under way goes on. */
  pauseStanding(name: string): Promise<StandingDocument>;
  /** What was due meanwhile is not made up for. */
  resumeStanding(name: string): Promise<StandingDocument>;
  /** Begins a run, also of a paused one; one that is under way is the answer. The running service takes it up. */
  runStanding(name: string): Promise<StandingDocument>;
  /** What it brought stays. */
  removeStanding(name: string): Promise<void>;
}
