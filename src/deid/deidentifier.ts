import { GatewayError } from "../errors/gateway-error.ts";
import type { InstanceFilters } from "./filters.ts";
import type { InstanceOutcome } from "./outcome.ts";
import type { Profile } from "./profiles/profile.ts";
import type { ProjectKey } from "./pseudonyms/project-key.ts";

export interface DeidentifierOptions {
  readonly profile: Profile;
  readonly key: ProjectKey;
  readonly filters: InstanceFilters;
  /** Put before keyed pseudonyms (not before participant ids). */
  readonly pseudonymPrefix?: string;
}

export interface InstanceTask {
  /** A staged Part 10 file. */
  readonly path: string;
  /** Where the output goes; its folder is made when missing. What is there is replaced atomically. */
  readonly outputPath: string;
  /** Becomes the pseudonym. */
  readonly participantId: string | undefined;
  /** Instances of this one's series in the archive's whole study. */
  readonly seriesInstanceCount: number;
  /** Original Series Instance UIDs; undefined: all. */
  readonly requestedSeries?: ReadonlySet<string>;
}

/** De-identifies instances of one project. Output bytes are a function of input bytes, profile, key and engine version. */
export interface Deidentifier {
  /**
   * Writes `outputPath` only once the output is verified, synced and whole.
   * @throws GatewayError PARTICIPANT_ID_INVALID; the signal's reason; errors of the disk as they are
   */
  instance(task: InstanceTask, signal: AbortSignal): Promise<InstanceOutcome>;
}

export function createDeidentifier(options: DeidentifierOptions): Deidentifier {
  return { instance: () => Promise.reject(new GatewayError("INTERNAL", { profile: options.profile.name })) };
}
