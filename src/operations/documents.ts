import type { ErrorClass } from "../errors/error-class.ts";
import type { ErrorCode } from "../errors/registry.ts";
import type { JobState, Stage, Verdict } from "../store/job-states.ts";

/** The documents that `--json` prints and the API answers. interfaces.md section 3: names and shapes hold still. */

export interface RefusedFinding {
  readonly row: number;
  readonly column: string;
  readonly code: ErrorCode;
  readonly message: string;
}

export interface SubmitDocument {
  readonly cohort: string;
  readonly project: string;
  readonly rows: number;
  readonly accepted: number;
  readonly joined: number;
  readonly refused: readonly RefusedFinding[];
}

export interface StatusDocument {
  readonly cohort: string;
  readonly project: string;
  /** Jobs. */
  readonly total: number;
  readonly states: Partial<Record<JobState, number>>;
  readonly done: boolean;
  readonly jobs?: readonly StudyDocument[];
}

export interface CohortDocument {
  readonly cohort: string;
  readonly project: string;
  readonly rows: number;
  readonly accepted: number;
  readonly joined: number;
  readonly submittedAt: string;
  readonly done: boolean;
}

export interface EventDocument {
  readonly at: string;
  readonly event: string;
  readonly detail: Readonly<Record<string, string | number | boolean>>;
}

export interface DeliveryDocument {
  readonly destination: string;
  readonly state: string;
  readonly instances: number;
  readonly code?: ErrorCode;
  readonly at: string;
}

/** One study job. Identifiers of the patient are not in it. Times are ISO 8601, UTC. */
export interface StudyDocument {
  readonly id: string;
  readonly project: string;
  /** The first cohort that holds it; `cohorts` has all. */
  readonly cohort: string;
  readonly cohorts: readonly string[];
  readonly state: JobState;
  readonly stage: Stage;
  readonly code?: ErrorCode;
  readonly class?: ErrorClass;
  readonly message?: string;
  readonly remedy?: string;
  readonly verdict: Verdict | null;
  readonly expected: number | null;
  readonly received: number;
  readonly excluded: number;
  readonly delivered: number;
  readonly attempts: number;
  readonly waitingUntil?: string;
  readonly archive?: string;
  readonly pseudonym: string | null;
  readonly pseudoStudyInstanceUid: string | null;
  readonly finishedAt?: string;
  readonly events: readonly EventDocument[];
  readonly deliveries?: readonly DeliveryDocument[];
  /** Why instances were left out, with their number. Only in `study show`. */
  readonly exclusions?: Readonly<Record<string, number>>;
}

export interface ArchiveDocument {
  readonly name: string;
  readonly kind: string;
  readonly address: string;
  readonly retrieve: string;
  readonly associations: number;
  readonly state: "open";
}

export interface DoctorCheck {
  readonly check: string;
  readonly ok: boolean;
  readonly code?: ErrorCode;
  readonly message: string;
  readonly remedy?: string;
}

export interface DoctorDocument {
  readonly ok: boolean;
  readonly checks: readonly DoctorCheck[];
  /** The line to send to the administrator of each archive. */
  readonly letters: readonly { readonly archive: string; readonly line: string }[];
}

/** Keys by their ids, the first one first. */
export interface ProjectKeysDocument {
  readonly project: string;
  readonly changed: boolean;
  readonly keys: readonly {
    readonly keyId: string;
    readonly since: string;
    /** It took the place of a key that studies had been delivered with. */
    readonly forced: boolean;
  }[];
}
