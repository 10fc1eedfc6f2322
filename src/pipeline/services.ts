import type { Archive } from "../archive/archive.ts";
import type { Refusals } from "../archive/refusals.ts";
import type { LinkSealer } from "../deid/linkage/sealing.ts";
import type { Profile } from "../deid/profiles/profile.ts";
import type { StudyDeidentifier } from "../deid/workers/study-run.ts";
import type { Destination } from "../delivery/destination.ts";
import type { Outbox } from "../staging/outbox.ts";
import type { SharedOutbox } from "../staging/shared-outbox.ts";
import type { StagingArea } from "../staging/staging-area.ts";
import type { Store } from "../store/store.ts";
import type { Actor } from "../units/actor.ts";
import type { Clock } from "../units/clock.ts";
import type { Logger } from "../units/logger.ts";
import type { Random } from "../units/random.ts";
import type { Traces } from "../units/traces.ts";
import type { ProjectHook } from "./hook/process-study.ts";
import type { RetryPolicy } from "./retry.ts";
import type { StudyLocks } from "./study-locks.ts";

/** A project as the pipeline needs it: everything resolved. */
export interface PipelineProject {
  readonly name: string;
  /** In the order of fallback. */
  readonly archives: readonly Archive[];
  readonly destinations: readonly Destination[];
  readonly profile: Profile;
  readonly keyId: string;
  readonly deidentifier: StudyDeidentifier;
  /** Studies of one Patient ID and Accession Number become one, as PIXL has it. */
  readonly combinesStudies: boolean;
  /** Several patients may have one pseudonym. */
  readonly mergePatients: boolean;
  readonly partial: "hold" | "deliver";
  readonly maximumStudiesPerRequest: number;
  /** Undefined: it is not kept who was who. */
  readonly linkage?: LinkSealer | undefined;
  /** Undefined: what is verified is delivered as it is. */
  readonly hook?: ProjectHook | undefined;
  /** Patient IDs never queried for, never delivered. */
  readonly optOut: ReadonlySet<string>;
}

export interface PipelineServices {
  readonly store: Store;
  /** In whose name the audit trail tells what the pipeline did. */
  readonly actor: Actor;
  readonly staging: StagingArea;
  readonly outbox: Outbox;
  /** Undefined: copies that await delivery are on this node's disk alone. */
  readonly sharedOutbox?: SharedOutbox | undefined;
  readonly refusals: Refusals;
  /** As the settings have them now: a job asks once, and goes on with what it began with. */
  readonly projects: ReadonlyMap<string, PipelineProject>;
  /** Until it is disposed, what projects of now are made of stays open. */
  readonly hold?: () => Disposable;
  /** Whether the patient was withdrawn from the project: known the moment it is written. */
  isWithdrawn(project: string, patientId: string): Promise<boolean>;
  readonly retry: RetryPolicy;
  readonly studyLocks: StudyLocks;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly traces: Traces;
}
