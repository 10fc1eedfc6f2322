import type { ErrorClass } from "../errors/error-class.ts";
import type { ErrorCode } from "../errors/registry.ts";
import type { AuditFinding } from "../store/audit-chain.ts";
import type { JobState, Stage, Verdict } from "../store/job-states.ts";
import type { Role } from "../units/actor.ts";

/** The documents that `--json` prints and the API answers. Sites' scripts rely on them: names and shapes hold still. */

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
  /** What a confirmed one was read back by: sha256, digest or uids. */
  readonly proof?: string;
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
  /** 1 to 5, 5 first. */
  readonly priority: number;
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
  /** The same by what the instances are, from its last de-identification. Only in `study show`. */
  readonly stayedBehind?: readonly StayedBehindDocument[];
  /** Every instance, while the study is quarantined. Only in `study show`. */
  readonly instances?: readonly InstanceDocument[];
  /** What its last run was released from quarantine with. Only in `study show`. */
  readonly release?: ReleaseDocument;
}

/** Why some instances did not leave, and what they are. */
export interface StayedBehindDocument {
  readonly code: string;
  readonly reason: string;
  /** The place that the reason names, such as "(0008,1030)". */
  readonly tag?: string | undefined;
  readonly count: number;
  /** By the keyword of their SOP class and their modality; either is empty where it is none of the standard's. */
  readonly kinds?:
    | readonly { readonly sopClass: string; readonly modality: string; readonly count: number }[]
    | undefined;
}

/** An instance of a quarantined study, as a person decides on it. */
export interface InstanceDocument {
  /** From 1; names it to `study release --leave-out`. */
  readonly number: number;
  /** Instances of one series have one number. */
  readonly series: number;
  readonly state: "passed" | "rejected" | "left out" | "received" | "missing" | "delivered";
  /** An error code, or a filter's reason. */
  readonly code?: string;
  /** What the code is about: a tag, a kind, a word. */
  readonly reason?: string;
  readonly pseudoSopInstanceUid?: string;
}

export interface ReleaseDocument {
  readonly at: string;
  readonly by: string;
  readonly reason: string;
  /** Instances. */
  readonly leftOut: number;
  readonly allowedTags: readonly string[];
}

export interface ReleaseResultDocument {
  readonly id: string;
  readonly released: true;
  /** Instances. */
  readonly leftOut: number;
  readonly allowedTags: readonly string[];
}

interface AuditCodeDocument {
  readonly code: string;
  readonly meaning: string;
}

/** One record of the audit trail. */
export interface AuditRecordDocument {
  readonly number: number;
  readonly at: string;
  readonly event: string;
  /** Of PS3.16 CID 400 and 401, coding scheme DCM. */
  readonly codes: { readonly id: AuditCodeDocument; readonly type?: AuditCodeDocument };
  readonly actor: { readonly name: string; readonly kind: string; readonly role?: string };
  readonly outcome: string;
  readonly job?: string;
  readonly project?: string;
  readonly detail?: Readonly<Record<string, string | number | boolean>>;
  readonly hash: string;
}

export interface AuditVerdictDocument {
  readonly ok: boolean;
  readonly records: number;
  /** Hash of the last record: noted elsewhere, it shows whether the trail was written anew. */
  readonly head: string;
  readonly findings: readonly AuditFinding[];
}

export interface ArchiveDocument {
  readonly name: string;
  readonly kind: string;
  /** AET@host:port, or a URL. */
  readonly address: string;
  /** Of a DIMSE archive. */
  readonly retrieve?: "move" | "get";
  readonly associations: number;
  readonly state: ArchiveState;
  /** Why it rests, after failures or as it asked for, and until when it does. */
  readonly code?: ErrorCode;
  readonly until?: string;
  /** When its next window opens; absent while one is open. */
  readonly opensAt?: string;
  /** When the present window closes; absent when it never does. */
  readonly closesAt?: string;
  readonly windows?: readonly string[];
  readonly timeZone?: string;
  readonly studiesPerMinute?: number;
  readonly bytesPerSecond?: number;
  /** What operators set in place of the settings. */
  readonly changed: readonly string[];
}

export type ArchiveState = "open" | "closed" | "paused" | "resting";

/** What became of one kind of thing in the settings, by name. */
export interface ReloadedNames {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** What taking in the settings anew did. */
export interface ReloadDocument {
  readonly at: string;
  readonly archives: ReloadedNames;
  readonly destinations: ReloadedNames;
  readonly projects: ReloadedNames;
  /** Other settings that are in force now. */
  readonly others: readonly string[];
  /** Paths of what was changed and holds only after a restart. */
  readonly needsRestart: readonly string[];
  /** Projects that were removed while they have jobs that are not done: these wait until it comes back or they are cancelled. */
  readonly orphaned: readonly { readonly project: string; readonly jobs: number }[];
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

/** Jobs of a project in one stage and state. */
export interface JobCountDocument {
  readonly project: string;
  readonly stage: Stage;
  readonly state: JobState;
  readonly jobs: number;
}

/** All that the asker may see, at one time. */
export interface OverviewDocument {
  readonly at: string;
  /** Jobs. */
  readonly total: number;
  /** Jobs by state. */
  readonly states: Readonly<Record<string, number>>;
  readonly counts: readonly JobCountDocument[];
  /** Since the oldest job that is queued or waits was first asked for; null when none is. */
  readonly oldestWaitingSeconds: number | null;
  /** Gateways on the same database, by whether they gave a sign of life within half a minute; null where the store is one gateway's own. */
  readonly nodes: { readonly alive: number; readonly silent: number } | null;
  /** Why the store cannot be written: all work stands still, and studies are shown as they were. Null while it can be. */
  readonly storeTrouble: TroubleDocument | null;
}

/** What is wrong, and what to do about it. */
export interface TroubleDocument {
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy: string;
}

export interface ProjectDocument {
  readonly name: string;
  readonly archives: readonly string[];
  readonly destinations: readonly string[];
  readonly profile: string;
  readonly partial: "hold" | "deliver";
  readonly accessionNumbersUnique: boolean;
  /** Jobs by state. */
  readonly states: Readonly<Record<string, number>>;
}

/** What submitting a file would find, without doing it. */
export type CohortCheckDocument = Omit<SubmitDocument, "cohort" | "joined">;

export interface ListedDeliveryDocument extends DeliveryDocument {
  readonly job: string;
  readonly project: string;
}

export interface WorkerDocument {
  readonly name: string;
  /** Jobs it took so far. */
  readonly claims: number;
  readonly lastClaimAt: string;
}

/** A study as it became. */
export interface StudyChangeDocument {
  readonly number: number;
  readonly study: StudyDocument;
}

/** The account of one series, without anything of the original's. */
export interface SeriesLedgerDocument {
  /** From 1, in the order of the study. */
  readonly series: number;
  readonly expected: number;
  readonly received: number;
  readonly excluded: number;
  readonly deidentified: number;
  readonly delivered: number;
  /** Why instances were left out, with their number. */
  readonly exclusions: Readonly<Record<string, number>>;
}

/** Who a study is of. */
export interface IdentityDocument {
  readonly id: string;
  readonly studyInstanceUid: string | null;
  readonly accessionNumber: string | null;
  readonly patientId: string | null;
}

export interface TokenDocument {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** Null: every project. */
  readonly projects: readonly string[] | null;
  readonly state: "good" | "expired" | "revoked";
  readonly createdAt: string;
  readonly expiresAt: string;
}

export interface NewTokenDocument extends TokenDocument {
  /** Shown this once. */
  readonly token: string;
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
